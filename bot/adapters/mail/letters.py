"""A mail that was read -> an event at the door, a note to the owner, or nothing at all."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator

from bot.adapters.mail.bounces import told
from bot.adapters.mail.guards import distrust, hops, silence
from bot.adapters.mail.parsing import MAX_ATTACHMENT_BYTES, Mail, Part
from bot.adapters.mail.ports import Book
from bot.adapters.mail.sending import OWNER
from bot.adapters.mail.writing import From
from bot.adapters.ports import Ports
from layers.transport import Letter
from layers.types import STRANGER, Address, Attachment, Inbound, Outbound, OutboundKind

log = logging.getLogger(__name__)

CHANNEL = "mail"
PIECE_BYTES = 1 << 18
DECIDES = re.compile(r"\s*/(pair\b|schedule\b.*/pair\b)", re.IGNORECASE | re.DOTALL)
"""Commands that let somebody in. Whoever forges a From could do it in an approver's name."""
STRANGER_CHARS = 500
"""Of what somebody unknown wrote: nothing of it is kept anyway."""


class Clerk:
    """Decides about each mail."""

    def __init__(self, sender: From, ports: Ports, book: Book) -> None:
        self._address = sender.address
        self._page = sender.page
        self._ports = ports
        self._book = book

    async def is_ours(self, mail: Mail) -> bool:
        """Whether it is the copy of a mail that we sent."""
        return await self._book.sent(mail.message_id) is not None

    async def take(self, mail: Mail, name: str) -> bool:
        """Commit what it brings; whether somebody known wrote it. `name` is what the server calls it.

        Raises:
            NotWritten: read it again.
        """
        if mail.report is not None:
            await self._tell_owner(mail)
        reason = silence(mail, self._address) or distrust(mail)
        if reason:
            log.info("mail.not_taken", extra={"reason": reason, "name": name})
            return False
        identity = f"{CHANNEL}:{mail.sender}"
        address, letter = await self._thread(mail, name)
        is_known = await self._ports.knows(identity)
        is_new = await self._book.put(letter)  # before the event: its answer may leave at once
        if is_known and DECIDES.match(mail.text):
            await self._refuse(address, letter)
            return True
        attachments = await self._keep(mail) if is_known else ()
        text = written(mail, is_first=not letter.ancestors)
        welcome = await self._ports.accept(
            Inbound(
                address=address,
                event_id=f"{letter.message_id} {mail.sender}",  # nobody takes another one's mail away by its id
                aliases=(f"sha256:{mail.fingerprint}",) if mail.message_id or mail.sent_at is not None else (),
                person=STRANGER,
                identity=identity,
                display=mail.display,
                text=text if is_known else text[:STRANGER_CHARS],
                attachments=attachments,
                is_direct=True,
            )
        )
        if welcome.person is None and is_new:
            await self._book.forget(letter.correspondent, letter.message_id)
        return welcome.person is not None

    async def _refuse(self, address: Address, letter: Letter) -> None:
        """Say that nothing is decided by mail."""
        text = f"Nothing can be decided by mail, since anybody can write in your name. Please do it on {self._page}"
        outbound = Outbound(
            address=address, key=f"refused-{letter.message_id[1:40]}", text=text, kind=OutboundKind.ERROR
        )
        await self._ports.say(outbound, f"{CHANNEL}:refused:{letter.correspondent}:{letter.message_id}")

    async def _thread(self, mail: Mail, name: str) -> tuple[Address, Letter]:
        """The conversation that it belongs to. One with the same person only: ids are no secret."""
        id = mail.message_id or f"<{name_of(mail, name)}@{CHANNEL}.invalid>"
        known = await self._book.conversation_of(mail.sender, [*reversed(mail.ancestors), id])
        root = mail.ancestors[0] if mail.ancestors else id
        thread = hashlib.sha256(f"{mail.sender} {root}".encode()).hexdigest()[:16]
        address = Address(channel=CHANNEL, conversation=mail.sender, thread=thread)
        if known:
            address = Address.parse(known)
        letter = Letter(
            correspondent=mail.sender,
            message_id=id,
            conversation=address.id,
            subject=mail.subject,
            ancestors=mail.ancestors,
            hops=hops(mail),
        )
        return address, letter

    async def _keep(self, mail: Mail) -> tuple[Attachment, ...]:
        """Its files, one after the other."""
        kept = []
        for part in mail.parts:
            content = await asyncio.to_thread(read, part)
            if len(content) > MAX_ATTACHMENT_BYTES:
                note = f"larger than {MAX_ATTACHMENT_BYTES >> 20} MiB, so it was not taken"
                kept.append(
                    Attachment(
                        digest="", name=part.name, content_type=part.content_type, size_bytes=len(content), note=note
                    )
                )
            else:
                kept.append(await self._ports.keep(pieces(content), part.content_type, part.name))
        return tuple(kept)

    async def _tell_owner(self, mail: Mail) -> None:
        """What a server says of a mail of ours. Of others' it may say what it likes: reports are easily forged."""
        report = mail.report
        if report is None:
            return
        for id in report.message_ids:
            letter = await self._book.sent(id)
            if letter is not None and (text := told(report)):
                log.warning("mail.bounced", extra={"conversation": letter.conversation, "key": letter.key})
                outbound = Outbound(address=OWNER, key=f"bounce-{id[1:50]}", text=text, kind=OutboundKind.ERROR)
                await self._ports.say(outbound, f"{CHANNEL}:bounce:{mail.fingerprint}")
                return
        log.info("mail.report_of_nothing")


def name_of(mail: Mail, name: str) -> str:
    """What tells a mail without a Message-ID from others: its content, where it says when it was written."""
    return mail.fingerprint if mail.sent_at is not None else hashlib.sha256(name.encode()).hexdigest()


def written(mail: Mail, *, is_first: bool) -> str:
    """What the agent reads: the body; the subject too where a conversation begins with it; what was left out."""
    text = mail.text
    if is_first and mail.subject and not text.startswith("/"):
        text = f"{mail.subject}\n\n{text}".strip()
    notes = "\n".join(f"[Of this mail: {note}.]" for note in mail.notes)
    return f"{text}\n\n{notes}".strip() if notes else text


def read(part: Part) -> bytes:
    """A file's bytes; nothing of one that the library cannot read."""
    try:
        return part.read()
    except Exception:  # noqa: BLE001  the library raises about anything for bad headers inside
        log.warning("mail.file_unreadable")
        return b""


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """Bytes in pieces: the library has them whole."""
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]
