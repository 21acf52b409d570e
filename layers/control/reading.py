"""Approvals read from the store: rows in, values out."""

from __future__ import annotations

import json
import logging

from layers.control.types import Approval, Outcome, Plan, State
from layers.errors import Refused
from layers.store import Row, Tx

log = logging.getLogger(__name__)


def approval_of(row: Row) -> Approval:
    """The approval in a row of `control.pending` and the like."""
    return Approval(
        id=row["id"],
        conversation_id=row["conversation_id"],
        turn_id=row["turn_id"],
        plan=Plan.parse(row["plan"]),
        digest=row["digest"],
        requested_by=row["requested_by"],
        by_agent=bool(row["by_agent"]),
        reason=row["reason"],
        state=State(row["state"]),
        attempt=row["attempt"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        decided_by=row["decided_by"] or "",
        decided_at=row["decided_at"],
        why=row["why"],
        outcome=Outcome.parse(row["outcome"]) if row["outcome"] else None,
        ended_at=row["ended_at"],
        warrant=row["warrant"],
        said_yes=tuple(json.loads(row["said_yes"])),
        number=row["number"],
        choices=tuple(row["choices"].split()),
        grant_id=row["grant_id"],
        stopped_by=row["stopped_by"],
        is_drill=bool(row["is_drill"]),
    )


def readable(rows: list[Row]) -> list[Approval]:
    """The approvals in `rows`. One row that was tampered with is left out and logged, not the end of the list."""
    approvals = []
    for row in rows:
        try:
            approvals.append(approval_of(row))
        except Refused as error:
            log.error("approval.unreadable", extra={"approval": row["id"], "why": str(error)})
    return approvals


def by_id(tx: Tx, approval_id: str) -> Approval:
    """The approval with that id.

    Raises:
        Refused: there is none.
    """
    row = tx.one("control.approval", id=approval_id)
    if row is None:
        raise Refused(f"no request has the id {approval_id!r}; /pending lists those that wait")
    return approval_of(row)


def pending(tx: Tx) -> list[Approval]:
    """What waits for a person, oldest first."""
    return readable(tx.all("control.pending"))


def asked_since(tx: Tx, since: float) -> list[Approval]:
    """Every request made since then (epoch seconds), oldest first, whatever became of it."""
    return readable(tx.all("control.asked_since", since=since))
