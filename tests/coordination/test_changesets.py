"""What other actors handed in, in the store, on both databases."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from layers.coordination import Coordinator, Proposal, Stages, State, changesets, follow, keep, leases, mark
from layers.coordination.changesets import MAX_OPEN, Fate, Handed
from layers.coordination.leases import Claimant, Lease
from layers.coordination.types import Entry
from layers.errors import Refused
from layers.store import Store, Tx
from tests.coordination.conftest import README_PATCH, Workspace
from tests.coordination.test_leases import age

SPACE = "ws-1"


def handed(id: str = "one", *, actor: str = "cursor", digest: str = "d", lease: str = "") -> Handed:
    return Handed(id=id, actor=actor, workspace=Path("/ws"), digest=digest, lease=lease)


async def fate(store: Store, id: str = "one") -> Fate:
    return (await store.run(changesets.standing, id)).fate


async def held(store: Store, *paths: str, actor: str = "cursor") -> Lease:
    await store.run(leases.enrol, SPACE, "/ws")
    claimant = Claimant(workspace=SPACE, actor=actor, paths=paths)
    return await store.run(leases.ask, claimant, secrets.token_hex(10))


@pytest.fixture
async def proposal(workspace: Workspace, coordinator: Coordinator) -> Proposal:
    return await coordinator.propose(workspace.patch(README_PATCH))


async def test_the_same_id_is_written_down_once_and_never_stands_for_two_changes(store: Store) -> None:
    assert await store.run(changesets.open_changeset, handed())
    assert not await store.run(changesets.open_changeset, handed())
    for other in (handed(digest="e"), handed(actor="claude")):
        with pytest.raises(Refused, match="another change was handed in"):
            await store.run(changesets.open_changeset, other)
    assert await fate(store) is Fate.PROPOSED
    with pytest.raises(Refused, match="no patch was handed in as 'two'"):
        await store.run(changesets.standing, "two")


async def test_an_actor_has_at_most_so_many_that_nobody_has_decided(lite: Store) -> None:
    def fill(tx: Tx) -> None:
        for n in range(MAX_OPEN):
            changesets.open_changeset(tx, handed(f"n{n}"))

    await lite.run(fill)
    with pytest.raises(Refused, match="nobody has decided yet"):
        await lite.run(changesets.open_changeset, handed("more"))
    assert await lite.run(changesets.open_changeset, handed("other", actor="claude"))
    await lite.run(changesets.end, "n7", "it does not fit")
    assert await lite.run(changesets.open_changeset, handed("more"))


@pytest.mark.parametrize(
    ("after", "told"),
    [(State.APPLIED, Fate.APPLIED), (State.CONFLICTED, Fate.CONFLICTED), (State.DENIED, Fate.DENIED)],
)
async def test_what_becomes_of_its_proposal_becomes_of_it(
    store: Store, proposal: Proposal, after: State, told: Fate
) -> None:
    await store.run(changesets.open_changeset, handed())
    await store.run(keep, proposal, "console:x")
    await store.run(changesets.tie, "one", proposal)
    assert await fate(store) is Fate.AWAITING
    await store.run(mark, proposal.id, State.PROPOSED, after, "c" * 40, "why")
    standing = await store.run(changesets.standing, "one")
    assert (standing.fate, standing.commit, standing.note, standing.proposal) == (told, "c" * 40, "why", proposal)
    assert (await store.run(changesets.standing, proposal.id)).fate is told  # by the proposal's own id as well


async def test_what_people_made_of_a_proposal_is_what_its_sender_is_told_of(store: Store, proposal: Proposal) -> None:
    parts = replace(proposal, id="parts", derived_from=proposal.id)
    await store.run(changesets.open_changeset, handed())
    await store.run(keep, proposal, "console:x")
    await store.run(changesets.tie, "one", proposal)
    await store.run(keep, parts, "console:x")
    await store.run(mark, proposal.id, State.PROPOSED, State.DENIED)
    assert await fate(store) is Fate.AWAITING
    await store.run(mark, parts.id, State.PROPOSED, State.CONFLICTED)
    await store.run(keep, merged := replace(proposal, id="merged"), "console:x")
    await store.run(follow, parts.id, merged.id)
    assert (await store.run(changesets.standing, "one")).proposal == merged
    await store.run(mark, merged.id, State.PROPOSED, State.APPLIED, "c" * 40)
    assert await fate(store) is Fate.APPLIED


async def test_what_never_became_a_proposal_says_why_with_the_versions_of_a_conflict(store: Store) -> None:
    stage = Stages(path="caf\udce9", base=None, ours=Entry(mode="100644", oid="a" * 40), theirs=None)
    await store.run(changesets.open_changeset, handed())
    await store.run(changesets.end, "one", "it clashes", (stage,))
    await store.run(changesets.end, "one", "said too late")
    standing = await store.run(changesets.standing, "one")
    assert (standing.fate, standing.note, standing.stages) == (Fate.CONFLICTED, "it clashes", (stage,))
    await store.run(changesets.open_changeset, handed("two"))
    await store.run(changesets.end, "two", "no")
    assert await fate(store, "two") is Fate.REFUSED


async def test_a_lease_counts_as_long_as_its_holder_has_it_and_is_not_made_longer_by_a_wait(
    store: Store, proposal: Proposal
) -> None:
    lease = await held(store, "README.md")
    with pytest.raises(Refused, match="no lease"):
        await store.run(changesets.open_changeset, handed(actor="claude", lease=lease.id))
    await store.run(changesets.open_changeset, handed(lease=lease.id))
    assert (await store.run(changesets.keep_alive, lease.id, "cursor")).ends_at == lease.ends_at
    await store.run(keep, proposal, "console:x")
    await store.run(changesets.tie, "one", proposal)
    assert await store.run(changesets.held_for, proposal) == lease
    await store.run(age, lease.id)
    assert await store.run(changesets.held_for, proposal) is None
    await store.run(mark, proposal.id, State.PROPOSED, State.APPLIED)
    with pytest.raises(Refused, match="no lease"):
        await store.run(changesets.give_back, lease.id, "claude")


async def test_a_lease_that_does_not_cover_the_change_or_has_ended_refuses_it(
    store: Store, proposal: Proposal
) -> None:
    for n, paths in enumerate((("src/",), ("README.md",))):
        lease = await held(store, *paths)
        await store.run(changesets.open_changeset, handed(str(n), lease=lease.id))
        await store.run(leases.release if n else leases.renew, lease.id)
        with pytest.raises(Refused, match="ran out" if n else "does not cover"):
            await store.run(changesets.tie, str(n), proposal)
