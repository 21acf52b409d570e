"""How the account is, and which chats asked to be left alone: what every call to Telegram goes by."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from telegram.error import Conflict, RetryAfter, TelegramError

from bot.adapters.ports import Health
from bot.adapters.telegram.troubles import CLOSED, account_trouble, ours, seconds
from layers.errors import AccountState, AccountTrouble, BulkheadError, RateLimited, Unavailable

log = logging.getLogger(__name__)

DEGRADED_AFTER = 3
"""Failed polls in a row."""
CONFLICT_S = 10.0
"""Two pollers win in turns; only after so long without a conflict is it over."""


class Account:
    """One bot's standing with Telegram."""

    def __init__(self, changed: Callable[[AccountState, str], Awaitable[object]]) -> None:
        self.health = Health(state=AccountState.DEGRADED, since=time.time(), reason="not connected yet")
        self._changed = changed
        self._telling: set[asyncio.Task[None]] = set()
        self._failed_polls = 0
        self._conflict_at = -CONFLICT_S
        self._closed_until: dict[str, float] = {}

    @property
    def is_closed(self) -> bool:
        """Whether a person must act before Telegram is called again."""
        return self.health.state in CLOSED

    def become(self, state: AccountState, reason: str = "") -> None:
        """Change health, and tell whoever listens."""
        if state is self.health.state:
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

    def check(self, chat: str) -> None:
        """Before every call about a chat.

        Raises:
            AccountTrouble, RateLimited: do not call now.
        """
        if self.is_closed:
            raise AccountTrouble(self.health.reason, state=self.health.state)
        wait_s = self._closed_until.get(chat, 0.0) - time.monotonic()
        if wait_s > 0:
            bucket = f"telegram:chat:{chat}"
            raise RateLimited("Telegram asked to leave this chat alone", retry_after_s=wait_s, bucket=bucket)
        self._closed_until.pop(chat, None)

    @contextmanager
    def calling(self, chat: str) -> Iterator[None]:
        """Around calls about a chat: whatever fails becomes one of our errors."""
        try:
            yield
        except BulkheadError:
            raise
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                self._closed_until[chat] = time.monotonic() + seconds(error)
            trouble = ours(error, chat)
            if isinstance(trouble, AccountTrouble):
                self.become(trouble.state, str(trouble))
            raise trouble from None
        except Exception as error:
            log.exception("telegram.unexpected")
            raise Unavailable(f"the message could not be made ready for Telegram ({type(error).__name__})") from None
