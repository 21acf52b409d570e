"""What people have chosen of a proposal so far, one row for every place where they choose: a keyboard keeps nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from layers.store import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one keyboard stands for."""

    place: str
    """The conversation that it is in."""
    key: str
    """Of its message there."""
    left_out: frozenset[str] = frozenset()
    """Ids of parts; every other one is chosen."""
    file: int = 0
    """The file whose hunks are shown, from 1; 0 for the list of files."""
    page: int = 0
    """Of what is shown, from 0."""


def choices(tx: Tx, proposal_id: str) -> dict[str, Choice]:
    """Place -> what is being chosen there."""
    return {row["place"]: _choice(row) for row in tx.all("coordination.choices", proposal=proposal_id)}


def keep_choice(tx: Tx, proposal_id: str, choice: Choice) -> None:
    """Write one down, in place of what was kept for that place."""
    left_out = json.dumps(sorted(choice.left_out))
    values = {"place": choice.place, "key": choice.key, "file": choice.file, "page": choice.page}
    tx.run("coordination.keep_choice", proposal=proposal_id, left_out=left_out, now=tx.now, **values)


def drop_choice(tx: Tx, proposal_id: str, place: str) -> None:
    """Forget the one of that place."""
    tx.run("coordination.drop_choice", proposal=proposal_id, place=place)


def _choice(row: Row) -> Choice:
    left_out = frozenset(json.loads(row["left_out"]))
    return Choice(place=row["place"], key=row["key"], left_out=left_out, file=row["file"], page=row["page"])
