"""A provider as it looks from outside: messages that people see, each with what was last put into it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping

from layers.store import Store
from layers.transport import Channels, Courier, Policy, Rules
from layers.types import Address, Outbound, OutboundKind

DOTS = "…"


class Provider:
    """Keeps what people see; fails as `before` and `after` say, once each is asked."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        """Reference -> text."""
        self.calls: list[tuple[str, str]] = []
        """(place or edit, conversation), as they came in."""
        self.order: list[str] = []
        """Texts in the order in which they became visible."""
        self.before: Callable[[str, Outbound], None] = lambda deed, outbound: None
        self.after: Callable[[str, Outbound], None] = lambda deed, outbound: None
        self._numbers = itertools.count(1)

    @property
    def texts(self) -> list[str]:
        """What people read, without placeholders that nobody filled."""
        return sorted(text for text in self.seen.values() if text != DOTS)

    @property
    def orphans(self) -> int:
        return sum(text == DOTS for text in self.seen.values())

    async def place(self, outbound: Outbound) -> str:
        self.calls.append(("place", outbound.address.id))
        await asyncio.sleep(0)
        self.before("place", outbound)
        reference = f"r{next(self._numbers)}"
        self.seen[reference] = outbound.text if outbound.kind is OutboundKind.WORKING else DOTS
        self.after("place", outbound)
        return reference

    async def edit(self, reference: str, outbound: Outbound) -> str:
        self.calls.append(("edit", outbound.address.id))
        await asyncio.sleep(0)
        self.before("edit", outbound)
        self.seen[reference] = outbound.text
        self.order.append(outbound.text)
        self.after("edit", outbound)
        return reference


def message(text: str, conversation: str = "c", channel: str = "remote") -> Outbound:
    return Outbound(address=Address(channel=channel, conversation=conversation), key=text, text=text)


def rules(notes: str = "", **policies: Policy) -> Rules:
    return Rules(policies=policies, notes=notes)


NO_RULES: Mapping[str, Policy] = {}


async def settle(store: Store, channels: Channels, given: Rules | None = None, until_s: float = 5.0) -> None:
    """Run a courier until nothing is owed any more, or the time is up."""
    courier = asyncio.create_task(Courier(store, channels, patience_s=2, rules=given or rules()).run())
    for _ in range(int(until_s / 0.02)):
        counts = await store.fetch_one("transport.counts")
        if counts is not None and counts["unsent"] == 0:
            break
        await asyncio.sleep(0.02)
    courier.cancel()
    await asyncio.gather(courier, return_exceptions=True)


async def state_of(store: Store, outbox_id: int) -> str:
    row = await store.fetch_one("transport.outbox_by_id", id=outbox_id)
    assert row is not None
    return str(row["state"])
