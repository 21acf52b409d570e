"""Proposals in the store: synchronous functions on a transaction, called inside the turn's own."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path

from layers.coordination.types import FileChange, Proposal
from layers.errors import Refused
from layers.store import Tx


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


def mark(tx: Tx, proposal_id: str, before: State, after: State, commit: str = "") -> bool:
    """Move a proposal from `before` to `after`; False when it was not `before`."""
    name = "coordination.mark"
    return tx.run(name, id=proposal_id, before=before.value, after=after.value, commit_id=commit or None) == 1
