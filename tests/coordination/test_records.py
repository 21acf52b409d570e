"""Proposals in the store, on both databases."""

from __future__ import annotations

import pytest

from layers.coordination import (
    Coordinator,
    Fate,
    Handed,
    State,
    by_id,
    keep,
    mark,
    open_changeset,
    parts_of,
    standing,
    supersede,
    tie,
)
from layers.errors import Refused
from layers.store import Store
from tests.coordination.conftest import README_PATCH, Workspace


async def test_a_kept_proposal_comes_back_equal_and_is_marked_once(
    store: Store, workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.write({"caf\udce9.txt": b"caf\xe9 \x00" * 3, "long.txt": b"y\n" * 4000})
    workspace.git("mv", "README.md", "LIES.md")
    proposal = await coordinator.propose(workspace.patch(workspace.diff()))
    assert any("\udce9" in file.path for file in proposal.files)
    await store.run(keep, proposal, "web:main")
    await store.run(keep, proposal, "web:main")
    assert await store.run(by_id, proposal.id) == proposal
    assert await store.run(mark, proposal.id, State.PROPOSED, State.APPLIED, "c" * 40)
    assert not await store.run(mark, proposal.id, State.PROPOSED, State.DENIED)
    with pytest.raises(Refused, match="no proposal 'nonesuch'"):
        await store.run(by_id, "nonesuch")


async def test_the_digest_binds_both_trees(workspace: Workspace, coordinator: Coordinator) -> None:
    one = await coordinator.propose(workspace.patch(README_PATCH))
    same = await coordinator.propose(workspace.patch(README_PATCH))
    other = await coordinator.propose(workspace.patch(README_PATCH.replace("two", "2.")))
    assert one.digest == same.digest != other.digest
    assert one.id != same.id


async def test_who_handed_in_a_patch_is_told_of_the_parts_that_took_its_place(
    store: Store, workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.write({"one.txt": "1\n", "two.txt": "2\n"})
    whole = await coordinator.propose(workspace.patch(workspace.diff()))
    handed = Handed(id="h1", actor="ide", workspace=workspace.root, digest="d", lease="")
    assert await store.run(open_changeset, handed)
    await store.run(keep, whole, "web:main")
    await store.run(tie, "h1", whole)
    derived = await coordinator.pick(whole, [parts_of(whole)[0].id], "ide")
    await store.run(keep, derived, "web:main")
    await store.run(supersede, derived, "Request r2 has 1 of its 2 parts.")
    told = await store.run(standing, "h1")
    assert (told.fate, told.proposal, told.note) == (Fate.AWAITING, derived, "Request r2 has 1 of its 2 parts.")
    assert (await store.run(standing, whole.id)).fate is Fate.SUPERSEDED
    assert await store.run(mark, derived.id, State.PROPOSED, State.APPLIED, "c" * 40, "committed.")
    told = await store.run(standing, "h1")
    assert (told.fate, told.note) == (Fate.APPLIED, "Request r2 has 1 of its 2 parts. committed.")
