"""The straight wire: whoever speaks OpenAI's protocol (Ollama, llama.cpp, vLLM, a gateway) is asked directly.

A `Model` with an address and a `Task` in, `Chunk`s out. Nothing of litellm is needed for it. Cancelling closes the
connection, which is how a server learns to stop. Redirects are not followed: the key is for this address.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from layers.errors import BulkheadError, Misconfigured, NotReached, RateLimited, Refused, Unavailable
from layers.routing.discover import LOCAL_HOSTS
from layers.routing.protocol import Chunk, body_of, message_of, read_chunk, refusal
from layers.routing.types import Model, Task

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

MOST_ERROR_BYTES = 20_000
MOST_ERROR_CHARS = 200
MOST_EVENT_BYTES = 8_000_000
LONGEST_WAIT_S = 3600.0
"""A Retry-After beyond it is taken for a mistake of the provider's clock."""
REFUSED = {400, 413, 422}


class OpenAIWire:
    """Asks servers that speak OpenAI's protocol."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._session: aiohttp.ClientSession | None = None
        self._uncounted: set[str] = set()
        """Addresses that refuse `stream_options`: what they bill is not told."""

    def warm(self) -> None:
        """Nothing needs loading."""

    async def ready(self) -> None:
        """It always is."""

    async def stream(self, model: Model, task: Task) -> AsyncGenerator[Chunk, None]:
        """The answer of `model`, asked once, as it comes.

        Raises:
            Unavailable: the model failed; it may be NotReached or RateLimited.
            Misconfigured: the key, the name or the address is wrong.
            Refused: the provider will not answer this request.
        """
        try:
            async with aclosing(self._ask(model, task)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except Refused as error:
            if "stream_options" not in str(error) or model.api_base in self._uncounted:
                raise
            self._uncounted.add(model.api_base)
            async with aclosing(self._ask(model, task)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _ask(self, model: Model, task: Task) -> AsyncGenerator[Chunk, None]:
        """One request."""
        import aiohttp  # a quarter of a second that a start without models does not spend

        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, connect=10), trust_env=False
            )
        key = self._environ.get(model.key_env, "") if model.key_env else ""
        body = self._body(model, task)
        headers = {"content-type": "application/json", "accept": "text/event-stream, application/json"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        url = f"{model.api_base.rstrip('/')}/chat/completions"
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False, proxy=proxy_of(url, self._environ)
            ) as response:
                if response.status != 200:
                    raise await failure(response, model, key)
                if "event-stream" in response.headers.get("content-type", ""):
                    async for data in events(response.content.iter_any()):
                        yield read_chunk(data)
                else:
                    yield read_chunk(await response.read())
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise Misconfigured(f"{model.api_base!r} is not an address; correct routes.toml") from None
        except aiohttp.ClientConnectorError as error:
            raise NotReached(f"the provider failed: {url} does not answer ({type(error).__name__})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the provider failed: the connection broke ({type(error).__name__})") from None

    def _body(self, model: Model, task: Task) -> bytes:
        name = model.wire.partition("/")[2] or model.wire
        body = {"model": name, **body_of(task)}
        if model.api_base in self._uncounted:
            del body["stream_options"]
        return json.dumps(body, separators=(",", ":")).encode()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # lets the transports see it
            self._session = None


def proxy_of(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for `url`; this machine is reached without."""
    parts = urlsplit(url)
    host, name = parts.hostname or "", f"{parts.scheme}_proxy"
    spared = (environ.get("no_proxy") or environ.get("NO_PROXY", "")).replace(",", " ").split()
    if host in LOCAL_HOSTS or "*" in spared or any(f".{host}".endswith(f".{each.lstrip('.')}") for each in spared):
        return None
    return environ.get(name) or environ.get(name.upper()) or None


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each server-sent event, until `[DONE]` or the end.

    Raises:
        Unavailable: an event has no end.
    """
    rest = b""
    async for piece in pieces:
        rest += piece
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            if data:
                yield data
        if len(rest) > MOST_EVENT_BYTES:
            raise Unavailable("the provider sent an event without an end")


async def failure(response: aiohttp.ClientResponse, model: Model, key: str) -> BulkheadError:
    """What an answer other than 200 means, without the key."""
    raw = (await response.content.read(MOST_ERROR_BYTES)).decode(errors="replace")
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = raw
    text = message_of(told)
    if "context_length_exceeded" in raw:  # a code that need not stand in the message
        return refusal("context_length_exceeded")
    text = (text.replace(key, "***") if key else text)[:MOST_ERROR_CHARS]
    match response.status:
        case 401 | 403:
            return Misconfigured(f"the provider does not accept the key in {model.key_env or 'the environment'}")
        case 404:
            return Misconfigured(f"the provider knows no model {model.wire!r}; correct routes.toml")
        case 429 | 503 if (wait_s := retry_after_s(response.headers.get("retry-after", ""))) is not None:
            return RateLimited(
                f"the provider asks to slow down for {wait_s:.0f} s ({response.status})",
                retry_after_s=wait_s,
                bucket=model.name,
            )
        case 429:
            return Unavailable("the provider asks to slow down, or the account is used up (429)")
        case status if status in REFUSED:
            return refusal(text)
        case status if 300 <= status < 400:
            return Misconfigured(f"{model.api_base} answers with another address ({status}); correct routes.toml")
    return Unavailable(f"the provider failed: {text or response.status}")


def retry_after_s(value: str) -> float | None:
    """Seconds that a Retry-After asks for: a number or a date of HTTP; None where it makes no sense."""
    try:
        wait_s = float(value)
    except ValueError:
        try:
            wait_s = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S) if wait_s == wait_s else None
