"""A turn that somebody wants no more of: written down the moment they say so, whatever its conversation is busy with,
and found there by the process that works on it and by whoever takes it up after a crash.
"""

from __future__ import annotations

from layers.store import ReadStore, Tx
from layers.transport.rules import load_inbound
from layers.transport.types import TurnEnd
from layers.types import Inbound, Person

TOPIC = "stop"
"""What wakes the process that works on the turn."""


def at_work(tx: Tx, conversation: str, before: int) -> tuple[int, Inbound] | None:
    """The event that a conversation is busy with, or will be next, if it came before the inbox id `before`."""
    row = tx.one("transport.first_pending", conversation_id=conversation, before=before)
    return (row["id"], load_inbound(row["payload"])) if row else None


def stop_turn(tx: Tx, turn_id: int, by: int) -> bool:
    """Have a turn stopped by the word of the event `by`. False: it has ended, or somebody said so before."""
    tx.wake(TOPIC)
    return tx.run("transport.stop", id=turn_id, by=by) == 1


def became_of(tx: Tx, by: int) -> TurnEnd | None:
    """How the turn ended that the event `by` was to stop; None where it was to stop none."""
    row = tx.one("transport.stopped_by", by=by)
    return TurnEnd(row["state"]) if row else None


async def look_stopping(store: ReadStore) -> dict[int, Person]:
    """The turns that are to be stopped and have not ended: id -> by whom."""
    rows = await store.fetch_all("transport.stopping")
    return {row["id"]: load_inbound(row["payload"]).person for row in rows}
