"""The only place that knows litellm: a process of its own, `python -m layers.routing.litellm_model`.

One JSON object per line in (`Asked`, or `{"cancel": id}`), one per line out: chunks as litellm gives them, an error as
its kind and one sentence, or the end. litellm 1.100.5 takes 5 to 8 s of CPU, 931 modules of its own and 200 MiB, spread
over so many of them that no part is worth leaving out: so the server never imports it, and only the models that have no
straight wire wait for it. Retries, fallbacks and cooldowns are the router's.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

from pydantic import BaseModel

from layers.routing.protocol import Failure, kind_of, refusal

BEFORE_IMPORT = {
    # without it the import fetches a price list from GitHub
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # any other mode reads a .env from the working directory into our environment
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    # with aiohttp underneath, a cancelled stream is read to its end, and billed
    "DISABLE_AIOHTTP_TRANSPORT": "True",
}
FIRST_CALL = ("openai.resources", "openai.lib.streaming.chat")
"""What litellm imports at its first call, for more than a second. Loaded with it instead."""
LONGEST_LINE = 64 * 2**20
MOST_ERROR_CHARS = 200
TOO_LONG_CODE = "context_length_exceeded"
PREFIX = re.compile(r"^(litellm\.)?(\w+(Error|Exception)(: | - ))*")
"""The names of classes that litellm puts before what the provider said."""


class Asked(BaseModel):
    """A request as it comes over the pipe."""

    id: int
    wire: str
    key_env: str = ""
    api_base: str = ""
    timeout_s: float
    body: dict[str, Any]


def load() -> Any:  # noqa: ANN401 - a module without types
    """Import litellm and everything that its first call would import."""
    os.environ.update(BEFORE_IMPORT)
    vendor: Any = importlib.import_module("litellm")
    for name in FIRST_CALL:
        importlib.import_module(name)
    vendor.suppress_debug_info = True
    vendor.drop_params = True  # a parameter that one provider lacks is left out instead of refused
    vendor.turn_off_message_logging = True
    vendor.disable_aiohttp_transport = True
    # litellm reads its price list, tokenisers and provider tables at its first call; this one stays in the process
    vendor.completion(model="openai/warm", messages=[{"role": "user", "content": ""}], mock_response="warm")
    return vendor


class Child:
    """Answers what comes in, many at once."""

    def __init__(self, vendor: Any, out: BinaryIO) -> None:  # noqa: ANN401
        self._vendor = vendor
        self._out = out
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def serve(self, lines: asyncio.StreamReader) -> None:
        """Until the other side closes its end."""
        self.say({"ready": True})
        while line := await lines.readline():
            told = json.loads(line)
            if "cancel" in told:
                if task := self._tasks.get(told["cancel"]):
                    task.cancel()
                continue
            asked = Asked.model_validate(told)
            task = asyncio.create_task(self._answer(asked))
            self._tasks[asked.id] = task
            task.add_done_callback(partial(self._forget, asked.id))

    def _forget(self, id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[id]

    def say(self, told: Mapping[str, object]) -> None:
        """One line out."""
        self._out.write(json.dumps(told).encode() + b"\n")
        self._out.flush()

    async def _answer(self, asked: Asked) -> None:
        key = os.environ.get(asked.key_env) if asked.key_env else None
        try:
            usage = await self._stream(asked, key)
            self.say({"id": asked.id, "chunk": {"cost_usd": price(self._vendor, asked, usage)}})
            self.say({"id": asked.id, "end": True})
        except Exception as error:  # noqa: BLE001 - adapters raise whatever their provider's library raises
            self.say({"id": asked.id, "error": self.told(error, asked, key or "")})

    async def _stream(self, asked: Asked, key: str | None) -> tuple[int, int]:
        """Pass the chunks on; the tokens that were billed."""
        request = {"model": asked.wire, "timeout": asked.timeout_s, "num_retries": 0, "max_retries": 0, **asked.body}
        request["api_key"] = key
        if asked.api_base:
            request |= {"api_base": asked.api_base, "api_key": key or "none"}
        stream = await self._vendor.acompletion(**request)
        read = written = 0
        try:
            async for chunk in stream:
                if usage := getattr(chunk, "usage", None):
                    read, written = usage.prompt_tokens or 0, usage.completion_tokens or 0
                self.say({"id": asked.id, "chunk": chunk.model_dump(mode="json", exclude_none=True)})
            if getattr(stream, "received_finish_reason", "") is None:  # then litellm made up the `stop` that we saw
                raise ConnectionError("the answer broke off in the middle")
        finally:
            with suppress(Exception):
                await stream.completion_stream.close()  # its own aclose leaves the connection to the provider open
        return read, written

    def told(self, error: Exception, asked: Asked, key: str) -> dict[str, object]:
        """The vendor's error as a kind and a sentence, without the key."""
        error = getattr(error, "original_exception", None) or error  # what a stream that broke is wrapped in
        text = PREFIX.sub("", " ".join(str(getattr(error, "message", error)).split()))
        text = text.partition(" Traceback (most recent")[0]  # litellm puts its own into some messages
        text = (text.replace(key, "***") if key else text)[:MOST_ERROR_CHARS]
        kind, said = self._kind(error, asked, text)
        return {"kind": kind, "text": said, "retry_after": retry_after(error)}

    def _kind(self, error: Exception, asked: Asked, text: str) -> tuple[str, str]:
        vendor = self._vendor
        match error:
            case vendor.AuthenticationError() | vendor.PermissionDeniedError():
                told = f"the provider does not accept the key in {asked.key_env or 'the environment'}"
                return Failure.MISCONFIGURED, told
            case vendor.NotFoundError():
                told = f"the provider knows no model {asked.wire!r}; correct routes.toml"
                return Failure.MISCONFIGURED, told
            case vendor.RateLimitError():
                told = "the provider asks to slow down, or the account is used up (429)"
                return Failure.RATE_LIMITED, told
            case vendor.Timeout():
                return Failure.UNAVAILABLE, "no answer in time"
            case vendor.ContextWindowExceededError():
                return Failure.TOO_LONG, "the conversation is longer than the model can read"
            case vendor.BadRequestError() | vendor.UnprocessableEntityError():
                refused = refusal(code if (code := code_of(error)) == TOO_LONG_CODE else text)
                return kind_of(refused), str(refused)
        return Failure.UNAVAILABLE, f"the provider failed: {text}"


def made_from(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it was made from: litellm's own has lost the provider's code and headers."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def code_of(error: BaseException) -> str:
    """The code that the provider gave."""
    bodies = (getattr(each, "body", None) for each in made_from(error))
    return next((str(body.get("code", "")) for body in bodies if isinstance(body, Mapping)), "")


def retry_after(error: BaseException) -> str:
    """The Retry-After that came with the provider's answer."""
    answers = (getattr(each, "response", None) for each in made_from(error))
    return next((told for each in answers if (told := getattr(each, "headers", {}).get("retry-after"))), "")


def price(vendor: Any, asked: Asked, tokens: tuple[int, int]) -> float | None:  # noqa: ANN401
    """What the answer cost in USD, or None where the price list has no price for the name."""
    if asked.api_base or not any(tokens):  # somebody else's server: a name in the list may mean another model
        return None
    try:
        read, written = vendor.cost_per_token(model=asked.wire, prompt_tokens=tokens[0], completion_tokens=tokens[1])
    except Exception:  # noqa: BLE001 - it raises bare ones for a name that it has no price for
        return None
    return float(read + written) or None


async def main() -> None:
    """Serve standard input; standard output is for our lines only, whatever else a library prints goes to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    child = Child(load(), out)
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await child.serve(reader)


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # litellm's logging thread would hold the process
