"""How the account is: what both directions go by."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.adapters.mail.troubles import CLOSED
from layers.errors import AccountState, AccountTrouble

log = logging.getLogger(__name__)


class Standing:
    """One mailbox's."""

    def __init__(self, changed: Callable[[AccountState, str], Awaitable[object]]) -> None:
        self.state = AccountState.DEGRADED
        self.reason = "not connected yet"
        self._changed = changed

    @property
    def is_closed(self) -> bool:
        """Whether a person must act before the servers are called again."""
        return self.state in CLOSED

    def reopen(self) -> None:
        """It is begun anew; what was wrong with it a person has settled."""
        self.state, self.reason = AccountState.DEGRADED, "connecting"

    async def become(self, state: AccountState, reason: str = "") -> None:
        """Change, and have it written down. What is closed stays so until a person reopens it."""
        if state is self.state or (self.is_closed and state not in CLOSED):
            return
        self.state, self.reason = state, reason
        log.warning("mail.health", extra={"state": state.value, "reason": reason})
        try:
            await self._changed(state, reason)
        except Exception:
            log.exception("mail.health_untold")

    def check(self) -> None:
        """Before every call.

        Raises:
            AccountTrouble: do not.
        """
        if self.is_closed:
            raise AccountTrouble(self.reason, state=self.state)
