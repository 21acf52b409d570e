"""The Telegram account: connects, hears by the long poll or by a webhook, and shows what is to be said.

It polls, unless there is an address that Telegram can call; where Telegram refuses that address, it polls as well.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from telegram import BotCommand, Update
from telegram.error import BadRequest, RetryAfter, TelegramError
from telegram.ext import Updater

from bot.adapters.ports import Health, Ports, Welcome
from bot.adapters.telegram.account import CONNECTING, Account
from bot.adapters.telegram.fetching import Files
from bot.adapters.telegram.inbound import Heard, hear
from bot.adapters.telegram.intake import HEARD, DurableQueue, PollingBot
from bot.adapters.telegram.shelf import LEFT_S, Shelf
from bot.adapters.telegram.showing import Shower
from bot.adapters.telegram.troubles import seconds
from bot.adapters.telegram.webhook import PATH, Answer, Webhook, why_not
from bot.adapters.telegram.writing import Writer
from bot.commands import COMMANDS
from layers.errors import AccountState, BulkheadError
from layers.types import STRANGER, Attachment, Inbound, InboundKind, Outbound, OutboundKind

log = logging.getLogger(__name__)

API_URL = "https://api.telegram.org"
POLL_S = 30
"""Of one long poll; Telegram allows 50."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Between tries to connect."""
NOT_READ = "I read text and files only; what you sent is neither. Please write it."


class Telegram:
    """One bot. `start` returns at once; `health` tells how it is."""

    def __init__(self, token: str, ports: Ports, api_url: str = API_URL, public_url: str = "") -> None:
        os.environ.setdefault("PTB_TIMEDELTA", "true")  # else each 429 warns of what will be the default
        self._ports = ports
        self._account = Account(ports.changed)
        self._bot = PollingBot(token, api_url, self._account)
        self._queue = DurableQueue(self._hear, self._take)
        self._updater = Updater(self._bot, self._queue)
        self._shower = Shower(self._bot, self._account, ports.media)
        self._writer = Writer(ports, self._account, self._shower)
        self._files = Files(self._bot, self._account, ports.keep)
        self._shelf = Shelf(ports, self._files.fetch, self._accept)
        is_called = not why_not(public_url)
        self._webhook = Webhook(self._bot, self._account, public_url, self._queue) if is_called else None
        self._is_ready = False
        self._connecting: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def health(self) -> Health:
        """How the account is, since when and why."""
        return self._account.health

    @property
    def is_exclusive(self) -> bool:
        """Whether only one process of a fleet may hear: a long poll has one reader, a webhook any number."""
        return self._webhook is None

    def hooks(self) -> dict[str, Callable[[Mapping[str, str], bytes], Awaitable[Answer]]]:
        """What is to be served for Telegram: path -> what answers a POST there."""
        return {PATH: self._handle} if self._webhook is not None else {}

    async def start(self) -> None:
        """Connect and hear in the background; after a revoked token, once a person settled that, try again."""
        quiet_the_library()
        await self.stop()
        self._updater = Updater(self._bot, self._queue)  # one whose polling ended by an error cannot start again
        self._account.become(AccountState.DEGRADED, CONNECTING)  # so that being healthy is told again
        self._connecting = asyncio.create_task(self._connect(), name="telegram")

    async def stop(self) -> None:
        """Hear no more; what was committed is confirmed to Telegram, what comes to a webhook waits there."""
        self._is_ready = False
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
            self._connecting = None
        if self._updater.running:
            try:
                await self._updater.stop()
            except TelegramError as error:  # how the polling ended, which `health` says already
                log.info("telegram.polling_had_ended", extra={"error": type(error).__name__})
        await self._shelf.stop()
        await self._shower.close()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._account.settle()
        await self._files.close()
        await self._updater.shutdown()
        await self._bot.shutdown()  # also where connecting failed half-way

    async def place(self, outbound: Outbound) -> str:
        """See `Writer.place`."""
        return await self._writer.place(outbound)

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """See `Writer.edit`."""
        return await self._writer.edit(reference, outbound)

    # --- connecting ---

    async def _connect(self) -> None:
        wait_s = FIRST_RETRY_S
        while not self._account.is_closed:
            try:
                await self._updater.initialize()
                self._is_ready = True
                await self._name_commands()
                is_called = await self._listen()
                await self._shelf.resume()
            except RetryAfter as error:  # of several processes that start at once all but one
                wait_s = seconds(error)
            except TelegramError as error:
                self._account.unreached(error)
            except BulkheadError as error:  # the database is away
                log.warning("telegram.not_started", extra={"reason": str(error)})
            else:
                self._account.polled(None)
                log.info("telegram.listening", extra={"bot": self._bot.id, "webhook": is_called})
                if is_called and self._webhook is not None:
                    await self._webhook.watch(self._sweep)
                return
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def _listen(self) -> bool:
        """Have Telegram call us, or poll; which of them it is."""
        if self._webhook is not None:
            try:
                await self._webhook.set()
            except BadRequest as error:  # it cannot be called there: an unknown name, a network of its own
                log.warning("telegram.webhook_refused", extra={"url": self._webhook.url, "reason": error.message})
            else:
                return True
        if not self._updater.running:
            await self._updater.start_polling(timeout=POLL_S, allowed_updates=HEARD, error_callback=lambda error: None)
        return False

    async def _sweep(self) -> None:
        """What a process that is gone had left on the shelf."""
        try:
            await self._shelf.resume(LEFT_S)
        except BulkheadError as error:
            log.warning("telegram.not_swept", extra={"reason": str(error)})

    async def _name_commands(self) -> None:
        """What Telegram's menu offers. Without it everything works."""
        try:
            with self._account.calling():
                self._account.check()
                await self._bot.set_my_commands([BotCommand(entry.name, entry.doc[:256]) for entry in COMMANDS])
        except BulkheadError as error:
            log.warning("telegram.commands_refused", extra={"error": str(error)})

    # --- in ---

    async def _handle(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """An update that Telegram brings; until the bot knows its own name, it is asked to come again."""
        if self._webhook is None or not self._is_ready:
            return 503, "text/plain; charset=utf-8", b"not started yet\n"
        return await self._webhook.handle(headers, body)

    def _hear(self, update: Update) -> Heard | None:
        return hear(update, self._bot.bot)

    async def _take(self, heard: Heard) -> None:
        """Commit what was heard, as an event, or on the shelf until its files are there."""
        if heard.press is None and not heard.text and not heard.files:
            if heard.is_private:
                await self._say(heard, NOT_READ, f"unread:{heard.event_id}")
        elif not await self._shelf.takes(heard, self.is_exclusive):
            await self._accept(heard, (), ())

    async def _accept(self, heard: Heard, files: tuple[Attachment, ...], aliases: tuple[str, ...]) -> Welcome:
        """Commit an event. Who it was, and what somebody unknown is told, is the door's business."""
        kind, press = InboundKind.MESSAGE, None
        if heard.press is not None:
            key = await self._ports.key_of(heard.address.id, str(heard.message_id))
            kind, press = InboundKind.PRESS, replace(heard.press, key=key)
        welcome = await self._ports.accept(
            Inbound(
                address=heard.address,
                event_id=heard.event_id,
                person=STRANGER,
                kind=kind,
                text=heard.text,
                press=press,
                aliases=aliases,
                attachments=files,
                identity=heard.identity,
                display=heard.display,
                is_direct=heard.is_private,
                is_edit=heard.is_edit,
            )
        )
        if heard.query_id:
            self._beside(self._shower.answer(heard.query_id, welcome.note))
        lost = [f"{file.name}: {file.note}." for file in files if not file.digest]
        if lost and welcome.person is not None:
            await self._say(heard, "Not taken: " + "\n".join(lost), f"lost:{heard.event_id}")
        return welcome

    async def _say(self, heard: Heard, text: str, name: str) -> None:
        outbound = Outbound(address=heard.address, key=name, text=text, kind=OutboundKind.ERROR, answers=heard.event_id)
        await self._ports.say(outbound, f"{heard.address.channel}:{name}")

    def _beside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do it while the next update is taken."""
        task = asyncio.create_task(coroutine)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


def quiet_the_library() -> None:
    """httpx logs URLs, which hold the token; the bot library logs what people wrote. We log what matters ourselves."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
