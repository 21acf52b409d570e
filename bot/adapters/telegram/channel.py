"""The Telegram channel: polls, hears and answers presses; places and edits messages.

Nothing is sent with its final text at first: the Bot API has no idempotency key, so a message is placed as `…` (this is
also what notifies), its id is committed, and it is edited, which may happen any number of times. What does not fit into
one message gets further placeholders, silent ones; each id is committed before its text is put in.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any

from telegram import BotCommand, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import Updater

from bot.adapters.ports import Health, Ports
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.inbound import Heard, hear
from bot.adapters.telegram.intake import HEARD, DurableQueue, PollingBot
from bot.adapters.telegram.layout import PLACEHOLDER, Slot, layout
from bot.adapters.telegram.showing import Shower
from bot.adapters.telegram.troubles import GONE, NO_TEXT, says
from bot.commands import COMMANDS
from layers.errors import AccountState
from layers.types import STRANGER, Inbound, InboundKind, Outbound, OutboundKind, Press

log = logging.getLogger(__name__)

API_URL = "https://api.telegram.org"
POLL_S = 30
"""Of one long poll; Telegram allows 50."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Between tries to connect."""
NO_FILES = "I read text and captions only; what you sent holds neither. Please write it."


class Telegram:
    """One bot. `start` returns at once; `health` tells how it is."""

    def __init__(self, token: str, ports: Ports, api_url: str = API_URL) -> None:
        os.environ.setdefault("PTB_TIMEDELTA", "true")  # else each 429 warns of what will be the default
        self._ports = ports
        self._account = Account(ports.changed)
        self._bot = PollingBot(token, api_url, self._account)
        self._updater = self._make_updater()
        self._shower = Shower(self._bot, self._account, ports.media)
        self._connecting: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def health(self) -> Health:
        """How the account is, since when and why."""
        return self._account.health

    async def start(self) -> None:
        """Connect and poll in the background; after a revoked token, once a person settled that, try again."""
        quiet_the_library()
        await self.stop()
        self._updater = self._make_updater()  # one whose polling ended by an error cannot start again
        if self._account.is_closed:
            self._account.become(AccountState.DEGRADED, "connecting again")
        self._connecting = asyncio.create_task(self._connect(), name="telegram")

    async def stop(self) -> None:
        """Poll no more; what was committed is confirmed to Telegram."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
            self._connecting = None
        if self._updater.running:
            try:
                await self._updater.stop()
            except TelegramError as error:  # how the polling ended, which `health` says already
                log.info("telegram.polling_had_ended", extra={"error": type(error).__name__})
        await self._shower.close()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._account.settle()
        await self._updater.shutdown()
        await self._bot.shutdown()  # also where connecting failed half-way

    def _make_updater(self) -> Updater:
        return Updater(self._bot, DurableQueue(self._hear, self._take))

    async def _connect(self) -> None:
        wait_s = FIRST_RETRY_S
        while not self._account.is_closed:
            try:
                await self._updater.initialize()
                await self._name_commands()
                await self._updater.start_polling(
                    timeout=POLL_S, allowed_updates=HEARD, error_callback=lambda error: None
                )
            except TelegramError as error:
                self._account.polled(error)
            else:
                self._account.polled(None)
                log.info("telegram.polling", extra={"bot": self._bot.id})
                return
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def _name_commands(self) -> None:
        """What Telegram's menu offers. Without it everything works."""
        try:
            await self._bot.set_my_commands([BotCommand(entry.name, entry.doc[:256]) for entry in COMMANDS])
        except BadRequest as error:
            log.warning("telegram.commands_refused", extra={"error": error.message})

    # --- in ---

    def _hear(self, update: Update) -> Heard | None:
        return hear(update, self._bot.bot)

    async def _take(self, heard: Heard) -> None:
        """Commit what was heard. Who it was, and what somebody unknown is told, is the door's business."""
        if heard.press is None and not heard.text:
            if heard.is_private:
                await self._say(heard, NO_FILES, f"unread:{heard.event_id}")
            return
        kind, press = InboundKind.MESSAGE, None
        if heard.press is not None:
            key = await self._ports.key_of(heard.address.id, str(heard.message_id))
            kind, press = InboundKind.PRESS, Press(value=heard.press.value, key=key)
        welcome = await self._ports.accept(
            Inbound(
                address=heard.address,
                event_id=heard.event_id,
                person=STRANGER,
                kind=kind,
                text=heard.text,
                press=press,
                identity=heard.identity,
                display=heard.display,
                is_direct=heard.is_private,
            )
        )
        if heard.query_id:
            self._beside(self._shower.answer(heard.query_id, welcome.note))

    async def _say(self, heard: Heard, text: str, name: str) -> None:
        outbound = Outbound(address=heard.address, key=name, text=text, kind=OutboundKind.ERROR)
        await self._ports.say(outbound, f"{heard.address.channel}:{name}")

    def _beside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do it while the next update is taken."""
        task = asyncio.create_task(coroutine)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    # --- out ---

    async def place(self, outbound: Outbound) -> str:
        """A `…`, or the words of a `working` message; the message's id.

        Raises:
            See `layers.transport.RemoteChannel`.
        """
        is_working = outbound.kind is OutboundKind.WORKING
        with self._account.calling(outbound.address.conversation):
            slot = layout(outbound)[0] if is_working else Slot(text=PLACEHOLDER)
            message_id = await self._shower.send(outbound.address, slot)
        if is_working:
            self._shower.type_on(outbound.address, outbound.key)
        return str(message_id)

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Make the message, and those that follow it, what `outbound` says; the ids of all of them.

        Raises:
            See `layers.transport.RemoteChannel`.
        """
        if outbound.kind is not OutboundKind.WORKING:
            self._shower.type_off(outbound.address, outbound.key)
        ids = [int(part) for part in reference.split()]
        with self._account.calling(outbound.address.conversation):
            try:
                await self._show(ids, layout(outbound), outbound)
            except BadRequest as error:
                if not says(error, *NO_TEXT):
                    raise
                await self._show(ids, layout(outbound, carries_media=True), outbound)
        return " ".join(str(id) for id in ids)

    async def _show(self, ids: list[int], slots: tuple[Slot, ...], outbound: Outbound) -> None:
        """Fill a message for each slot; `ids` becomes what is there."""
        chat = outbound.address.conversation
        for n, slot in enumerate(slots):
            if n == len(ids):
                await self._add(ids, n, outbound)
            try:
                await self._shower.fill(chat, ids[n], slot)
            except BadRequest as error:
                # deleted by somebody; or a file of before, whose place a text takes: neither can be edited
                if not says(error, *GONE) and not (n and says(error, *NO_TEXT)):
                    raise
                old = ids[n]
                await self._add(ids, n, outbound)
                await self._shower.remove(chat, old)
                await self._shower.fill(chat, ids[n], slot)
        while len(ids) > len(slots):
            await self._shower.remove(chat, ids[-1])
            ids.pop()

    async def _add(self, ids: list[int], n: int, outbound: Outbound) -> None:
        """A placeholder for the `n`-th message, committed before anything is put into it."""
        ids[n:] = [await self._shower.send(outbound.address, Slot(text=PLACEHOLDER), is_silent=n > 0), *ids[n + 1 :]]
        await self._ports.note(outbound, " ".join(str(id) for id in ids))


def quiet_the_library() -> None:
    """httpx logs URLs, which hold the token; the bot library logs what people wrote. We log what matters ourselves."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
