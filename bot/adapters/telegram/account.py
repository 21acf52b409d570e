"""How the account is, and which chats asked to be left alone: what every call to Telegram goes by."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from telegram.error import Conflict, RetryAfter, TelegramError

from bot.adapters.ports import Health
from bot.adapters.telegram.troubles import BOT, CLOSED, account_trouble, bucket_of, ours, seconds
from layers.errors import AccountState, AccountTrouble, BulkheadError, RateLimited, Unavailable

log = logging.getLogger(__name__)

CONNECTING = "connecting"
DEGRADED_AFTER = 3
"""Failed polls in a row."""
CONFLICT_S = 10.0
"""Two pollers win in turns; only after so long without a conflict is it over."""
CHATS_AT_ONCE, AT_ONCE_S = 3, 5.0
"""So many private chats with a 429 within so long: Telegram does not say whom it means, but then it is the bot."""


class Account:
    """One bot's standing with Telegram."""

    def __init__(self, changed: Callable[[AccountState, str], Awaitable[object]]) -> None:
        self.health = Health(state=AccountState.DEGRADED, since=time.time(), reason=CONNECTING)
        self._changed = changed
        self._telling: set[asyncio.Task[None]] = set()
        self._failed_polls = 0
        self._conflict_at = -CONFLICT_S
        self._closed_until: dict[str, float] = {}
        """By bucket."""
        self._limited: dict[str, float] = {}
        """Private chat -> when its last 429 came."""

    @property
    def is_closed(self) -> bool:
        """Whether a person must act before Telegram is called again."""
        return self.health.state in CLOSED

    def become(self, state: AccountState, reason: str = "") -> None:
        """Change health, and tell whoever listens."""
        if (state, reason) == (self.health.state, self.health.reason):
            return
        self.health = Health(state=state, since=time.time(), reason=reason)
        log.warning("telegram.health", extra={"state": state.value, "reason": reason})
        task = asyncio.create_task(self._tell(self.health))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def settle(self) -> None:
        """Wait until the last change was told."""
        await asyncio.gather(*self._telling)

    async def _tell(self, health: Health) -> None:
        try:
            await self._changed(health.state, health.reason)
        except Exception:
            log.exception("telegram.health_untold")

    def polled(self, error: TelegramError | None) -> None:
        """One poll ended, well or not."""
        if error is None:
            self._failed_polls = 0
            if time.monotonic() - self._conflict_at >= CONFLICT_S:
                self.become(AccountState.HEALTHY)
            return
        if isinstance(error, Conflict):
            self._conflict_at = time.monotonic()
        trouble = account_trouble(error)
        if trouble is not None:
            self.become(trouble.state, str(trouble))
            return
        self._failed_polls += 1
        if self._failed_polls >= DEGRADED_AFTER:
            self.become(AccountState.DEGRADED, str(ours(error, "")))

    def unreached(self, error: TelegramError) -> None:
        """Connecting failed: its owner hears of that at once, a poll that fails now and then is no news."""
        self._failed_polls = DEGRADED_AFTER
        self.polled(error)

    def check(self, chat: str = "") -> None:
        """Before every call, about a chat or about none.

        Raises:
            AccountTrouble, RateLimited: do not call now.
        """
        if self.is_closed:
            raise AccountTrouble(self.health.reason, state=self.health.state)
        for bucket in (BOT, bucket_of(chat)):
            wait_s = self._closed_until.get(bucket, 0.0) - time.monotonic()
            if wait_s > 0:
                raise RateLimited("Telegram asked to wait", retry_after_s=wait_s, bucket=bucket)
            self._closed_until.pop(bucket, None)

    def limited(self, error: RetryAfter, chat: str) -> str:
        """A 429 of a call about `chat`, or about none; the bucket that it closes."""
        now = time.monotonic()
        if chat and not chat.startswith("-"):  # groups have a limit of their own, which many reach together
            self._limited = {each: at for each, at in self._limited.items() if now - at < AT_ONCE_S} | {chat: now}
        is_everywhere = not chat or len(self._limited) >= CHATS_AT_ONCE
        bucket = BOT if is_everywhere else bucket_of(chat)
        self._closed_until[bucket] = now + seconds(error)
        return bucket

    @contextmanager
    def calling(self, chat: str = "") -> Iterator[None]:
        """Around calls about a chat, or about none: whatever fails becomes one of our errors."""
        try:
            yield
        except BulkheadError:
            raise
        except TelegramError as error:
            bucket = self.limited(error, chat) if isinstance(error, RetryAfter) else ""
            trouble = ours(error, chat, bucket)
            if isinstance(trouble, AccountTrouble):
                self.become(trouble.state, str(trouble))
            raise trouble from None
        except Exception as error:
            log.exception("telegram.unexpected")
            raise Unavailable(f"the message could not be made ready for Telegram ({type(error).__name__})") from None
