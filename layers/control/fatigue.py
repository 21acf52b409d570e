"""What keeps people from being worn down: one card for one thing, rest after a no, time to read. Numbers only here."""

from __future__ import annotations

import secrets

from layers.control.types import Plan
from layers.errors import Refused
from layers.store import Tx

PENDING_LIMIT = 50
"""Requests that may wait in one conversation."""
DENIALS = 2
COOL_DOWN_S = 6 * 3600.0
"""After `DENIALS` of the very same thing it is refused by itself for this long."""
HASTY_S = 2.0
"""A yes sooner than this is marked in the audit trail: nobody reads a card so fast."""
INERT_S = 5.0
"""What cannot be undone cannot be approved sooner."""
WRONG_NUMBERS = 2
"""So many wrong numbers deny the request."""
CHOICES = 3


def twin(tx: Tx, plan: Plan, conversation_id: str, requested_by: str) -> str:
    """The id of the same request of the same person that waits there already; empty when none does."""
    row = tx.one(
        "control.twin", digest=plan.digest, conversation_id=conversation_id, requested_by=requested_by, now=tx.now
    )
    return str(row["id"]) if row is not None else ""


def rested(tx: Tx, plan: Plan, conversation_id: str) -> None:
    """Let a request through unless people have had enough.

    Raises:
        Refused: the same was denied twice lately, or too much waits in this conversation.
    """
    denied = tx.one("control.denials", digest=plan.digest, since=tx.now - COOL_DOWN_S)
    if denied is not None and denied["denials"] >= DENIALS:
        raise Refused(
            f"just this was denied {denied['denials']} times in the last {COOL_DOWN_S / 3600:.0f} hours, so it is not "
            "asked again; change it, or wait"
        )
    waiting = tx.one("control.waiting", conversation_id=conversation_id)
    if waiting is not None and waiting["waiting"] >= PENDING_LIMIT:
        raise Refused(f"{waiting['waiting']} requests wait in this conversation already; decide some of them first")


def draw_numbers() -> tuple[str, ...]:
    """Different two-digit numbers, in no order; the first is the right one."""
    drawn: dict[str, None] = {}
    while len(drawn) < CHOICES:
        drawn[str(10 + secrets.randbelow(90))] = None
    return tuple(drawn)
