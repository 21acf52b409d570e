"""Patches that wait for a person's word on an edit in their way, in the store: a `Foreign` in, a `Parked` out.

Synchronous functions on a transaction, as in `records`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from layers.coordination.types import Entry, Foreign, Save, Step
from layers.errors import Refused
from layers.store import Row, Tx


class Word(StrEnum):
    """What a person wants done about their edit and the patch."""

    OPEN = "open"
    """Nobody has said."""
    KEEP = "keep"
    """The edit stays as it is, and the patch is dropped."""
    MERGE = "merge"
    """The edit is committed, and the patch is merged with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A patch and the edit in its way."""

    id: str
    proposal: str
    request: str
    """The id of the request that people approved."""
    foreign: Foreign
    choice: Word
    decided_by: str
    """A `Person.id`; empty while it is open."""


def park(tx: Tx, proposal_id: str, request: str, foreign: Foreign) -> None:
    """Write down that `foreign` is in the way of a proposal, from now on and in place of what was before."""
    facts = {key: value for key, value in asdict(foreign).items() if key in ("steps", "saves")}
    tx.run(
        "coordination.park", id=secrets.token_hex(8), proposal=proposal_id, request=request, ref=foreign.ref,
        commit_id=foreign.commit, tree=foreign.tree, facts=json.dumps(facts), now=tx.now,
    )  # fmt: skip


def unpark(tx: Tx, id: str) -> None:
    """Nothing is in the way any more. Where a person has said what becomes of the edit, nothing changes."""
    tx.run("coordination.unpark", id=id)


def parked(tx: Tx, id: str) -> Parked:
    """The one of that id.

    Raises:
        Refused: there is none.
    """
    row = tx.one("coordination.parked", id=id)
    if row is None:
        raise Refused("this button is none of Bulkhead's; nothing was done")
    return _parked(row)


def parked_for(tx: Tx, proposal_id: str) -> Parked | None:
    """What was last in the way of a proposal; None where nothing ever was."""
    row = tx.one("coordination.parked_for", proposal=proposal_id)
    return _parked(row) if row else None


def choose(tx: Tx, id: str, before: Word, after: Word, person_id: str = "") -> bool:
    """Write a person's word down, or take it back to be given again; False when it was not `before`."""
    values = {"id": id, "before": before.value, "after": after.value, "decided_by": person_id}
    return tx.run("coordination.choose_parked", **values) == 1


def _parked(row: Row) -> Parked:
    facts = json.loads(row["facts"])
    return Parked(
        id=row["id"],
        proposal=row["proposal"],
        request=row["request"],
        foreign=Foreign(
            ref=row["ref"],
            commit=row["commit_id"],
            tree=row["tree"],
            steps=tuple(
                Step(path=step["path"], old=_entry(step["old"]), new=_entry(step["new"])) for step in facts["steps"]
            ),
            saves=tuple(Save(**save) for save in facts["saves"]),
        ),
        choice=Word(row["choice"]),
        decided_by=row["decided_by"],
    )


def _entry(side: Mapping[str, Any] | None) -> Entry | None:
    return Entry(**side) if side else None
