"""A request that is to be stopped: written down the moment that somebody says so, whatever its conversation is busy
with, and found there by the process that runs it and by whoever takes the run up after a crash.
"""

from __future__ import annotations

from layers.control import audit
from layers.control.kernel import approvers
from layers.control.reading import by_id
from layers.control.types import Approval, Event, Rules, State
from layers.store import ReadStore, Tx
from layers.types import Person

STOP = "stop"


def may_stop(approval: Approval, person: Person, rules: Rules) -> bool:
    """The asker may, and every approver."""
    return person.id == approval.requested_by or person.id in {one.id for one in approvers(rules)}


def halt(tx: Tx, approval_id: str, person: Person, rules: Rules) -> bool:
    """Take back what has not begun, and have stopped what has; False where that cannot be or is not theirs.

    Raises:
        Refused: there is no such request.
    """
    approval = by_id(tx, approval_id)
    if not may_stop(approval, person, rules):
        return False
    after = State.CANCELLED.value
    if tx.run("control.cancel", id=approval_id, after=after, decided_by=person.id, now=tx.now) == 1:
        audit.append(tx, person.id, Event.CANCEL.value, approval_id, {"plan": approval.digest})
        return True
    if tx.run("control.stop", id=approval_id, stopped_by=person.id) == 1:
        audit.append(tx, person.id, STOP, approval_id, {"run": approval.run_id})
        return True
    return False


async def look_stopping(store: ReadStore) -> list[str]:
    """Ids of the runs that are to be stopped and have not been concluded."""
    return [f"{row['id']}-{row['attempt']}" for row in await store.fetch_all("control.stopping")]
