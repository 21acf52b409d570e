"""The handles of buttons: drawn here, hashed at rest, each good for one message of one conversation.

Functions draw fresh random handles, so running one twice (as the store may) leaves only the last one's.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from enum import StrEnum

from layers.control.types import Approval, Rules
from layers.store import Row, Tx

SEAL = "seal"


class Purpose(StrEnum):
    """Which buttons a handle is for."""

    DECIDE = "decide"
    SETTLE = "settle"
    """Those of an unknown outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A message that shows an approval."""

    conversation_id: str
    key: str


def hash_of(handle: str) -> str:
    """What is stored of a handle."""
    return hashlib.sha256(handle.encode()).hexdigest()


def key_of(approval_id: str) -> str:
    """The key of every message that shows that approval."""
    return f"a{approval_id}"


def add_card(tx: Tx, approval: Approval, conversation_id: str, rules: Rules, purpose: Purpose = Purpose.DECIDE) -> str:
    """A new handle for the buttons of an approval's card in that conversation; only its hash is kept."""
    handle = secrets.token_urlsafe(16)
    values = {
        "handle_hash": hash_of(handle),
        "approval_id": approval.id,
        "conversation_id": conversation_id,
        "message_key": key_of(approval.id),
        "purpose": purpose.value,
    }
    sealed = rules.signer.sign(SEAL, facts(values, approval)) if rules.signer is not None else ""
    tx.run("control.add_card", **values, seal=sealed, now=tx.now)
    return handle


def facts(card: Row, approval: Approval) -> str:
    """What control signs when it shows a plan: that these buttons are about this plan of this person, and where."""
    names = ("handle_hash", "approval_id", "conversation_id", "message_key", "purpose")
    return json.dumps([*(card[name] for name in names), approval.digest, approval.requested_by])


def broken_seal(card: Row, approval: Approval, rules: Rules) -> str:
    """Why the rows are not what was shown; empty when they are. Edited rows get no warrant."""
    if rules.signer is None or rules.signer.is_signed(SEAL, facts(card, approval), card["seal"]):
        return ""
    return "this request was changed in the database after it was shown; ask again"


def places(tx: Tx, approval_id: str) -> list[Placed]:
    """Every message that shows it, the first one first."""
    rows = tx.all("control.cards", approval_id=approval_id)
    found = (Placed(conversation_id=row["conversation_id"], key=row["message_key"]) for row in rows)
    return list(dict.fromkeys(found))
