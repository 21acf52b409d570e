"""Nouns of this layer only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from layers.store import Tx
from layers.types import Outbound, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an `Inbound` at the door."""

    inbox_id: int
    is_new: bool
    """False when the provider delivered the same event again."""
    turn: Turn | None = None
    """Set when the conversation was idle and this process took it: work on it now."""


class TurnEnd(StrEnum):
    """How a turn ended."""

    DONE = "done"
    """With its answer, or with a sentence on why there is none."""
    STOPPED = "stopped"
    """A person wanted no more of it."""


class StepKind(StrEnum):
    """What a journalled step is."""

    MODEL = "model"
    """A model's reply: replayed after a crash, so nothing is asked twice."""
    EFFECT = "effect"
    """Something outside changed: `started` is committed before, `done` after."""


class StepState(StrEnum):
    """How far a step came. A `started` effect found after a crash has an unknown outcome until somebody looks."""

    STARTED = "started"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of a turn's journal."""

    n: int
    """Counts from 0 within the turn."""
    kind: StepKind
    name: str
    state: StepState
    body: str = ""
    """JSON of whoever wrote the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the transcript, as the agent remembers it."""

    role: str
    """`user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One outbox row on its way out."""

    outbox_id: int
    dedupe: str
    outbound: Outbound
    attempts: int
    """Failed tries so far."""
    reference: str = ""
    """Where the visible message of this key is at the provider; empty when it was never placed."""
    is_doubtful: bool = False
    """Whether an earlier try may have placed it: nobody saw the answer."""
    kind: str = ""
    """As in the row: `Outbound.kind`, or one of `rules.RowKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one look at the outbox found."""

    deliveries: tuple[Delivery, ...] = ()
    """To be made outside of the transaction, beside each other."""
    handled: int = 0
    """Rows that were looked at."""
    is_more: bool = False
    """Whether to look again at once."""
    wait_s: float | None = None
    """Else: when something that waits for a time may go on; None when nothing does."""


@runtime_checkable
class LocalChannel(Protocol):
    """A channel whose messages live in this very database: taken, written and marked in one transaction, once."""

    def render(self, outbound: Outbound) -> str:
        """The message as this channel keeps it. Pure; what it raises makes the row dead, not the courier."""

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        """Show what was rendered; returns its reference."""


class RemoteChannel(Protocol):
    """A channel behind a provider."""

    async def place(self, outbound: Outbound) -> str:
        """Put a placeholder where the message will be; its reference. The worst a crash leaves is an orphan.

        Raises:
            RateLimited, AccountTrouble: see there.
            Unavailable: a later try may work.
            Refused, Misconfigured: no later try will.
        """

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Make the message at `reference` into `outbound`; twice is once. Its reference, longer when parts were added.

        Raises:
            As `place`.
        """


@runtime_checkable
class Searchable(Protocol):
    """A remote channel that can find what a lost answer was about: mail by its Message-ID, Slack by its metadata."""

    async def find(self, outbound: Outbound) -> str | None:
        """The reference of the message, if it is there already; None where it is not, or cannot be told."""


Channels = Mapping[str, LocalChannel | RemoteChannel | None]
"""Channel name -> where its messages go; None leaves them to the process that has it."""
