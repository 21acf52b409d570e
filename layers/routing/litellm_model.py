"""The only place that knows litellm. A `Model` and a `Task` in, a `Reply` out; vendor errors become ours.

litellm takes 8 s of CPU and 150 MiB to import (measured on 1.100.5), so it is imported by the first call or by `warm`,
in a thread of its own, and never where no model is configured. Retries, fallbacks and cooldowns are the router's.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from layers.errors import BulkheadError, Misconfigured, Refused, Unavailable
from layers.routing.types import BadAnswer, Message, Model, Reply, Role, Task, Tokens, ToolCall, ToolSpec

log = logging.getLogger(__name__)

BEFORE_IMPORT = {
    # without it the import fetches a price list from GitHub
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # any other mode reads a .env from the working directory into our environment
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
}
FIRST_CALL = ("openai.resources", "openai.lib.streaming.chat")
"""What litellm imports at its first call, on the event loop, for more than a second. Loaded with it instead."""
MOST_ERROR_CHARS = 200
PREFIX = re.compile(r"^(litellm\.)?(\w+(Error|Exception)(: | - ))*")
"""The names of classes that litellm puts before what the provider said."""


class LiteLLM:
    """A lazy door to litellm."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._vendor: Future[Any] | None = None

    def warm(self) -> None:
        """Start the import, once, in the background."""
        if self._vendor is None:
            self._vendor = Future()
            # a daemon, so that a server told to stop need not wait for the import
            threading.Thread(target=load, args=(self._vendor,), name="import-litellm", daemon=True).start()

    async def complete(self, model: Model, task: Task) -> Reply:
        """The answer of `model`, asked once.

        Raises:
            Unavailable: the model failed, or it is a BadAnswer; another one may do better.
            Misconfigured: the key or the name is wrong.
            Refused: the provider will not answer this request.
        """
        vendor = await self._load()
        try:
            async with asyncio.timeout(task.timeout_s):
                response = await vendor.acompletion(**self._request(model, task))
        except TimeoutError:
            raise Unavailable(f"no answer within {task.timeout_s:g} s") from None
        except Exception as error:  # noqa: BLE001 - adapters raise whatever their provider's library raises
            raise self._ours(vendor, model, error) from None
        return read(vendor, model, response)

    async def close(self) -> None:
        """Close the connections that litellm keeps open."""
        if self._vendor is not None and self._vendor.done():
            vendor = await self._load()
            await vendor.close_litellm_async_clients()
            vendor.in_memory_llm_clients_cache.flush_cache()  # it would hand out the closed ones again

    async def _load(self) -> Any:  # noqa: ANN401 - a module without types
        self.warm()
        assert self._vendor is not None
        return await asyncio.wrap_future(self._vendor)

    def _request(self, model: Model, task: Task) -> dict[str, object]:
        request: dict[str, object] = {
            "model": model.wire,
            "messages": [wire_message(message) for message in task.messages],
            "timeout": task.timeout_s,
            "num_retries": 0,
            "max_retries": 0,
            "api_key": self._environ.get(model.key_env) if model.key_env else None,
        }
        if model.api_base:
            request["api_base"] = model.api_base
            request["api_key"] = request["api_key"] or "none"
        if task.tools:
            request["tools"] = [wire_tool(tool) for tool in task.tools]
        if task.answer is not None:
            schema = {"name": "answer", "schema": dict(task.answer)}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        if task.max_output_tokens:
            request["max_tokens"] = task.max_output_tokens
        return request

    def _ours(self, vendor: Any, model: Model, error: Exception) -> BulkheadError:  # noqa: ANN401
        """The vendor's error as one of ours, without the key."""
        text = PREFIX.sub("", " ".join(str(getattr(error, "message", error)).split()))
        text = text.partition(" Traceback (most recent")[0]  # litellm puts its own into some messages
        if key := self._environ.get(model.key_env, "") if model.key_env else "":
            text = text.replace(key, "***")
        text = text[:MOST_ERROR_CHARS]
        match error:
            case vendor.AuthenticationError() | vendor.PermissionDeniedError():
                return Misconfigured(f"the provider does not accept the key in {model.key_env or 'the environment'}")
            case vendor.NotFoundError():
                return Misconfigured(f"the provider knows no model {model.wire!r}; correct routes.toml")
            case vendor.RateLimitError():
                return Unavailable("the provider asks to slow down, or the account is used up (429)")
            case vendor.Timeout():
                return Unavailable("no answer in time")
            case vendor.ContextWindowExceededError():
                return Refused("the conversation is longer than the model can read")
            case vendor.BadRequestError() | vendor.UnprocessableEntityError():
                return Refused(f"the provider refused the request: {text}")
            case vendor.APIError() | vendor.APIConnectionError() | vendor.ServiceUnavailableError():
                return Unavailable(f"the provider failed: {text}")
            case vendor.InternalServerError() | vendor.BadGatewayError():
                return Unavailable(f"the provider failed: {text}")
        return Unavailable(f"{type(error).__name__}: {text}")


def load(done: Future[Any]) -> None:
    """Import litellm in the calling thread and hand it over."""
    os.environ.update(BEFORE_IMPORT)
    try:
        vendor: Any = importlib.import_module("litellm")
        for name in FIRST_CALL:
            importlib.import_module(name)
        vendor.suppress_debug_info = True
        vendor.drop_params = True  # a parameter that one provider lacks is left out instead of refused
        vendor.turn_off_message_logging = True
        # litellm reads its price list, tokenisers and provider tables at its first call; this one stays in the process
        vendor.completion(model="openai/warm", messages=[{"role": "user", "content": ""}], mock_response="warm")
    except BaseException as error:
        done.set_exception(Misconfigured(f"litellm cannot be imported: {error}; run `make run` again to repair .venv"))
        raise
    log.info("litellm.loaded")
    done.set_result(vendor)


def media_type(image: bytes) -> str:
    """By its first bytes: PNG unless it is JPEG."""
    return "image/jpeg" if image.startswith(b"\xff\xd8") else "image/png"


def wire_message(message: Message) -> dict[str, object]:
    """A message in the form of OpenAI's protocol."""
    wire: dict[str, object] = {"role": message.role.value, "content": message.content}
    if message.images:
        pictures = [f"data:{media_type(image)};base64,{base64.b64encode(image).decode()}" for image in message.images]
        wire["content"] = [
            {"type": "text", "text": message.content},
            *({"type": "image_url", "image_url": {"url": url}} for url in pictures),
        ]
    if message.role is Role.TOOL:
        wire["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": written(call)}}
            for call in message.tool_calls
        ]
    return wire


def written(call: ToolCall) -> str:
    """A call's arguments as the protocol wants them: JSON within JSON."""
    return json.dumps(dict(call.arguments))


def wire_tool(tool: ToolSpec) -> dict[str, object]:
    """A tool in the form of OpenAI's protocol."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def read(vendor: Any, model: Model, response: Any) -> Reply:  # noqa: ANN401 - the vendor's own types
    """The vendor's response as a `Reply`.

    Raises:
        BadAnswer: it is empty, filtered, or a tool call in it is not whole.
    """
    if not response.choices:
        raise BadAnswer("the answer has no content")
    choice = response.choices[0]
    is_cut = choice.finish_reason == "length"
    calls = tuple(read_call(call) for call in choice.message.tool_calls or ())
    if calls and is_cut:
        raise BadAnswer("the answer was cut off within a tool call")
    text = whole(choice.message.content or "").strip()
    if not text and not calls:
        raise BadAnswer(f"the answer is empty (finish reason {choice.finish_reason!r})")
    usage = getattr(response, "usage", None)
    tokens = Tokens(read=usage.prompt_tokens or 0, written=usage.completion_tokens or 0) if usage else Tokens()
    return Reply(
        text=text,
        model=model.name,
        tool_calls=calls,
        cost_usd=cost(vendor, model, response, tokens),
        tokens=tokens,
        is_cut=is_cut,
    )


def read_call(call: Any) -> ToolCall:  # noqa: ANN401
    """A tool call whose arguments are a JSON object.

    Raises:
        BadAnswer: they are not; litellm passes truncated JSON through silently.
    """
    try:
        arguments = json.loads(whole(call.function.arguments or "{}"), parse_constant=no_constant)
        json.dumps(arguments, ensure_ascii=False).encode()  # half a surrogate pair could be neither kept nor shown
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or not call.function.name:
        raise BadAnswer(f"the arguments of its call of {call.function.name!r} are not a JSON object")
    return ToolCall(id=call.id or call.function.name, name=call.function.name, arguments=arguments)


def no_constant(name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON.

    Raises:
        ValueError: always.
    """
    raise ValueError(name)


def whole(text: str) -> str:
    """The text with any half of a surrogate pair replaced: no database and no browser would take it."""
    return text.encode(errors="replace").decode()


def cost(vendor: Any, model: Model, response: Any, tokens: Tokens) -> float | None:  # noqa: ANN401
    """What the answer cost in USD, or None where no price is known."""
    if model.usd_per_million is not None:
        per_read, per_written = model.usd_per_million
        return (tokens.read * per_read + tokens.written * per_written) / 1e6
    if model.api_base:  # somebody else's server: a name in the price list may mean another model
        return None
    try:
        return float(vendor.completion_cost(completion_response=response, model=model.wire)) or None
    except Exception:  # noqa: BLE001 - it raises bare ones for a name that it has no price for
        log.debug("model.price_unknown", extra={"model": model.name})
        return None
