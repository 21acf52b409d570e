"""What models cost and how well they obey, written down. Attempts and verdicts in; sums, beliefs and pins out.

A day is one of UTC. A call whose price nobody knows is counted as such and not as free. What was seen of a model's
obedience fades by half in `HALF_LIFE_S`: newer sightings weigh more instead of older ones less, so that processes only
ever add, and nobody has to read before writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from layers.routing.beliefs import Belief
from layers.routing.types import Attempt, Caller, Tokens
from layers.store import Store, Tx

HALF_LIFE_S = 14 * 86_400.0
LANDMARK = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""When a sighting weighs 1. A double holds the weights of the next 39 years."""
KEPT_S = 30.0
"""How long beliefs are used before they are read again."""
ALL = ""
"""The name under which a whole day is summed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one name cost on one day."""

    day: str
    name: str
    calls: int
    failures: int
    unpriced: int
    tokens: Tokens
    usd: float
    ms: float

    def __add__(self, other: Spent) -> Spent:
        """Both together, under the later day and the same name."""
        return Spent(
            day=max(self.day, other.day),
            name=self.name,
            calls=self.calls + other.calls,
            failures=self.failures + other.failures,
            unpriced=self.unpriced + other.unpriced,
            tokens=Tokens(
                read=self.tokens.read + other.tokens.read, written=self.tokens.written + other.tokens.written
            ),
            usd=self.usd + other.usd,
            ms=self.ms + other.ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a clause held in an answer."""

    clause: str
    """Its type: `length`, `format` ..."""
    held: bool


def day_of(now: float, back: int = 0) -> str:
    """The day of UTC, or one that is `back` days before it."""
    return (datetime.fromtimestamp(now, UTC) - timedelta(days=back)).date().isoformat()


def weight(now: float) -> float:
    """What a sighting at `now` weighs."""
    return float(2.0 ** ((now - LANDMARK) / HALF_LIFE_S))


def note_calls(tx: Tx, caller: Caller, attempts: Sequence[Attempt]) -> None:
    """Write down what was asked of models, for the day, the person, the channel and each model."""
    for attempt in attempts:
        if not attempt.is_asked:
            continue
        names = (("all", ALL), ("person", caller.person), ("channel", caller.channel), ("model", attempt.model))
        for scope, name in names:
            if scope in ("person", "channel") and not name:
                continue  # a picture was looked at: nobody's question
            tx.run(
                "routing.spend_add",
                scope=scope,
                day=day_of(tx.now),
                name=name,
                calls=1,
                failures=int(not attempt.ok and not attempt.is_stopped),
                unpriced=int((attempt.ok or attempt.is_stopped) and attempt.cost_usd is None),
                tokens_in=attempt.tokens.read,
                tokens_out=attempt.tokens.written,
                usd=attempt.cost_usd or 0.0,
                ms=attempt.ms,
            )


def spent_today(tx: Tx, caller: Caller) -> Mapping[str, float]:
    """USD by scope."""
    scopes = {"day": ("all", ALL), "person": ("person", caller.person), "channel": ("channel", caller.channel)}
    rows = {
        key: tx.one("routing.spend_of", scope=scope, day=day_of(tx.now), name=name)
        for key, (scope, name) in scopes.items()
    }
    return {key: row["usd"] if row else 0.0 for key, row in rows.items()}


def note_verdicts(tx: Tx, model: str, verdicts: Iterable[Verdict]) -> None:
    """Write down which clauses an answer of `model` kept."""
    seen = weight(tx.now)
    for verdict in verdicts:
        held, broke = (seen, 0.0) if verdict.held else (0.0, seen)
        tx.run("routing.obedience_add", model=model, clause=verdict.clause, held=held, broke=broke)


def set_pin(tx: Tx, conversation: str, model: str, person: str) -> None:
    """Let `conversation` be answered by `model` only; an empty name ends that."""
    if model:
        tx.run("routing.pin_set", conversation_id=conversation, model=model, pinned_by=person, now=tx.now)
    else:
        tx.run("routing.pin_clear", conversation_id=conversation)


class Ledger:
    """The reading side, and what the router writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._beliefs: dict[tuple[str, str], Belief] = {}
        self._read_at = -KEPT_S

    async def spend(self, scope: str, now: float, days: int) -> list[Spent]:
        """What each name of `scope` (all, person, channel, model) cost, for each of the last `days` days."""
        rows = await self._store.fetch_all("routing.spend_since", scope=scope, day=day_of(now, days - 1))
        return [
            Spent(
                day=row["day"],
                name=row["name"],
                calls=row["calls"],
                failures=row["failures"],
                unpriced=row["unpriced"],
                tokens=Tokens(read=row["tokens_in"], written=row["tokens_out"]),
                usd=row["usd"],
                ms=row["ms"],
            )
            for row in rows
        ]

    async def beliefs(self, now: float) -> Mapping[tuple[str, str], Belief]:
        """By model and type of clause, what is to be thought of it."""
        if now - self._read_at >= KEPT_S:
            rows = await self._store.fetch_all("routing.obedience_all")
            faded = weight(now)
            self._beliefs = {
                (row["model"], row["clause"]): Belief(held=row["held"] / faded, broke=row["broke"] / faded)
                for row in rows
            }
            self._read_at = now
        return self._beliefs

    async def pin(self, conversation: str) -> str:
        """The model that `conversation` is pinned to; empty where there is none."""
        row = await self._store.fetch_one("routing.pin_of", conversation_id=conversation)
        return row["model"] if row else ""

    async def spent(self, caller: Caller) -> Mapping[str, float]:
        """USD today: `day`, `person` and `channel`."""
        return await self._store.run(spent_today, caller)

    async def note(self, caller: Caller, attempts: Sequence[Attempt]) -> Mapping[str, float]:
        """Write down what was asked of models; what has been spent today with it."""

        def write(tx: Tx) -> Mapping[str, float]:
            note_calls(tx, caller, attempts)
            return spent_today(tx, caller)

        return await self._store.run(write)

    async def judge(self, model: str, verdicts: Sequence[Verdict]) -> None:
        """Write down which clauses an answer kept."""
        if verdicts:
            await self._store.run(note_verdicts, model, verdicts)
