"""The freeze: while it is on, nothing is asked for, approved or begun. One row of the database, so it outlives
restarts; a row that is gone or unreadable counts as frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from layers.control import audit
from layers.control.card import inline
from layers.control.kernel import approvers
from layers.control.types import Rules
from layers.control.wording import clock
from layers.errors import Refused
from layers.store import ReadStore, Row, Tx
from layers.types import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """How it is now."""

    is_on: bool
    by: str = ""
    """A `Person.id`; empty where nobody ever said anything."""
    at: float = 0.0
    """Epoch seconds; 0 means never."""
    reason: str = ""
    """Their own words."""

    @property
    def line(self) -> str:
        """By whom, since when and why, in markdown; empty while nothing is frozen."""
        if not self.is_on:
            return ""
        since = f" since {clock(self.at)}" if self.at else ""
        why = f" ({inline(self.reason)})" if self.reason else ""
        return f"by {inline(self.by or 'nobody known')}{since}{why}"


def is_on(row: Row | None) -> bool:
    """What the row says; only a plain 0 is off."""
    return row is None or row["is_frozen"] != 0


def is_frozen(tx: Tx) -> bool:
    """Whether everything is frozen now."""
    return is_on(tx.one("control.freeze"))


async def look_frozen(store: ReadStore) -> bool:
    """The same, without a transaction of one's own."""
    return is_on(await store.fetch_one("control.freeze"))


async def look_freeze(store: ReadStore) -> Freeze:
    """Whether, since when, by whom and why."""
    row = await store.fetch_one("control.freeze")
    if row is None:
        return Freeze(is_on=True, reason="the row of the freeze is gone from the database")
    return Freeze(is_on=is_on(row), by=row["set_by"], at=row["set_at"], reason=row["reason"])


def with_freeze(tx: Tx, rules: Rules) -> Rules:
    """The rules as they are at this moment of the database."""
    return replace(rules, is_frozen=rules.is_frozen or is_frozen(tx))


def set_freeze(
    tx: Tx, person: Person, rules: Rules, *, on: bool, reason: str = "", asked_at: float | None = None
) -> bool:
    """Freeze, or end it; False when it was so already, or when somebody has decided otherwise since `asked_at` (epoch
    seconds; None is now): of two words the later one holds, whichever waited longer for its turn.

    Raises:
        Refused: they are no approver.
    """
    verb = "freeze" if on else "unfreeze"
    if person.id not in {approver.id for approver in approvers(rules)}:
        raise Refused(f"{person.name} may not {verb}; an approver can")
    values = {"is_frozen": int(on), "set_by": person.id, "reason": reason, "now": tx.now}
    values["asked_at"] = tx.now if asked_at is None else asked_at
    if tx.run("control.set_freeze", **values) != 1:
        return False
    audit.append(tx, person.id, verb, "", {"why": reason} if reason else {})
    return True
