"""Slack, started and stopped: takes tokens and the ports, gives a channel for the courier, hooks and its health."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from websockets.exceptions import WebSocketException

from bot.adapters.ports import Health, Ports
from bot.adapters.slack.api import SLACK_URL, SlackApi, vendor_log
from bot.adapters.slack.channel import SlackChannel
from bot.adapters.slack.hooks import Hook, Reply
from bot.adapters.slack.intake import Intake
from bot.adapters.slack.reading import Me
from bot.adapters.slack.sockets import Sockets, Timing
from layers.errors import AccountState, AccountTrouble, BulkheadError

log = logging.getLogger(__name__)

FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0
HOUSE = "house"
"""The cursor that holds the name of this installation."""
PATH = "slack"
"""Where Slack's requests arrive, below /hooks/."""

Handle = Callable[[Mapping[str, str], bytes], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the app is known by."""

    bot: SecretStr
    """`xoxb-...`."""
    app: SecretStr = field(default_factory=lambda: SecretStr(""))
    """`xapp-...`, with the scope connections:write; for Socket Mode."""
    signing: SecretStr = field(default_factory=lambda: SecretStr(""))
    """The signing secret; where it is set Slack comes by HTTP, and no socket is opened."""


class SlackAccount:
    """One Slack app in one workspace. `channel` goes to the courier."""

    def __init__(self, tokens: Tokens, ports: Ports, *, url: str = SLACK_URL, timing: Timing | None = None) -> None:
        self._ports = ports
        self._timing = timing or Timing()
        self._api = SlackApi(tokens.bot, url)
        self._is_http = bool(tokens.signing.get_secret_value())
        self._sockets = Sockets(self._api, tokens.app, self._timing)
        self._state, self._since = AccountState.DEGRADED, time.time()
        self._tasks: set[asyncio.Task[None]] = set()
        self._intake = Intake(self._api, ports, self._spawn)
        self._hook = Hook(tokens.signing, self._intake.take) if self._is_http else None
        self.channel = SlackChannel(self._api, ports.media, self._intake.assistant)
        self._api.on_trouble = self._notice

    @property
    def health(self) -> Health:
        """Healthy means that a frame of Slack's was seen lately, not that a socket is open."""
        state, reason = self._judge()
        if state is not self._state:
            self._state, self._since = state, time.time()
        return Health(state=state, since=self._since, reason=reason)

    def _judge(self) -> tuple[AccountState, str]:
        if self._api.trouble is not None:
            return self._api.trouble.state, str(self._api.trouble)
        if self._intake.me is None:
            return AccountState.DEGRADED, "Slack cannot be reached"
        if not self._is_hearing():
            return AccountState.DEGRADED, f"Slack sent nothing for {self._timing.deaf_after_s:g} s"
        if time.monotonic() < self._intake.limited_until:
            return AccountState.DEGRADED, "Slack holds events back: more than 30,000 in an hour"
        return AccountState.HEALTHY, ""

    def _is_hearing(self) -> bool:
        """Over HTTP nothing tells silence from deafness."""
        return self._intake.me is not None and (self._is_http or self._sockets.is_hearing)

    def hooks(self) -> dict[str, Handle]:
        """What to serve below /hooks/, where Slack comes by HTTP."""
        return {PATH: self._hook.handle} if self._hook is not None else {}

    def _notice(self, trouble: AccountTrouble) -> None:
        """A person must act: tell, once per start; also where no delivery noticed it."""
        self._spawn(self._tell(trouble.state, str(trouble)))

    async def _tell(self, state: AccountState, reason: str) -> None:
        try:
            await self._ports.changed(state, reason)
        except Exception:
            log.exception("slack.state_untold")

    async def start(self) -> None:
        """Connect, and stay connected. Where Slack cannot be reached now, `health` says so and it is tried again.

        What was said since the last stop is caught up.
        """
        self._api.open()
        self._intake.me = None
        self.channel.house = await self._house()
        await self._intake.history.load()
        is_open = await self._try_open()
        self._spawn(self._run(is_open=is_open))

    async def stop(self) -> None:
        """Let go of everything."""
        is_alive = self._is_hearing() and self._api.trouble is None
        self._sockets.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sockets.close()
        await self._intake.close()
        await self._intake.history.close(is_alive=is_alive)
        await self._api.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _house(self) -> str:
        """The name of this installation: another one in the same workspace has messages of the same keys."""
        if not (found := await self._ports.get_cursor(HOUSE)):
            await self._ports.put_cursor(HOUSE, f"{time.time_ns():x}")
            found = await self._ports.get_cursor(HOUSE)
        return found

    async def _run(self, *, is_open: bool) -> None:
        pause_s = FIRST_RETRY_S
        if not is_open and self._api.trouble is None:
            await self._tell(*self._judge())
        while not is_open and self._api.trouble is None:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_RETRY_S)
            is_open = await self._try_open()
        if self._api.trouble is not None:
            return
        self._catch_up()
        self._spawn(self._intake.history.keep(self._is_hearing, self._catch_up))
        self._spawn(self._intake.home.watch(lambda: self._intake.site))
        if self._is_http:
            await self._watch_state()
            return
        self._spawn(self._watch_state())
        await self._sockets.watch(self._intake.history.note_silence)

    async def _watch_state(self) -> None:
        """Tell when Slack went silent, and when it is back. Trouble that needs a person is told where it is noticed."""
        told = AccountState.HEALTHY
        while self._api.trouble is None:
            await asyncio.sleep(self._timing.check_every_s)
            state, reason = self._judge()
            if self._api.trouble is None and state is not told:
                await self._tell(state, reason)
                told = state

    def _catch_up(self) -> None:
        if self._api.trouble is None and self._intake.me is not None:
            self._spawn(self._read_history(self._intake.me))

    async def _read_history(self, me: Me) -> None:
        try:
            await self._intake.history.catch_up(me)
        except BulkheadError as error:
            log.warning("slack.not_caught_up", extra={"error": type(error).__name__})

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
            self._intake.me = Me(user=str(who["user_id"]), team=str(who["team_id"]))
            self._intake.site = str(who.get("url", ""))
            if not self._is_http:
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

        async def take(body: Mapping[str, Any]) -> BoltResponse:
            # Bolt answers 500 to what is raised here, which acknowledges nothing
            return BoltResponse(status=200, body=await self._intake.take(body))

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
        app.middleware(take)
        return app
