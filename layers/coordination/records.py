"""Proposals in the store: synchronous functions on a transaction, called inside the turn's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from layers.coordination.types import Entry, FileChange, Proposal, Stages
from layers.errors import Refused
from layers.store import Tx

TOPIC = "proposals"
"""What is woken when something became of a proposal."""


class State(StrEnum):
    """How far a proposal is."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    CONFLICTED = "conflicted"
    DENIED = "denied"
    SUPERSEDED = "superseded"
    """Another proposal, of some of its parts, took its place."""


def keep(tx: Tx, proposal: Proposal, conversation_id: str) -> None:
    """Write `proposal` down as proposed. Keeping it again changes nothing."""
    tx.run(
        "coordination.keep",
        id=proposal.id,
        conversation_id=conversation_id,
        workspace=str(proposal.workspace),
        base_commit=proposal.base_commit,
        base_tree=proposal.base_tree,
        result_tree=proposal.result_tree,
        diff=proposal.diff,
        summary=json.dumps(
            {
                "branch": proposal.branch,
                "files": [asdict(file) for file in proposal.files],
                "derived_from": proposal.derived_from,
            }
        ),
        author=proposal.author,
        created_at=float(proposal.proposed_at),
    )
    if proposal.derived_from:
        follow(tx, proposal.derived_from, proposal.id)


def follow(tx: Tx, before: str, after: str) -> None:
    """Whoever handed in the proposal `before` is told from now on how `after` stands, which people made of it."""
    tx.run("coordination.follow_changeset", before=before, after=after)
    tx.wake(TOPIC)


def ask_for(tx: Tx, proposal_id: str, request: str) -> None:
    """A person is asked about it: `request` is the approval's id."""
    tx.run("coordination.ask_for", id=proposal_id, request=request)


def by_id(tx: Tx, proposal_id: str) -> Proposal:
    """The proposal that was kept.

    Raises:
        Refused: there is none.
    """
    row = tx.one("coordination.by_id", id=proposal_id)
    if row is None:
        raise Refused(f"there is no proposal {proposal_id!r}; propose the patch again")
    summary = json.loads(row["summary"])
    known = {field.name for field in fields(FileChange)}
    return Proposal(
        id=row["id"],
        workspace=Path(row["workspace"]),
        branch=summary["branch"],
        base_commit=row["base_commit"],
        base_tree=row["base_tree"],
        result_tree=row["result_tree"],
        diff=row["diff"],
        files=tuple(FileChange(**{k: v for k, v in file.items() if k in known}) for file in summary["files"]),
        author=row["author"],
        proposed_at=int(row["created_at"]),
        derived_from=summary.get("derived_from", ""),
    )


def mark(tx: Tx, proposal_id: str, before: State, after: State, commit: str = "", note: str = "") -> bool:
    """Move a proposal from `before` to `after`; False when it was not `before`. `note` tells its author why."""
    has_moved = tx.run(
        "coordination.mark", id=proposal_id, before=before.value, after=after.value, commit_id=commit or None,
        note=note or None,
    )  # fmt: skip
    tx.run("coordination.close_changeset", proposal=proposal_id, now=tx.now)
    tx.wake(TOPIC)
    return has_moved == 1


def supersede(tx: Tx, derived: Proposal, note: str) -> None:
    """`derived` takes the place of the proposal that it has parts of, also for whoever handed that in."""
    tx.run("coordination.hand_over", old=derived.derived_from, new=derived.id)
    mark(tx, derived.derived_from, State.PROPOSED, State.SUPERSEDED, note=note)


def explain(tx: Tx, proposal_id: str, note: str) -> None:
    """Tell the author of a proposal that has ended why, in other words than `mark` had."""
    tx.run("coordination.explain", id=proposal_id, note=note)
    tx.wake(TOPIC)


def keep_stages(tx: Tx, proposal_id: str, stages: Sequence[Stages]) -> None:
    """Keep what each side has of the files that a proposal could not be merged in."""
    tx.run("coordination.keep_stages", id=proposal_id, stages=dump_stages(stages))


def dump_stages(stages: Sequence[Stages]) -> str:
    """As JSON."""
    return json.dumps([asdict(one) for one in stages])


def load_stages(text: str | None) -> tuple[Stages, ...]:
    """The inverse of `dump_stages`."""

    def entry(side: Mapping[str, Any] | None) -> Entry | None:
        return Entry(**side) if side else None

    return tuple(
        Stages(path=one["path"], base=entry(one["base"]), ours=entry(one["ours"]), theirs=entry(one["theirs"]))
        for one in json.loads(text or "[]")
    )
