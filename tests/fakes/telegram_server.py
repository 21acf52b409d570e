"""A Bot API server on a real socket, for the real library: it keeps messages, hands out updates and fails as told.

Every call is checked (see `telegram_checks`): what Telegram would refuse is refused, and noted in `violations`.
The test speaks for the people (`people.say`, `press`), looks at the chats (`texts`, `last`) and makes trouble by
`limit` (429 for a chat), `is_revoked` (401), `drop` (processed, then the connection is closed), `fail` (any refusal)
and `slow`.

`python -m tests.fakes.telegram_server --port N` runs it by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import email.parser
import email.policy
import itertools
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.serving import serving
from tests.fakes.telegram_chats import Chats, Refusal, Shown, person
from tests.fakes.telegram_checks import Checks, Files, Params
from tests.fakes.telegram_media import MediaChats, media_limits

TOKEN = "123456:fake-token_for-tests"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it came in."""

    method: str
    params: Params
    files: Files = field(default_factory=dict, repr=False)
    at: float = field(default_factory=time.monotonic)


class People:
    """Those who write to the bot: each method is one update."""

    def __init__(self, chats: Chats) -> None:
        self._lock = threading.Lock()
        self._updates: list[Params] = []
        """What getUpdates has not been told to forget."""
        self._chats = chats
        self._ids = itertools.count(1000)
        self.on_push: Callable[[], None] = lambda: None
        """Called after each update, from the thread of whoever made it."""

    def say(self, text: str, *, chat: int = 42, user: int = 42, **more: Any) -> Params:
        """Somebody writes; a negative chat is a group."""
        message = {**self._chats.frame(chat, user), "text": text, **more}
        return self.push("message", message)

    def edit(self, update: Params, text: str, after_s: int = 5) -> Params:
        """Somebody edits what they wrote."""
        message = update["message"]
        return self.push("edited_message", {**message, "text": text, "edit_date": message["date"] + after_s})

    def press(self, shown: Shown, data: str, user: int = 42) -> Params:
        """Somebody presses a button."""
        id = f"q{next(self._chats.ids)}"
        self._chats.presses[id] = time.monotonic()
        query = {
            "id": id,
            "from": person(user),
            "chat_instance": "1",
            "message": self._chats.as_message(shown),
            "data": data,
        }
        return self.push("callback_query", query)

    def push(self, kind: str, body: Params) -> Params:
        """Put an update into the queue of getUpdates."""
        update = {"update_id": next(self._ids), kind: body}
        with self._lock:
            self._updates.append(update)
        self.on_push()
        return update

    def waiting(self, offset: int = 0) -> list[Params]:
        """Forget what is before `offset`; the others."""
        with self._lock:
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
            return list(self._updates)

    def again(self, update: Params) -> None:
        """Deliver the same update twice, as after an offset that was lost."""
        with self._lock:
            self._updates.append({**update, "update_id": next(self._ids)})
        self.on_push()


class TelegramServer:
    """The application, what it knows, and what a test can make it do. Methods may be called from any thread."""

    def __init__(self) -> None:
        self.port = 0
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.is_revoked = False
        self.checks = Checks()
        self.chats = MediaChats()
        self.people = People(self.chats)
        self.calls_into_closed = 0
        self._limits: dict[int, float] = {}
        self._drops: Counter[str] = Counter()
        self._failures: dict[str, list[Refusal]] = defaultdict(list)
        self._slow: dict[str, float] = {}
        self._poll = 0
        """Number of the newest long poll; an older one gets 409."""
        self._polls: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.people.on_push = self._wake_polls
        self.app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self.serve, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self.give),
            ]
        )

    @property
    def url(self) -> str:
        """What goes into the API URL."""
        return f"http://127.0.0.1:{self.port}"

    # --- trouble ---

    def limit(self, chat: int, seconds: float) -> None:
        """429 for that chat for so long."""
        self._limits[chat] = time.monotonic() + seconds

    def drop(self, method: str, times: int = 1) -> None:
        """Process the next calls of `method`, then close the connection without an answer.

        An empty `method` is any but getUpdates, which is always under way.
        """
        self._drops[method] += times

    def fail(self, method: str, code: int, description: str, **parameters: int) -> None:
        """Refuse the next call of `method`."""
        self._failures[method].append(Refusal(code, description, **parameters))

    def slow(self, method: str, seconds: float) -> None:
        """Answer `method` late."""
        self._slow[method] = seconds

    # --- what a test looks at ---

    def texts(self, chat: int = 42) -> list[str]:
        """What the chat shows of the bot's, in order."""
        return [shown.text for (where, _), shown in sorted(self.chats.shown.items()) if where == chat]

    def last(self, chat: int = 42) -> Shown:
        """The bot's newest message there."""
        return max(
            (shown for (where, _), shown in self.chats.shown.items() if where == chat), key=lambda shown: shown.id
        )

    def called(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    @property
    def unconfirmed(self) -> int:
        """Updates that are still in the queue."""
        return len(self.people.waiting())

    # --- the server ---

    async def serve(self, request: Request) -> Response:
        """One call."""
        method = request.path_params["method"]
        params, files = read(await request.body(), request.headers.get("content-type", ""))
        params = {**dict(request.query_params), **params}
        self.calls.append(Call(method=method, params=params, files=files))
        try:
            result = await self.answer(request, method, params, files)
        except Refusal as error:
            body = {"ok": False, "error_code": error.code, "description": str(error)}
            if error.parameters:
                body["parameters"] = error.parameters
            return JSONResponse(body, status_code=error.code)
        drop = method if self._drops[method] > 0 or method == "getUpdates" else ""
        if self._drops[drop] > 0:
            self._drops[drop] -= 1
            return StreamingResponse(broken(), headers={"content-length": "1000"})
        # pure ASCII, as the real server writes it: half a surrogate pair travels, too
        return Response(json.dumps({"ok": True, "result": result}), media_type="application/json")

    async def answer(self, request: Request, method: str, params: Params, files: Files) -> Any:
        """The result of one call, or a refusal."""
        if self.is_revoked or request.path_params["token"] != TOKEN:
            raise Refusal(401, "Unauthorized")
        if method in self._slow:
            await asyncio.sleep(self._slow[method])
        wrong = self.checks.violations(method, params, files)
        if wrong := wrong or [f"{method}: {text}" for text in media_limits(method, params, files)]:
            self.violations += wrong
            raise Refusal(400, f"Bad Request: {wrong[0]}")
        chat = int(params.get("chat_id", 0))
        wait = self._limits.get(chat, 0.0) - time.monotonic()
        if wait > 0:
            self.calls_into_closed += 1
            raise Refusal(429, "Too Many Requests: retry later", retry_after=int(wait) + 1)
        if self._failures[method]:
            raise self._failures[method].pop(0)
        if method == "getUpdates" and self.chats.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        if method == "getUpdates":
            return await self.get_updates(request, params)
        return self.chats.call(method, chat, params, files)

    async def give(self, request: Request) -> Response:
        """A file's bytes, to whoever has the token."""
        content = self.chats.files.get(request.path_params["path"].removeprefix("documents/"))
        if content is None or request.path_params["token"] != TOKEN:
            return Response(status_code=404)
        if self._drops["file"] > 0:
            self._drops["file"] -= 1
            return StreamingResponse(broken(), headers={"content-length": "1000"})
        return Response(content)

    async def get_updates(self, request: Request, params: Params) -> list[Params]:
        """A new long poll wins over an older one; an offset confirms all before it."""
        self._poll += 1
        self._wake_polls()
        mine, end = self._poll, time.monotonic() + params.get("timeout", 0)
        woken = (asyncio.get_running_loop(), asyncio.Event())
        self._polls.add(woken)
        try:
            while not (waiting := self._handed_out(mine, params.get("offset", 0))):
                if time.monotonic() >= end or await request.is_disconnected():
                    return []
                with contextlib.suppress(TimeoutError):  # trouble is made without a word: look now and then
                    async with asyncio.timeout(0.02):
                        await woken[1].wait()
                woken[1].clear()
            return waiting[: params.get("limit", 100)]
        finally:
            self._polls.discard(woken)

    def _handed_out(self, poll: int, offset: int) -> list[Params]:
        """What that poll is answered with, or a refusal; nothing yet: nothing."""
        if self.is_revoked:
            raise Refusal(401, "Unauthorized")
        if poll != self._poll:
            raise Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one runs")
        return self.people.waiting(offset)

    def _wake_polls(self) -> None:
        for loop, event in list(self._polls):
            with contextlib.suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(event.set)


def read(body: bytes, content_type: str) -> tuple[Params, Files]:
    """A form of either kind; what is JSON in it is parsed, as the real server does."""
    if content_type.startswith("multipart/form-data"):
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields, files = [], {}
        for part in parsed.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if part.get_filename():
                files[name] = content
            else:
                fields.append((name, content.decode()))
        return {name: value_of(name, text) for name, text in fields}, files
    return {name: value_of(name, text) for name, text in parse_qsl(body.decode(), keep_blank_values=True)}, {}


STRINGS = {"text", "caption", "callback_query_id", "action", "url", "secret_token", "file_id"}


def value_of(name: str, text: str) -> Any:
    """A parameter; only those that are no text are JSON."""
    if name in STRINGS:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


async def broken() -> AsyncIterator[bytes]:
    """A broken connection."""
    yield b"{"
    await asyncio.sleep(0.01)
    raise ConnectionAbortedError("dropped")


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[TelegramServer]:
    """A server on a free port (or `port`), in a thread of its own."""
    fake = TelegramServer()
    with serving(fake.app, port) as fake.port:
        yield fake


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    with running(parser.parse_args().port) as fake, contextlib.suppress(KeyboardInterrupt):
        print(f"listening on {fake.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
