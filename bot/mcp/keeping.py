"""The leases of the sessions that one process serves: kept alive while their session lives, given back at its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from bot.desk import Desk, Own
from layers.errors import BulkheadError, Refused

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
"""Twice within the time in which a lease says that its holder lives; and how soon a session's end is noticed."""


class Keeper:
    """Signs of life for every lease that was taken here. When this process dies, the leases' own time ends them."""

    def __init__(self, desk: Desk, is_alive: Callable[[str], bool]) -> None:
        """`is_alive` tells of a session's id whether anybody is still there."""
        self._desk = desk
        self._is_alive = is_alive
        self._kept: dict[str, tuple[Own, str]] = {}

    def keep(self, own: Own, session: str) -> None:
        """From now on."""
        self._kept[own.lease] = (own, session)

    def forget(self, lease: str) -> None:
        """It was given back."""
        self._kept.pop(lease, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for own, session in list(self._kept.values()):
                await (self._beat(own) if self._is_alive(session) else self._release(own))

    async def close(self) -> None:
        """Give everything back."""
        for own, _ in list(self._kept.values()):
            await self._release(own)

    async def _beat(self, own: Own) -> None:
        try:
            held = await self._desk.renew(own)
        except Refused:
            self.forget(own.lease)
        except BulkheadError as error:  # the server is away: it may be back before the lease ends
            log.warning("mcp.lease_not_renewed", extra={"lease": own.lease, "why": str(error)})
        else:
            if held.state != "held":
                self.forget(own.lease)

    async def _release(self, own: Own) -> None:
        self.forget(own.lease)
        with suppress(BulkheadError):  # then its own time ends it
            await self._desk.release(own)
