"""Slack and Telegram, where their tokens are set. The adapters are imported then only: they cost 25 MB each.

Slack brings each event to one of an app's sockets, so every process of a fleet has its own. Telegram allows one poller
for a bot: in a fleet the process that holds the role has the channel, the others leave its messages alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Protocol

from bot import schedule
from bot.config import BulkheadFile, Settings
from layers.errors import AccountState, AccountTrouble, BulkheadError, Misconfigured, Unavailable
from layers.store import Store
from layers.transport import LocalChannel, RemoteChannel, key_of, put_account, put_reference, send
from layers.types import Inbound, Outbound

log = logging.getLogger(__name__)

TELEGRAM, SLACK = "telegram", "slack"
ROLE_S = 30.0
"""How long the role of polling Telegram is held without a word: the pause after a crash of its holder."""
ROLE_EVERY_S = 10.0

Accept = Callable[[Inbound], Awaitable[int]]


class Startable(Protocol):
    """A provider's account."""

    async def start(self) -> None:
        """Connect, and hear what comes in."""

    async def stop(self) -> None:
        """Hear no more."""


class Providers:
    """The accounts that are configured, and their channels for the courier."""

    def __init__(self, settings: Settings, file: BulkheadFile, store: Store, accept: Accept) -> None:
        self._settings = settings
        self._file = file
        self._store = store
        self._accept = accept
        self._channels: dict[str, LocalChannel | RemoteChannel | None] = {}
        self._slack: Startable | None = self._make_slack()
        self._telegram: Any = self._make_telegram()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def channels(self) -> dict[str, LocalChannel | RemoteChannel | None]:
        """By name; filled and emptied while the house runs."""
        return self._channels

    async def start(self) -> None:
        """Hear what comes in; in a fleet, Telegram only while this process holds the role."""
        if self._slack is not None:
            await self._told(SLACK, AccountState.HEALTHY, "")  # the operator's start is the person's word
            await self._slack.start()
        if self._telegram is not None:
            self._tasks.append(asyncio.create_task(self._hold_telegram(), name="telegram-role"))

    async def stop(self) -> None:
        """Hear no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._slack is not None:
            await self._slack.stop()

    async def _hold_telegram(self) -> None:
        """Take the role, keep it, and have the channel for as long."""
        is_held = False
        try:
            while True:
                holds = await self._role()
                if holds and not is_held:
                    await self._telegram.start()
                    self._channels[TELEGRAM] = self._telegram
                elif is_held and not holds:
                    self._channels[TELEGRAM] = None
                    await self._telegram.stop()
                is_held = holds
                await asyncio.sleep(ROLE_EVERY_S)
        finally:
            self._channels[TELEGRAM] = None
            await self._telegram.stop()
            await self._store.run(schedule.release_role, TELEGRAM, self._store.worker)

    async def _role(self) -> bool:
        """Whether the role is ours for the next `ROLE_S`; not while the database does not answer."""
        try:
            epoch = await self._store.run(schedule.hold_role, TELEGRAM, self._store.worker, ROLE_S)
        except BulkheadError:
            log.warning("telegram.role_unknown")
            return False
        return epoch is not None

    def _make_slack(self) -> Startable | None:
        bot, app = self._settings.slack_bot_token, self._settings.slack_app_token
        if not bot.get_secret_value() and not app.get_secret_value():
            return None
        for token, name, other in ((bot, "BOT", "APP"), (app, "APP", "BOT")):
            if not token.get_secret_value():
                text = f"BULKHEAD_SLACK_{other}_TOKEN is set but BULKHEAD_SLACK_{name}_TOKEN is not"
                raise Misconfigured(f"{text}; Socket Mode needs both")
        slack = import_module("bot.adapters.slack.account")
        house = slack.House(accept=self._accept, person_of=self._file.person_of, media=self._media)
        url = {"url": self._settings.slack_api_url} if self._settings.slack_api_url else {}
        account = slack.SlackAccount(slack.Tokens(bot=bot, app=app), house, **url)
        account.on_trouble(self._slack_trouble)
        self._channels[SLACK] = account.channel
        started: Startable = account
        return started

    def _make_telegram(self) -> Any:  # noqa: ANN401  the class is imported below, where there is a token
        token = self._settings.telegram_token.get_secret_value()
        if not token:
            return None
        telegram = import_module("bot.adapters.telegram")
        ports = telegram.Ports(
            accept=self._accept,
            person_of=self._file.person_of,
            media=self._media,
            say=self._say,
            note=self._note,
            key_of=self._key_of,
            changed=self._telegram_changed,
        )
        url = {"api_url": self._settings.telegram_api_url} if self._settings.telegram_api_url else {}
        self._channels[TELEGRAM] = None
        return telegram.Telegram(token, ports, **url)

    async def _media(self, digest: str) -> bytes:
        row = await self._store.fetch_one("web.media", digest=digest)
        if row is None:
            raise Unavailable(f"the picture {digest[:12]} is not in the database")
        return bytes(row["content"])

    async def _say(self, outbound: Outbound, dedupe: str) -> None:
        await self._store.run(send, outbound, dedupe)

    async def _note(self, outbound: Outbound, reference: str) -> None:
        await self._store.run(put_reference, outbound, reference)

    async def _key_of(self, conversation: str, part: str) -> str:
        return await self._store.run(key_of, conversation, part)

    async def _telegram_changed(self, health: Any) -> None:  # noqa: ANN401  as above
        await self._told(TELEGRAM, health.state, health.reason)

    def _slack_trouble(self, trouble: AccountTrouble) -> None:
        self._tasks.append(asyncio.create_task(self._told(SLACK, trouble.state, str(trouble))))

    async def _told(self, channel: str, state: AccountState, reason: str) -> None:
        """Write down how an account is: `/status` shows it, and one that needs a person is called no more."""
        level = logging.INFO if state is AccountState.HEALTHY else logging.ERROR
        log.log(level, "account.changed", extra={"channel": channel, "state": state.value})
        await self._store.run(put_account, channel, state, reason)


@asynccontextmanager
async def open_providers(providers: Providers) -> AsyncIterator[None]:
    """Started, and stopped before the dispatcher is."""
    await providers.start()
    try:
        yield
    finally:
        await providers.stop()
