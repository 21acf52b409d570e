"""The schedules that people make: rows that fire by compare-and-swap into the inbox, once per fleet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.schedule.cron import next_fire, told
from layers.errors import BadInput, Refused
from layers.store import Row, Tx
from layers.types import Address, Inbound, InboundKind, Person

log = logging.getLogger(__name__)

MOST_PER_CONVERSATION = 50
"""Schedules. One conversation is one person or one team; more than this is a loop that got away."""
MOST_MISSED = 100
"""Counting stops here: a schedule for every minute misses half a million in a year, and nobody needs the figure."""
MOST_AT_ONCE = 50
"""Schedules fired in one transaction; the rest follow at the next tick."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One row of the schedule table."""

    id: int
    conversation_id: str
    cron: str
    timezone: str
    text: str
    next_fire: float
    """Epoch seconds."""
    created_by: str
    """`Person.id`."""
    is_enabled: bool = True
    """False once its cron text or its zone was no longer understood."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A schedule that has just become an inbox row."""

    id: int
    conversation_id: str
    text: str
    created_by: str
    due_at: float
    """When it should have fired. Epoch seconds."""
    fired_at: float
    """When it did."""
    missed: int
    """Further firings that were skipped because nothing ran; `MOST_MISSED` means that many or more."""
    timezone: str


def add(tx: Tx, conversation: str, cron: str, timezone: str, text: str, created_by: str) -> Scheduled:
    """Keep a schedule. One turn at a time per conversation, so the count needs no lock.

    Raises:
        BadInput: see `next_fire`.
        Refused: the conversation has `MOST_PER_CONVERSATION` already.
    """
    due = next_fire(cron, timezone, tx.now)
    if len(tx.all("bot.schedules", conversation_id=conversation)) >= MOST_PER_CONVERSATION:
        raise Refused(
            f"This conversation has {MOST_PER_CONVERSATION} schedules, which is the limit; "
            "remove one with `/schedule remove <number>` first."
        )
    values = {"conversation_id": conversation, "cron": cron, "timezone": timezone, "text": text}
    row = tx.one("bot.schedule_add", **values, next_fire=due, created_by=created_by, now=tx.now)
    assert row is not None  # an INSERT ... RETURNING that did not raise returns its row
    return Scheduled(row["id"], conversation, cron, timezone, text, due, created_by)


def remove(tx: Tx, number: int, conversation: str) -> None:
    """Forget a schedule of this conversation.

    Raises:
        Refused: it has none of that number.
    """
    if tx.run("bot.schedule_remove", id=number, conversation_id=conversation) == 0:
        others = ", ".join(str(entry.id) for entry in listing(tx, conversation))
        has = f"there are {others}" if others else "there are none"
        raise Refused(f"This conversation has no schedule {number}; {has} (`/schedule` lists them).")


def listing(tx: Tx, conversation: str) -> list[Scheduled]:
    """The schedules of a conversation, oldest first."""
    return [_scheduled(row) for row in tx.all("bot.schedules", conversation_id=conversation)]


def fire_due(tx: Tx, accept: Callable[[Tx, Inbound], object]) -> list[Fired]:
    """Turn every due schedule into an inbox row through `accept`, in this transaction, once per fleet.

    After a pause (the server was off) each fires once, however often it should have; `note` tells of the rest.
    """
    fired = []
    for entry in map(_scheduled, tx.all("bot.schedules_due", now=tx.now, few=MOST_AT_ONCE)):
        try:
            following, missed = next_fire(entry.cron, entry.timezone, tx.now), _missed(entry, tx.now)
        except BadInput:  # it was understood when it was added: the zone left the machine's database
            log.error("schedule.disabled", extra={"schedule": entry.id, "cron": entry.cron, "timezone": entry.timezone})
            tx.run("bot.schedule_disable", id=entry.id, seen=entry.next_fire)
            continue
        if tx.run("bot.schedule_fire", id=entry.id, seen=entry.next_fire, next_fire=following) == 0:
            continue  # another process fired it
        accept(tx, _inbound(entry))
        origin = (entry.id, entry.conversation_id, entry.text, entry.created_by)
        fired.append(Fired(*origin, entry.next_fire, tx.now, missed, entry.timezone))
    return fired


def note(fired: Fired) -> str:
    """What to tell people of a firing that came late; empty when it was on time (within two minutes)."""
    if fired.missed == 0 and fired.fired_at - fired.due_at < 120:
        return ""
    text = f"Schedule {fired.id} was due {told(fired.due_at, fired.timezone)}, when nothing ran, and runs now."
    if fired.missed == 0:
        return text
    many = f"{fired.missed} or more" if fired.missed >= MOST_MISSED else str(fired.missed)
    return f"{text} {many} further firing{'' if fired.missed == 1 else 's'} since then will not be made up for."


def line(entry: Scheduled) -> str:
    """One schedule as a line of markdown."""
    when = f"next {told(entry.next_fire, entry.timezone)}" if entry.is_enabled else "stopped: its time zone is unknown"
    return f"**{entry.id}** `{entry.cron}` {entry.timezone}: {entry.text} ({when})"


def _missed(entry: Scheduled, now: float) -> int:
    count, due = 0, entry.next_fire
    while count < MOST_MISSED and (due := next_fire(entry.cron, entry.timezone, due)) <= now:
        count += 1
    return count


def _inbound(entry: Scheduled) -> Inbound:
    return Inbound(
        address=Address.parse(entry.conversation_id),
        event_id=f"schedule:{entry.id}:{entry.next_fire:.0f}",
        person=Person(id=entry.created_by, name=entry.created_by),
        kind=InboundKind.SCHEDULE,
        text=entry.text,
        subject=str(entry.id),
    )


def _scheduled(row: Row) -> Scheduled:
    names = ("id", "conversation_id", "cron", "timezone", "text", "next_fire", "created_by")
    return Scheduled(**{name: row[name] for name in names}, is_enabled=row["enabled"] == 1)
