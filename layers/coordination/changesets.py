"""What other actors handed in, in the store: from the event that brought it to what became of it.

Takes the id that its sender gave it, gives a `Standing`. Synchronous functions on a transaction, as in `records`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from layers.coordination import leases, rules
from layers.coordination.git import open_repository, scratch
from layers.coordination.leases import Lease, LeaseState
from layers.coordination.records import TOPIC, State, by_id, dump_stages, load_stages
from layers.coordination.types import Proposal, Stages
from layers.errors import Refused
from layers.store import Row, Tx

MAX_OPEN = 200
"""Changesets of one actor that nobody has decided yet."""


class Fate(StrEnum):
    """What has become of a changeset, as its sender is told."""

    PROPOSED = "proposed"
    """It is written down and will be tried."""
    AWAITING = "awaiting_approval"
    """It fits, and a person has been asked."""
    APPLIED = "applied"
    CONFLICTED = "conflicted"
    """It does not merge with what happened since its base, or was approved and could not be committed."""
    DENIED = "denied"
    """A person said no, or nobody said anything in time."""
    SUPERSEDED = "superseded"
    """A person asked for some of its parts instead: those are a proposal of their own."""
    REFUSED = "refused"
    """A rule forbids it, or it does not fit."""


FATES = {
    State.PROPOSED: Fate.AWAITING,
    State.APPLIED: Fate.APPLIED,
    State.CONFLICTED: Fate.CONFLICTED,
    State.DENIED: Fate.DENIED,
    State.SUPERSEDED: Fate.SUPERSEDED,
}
OPEN = frozenset({Fate.PROPOSED, Fate.AWAITING})
"""Something may still become of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """That a changeset was handed in."""

    id: str
    """Its sender's own."""
    actor: str
    workspace: Path
    digest: str
    """Of the change: the same id never stands for two."""
    lease: str
    """The one that it was made under; empty without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a changeset stands."""

    id: str
    workspace: Path
    fate: Fate
    proposal: Proposal | None
    """None until it was tried, and for ever where it was refused."""
    commit: str
    """What it became; empty unless applied."""
    note: str
    """Why it stands so, where there is more to say."""
    stages: tuple[Stages, ...]
    """Of a conflict: the versions of each file that could not be merged."""


def open_changeset(tx: Tx, handed: Handed) -> bool:
    """Write down that it was handed in; False when it was before.

    Raises:
        Refused: another one came under the same id, the actor has too many that are undecided, or no such lease.
    """
    known = tx.one("coordination.changeset", id=handed.id)
    if known is not None:
        if (known["digest"], known["actor"]) != (handed.digest, handed.actor):
            raise Refused(f"another change was handed in as {handed.id!r} before; take a new key for this one")
        return False
    if handed.lease:
        demand_own(tx, handed.lease, handed.actor)
    row = tx.one("coordination.open_changesets", actor=handed.actor)
    if row is not None and row["count"] >= MAX_OPEN:
        raise Refused(f"{handed.actor} has {row['count']} patches that nobody has decided yet; wait for some of them")
    tx.run(
        "coordination.open_changeset", id=handed.id, actor=handed.actor, workspace=str(handed.workspace),
        digest=handed.digest, lease=handed.lease, now=tx.now,
    )  # fmt: skip
    return True


def tie(tx: Tx, id: str, proposal: Proposal) -> None:
    """It fits, and is this proposal from now on.

    Raises:
        Refused: it was made under a lease that is not held any more, or that does not cover it.
    """
    row = _row(tx, id)
    if row["lease"]:
        leases.demand(tx, leases.lease(tx, row["lease"]), [step.path for step in proposal.steps])
    tx.run("coordination.tie_changeset", id=id, proposal=proposal.id)
    tx.wake(TOPIC)


def end(tx: Tx, id: str, note: str, stages: Sequence[Stages] | None = None) -> None:
    """It became no proposal: it conflicts, or where no stages are given it is refused."""
    fate = Fate.REFUSED if stages is None else Fate.CONFLICTED
    kept = None if stages is None else dump_stages(stages)
    tx.run("coordination.end_changeset", id=id, state=fate.value, note=note, stages=kept, now=tx.now)
    tx.wake(TOPIC)


def standing(tx: Tx, id: str) -> Standing:
    """How the changeset, or the proposal, of that id stands.

    Raises:
        Refused: there is none.
    """
    row = tx.one("coordination.changeset", id=id)
    if row is not None and row["proposal"] is None:
        fate = Fate.PROPOSED if row["state"] == "open" else Fate(row["state"])
        return _standing(row, fate, None)
    found = tx.one("coordination.by_id", id=row["proposal"] if row else id)
    if found is None:
        raise Refused(f"no patch was handed in as {id!r}; propose it first")
    proposal = by_id(tx, found["id"])
    whole = tx.one("coordination.by_id", id=proposal.derived_from) if proposal.derived_from else None
    notes = [one["note"] for one in (whole, found) if one is not None and one["note"]]
    return _standing({**found, "id": id, "note": " ".join(notes)}, FATES[State(found["state"])], proposal)


def held_for(tx: Tx, proposal: Proposal) -> Lease | None:
    """The lease that a proposal was made under, as long as it is held and covers it; else it lands under one anew."""
    row = tx.one("coordination.lease_of", proposal=proposal.id)
    if row is None:
        return None
    lease = leases.lease(tx, row["lease"])
    is_held = lease.state is LeaseState.HELD and lease.ends_at > tx.now
    return lease if is_held and rules.covers(lease.paths, [step.path for step in proposal.steps]) else None


def keep_alive(tx: Tx, lease_id: str, actor: str) -> Lease:
    """A sign of life of its holder's. One whose patch waits for a person is not made longer: no wait holds a lease.

    Raises:
        Refused: it is not the actor's.
    """
    lease = demand_own(tx, lease_id, actor)
    return lease if tx.one("coordination.given_lease", lease=lease_id) else leases.renew(tx, lease_id)


def give_back(tx: Tx, lease_id: str, actor: str) -> Lease:
    """End a lease; doing it again changes nothing.

    Raises:
        Refused: it is not the actor's.
    """
    demand_own(tx, lease_id, actor)
    leases.release(tx, lease_id)
    return leases.lease(tx, lease_id)


def demand_own(tx: Tx, lease_id: str, actor: str) -> Lease:
    """The actor's own lease.

    Raises:
        Refused: it is somebody else's, or there is none.
    """
    lease = leases.lease(tx, lease_id)
    if lease.actor != actor:
        raise Refused(f"there is no lease {lease_id!r} of {actor}; ask for one")
    return lease


async def contents_of(workspace: Path, stages: Sequence[Stages]) -> Mapping[str, bytes]:
    """Blob id -> what is in it, for every version that the stages name."""
    oids = {entry.oid for one in stages for entry in (one.base, one.ours, one.theirs) if entry}
    async with scratch(await open_repository(workspace)) as pad:
        return await pad.blobs(sorted(oids))


def _row(tx: Tx, id: str) -> Row:
    row = tx.one("coordination.changeset", id=id)
    if row is None:
        raise Refused(f"no patch was handed in as {id!r}; propose it first")
    return row


def _standing(row: Mapping[str, object], fate: Fate, proposal: Proposal | None) -> Standing:
    stages = row["stages"]
    return Standing(
        id=str(row["id"]), workspace=Path(str(row["workspace"])), fate=fate, proposal=proposal,
        commit=str(row.get("commit_id") or ""), note=str(row["note"] or ""),
        stages=load_stages(stages if isinstance(stages, str) else None),
    )  # fmt: skip
