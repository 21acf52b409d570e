"""A person's word that they want no more of an answer: whatever is being done for it is let go of at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from layers.routing.types import Stopped


class Stop:
    """Nobody's word yet; `set` makes it somebody's, for good."""

    def __init__(self) -> None:
        self.by = ""
        """Who said so; empty while nobody did."""
        self._blocks: set[asyncio.Timeout] = set()

    def set(self, by: str) -> None:
        """End every block that runs, and let none begin."""
        if not self.by:
            self.by = by
            for block in self._blocks:
                block.reschedule(asyncio.get_running_loop().time())

    def check(self) -> None:
        """Go on only while nobody said so.

        Raises:
            Stopped: somebody did.
        """
        if self.by:
            raise Stopped(self.by)

    @asynccontextmanager
    async def over(self) -> AsyncGenerator[None, None]:
        """A block that is cancelled once somebody says so.

        Raises:
            Stopped: somebody did.
        """
        self.check()
        try:
            async with asyncio.timeout(None) as block:
                self._blocks.add(block)
                try:
                    yield
                finally:
                    self._blocks.discard(block)
        except TimeoutError:
            if not block.expired():
                raise  # of whatever the block did
            raise Stopped(self.by) from None
