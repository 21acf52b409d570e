"""OpenAI's chat protocol, pure: a `Task` as the body of a request, the chunks of an answer as a `Reply`.

Every wire speaks it, so what an answer must be is decided once: a tool call that is not whole is no tool call.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ValidationError

from layers.errors import BulkheadError, Misconfigured, RateLimited, Refused, Unavailable
from layers.routing.types import BadAnswer, Message, Model, Reply, Role, Task, Tokens, ToolCall, ToolSpec

MOST_CHARS = 2_000_000
"""Of one answer: a model that never ends must not fill the memory."""
MOST_CALLS = 64


class FunctionPart(BaseModel):
    """Part of a call's name and arguments."""

    name: str | None = None
    arguments: str | None = None


class CallPart(BaseModel):
    """Part of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionPart = FunctionPart()


class TextPart(BaseModel):
    """One entry of a content that is a list: some servers send thoughts apart from words."""

    type: str = "text"
    text: str = ""


class Part(BaseModel):
    """What a chunk adds to the message, or the whole of it."""

    content: str | list[TextPart] | None = None
    tool_calls: list[CallPart] | None = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class Choice(BaseModel):
    """One of the answers; only one is asked for."""

    delta: Part | None = None
    message: Part | None = None
    finish_reason: str | None = None


class Usage(BaseModel):
    """Tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(BaseModel):
    """Part of an answer, or the whole of it where a server does not stream."""

    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: object = None
    cost_usd: float | None = None
    """Not of the protocol: what a wire with a price list of its own says."""


def read_chunk(data: bytes | str) -> Chunk:
    """The chunk in one line of JSON.

    Raises:
        Unavailable: it is not one.
    """
    try:
        return Chunk.model_validate_json(data)
    except ValidationError:
        raise Unavailable("the provider sent what is not JSON of its protocol") from None


@dataclass(slots=True)
class Pieces:
    """A tool call as it grows."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Gathering:
    """An answer as it grows."""

    text: str = ""
    calls: dict[int, Pieces] = field(default_factory=dict)
    finish: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None

    def add(self, chunk: Chunk) -> str:
        """Take a chunk in; the words that came with it.

        Raises:
            Unavailable: the provider says that it failed, or the answer has no end.
        """
        if chunk.error:
            raise Unavailable(f"the provider failed: {message_of(chunk.error)}")
        if chunk.usage:
            self.tokens = Tokens(read=chunk.usage.prompt_tokens or 0, written=chunk.usage.completion_tokens or 0)
        self.cost_usd = self.cost_usd if chunk.cost_usd is None else chunk.cost_usd
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        part = choice.delta or choice.message or Part()
        for n, piece in enumerate(part.tool_calls or ()):
            self._add_call(n if piece.index is None else piece.index, piece)
        text = whole(part.text)
        self.text += text
        if len(self.text) + sum(len(call.arguments) for call in self.calls.values()) > MOST_CHARS:
            raise BadAnswer(f"the answer has more than {MOST_CHARS} characters")
        return text

    def _add_call(self, index: int, piece: CallPart) -> None:
        call = self.calls.setdefault(index, Pieces())
        if len(self.calls) > MOST_CALLS:
            raise BadAnswer(f"the answer has more than {MOST_CALLS} tool calls")
        call.id = piece.id or call.id
        call.name += piece.function.name or ""
        call.arguments += piece.function.arguments or ""

    def reply(self, model: Model) -> Reply:
        """The whole answer.

        Raises:
            Unavailable: it never came to its end.
            BadAnswer: it is empty, filtered, or a tool call in it is not whole.
        """
        if not self.finish:
            raise Unavailable("the provider failed: the answer broke off in the middle")
        is_cut = self.finish == "length"
        if self.calls and is_cut:
            raise BadAnswer("the answer was cut off within a tool call")
        calls = tuple(whole_call(self.calls[index]) for index in sorted(self.calls))
        text = self.text.strip()
        if not text and not calls:
            raise BadAnswer(f"the answer is empty (finish reason {self.finish!r})")
        return Reply(
            text=text,
            model=model.name,
            tool_calls=calls,
            cost_usd=cost(model, self.tokens, self.cost_usd),
            tokens=self.tokens,
            is_cut=is_cut,
        )


def cost(model: Model, tokens: Tokens, listed: float | None) -> float | None:
    """What an answer cost in USD, or None where no price is known. An operator's price wins over a price list's."""
    if model.usd_per_million is None:
        return listed
    if not tokens.read and not tokens.written and any(model.usd_per_million):
        return None  # a priced model that does not say what it billed
    per_read, per_written = model.usd_per_million
    return (tokens.read * per_read + tokens.written * per_written) / 1e6


def whole_call(call: Pieces) -> ToolCall:
    """A tool call whose arguments are a JSON object.

    Raises:
        BadAnswer: they are not; providers and litellm pass truncated JSON through silently.
    """
    try:
        arguments = json.loads(call.arguments or "{}", parse_constant=no_constant)
        json.dumps(arguments, ensure_ascii=False).encode()  # half a surrogate pair could be neither kept nor shown
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or not call.name:
        raise BadAnswer(f"the arguments of its call of {call.name!r} are not a JSON object")
    return ToolCall(id=call.id or call.name, name=call.name, arguments=arguments)


def no_constant(name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON.

    Raises:
        ValueError: always.
    """
    raise ValueError(name)


def whole(text: str) -> str:
    """The text with any half of a surrogate pair replaced: no database and no browser would take it."""
    return text.encode(errors="replace").decode()


def message_of(error: object) -> str:
    """What a provider says went wrong, in whichever form it says it."""
    if isinstance(error, Mapping):
        return message_of(error.get("message") or error.get("error") or error.get("code") or "no reason given")
    return " ".join(str(error).split())


def body_of(task: Task) -> dict[str, object]:
    """The request's body, without the model's name at the provider: that is the wire's."""
    body: dict[str, object] = {
        "messages": [wire_message(message) for message in task.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if task.tools:
        body["tools"] = [wire_tool(tool) for tool in task.tools]
    if task.answer is not None:
        schema = {"name": "answer", "schema": dict(task.answer)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if task.max_output_tokens:
        body["max_tokens"] = task.max_output_tokens
    return body


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


TOO_LONG = (
    "context_length_exceeded", "context length", "context window", "context size", "maximum context",
    "prompt is too long", "too many tokens", "exceeds the available context",
)  # fmt: skip
"""What providers write when a conversation is longer than the model can read: OpenAI's code, and the words of
Anthropic, Ollama, vLLM and llama.cpp. litellm goes by words only and misses the code."""
UNABLE = ("does not support tools", "does not support image", "not support function", "tool use is not supported",
          "image input is not", "tool choice requires")  # fmt: skip
"""What servers write when the model lacks an ability that the request needs: no mistake of the caller's."""


def refusal(text: str) -> Refused:
    """What a 400 means: too long for this model, beyond its abilities, or a request that no model would take."""
    lowered = text.lower()
    if any(words in lowered for words in TOO_LONG):
        return TooLong("the conversation is longer than the model can read")
    if any(words in lowered for words in UNABLE):
        return Unable(f"the model cannot do what is asked of it: {text}")
    return Refused(f"the provider refused the request: {text}")


class TooLong(Refused):
    """The conversation is longer than this model reads; a roomier one may."""


class Unable(Refused):
    """The model lacks an ability that the request needs; another one may have it."""


class Failure(StrEnum):
    """How an error crosses the pipe from the process that met it."""

    MISCONFIGURED = "misconfigured"
    RATE_LIMITED = "rate_limited"
    TOO_LONG = "too_long"
    UNABLE = "unable"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


KINDS: dict[Failure, type[BulkheadError]] = {
    Failure.MISCONFIGURED: Misconfigured,
    Failure.TOO_LONG: TooLong,
    Failure.UNABLE: Unable,
    Failure.REFUSED: Refused,
    Failure.UNAVAILABLE: Unavailable,
}


def kind_of(error: Refused) -> Failure:
    """How a refusal is called on the pipe."""
    return next((kind for kind, one in KINDS.items() if type(error) is one), Failure.REFUSED)


def error_of(kind: str, text: str, wait_s: float | None, bucket: str) -> BulkheadError:
    """The error that the other process met; a limit without a time is an outage like any other."""
    if kind == Failure.RATE_LIMITED and wait_s is not None:
        return RateLimited(text, retry_after_s=wait_s, bucket=bucket)
    return KINDS.get(Failure(kind), Unavailable)(text)
