"""The command line as a channel: one question per conversation, its answers as they come, over a Unix socket.

Whoever may open the socket (mode 0600, in a folder of mode 0700) is the operator. One JSON object per line each way:
`{"verb": "ask", "person", "conversation", "text"}` or `{"verb": "press", ..., "value"}` gives messages, one a line, and
an end line; `{"verb": "link", "person"}` gives `{"link"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from layers.errors import BadInput, BulkheadError, Refused, Unavailable
from layers.types import Address, Inbound, InboundKind, Outbound, OutboundKind, Person, Press

log = logging.getLogger(__name__)

CHANNEL = "console"
SOCKET = "console.sock"
LINE_BYTES = 4 << 20
TEXT_CAP_BYTES = 64 * 1024
"""Of one message, as on the page."""
QUIET_POLL_S = 0.02
"""How often the end of a turn is looked for once its answers have begun to come."""


class NoServer(Unavailable):
    """No server answers on this home: nothing was sent."""


class Request(BaseModel):
    """What a command sends."""

    model_config = ConfigDict(extra="forbid")
    verb: Literal["ask", "press", "link"]
    person: str = ""
    conversation: str = ""
    text: str = ""
    value: str = ""


class Console:
    """Delivers to whoever waits for the answers of a conversation, in this process or across the socket."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Queue[Outbound]] = {}
        self._accept: Callable[[Inbound], Awaitable[int]] | None = None
        self._is_quiet: Callable[[str], Awaitable[bool]] | None = None

    def connect(self, accept: Callable[[Inbound], Awaitable[int]], is_quiet: Callable[[str], Awaitable[bool]]) -> None:
        """Hand over the way in, and what tells that a conversation has nothing left to do or to say."""
        self._accept = accept
        self._is_quiet = is_quiet

    def is_waiting(self, conversation: str) -> bool:
        """Whether a command of this process, or at its socket, waits for that conversation."""
        return conversation in self._waiting

    async def place(self, outbound: Outbound) -> str:
        """A placeholder is shown at once; anything else needs none."""
        if outbound.kind is OutboundKind.WORKING:
            return await self.edit(outbound.key, outbound)
        return outbound.key

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Pass the message to whoever waits for it.

        Raises:
            Refused: nobody does: the command has ended.
        """
        queue = self._waiting.get(outbound.address.conversation)
        if queue is None:
            raise Refused("nobody waits on the console for this any more")
        queue.put_nowait(outbound)
        return reference

    async def ask(self, inbound: Inbound) -> AsyncIterator[Outbound]:
        """Put an event in; its messages until the conversation is quiet."""
        if self._accept is None or self._is_quiet is None:
            raise Unavailable("the console is not connected yet; try again")
        queue: asyncio.Queue[Outbound] = asyncio.Queue()
        self._waiting[inbound.address.conversation] = queue
        try:
            await self._accept(inbound)
            while True:
                with contextlib.suppress(TimeoutError):
                    yield await asyncio.wait_for(queue.get(), QUIET_POLL_S)
                    continue
                if await self._is_quiet(inbound.address.id) and queue.empty():
                    return
        finally:
            self._waiting.pop(inbound.address.conversation, None)


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
        BadInput: see `readable`.
    """
    conversation = request.conversation or secrets.token_hex(8)
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


class ConsoleServer:
    """Answers on the socket; see the module."""

    def __init__(
        self, console: Console, person: Callable[[str], Person], link: Callable[[Person], Awaitable[str]]
    ) -> None:
        self._console = console
        self._person = person
        self._link = link
        self._server: asyncio.Server | None = None

    async def start(self, home: Path) -> None:
        """Listen. A home whose path is too long for a Unix socket goes without (the commands say so)."""
        path = home / SOCKET
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=LINE_BYTES)
        except OSError as error:
            log.warning("console.unavailable", extra={"error": str(error)})
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Close the socket."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        try:
            async for answer in self._answers(await reader.readline()):
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("console.dropped", extra={"error": type(error).__name__})
        finally:
            writer.close()

    async def _answers(self, line: bytes) -> AsyncIterator[dict[str, object]]:
        try:
            request = Request.model_validate_json(line)
            person = self._person(request.person)
            if request.verb == "link":
                yield {"link": await self._link(person)}
            else:
                async for outbound in self._console.ask(to_inbound(request, person)):
                    yield to_line(outbound)
        except ValidationError as error:
            yield {"error": f"not a request: {error.errors()[0]['msg']}"}
        except BulkheadError as error:
            yield {"error": str(error)}
        yield {"end": True}


async def request(home: Path, message: Request) -> AsyncIterator[dict[str, object]]:
    """Ask the running server; its answers.

    Raises:
        NoServer: none runs on this home.
        Refused: the server said no.
        Unavailable: it stopped before it had answered.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(home / SOCKET, limit=LINE_BYTES)
    except OSError as error:  # also a path that is too long for a socket, or leads through a file
        raise NoServer(
            f"no server answers on the home {str(home)!r} ({error}); start one with `bulkhead serve`"
        ) from None
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
    except ConnectionError as error:
        log.info("console.lost", extra={"error": type(error).__name__})
    finally:
        writer.close()
    raise Unavailable("the server stopped before it had answered; what it took is kept and it will go on with it")
