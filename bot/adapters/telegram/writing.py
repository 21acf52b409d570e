"""The way out: an `Outbound` placed, then made what it is to be, in as many of Telegram's messages as it takes.

Nothing is sent with its final text at first: the Bot API has no idempotency key, so a message is placed as `…` (this is
also what notifies), its id is committed, and it is edited, which may happen any number of times. What does not fit into
one message gets further placeholders, silent ones (an album is placed as one, of grey squares); each id is committed
before anything is put in.

A reference is the ids of the messages; where the conversation moved away from its chat, `@` and the new chat come
first.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from itertools import takewhile

from telegram.error import BadRequest, ChatMigrated

from bot.adapters.ports import Ports
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.layout import LONG_CHARS, PLACEHOLDER, Slot, layout
from bot.adapters.telegram.showing import Shower
from bot.adapters.telegram.troubles import GONE, NO_TEXT, NOT_RICH, says
from layers.types import Address, Outbound, OutboundKind

log = logging.getLogger(__name__)

MOVED = "moved/"


class Shown:
    """Where one of our messages is at Telegram."""

    def __init__(self, outbound: Outbound, reference: str = "") -> None:
        parts = reference.split()
        self.moved_to = parts.pop(0).removeprefix("@") if parts and parts[0].startswith("@") else ""
        self.ids = [int(part) for part in parts]
        self.outbound = outbound

    @property
    def address(self) -> Address:
        """Where it is now. A group that became another has no topics, and its messages stayed behind."""
        at = self.outbound.address
        return replace(at, conversation=self.moved_to, thread="") if self.moved_to else at

    @property
    def reference(self) -> str:
        """As the store keeps it."""
        return " ".join([*([f"@{self.moved_to}"] if self.moved_to else []), *map(str, self.ids)])


class Writer:
    """Places and edits."""

    def __init__(self, ports: Ports, account: Account, shower: Shower) -> None:
        self._ports = ports
        self._account = account
        self._shower = shower
        self._knows_rich = True
        """Until a server says that it does not."""

    async def place(self, outbound: Outbound) -> str:
        """A `…`, or the words of a `working` message; the message's reference.

        Raises:
            See `layers.transport.RemoteChannel`.
        """
        is_working = outbound.kind is OutboundKind.WORKING
        slot = layout(outbound)[0] if is_working else Slot(text=PLACEHOLDER)
        shown = Shown(outbound)
        if outbound.address.conversation.startswith("-"):
            shown.moved_to = await self._ports.get_cursor(MOVED + outbound.address.conversation)
        with self._account.calling(outbound.address.conversation):
            reply_to = 0 if shown.moved_to else answered_in_group(outbound)
            try:
                shown.ids = [await self._shower.send(shown.address, slot, reply_to=reply_to)]
            except ChatMigrated as error:
                await self._move(shown, error)
                shown.ids = [await self._shower.send(shown.address, slot)]
        if is_working:
            self._shower.type_on(shown.address, outbound.key)
        return shown.reference

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Make the message, and those that follow it, what `outbound` says; the reference of all of them.

        Raises:
            See `layers.transport.RemoteChannel`.
        """
        shown = Shown(outbound, reference)
        if outbound.kind is not OutboundKind.WORKING:
            self._shower.type_off(shown.address, outbound.key)
        with self._account.calling(outbound.address.conversation):
            try:
                await self._write(shown)
            except ChatMigrated as error:
                await self._move(shown, error)
                await self._write(shown)
        return shown.reference

    async def _move(self, shown: Shown, error: ChatMigrated) -> None:
        """The group became a supergroup, with another id and other ids of messages: what was in it is said there."""
        log.info("telegram.moved", extra={"chat": shown.address.conversation, "to": error.new_chat_id})
        await self._ports.put_cursor(MOVED + shown.outbound.address.conversation, str(error.new_chat_id))
        shown.moved_to, shown.ids = str(error.new_chat_id), []

    async def _write(self, shown: Shown) -> None:
        """As rich as it can be shown there."""
        try:
            await self._show(shown, await laid_out(shown.outbound, is_rich=self._knows_rich))
        except RichRefused as error:
            if says(error.why, *NOT_RICH):
                self._knows_rich = False
            log.info("telegram.not_rich", extra={"error": error.why.message, "again": self._knows_rich})
            await self._show(shown, await laid_out(shown.outbound))
        except BadRequest as error:
            if not says(error, *NO_TEXT):
                raise
            await self._show(shown, await laid_out(shown.outbound, carries_media=True))

    async def _show(self, shown: Shown, slots: tuple[Slot, ...]) -> None:
        """Fill a message for each slot; `ids` becomes what is there."""
        ids = shown.ids
        for n, slot in enumerate(slots):
            if n == len(ids):
                await self._add(shown, n, slots)
            try:
                await self._fill(shown, n, slot)
            except BadRequest as error:
                # deleted by somebody; or a file of before, whose place a text takes: neither can be edited
                if not says(error, *GONE) and not (n and says(error, *NO_TEXT)):
                    raise
                old = ids[n]
                await self._replace(shown, n)
                await self._shower.remove(shown.address.conversation, old)
                await self._fill(shown, n, slot)
        while len(ids) > len(slots):
            await self._shower.remove(shown.address.conversation, ids[-1])
            ids.pop()

    async def _fill(self, shown: Shown, n: int, slot: Slot) -> None:
        try:
            await self._shower.fill(shown.address.conversation, shown.ids[n], slot)
        except BadRequest as error:
            if slot.rich and not says(error, *GONE, *NO_TEXT):
                raise RichRefused(error) from None
            raise

    async def _add(self, shown: Shown, n: int, slots: tuple[Slot, ...]) -> None:
        """Placeholders for the `n`-th message, or for the album that begins there, committed before they are filled."""
        album = slots[n].album
        count = sum(1 for _ in takewhile(lambda slot: slot.album == album, slots[n:])) if album else 1
        if count > 1:
            shown.ids += await self._shower.send_album(shown.address, count)
            await self._ports.note(shown.outbound, shown.reference)
        else:
            await self._replace(shown, n)

    async def _replace(self, shown: Shown, n: int) -> None:
        """One placeholder in the `n`-th place."""
        new = await self._shower.send(shown.address, Slot(text=PLACEHOLDER), is_silent=n > 0)
        shown.ids[n:] = [new, *shown.ids[n + 1 :]]
        await self._ports.note(shown.outbound, shown.reference)


class RichRefused(Exception):
    """Telegram does not take a rich message."""

    def __init__(self, why: BadRequest) -> None:
        super().__init__(why.message)
        self.why = why


async def laid_out(outbound: Outbound, *, carries_media: bool = False, is_rich: bool = False) -> tuple[Slot, ...]:
    """`layout`, beside the event loop where it may take long."""
    if len(outbound.text) <= LONG_CHARS:
        return layout(outbound, carries_media=carries_media, is_rich=is_rich)
    return await asyncio.to_thread(layout, outbound, carries_media=carries_media, is_rich=is_rich)


def answered_in_group(outbound: Outbound) -> int:
    """The message that it answers, where others are in the chat: it is shown whom it answers; 0 elsewhere."""
    chat, _, rest = outbound.answers.partition("/")
    message_id = rest.partition("/")[0]
    is_there = chat.startswith("-") and chat == outbound.address.conversation
    return int(message_id) if is_there and message_id.isdecimal() else 0
