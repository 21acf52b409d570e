"""The other way in: Telegram calls us. Committed before the 200; what is not committed gets a 503 and comes again.

Any process of a fleet takes what comes: Telegram's order within a chat and the inbox's deduplication hold across them.
Telegram proves itself by a token in a header that every process can tell from the bot's own, so that nothing has to be
shared; the address holds no secret, and may be logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from telegram import Bot, Update, WebhookInfo
from telegram.error import TelegramError

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.intake import HEARD, DurableQueue, has_number, readable
from bot.adapters.telegram.troubles import ours
from layers.errors import AccountState

log = logging.getLogger(__name__)

PATH = "/hooks/telegram"
HEADER = "x-telegram-bot-api-secret-token"
PORTS = (443, 80, 88, 8443)
CONNECTIONS = 20
"""At most so many updates at once: each is a commit, and they queue up for the one writer of SQLite."""
WATCH_S = 60.0
CLOSED_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid", ".example")

Answer = tuple[int, str, bytes]
TEXT = "text/plain; charset=utf-8"


def secret_of(token: str) -> str:
    """What Telegram says with every call: letters and digits, 64 of the 256 characters it may have."""
    return hmac.new(token.encode(), b"bulkhead telegram webhook", hashlib.sha256).hexdigest()


def why_not(public_url: str) -> str:
    """Why Telegram cannot call that origin, as far as can be told from here; empty when it may."""
    if not public_url:
        return "BULKHEAD_PUBLIC_URL is not set"
    parts = urlsplit(public_url)
    host, what = (parts.hostname or "").lower(), f"BULKHEAD_PUBLIC_URL is {public_url!r}"
    if parts.scheme != "https":
        return f"{what}, and Telegram calls https only"
    if (parts.port or 443) not in PORTS:
        return f"{what}, and Telegram calls the ports {', '.join(map(str, PORTS))} only"
    try:
        is_near = not ipaddress.ip_address(host).is_global
    except ValueError:
        is_near = "." not in host or host.endswith(CLOSED_NAMES)
    return f"{what}, which is not in the public network" if is_near else ""


class Webhook:
    """One bot's."""

    def __init__(self, bot: Bot, account: Account, public_url: str, queue: DurableQueue) -> None:
        self.url = public_url.rstrip("/") + PATH
        self._bot = bot
        self._account = account
        self._queue = queue
        self._secret = secret_of(bot.token)
        self._errors_until = 0.0

    async def set(self) -> None:
        """Have Telegram call us.

        Raises:
            TelegramError: it does not want to; a BadRequest says why.
        """
        await self._bot.set_webhook(
            self.url, max_connections=CONNECTIONS, allowed_updates=HEARD, secret_token=self._secret
        )
        self._errors_until = time.time()

    async def watch(self, sweep: Callable[[], Awaitable[None]]) -> None:
        """Ask now and then whether it is still ours and whether Telegram gets through; for ever."""
        while True:
            await asyncio.sleep(WATCH_S)
            await self.look()
            await sweep()

    async def look(self) -> None:
        """Once. A webhook that somebody else set or took away is set again: the last one to do so has the bot."""
        if self._account.is_closed:
            return
        try:
            info = await self._bot.get_webhook_info()
            is_ours = info.url == self.url
            if not is_ours:
                await self.set()
        except TelegramError as error:
            self._account.polled(error)
            return
        if not is_ours:
            reason = "somebody else uses this bot's token: the webhook was changed; it is set again"
            self._account.become(AccountState.CONFLICT, reason)
        elif told := self._trouble(info):
            self._account.become(AccountState.DEGRADED, told)
        else:
            self._account.polled(None)

    def _trouble(self, info: WebhookInfo) -> str:
        """What Telegram says of its latest call, where that failed and something still waits."""
        at = info.last_error_date.timestamp() if info.last_error_date else 0.0
        if not info.pending_update_count or at <= self._errors_until:
            return ""
        return told_of(info)

    async def handle(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """One update. `headers` have names in lower case."""
        if not hmac.compare_digest(headers.get(HEADER, "").encode(), self._secret.encode()):
            return 403, TEXT, b"this is not Telegram\n"
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:  # it would come for a day, always the same
            log.error("telegram.poison", extra={"error": type(error).__name__})
            return 200, TEXT, b""
        if not has_number(data):
            return 200, TEXT, b""
        update = Update.de_json(readable(data), self._bot)
        try:
            await self._queue.put(update)
        except TelegramError as error:
            log.warning("telegram.not_committed", extra={"reason": str(ours(error, ""))})
            return 503, TEXT, b"not committed; bring it again\n"
        return 200, TEXT, b""


def told_of(info: WebhookInfo) -> str:
    """Telegram's own words about its calls."""
    return f"Telegram does not get through to {info.url}: {info.last_error_message or 'it does not say why'}"
