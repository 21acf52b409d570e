"""What people have chosen of a proposal so far, kept while they choose: keyboards and forms remember nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from layers.store import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one keyboard, or one person's form, stands for."""

    proposal: str
    request: str
    """The id of the request that shows it."""
    place: str
    """The conversation that it is in."""
    key: str
    """Of its message there, or of the form; no two are the same."""
    chooser: str = ""
    """Whose form it is, as their provider names them; empty for a keyboard, which everybody presses."""
    left_out: frozenset[str] = frozenset()
    """Ids of parts; every other one is chosen."""
    file: int = 0
    """The file whose hunks are shown, from 1; 0 for the list of files."""
    page: int = 0
    """Of what is shown, from 0."""


def choices(tx: Tx, proposal_id: str) -> list[Choice]:
    """Everything that is being chosen of it."""
    return [_choice(row) for row in tx.all("coordination.choices", proposal=proposal_id)]


def choice_by_key(tx: Tx, key: str) -> Choice | None:
    """The one with that key; None when there is nothing to choose there any more."""
    row = tx.one("coordination.choice", key=key)
    return _choice(row) if row is not None else None


def keep_choice(tx: Tx, choice: Choice) -> None:
    """Write one down, in place of what was kept for that place and person."""
    tx.run(
        "coordination.keep_choice",
        proposal=choice.proposal,
        request=choice.request,
        place=choice.place,
        chooser=choice.chooser,
        key=choice.key,
        left_out=json.dumps(sorted(choice.left_out)),
        file=choice.file,
        page=choice.page,
        now=tx.now,
    )


def drop_choice(tx: Tx, key: str) -> None:
    """Forget one."""
    tx.run("coordination.drop_choice", key=key)


def _choice(row: Row) -> Choice:
    return Choice(
        proposal=row["proposal"],
        request=row["request"],
        place=row["place"],
        key=row["key"],
        chooser=row["chooser"],
        left_out=frozenset(json.loads(row["left_out"])),
        file=row["file"],
        page=row["page"],
    )
