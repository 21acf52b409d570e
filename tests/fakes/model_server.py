"""A server on a real socket that speaks OpenAI's chat protocol. What it does depends on the model's name only.

| model | what it does |
|---|---|
| `echo` | says the last message back |
| `slow-2s` | the same after 2 s (any number) |
| `err500`, `err401`, `err429`, `err400` | answers with that status |
| `empty` | an answer with no text |
| `cut` | text that ended at the length limit |
| `midbreak` | closes the connection in the middle of the answer |
| `errevent`, `badjson`, `nodone` | a stream that goes over into an error, into no JSON, or just ends in the middle |
| `wait-30s` | 429 with that Retry-After (any number) |
| `toolong` | 400 with OpenAI's code for a conversation that is too long, in words that do not say so |
| `strict` | 400 for `stream_options`, which older servers do not know |
| `blind` | 400: does not support tools |
| `drip` | a word every 50 ms for ever; `left` tells once the client has gone |
| `pause`, `pausebreak` | half of the answer, and after `go_on` was set the rest, or a broken connection |
| `whole` | ignores that a stream was asked for |
| `badtool`, `listtool`, `cuttool` | a tool call whose arguments are half JSON, a list, or cut at the length limit |
| `nantool`, `halftool`, `deeptool` | one with NaN, with half a surrogate pair, or nested 100,000 deep |
| `tool-draw`, `tool-act`, `tool-edit`, `tool-send` | calls that tool once, then says what the tool answered |
| `tool-wrong` | calls `draw` without its source once, then says what the tool answered |
| `loop` | makes the same tool call for ever |
| `wander` | makes another tool call for ever |
| `vision-ok`, `vision-bad`, `vision-babble` | judges a picture: fine, not fine, or no JSON; 400 without a picture |

`python -m tests.fakes.model_server --port N` runs it by itself; `GET /_log` then tells which calls were made.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.serving import serving

DIFF = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# Workspace\n+# Our workspace\n"
TOOLS: dict[str, tuple[str, dict[str, object]]] = {
    "tool-draw": ("draw", {"mermaid": "flowchart LR\n  a[Build] --> b[Ship]", "title": "Pipeline"}),
    "tool-act": ("act", {"capability": "host.uptime", "parameters": {}, "reason": "to see the load"}),
    "tool-edit": ("edit", {"diff": DIFF, "summary": "a better title"}),
    "tool-send": ("send", {"conversation": "mail:bob@example.org", "content": "Hello Bob", "urgency": "low"}),
    "tool-wrong": ("draw", {"title": "no source"}),
    "loop": ("act", {"capability": "host.uptime", "parameters": {}, "reason": "again"}),
}
HOSTILE = {
    "nantool": '{"mermaid": NaN}',
    "halftool": '{"mermaid": "\\ud800"}',
    "deeptool": '{"mermaid": ' + "[" * 100_000 + "]" * 100_000 + "}",
}
VERDICTS = {
    "vision-ok": '{"readable": true, "opinion": "Every label can be read.", "problems": []}',
    "vision-bad": '```json\n{"readable": false, "opinion": "Hard to read.", "problems": ["two labels overlap"]}\n```',
    "vision-babble": "What a lovely picture!",
}
MODELS = (
    *("echo", "slow-2s", "err500", "err401", "err429", "err400", "empty", "cut", "midbreak"),
    *("errevent", "badjson", "nodone", "wait-30s", "toolong", "blind", "strict", "whole", "drip"),
    *("badtool", "listtool", "cuttool", *HOSTILE, "tool-draw", "tool-act", "tool-edit", "tool-send"),
    *("tool-wrong", "loop", "wander"),
    *("vision-ok", "vision-bad", "vision-babble"),
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it came in."""

    model: str
    bytes: int
    """Of the request's body."""
    messages: list[dict[str, Any]]
    tools: list[str]
    is_stream: bool
    authorization: str
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the model says."""

    text: str = ""
    tool: tuple[str, str] | None = None
    """Name and raw arguments."""
    finish: str = "stop"


def last_text(messages: list[dict[str, Any]]) -> str:
    """The text of the last message."""
    content = messages[-1]["content"] if messages else ""
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def has_picture(messages: list[dict[str, Any]]) -> bool:
    """Whether a picture is attached."""
    parts = (part for message in messages if isinstance(message["content"], list) for part in message["content"])
    return any(part["type"] == "image_url" for part in parts)


def answer(model: str, messages: list[dict[str, Any]]) -> Answer:
    """What `model` says to `messages`."""
    text = last_text(messages)
    is_tool_answer = bool(messages) and messages[-1]["role"] == "tool"
    if model in VERDICTS:
        return Answer(text=VERDICTS[model])
    if model in TOOLS and (model == "loop" or not is_tool_answer):
        name, arguments = TOOLS[model]
        return Answer(tool=(name, json.dumps(arguments)), finish="tool_calls")
    match model:
        case "empty":
            return Answer()
        case "cut":
            return Answer(text="This sentence has no", finish="length")
        case "badtool":
            return Answer(tool=("draw", '{"mermaid": "flowchart'), finish="tool_calls")
        case "listtool":
            return Answer(tool=("draw", '["flowchart"]'), finish="tool_calls")
        case "nantool" | "halftool" | "deeptool":
            return Answer(tool=("draw", HOSTILE[model]), finish="tool_calls")
        case "cuttool":
            return Answer(tool=("draw", '{"mermaid": "a"}'), finish="length")
        case "wander":
            arguments = {"capability": f"step.{len(messages)}", "parameters": {}, "reason": "on"}
            return Answer(tool=("act", json.dumps(arguments)), finish="tool_calls")
        case _:
            return Answer(text=f"Done: {text}" if is_tool_answer else text or "(nothing)")


def body_of(model: str, said: Answer, prompt_bytes: int) -> dict[str, Any]:
    """The answer as a `chat.completion`."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.tool:
        function = {"name": said.tool[0], "arguments": said.tool[1]}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    read, written = prompt_bytes // 4, len(said.text) // 4 + 1
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish}],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def chunks(whole: dict[str, Any]) -> Iterator[bytes]:
    """The same answer as server-sent events."""
    choice = whole["choices"][0]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if choice["message"]["content"]:
        deltas += [{"content": word} for word in re.findall(r"\S+\s*", choice["message"]["content"])]
    for call in choice["message"].get("tool_calls", ()):
        deltas.append({"tool_calls": [{"index": 0, **call}]})
    for delta in deltas:
        yield event({**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None})
    yield event({**whole, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    yield b"data: [DONE]\n\n"


def event(body: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps({**body, 'object': 'chat.completion.chunk'})}\n\n".encode()


async def halves(body: bytes) -> AsyncIterator[bytes]:
    """Half of the body, then a broken connection."""
    yield body[: len(body) // 2]
    await asyncio.sleep(0.01)
    raise ConnectionAbortedError("midbreak")


BROKEN = {
    "errevent": b'data: {"error": {"message": "scripted overload", "code": 529}}\n\n',
    "badjson": b'data: {"choices": [{"del\n\n',
    "nodone": b"",
}


def broken(model: str, body: bytes) -> Iterator[bytes]:
    """The first half of an answer's events, then what `model` stands for."""
    whole = body.split(b"\n\n")
    yield b"\n\n".join(whole[: len(whole) // 2]) + b"\n\n"
    yield BROKEN[model]


class ModelServer:
    """The application and its log."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.port = 0
        self.lines: dict[str, str] = {}
        """What is answered to a text instead of what the model would say."""
        self.says: dict[str, Callable[[list[dict[str, Any]]], str]] = {}
        """What a model of this name says to messages."""
        self.left: list[str] = []
        """Models whose answer was let go of before its end."""
        self.go_on = threading.Event()
        """What `pause` and `pausebreak` wait for."""
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/models", self.models),
                Route("/api/tags", self.tags),
                Route("/_log", self.log, methods=["GET", "DELETE"]),
            ]
        )

    @property
    def address(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What goes into OPENAI_BASE_URL."""
        return f"{self.address}/v1"

    def asked(self) -> list[str]:
        """The models that were called, in order."""
        return [call.model for call in self.calls]

    async def models(self, request: Request) -> Response:
        """OpenAI's list of models."""
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})

    async def tags(self, request: Request) -> Response:
        """Ollama's list of models."""
        echo = {"name": "echo", "details": {"families": ["llama"], "parameter_size": "8.0B"}}
        sees = {"name": "vision-ok", "details": {"families": ["mllama"], "parameter_size": "90B"}}
        embeds = {"name": "nomic-embed-text:latest", "details": {"families": None}}
        return JSONResponse({"models": [echo, sees, embeds]})

    async def log(self, request: Request) -> Response:
        """The calls so far, for a test in another process; DELETE forgets them."""
        if request.method == "DELETE":
            self.calls.clear()
        return JSONResponse([asdict(call) for call in self.calls])

    async def drip(self, whole: dict[str, Any]) -> AsyncIterator[bytes]:
        """Words without an end."""
        delta = {"index": 0, "delta": {"content": "drip "}, "finish_reason": None}
        try:
            while True:
                yield event({**whole, "choices": [delta], "usage": None})
                await asyncio.sleep(0.05)
        finally:
            self.left.append("drip")

    async def pause(self, body: bytes, *, breaks: bool) -> AsyncIterator[bytes]:
        """Half of the events, a wait for `go_on`, and the rest unless it breaks."""
        whole = body.split(b"\n\n")
        half = len(whole) // 2
        yield b"\n\n".join(whole[:half]) + b"\n\n"
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        if breaks:
            raise ConnectionAbortedError("pausebreak")
        yield b"\n\n".join(whole[half:])

    async def chat(self, request: Request) -> Response:
        """One chat completion."""
        raw = await request.body()
        body = json.loads(raw)
        model, messages = body["model"], body["messages"]
        self.calls.append(
            Call(
                model=model,
                bytes=len(raw),
                messages=messages,
                tools=[tool["function"]["name"] for tool in body.get("tools", ())],
                is_stream=bool(body.get("stream")),
                authorization=request.headers.get("authorization", ""),
            )
        )
        if failure := re.fullmatch(r"err(\d{3})", model):
            return refuse(int(failure[1]))
        if wait := re.fullmatch(r"wait-([\d.]+)s", model):
            return refuse(429, headers={"retry-after": wait[1]})
        if model == "toolong":
            return refuse(400, "scripted", "context_length_exceeded")
        if model == "blind" and body.get("tools"):
            return refuse(400, "this model does not support tools")
        if model == "strict" and "stream_options" in body:
            return refuse(400, "Unrecognized request argument supplied: stream_options")
        if slow := re.fullmatch(r"slow-([\d.]+)s", model):
            await asyncio.sleep(float(slow[1]))
        if model.startswith("vision") and not has_picture(messages):
            return refuse(400)
        line = self.lines.get(last_text(messages))
        if model in self.says:
            line = self.says[model](messages)
        whole = body_of(model, Answer(text=line) if line else answer(model, messages), len(raw))
        if body.get("stream") and model != "whole":
            parts = b"".join(chunks(whole))
            stream = halves(parts) if model == "midbreak" else iter(chunks(whole))
            if model in BROKEN:
                stream = broken(model, parts)
            if model.startswith("pause"):
                stream = self.pause(parts, breaks=model == "pausebreak")
            if model == "drip":
                stream = self.drip(whole)
            return StreamingResponse(stream, media_type="text/event-stream")
        if model == "midbreak":
            text = json.dumps(whole).encode()
            return StreamingResponse(halves(text), headers={"content-length": str(len(text))})
        return JSONResponse(whole)


def refuse(status: int, text: str = "", code: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error in OpenAI's form."""
    error = {"message": text or f"scripted {status}", "type": "scripted", "param": None, "code": code or str(status)}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[ModelServer]:
    """A server on a free port (or `port`), in a thread of its own."""
    fake = ModelServer()
    with serving(fake.app, port) as fake.port:
        yield fake


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    with running(parser.parse_args().port) as fake, contextlib.suppress(KeyboardInterrupt):
        print(f"listening on {fake.base_url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
