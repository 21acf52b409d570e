"""The command line as a channel: one question per conversation, its answers as they come, over a Unix socket.

Whoever may open the socket (mode 0600, in a folder of mode 0700) is the operator. One JSON object per line each way:
`{"verb": "ask", "person", "conversation", "text"}` or `{"verb": "press", ..., "value"}` gives messages, one a line, and
an end line; `{"verb": "link", "person"}` gives `{"link"}`, and `{"verb": "desk", "call", "given"}` gives `{"told"}`
(see bot.desk). A line without an end line is an answer that broke off.

Answers are read from the outbox itself, so whichever process of a fleet sent them, the one that was asked shows them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layers.errors import BadInput, BulkheadError, Refused, Unavailable
from layers.store import Tx
from layers.types import Address, Inbound, InboundKind, Outbound, Person, Press

log = logging.getLogger(__name__)

CHANNEL = "console"
SOCKET = "console.sock"
LINE_BYTES = 8 << 20
"""A patch of the largest size, however much of it has to be escaped."""
TEXT_CAP_BYTES = 64 * 1024
"""Of one message, as on the page."""
CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
LOOK_S = 0.02
"""How often the outbox is looked at while an answer is awaited."""

Accept = Callable[[Inbound], Awaitable[int]]
Said = Callable[[str, int], Awaitable[list[tuple[int, Outbound]]]]
"""(conversation, outbox id) -> what was said there after it, with the ids."""
IsQuiet = Callable[[str], Awaitable[bool]]


class NoServer(Unavailable):
    """No server answers on this home: nothing was sent."""


class Request(BaseModel):
    """What a command sends."""

    model_config = ConfigDict(extra="forbid")
    verb: Literal["ask", "press", "link", "desk"]
    person: str = ""
    conversation: str = ""
    text: str = ""
    value: str = ""
    call: str = ""
    """Of the desk: what is asked of it."""
    given: dict[str, Any] = Field(default_factory=dict)


class Console:
    """Puts questions in, and gives what is said to them."""

    def __init__(self, accept: Accept, said: Said, is_quiet: IsQuiet) -> None:
        """`is_quiet` tells that a conversation has nothing left to do or to say."""
        self._accept = accept
        self._said = said
        self._is_quiet = is_quiet

    async def ask(self, inbound: Inbound) -> AsyncGenerator[Outbound, None]:
        """Put an event in; its messages until the conversation is quiet."""
        conversation = inbound.address.id
        last = max((id for id, _ in await self._said(conversation, 0)), default=0)
        await self._accept(inbound)
        is_quiet = False
        while not is_quiet:
            is_quiet = await self._is_quiet(conversation)  # asked first: what was said before it is read below
            for id, outbound in await self._said(conversation, last):
                last = id
                yield outbound
            if not is_quiet:
                await asyncio.sleep(LOOK_S)


class ConsoleChannel:
    """Delivers by leaving the message where it is: whoever asked reads it there once it is marked as sent."""

    def render(self, outbound: Outbound) -> str:
        """Nothing to make of it."""
        return ""

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        """The mark is the delivery."""
        return dedupe


def readable(text: str) -> str:
    """A message as it may be kept.

    Raises:
        BadInput: it is empty, too long, or no text.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadInput(f"the message is not UTF-8 at character {error.start + 1}; send text") from None
    if size > TEXT_CAP_BYTES:
        raise BadInput(f"the message has {size:,} bytes; at most 64 KiB are taken: shorten it or send it in parts")
    if not text.strip():
        raise BadInput("the message is empty; write something or /help")
    return text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL takes no NUL


def to_inbound(request: Request, person: Person) -> Inbound:
    """The event that a request means.

    Raises:
        BadInput: see `readable`; or the conversation is no name.
    """
    conversation = request.conversation or secrets.token_hex(8)
    if not CONVERSATION.fullmatch(conversation):
        raise BadInput(f"conversation {conversation[:80]!r} is not a name; use up to 64 letters, digits, - and _")
    is_press = request.verb == "press"
    return Inbound(
        address=Address(channel=CHANNEL, conversation=conversation),
        event_id=secrets.token_hex(16),
        person=person,
        kind=InboundKind.PRESS if is_press else InboundKind.MESSAGE,
        text="" if is_press else readable(request.text),
        press=Press(value=request.value) if is_press else None,
    )


def to_line(outbound: Outbound) -> dict[str, object]:
    """What a command gets of a message."""
    return {
        "kind": outbound.kind.value,
        "key": outbound.key,
        "conversation": outbound.address.conversation,
        "text": outbound.text,
        "picture": outbound.picture.digest if outbound.picture else None,
        "alt": outbound.picture.alt if outbound.picture else None,
        "buttons": [{"label": button.label, "value": button.value} for button in outbound.buttons],
    }


@contextmanager
def socket_path(home: Path) -> Iterator[str]:
    """A path to the socket that is short, however long the home's is: a Unix socket's has at most 107 bytes."""
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def listen(home: Path) -> socket.socket:
    """The socket in the home, in the place of what an earlier process left there."""
    (home / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before bind: the file is never anybody else's, and no umask is changed
        with socket_path(home) as path:
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


class ConsoleServer:
    """Answers on the socket; see the module."""

    def __init__(
        self,
        console: Console,
        person: Callable[[str], Person],
        link: Callable[[Person], Awaitable[str]],
        desk: Callable[[str, Mapping[str, Any]], Awaitable[Any]],
    ) -> None:
        """`desk` answers (what is asked, what is given) with what JSON can hold."""
        self._console = console
        self._person = person
        self._link = link
        self._desk = desk
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, home: Path) -> None:
        """Listen. A home on a file system without sockets goes without; the log says so."""
        try:
            self._server = await asyncio.start_unix_server(self._serve, sock=listen(home), limit=LINE_BYTES)
        except OSError as error:
            log.warning("console.unavailable", extra={"error": str(error)})

    async def stop(self) -> None:
        """Close the socket; questions that are still open break off, and whoever asked is told."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        task = asyncio.current_task()
        assert task is not None  # asyncio runs this as a task of its own
        self._open.add(task)
        try:
            async with aclosing(self._answers(reader)) as answers:
                async for answer in answers:
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        except ConnectionError as error:
            log.info("console.dropped", extra={"error": type(error).__name__})
        finally:
            self._open.discard(task)
            writer.close()

    async def _answers(self, reader: asyncio.StreamReader) -> AsyncGenerator[dict[str, object], None]:
        try:
            request = Request.model_validate_json(await reader.readline())
            if request.verb == "desk":
                yield {"told": await self._desk(request.call, request.given)}
            elif request.verb == "link":
                yield {"link": await self._link(self._person(request.person))}
            else:
                inbound = to_inbound(request, self._person(request.person))
                async with aclosing(self._console.ask(inbound)) as answers:
                    async for outbound in answers:
                        yield to_line(outbound)
        except ValidationError as error:
            first = error.errors()[0]
            yield {"error": f"not a request: {'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"}
        except BulkheadError as error:
            yield {"error": str(error)}
        except ValueError:  # of the reader: the line is too long
            yield {"error": f"a request has at most {LINE_BYTES} bytes"}
        yield {"end": True}


@asynccontextmanager
async def connection(home: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the running server.

    Raises:
        NoServer: there is none.
    """
    try:
        with socket_path(home) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
    except OSError as error:  # also a home that leads through a file
        raise NoServer(
            f"no server answers on the home {str(home)!r} ({error.strerror}); start one with `bulkhead serve`"
        ) from None
    try:
        yield reader, writer
    finally:
        writer.close()


async def request(home: Path, message: Request) -> AsyncIterator[dict[str, object]]:
    """Ask the running server; its answers.

    Raises:
        NoServer: no server runs on this home.
        Refused: the server said no.
        Unavailable: it stopped before it had answered.
    """
    stopped = Unavailable("the server stopped before it had answered; what it took is kept and it will go on with it")
    async with connection(home) as (reader, writer):
        try:
            writer.write(message.model_dump_json().encode() + b"\n")
            await writer.drain()
            while line := await reader.readline():
                answer: dict[str, object] = json.loads(line)
                if "error" in answer:
                    raise Refused(str(answer["error"]))
                if "end" in answer:
                    return
                yield answer
        except ConnectionError:
            raise stopped from None
        raise stopped
