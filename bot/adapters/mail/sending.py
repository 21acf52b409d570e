"""The way out: one mail for each final message, none for what is only on its way.

Mail cannot be edited, and there is no placeholder. So that a crash neither loses nor doubles one, its Message-ID is
written down before the server gets it, and a mail found written down is looked for before it is sent again. What is
looked for is a copy: the same transaction that hands a mail to the server hands it one for ourselves, unless the server
puts one into the sent mail itself (the Proton Bridge and Gmail do). The way in moves it to where sent mail belongs.

Nothing is decided by mail, so whatever has buttons is shown on the page too, where the mail's link leads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.adapters.mail.mailbox import Mailbox, mailbox
from bot.adapters.mail.ports import Book
from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.standing import Standing
from bot.adapters.mail.submission import submit
from bot.adapters.mail.thread import Thread
from bot.adapters.mail.troubles import Uncertain
from bot.adapters.mail.writing import (
    Enclosure,
    From,
    ancestors,
    compose,
    is_worth_a_mail,
    message_id,
    subject,
)
from bot.adapters.ports import Ports
from layers.errors import AccountTrouble, BulkheadError, Unavailable
from layers.transport import Letter
from layers.types import Address, Outbound, OutboundKind

log = logging.getLogger(__name__)

NOTHING = "-"
"""The reference of what was not mailed."""
MAX_BYTES = 14 << 20
"""Of all that goes along; in base64 that is 19 MB, and many servers end at 20."""
OWNER = Address(channel="web", conversation="main")
"""Where bounces are told, and where what mails ask about can be decided."""
LOOKS_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Pauses before looking for a copy: a server delivers it within a moment, and not at once."""
COPIES = "copies"
"""The cursor that says who keeps sent mail: `server`, or nothing where we do."""


class Post:
    """Sends. See layers.transport.RemoteChannel."""

    def __init__(self, settings: MailSettings, ports: Ports, book: Book, standing: Standing, sender: From) -> None:
        self._settings = settings
        self._ports = ports
        self._book = book
        self._standing = standing
        self._from = sender

    async def place(self, outbound: Outbound) -> str:
        """Send it, unless it is only on its way; its Message-ID.

        Raises:
            See `layers.transport.RemoteChannel`. Uncertain, a kind of Unavailable: the server may have taken it; trying
            again is safe, since it is looked for then.
        """
        if outbound.kind is OutboundKind.WORKING:
            return NOTHING
        await self._show_on_page(outbound)
        await self._send(outbound)
        return message_id(outbound, self._settings.domain)

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Nothing where this was mailed already; a first mail, or a second one where it matters. All their ids.

        Raises:
            As `place`.
        """
        sent = [each for each in reference.split() if each != NOTHING]
        id = message_id(outbound, self._settings.domain)
        await self._show_on_page(outbound)
        if outbound.kind is OutboundKind.WORKING or id in sent or (sent and not is_worth_a_mail(outbound, len(sent))):
            return reference
        await self._send(outbound)
        return " ".join([*sent, id])

    async def find(self, outbound: Outbound) -> str | None:
        """The reference of this very message where the server has it.

        Raises:
            AccountTrouble, Unavailable: it cannot be looked for now.
        """
        id = message_id(outbound, self._settings.domain)
        if outbound.kind is OutboundKind.WORKING or await self._book.sent(id) is None:
            return None
        return id if await self._is_there(id) else None

    async def _show_on_page(self, outbound: Outbound) -> None:
        """What has buttons, under the same key on the page: there they can be pressed. And what becomes of it."""
        if not outbound.buttons and outbound.kind is not OutboundKind.CARD:
            return
        id = message_id(outbound, self._settings.domain)
        text = f"By mail with `{outbound.address.conversation}`:\n\n{outbound.text}"
        await self._ports.say(replace(outbound, address=OWNER, text=text), f"mail:page:{id}:{len(outbound.buttons)}")

    async def _send(self, outbound: Outbound) -> None:
        self._standing.check()
        to, id = outbound.address.conversation, message_id(outbound, self._settings.domain)
        before = await self._book.to_answer(outbound.address.id)
        entry = Letter(
            correspondent=to,
            message_id=id,
            conversation=outbound.address.id,
            key=outbound.key or NOTHING,
            subject=subject(outbound, before),
            ancestors=ancestors(before),
        )
        enclosures, notes = await self._enclosures(outbound)
        said = replace(outbound, text="\n\n".join((outbound.text, *notes))) if notes else outbound
        content = await asyncio.to_thread(compose, id, said, before, self._from, enclosures)
        is_first = await self._book.put(entry)
        if not is_first and await self._is_there(id):
            log.info("mail.found_sent", extra={"message": id})
            return
        has_copy = await self._ports.get_cursor(COPIES) != "server"
        try:
            await submit(self._settings, to, content, has_copy=has_copy)
        except Uncertain:
            raise
        except BulkheadError as error:
            if is_first:  # of an earlier try nobody knows yet
                await self._book.forget(to, id)
            if isinstance(error, AccountTrouble):
                await self._standing.become(error.state, str(error))
            raise

    async def _is_there(self, id: str) -> bool:
        """Whether the server has a copy."""
        async with self._mailbox() as (box, thread):
            for pause_s in LOOKS_S:
                await asyncio.sleep(pause_s)
                if await thread.run(box.find, id):
                    return True
        return False

    @asynccontextmanager
    async def _mailbox(self) -> AsyncIterator[tuple[Mailbox, Thread]]:
        """A connection of its own: the other one waits for mail."""
        self._standing.check()
        try:
            async with mailbox(self._settings) as opened:
                yield opened
        except AccountTrouble as error:
            await self._standing.become(error.state, str(error))
            raise

    async def _enclosures(self, outbound: Outbound) -> tuple[list[Enclosure], list[str]]:
        """Pictures and files, and a sentence for each that cannot go along."""
        wanted = [
            (picture.digest, f"picture-{n}.png", "image/png", picture.alt or "picture")
            for n, picture in enumerate((outbound.picture, *outbound.album), 1)
            if picture is not None
        ]
        wanted += [(file.digest, file.name, file.content_type, "") for file in outbound.files if file.digest]
        room, found, notes = MAX_BYTES, [], [f"{file.name}: {file.note}" for file in outbound.files if not file.digest]
        for digest, name, kind, alt in wanted:
            content = await self._read(digest, room)
            if content is None:
                notes.append(f"`{name.replace('`', '')}` is too large for a mail; it is on the page: {self._from.page}")
                continue
            room -= len(content)
            found.append(Enclosure(name=name, content_type=kind, content=content, alt=alt))
        return found, notes

    async def _read(self, digest: str, room: int) -> bytes | None:
        """A file, where there is room for it. The library wants a mail whole: this is why there is a limit."""
        content = bytearray()
        async for piece in self._ports.media(digest):
            content += piece
            if len(content) > room:
                return None
        if not content:
            raise Unavailable(f"the file {digest[:12]} is empty")
        return bytes(content)
