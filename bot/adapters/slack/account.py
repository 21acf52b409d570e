"""Slack, started and stopped: takes tokens and the way to the inbox, gives a channel for the courier and its health."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from websockets.exceptions import WebSocketException

from bot.adapters.ports import Health, Ports
from bot.adapters.slack.api import SLACK_URL, SlackApi, trouble_of, vendor_log
from bot.adapters.slack.channel import SlackChannel
from bot.adapters.slack.history import History
from bot.adapters.slack.reading import ended, heard
from bot.adapters.slack.sockets import Sockets, Timing
from layers.errors import AccountState, AccountTrouble, BulkheadError

log = logging.getLogger(__name__)

FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What Socket Mode needs."""

    bot: SecretStr
    """`xoxb-...`."""
    app: SecretStr
    """`xapp-...`, with the scope connections:write."""


class SlackAccount:
    """One Slack app in one workspace. `channel` goes to the courier."""

    def __init__(self, tokens: Tokens, ports: Ports, *, url: str = SLACK_URL, timing: Timing | None = None) -> None:
        self._ports = ports
        self._timing = timing or Timing()
        self._api = SlackApi(tokens.bot, url)
        self._sockets = Sockets(self._api, tokens.app, self._timing)
        self._team = self._bot_user = ""
        self._state, self._since = AccountState.HEALTHY, time.time()
        self._history = History(self._api, self._take)
        self._tasks: set[asyncio.Task[None]] = set()
        self.channel = SlackChannel(self._api, ports.media)
        self._api.on_trouble = self._notice

    @property
    def health(self) -> Health:
        """Healthy means that a frame of Slack's was seen lately, not that a socket is open."""
        if self._api.trouble is not None:
            return self._health(self._api.trouble.state, str(self._api.trouble))
        if not self._sockets.is_hearing:
            return self._health(AccountState.DEGRADED, f"Slack sent nothing for {self._timing.deaf_after_s:g} s")
        return self._health(AccountState.HEALTHY)

    def _health(self, state: AccountState, reason: str = "") -> Health:
        if state is not self._state:
            self._state, self._since = state, time.time()
        return Health(state=state, since=self._since, reason=reason)

    def _notice(self, trouble: AccountTrouble) -> None:
        """A person must act: tell, once per start; also where no delivery noticed it."""
        self._spawn(self._tell(trouble))

    async def _tell(self, trouble: AccountTrouble) -> None:
        try:
            await self._ports.changed(trouble.state, str(trouble))
        except Exception:
            log.exception("slack.trouble_untold")

    async def start(self, since: Mapping[str, str] | None = None) -> None:
        """Connect, and stay connected. Where Slack cannot be reached now, `health` says so and it is tried again.

        What was said later than `since` (channel -> `ts` of the last message that was taken) is caught up.
        """
        self._api.open()
        for channel, stamp in (since or {}).items():
            self._history.note(channel, stamp)
        is_open = await self._try_open()
        self._spawn(self._keep_open(is_open))

    async def stop(self) -> None:
        """Let go of everything."""
        self._sockets.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sockets.close()
        await self._api.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_open(self, is_open: bool) -> None:
        pause_s = FIRST_RETRY_S
        while not is_open and self._api.trouble is None:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_RETRY_S)
            is_open = await self._try_open()
        self._catch_up()
        await self._sockets.watch(self._catch_up)

    def _catch_up(self) -> None:
        if self._api.trouble is None:
            self._spawn(self._history.catch_up(self._team))

    async def _try_open(self) -> bool:
        try:
            who = await self._api.call("auth.test")
            bot = AuthorizeResult(
                enterprise_id=who.get("enterprise_id"),
                team_id=who["team_id"],
                bot_user_id=who["user_id"],
                bot_id=who.get("bot_id"),
                bot_token="-",  # Bolt only wants one; whoever calls Slack goes through SlackApi
            )
            self._team, self._bot_user = str(who["team_id"]), str(who["user_id"])
            await self._sockets.open(self._app(bot))
        except (BulkheadError, OSError, TimeoutError, WebSocketException) as error:
            log.warning("slack.not_connected", extra={"error": type(error).__name__, "reason": str(error)})
            return False
        log.info("slack.connected", extra={"team": who["team_id"]})
        await self._ports.changed(AccountState.HEALTHY, "")
        return True

    def _app(self, bot: AuthorizeResult) -> AsyncApp:
        """Bolt, with one global middleware: it commits before anything is acknowledged.

        `authorize` is ours: Bolt's own acknowledges, and so loses, events that come while auth.test fails.
        """

        async def authorize() -> AuthorizeResult:
            return bot

        app = AsyncApp(
            name="bulkhead",
            client=self._api.client(),
            authorize=authorize,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
            logger=vendor_log,
        )
        app.middleware(self._take)
        return app

    async def _take(self, body: Mapping[str, Any]) -> BoltResponse:
        """One envelope. What raises here is not acknowledged, so Slack brings it again."""
        if trouble := trouble_of(ended(body)):
            self._api.stop_calling(trouble)
            return BoltResponse(status=200)
        event = heard(body, self._bot_user)
        if event is None:
            return BoltResponse(status=200)
        try:
            welcome = await self._ports.accept(event.inbound)
        except Exception:
            log.exception("slack.not_accepted")  # Bolt answers 500 to what is raised, which acknowledges nothing
            raise
        if stamp := event.stamp:
            self._history.note(event.channel, stamp)
        return BoltResponse(status=200, body=welcome.note if "command" in body else "")
