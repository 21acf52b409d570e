"""A person has looked at an edit in the way of a patch and wants both: just what they looked at is committed first."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from layers.coordination import (
    Applied,
    Conflict,
    Coordinator,
    Foreign,
    ForeignPolicy,
    Proposal,
    Word,
    choose,
    compare,
    park,
    parked,
    parked_for,
)
from layers.errors import Refused
from layers.store import Store
from tests.coordination.conftest import README_PATCH, Workspace

BEFORE = "".join(f"line {n}\n" for n in range(1, 11))
FAR = BEFORE.replace("line 9\n", "mine\n")
BOTH = FAR.replace("line 2\n", "line two\n")


async def in_the_way(coordinator: Coordinator, workspace: Workspace, saved: str) -> tuple[Proposal, Foreign]:
    """A patch, and what was saved before it was applied."""
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": saved})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert outcome.foreign
    return proposal, outcome.foreign


def parking(store: Store | None = None) -> Coordinator:
    return Coordinator(store, foreign=ForeignPolicy.PARK, clock=lambda: 1_800_000_000.0)


async def test_the_edit_is_committed_as_the_persons_and_then_the_patch(workspace: Workspace, store: Store) -> None:
    coordinator = parking(store)
    proposal, foreign = await in_the_way(coordinator, workspace, FAR)
    outcome = await coordinator.merge(proposal, "A change", foreign, "Bea")
    assert isinstance(outcome, Applied), outcome
    assert workspace.git("log", "--format=%an %s").splitlines()[:2] == [
        "Ann A change",
        "Bea Keep what was saved and not committed",
    ]
    assert (workspace.root / "README.md").read_text() == BOTH
    assert workspace.status == ""
    again = await coordinator.merge(proposal, "A change", foreign, "Bea")  # as after a crash
    assert again == replace(outcome, left_alone=())
    assert workspace.git("rev-list", "--count", "HEAD") == "3"
    assert workspace.git("for-each-ref", "--format=%(objectname)", foreign.ref) == foreign.commit


async def test_what_was_saved_since_the_person_looked_is_not_committed_but_kept_and_told(workspace: Workspace) -> None:
    coordinator = parking()
    proposal, foreign = await in_the_way(coordinator, workspace, FAR)
    workspace.write({"README.md": FAR + "more\n"})
    outcome = await coordinator.merge(proposal, "m", foreign, "Bea")
    assert isinstance(outcome, Conflict)
    assert outcome.foreign
    assert outcome.foreign.ref != foreign.ref
    assert workspace.git("show", f"{outcome.foreign.commit}:README.md") + "\n" == FAR + "more\n"
    assert workspace.git("rev-list", "--count", "HEAD") == "1"
    assert (workspace.root / "README.md").read_text() == FAR + "more\n"
    assert isinstance(await coordinator.merge(proposal, "m", outcome.foreign, "Bea"), Applied)


@pytest.mark.parametrize("how", ["committed", "taken back"])
async def test_an_edit_that_is_in_the_way_no_more_is_not_committed_again(workspace: Workspace, how: str) -> None:
    coordinator = parking()
    proposal, foreign = await in_the_way(coordinator, workspace, FAR)
    if how == "committed":
        workspace.commit(message="myself")
    else:
        workspace.write({"README.md": BEFORE})
    assert isinstance(await coordinator.merge(proposal, "m", foreign, "Bea"), Applied)
    subjects = workspace.git("log", "--format=%s").splitlines()
    assert subjects == ["m", *(["myself"] if how == "committed" else []), "first"]
    assert workspace.status == ""


async def test_where_both_changed_the_same_lines_the_persons_stays_and_the_versions_come_back(
    workspace: Workspace,
) -> None:
    coordinator = parking()
    saved = BEFORE.replace("line 2\n", "mine\n")
    proposal, foreign = await in_the_way(coordinator, workspace, saved)
    outcome = await coordinator.merge(proposal, "m", foreign, "Bea")
    assert isinstance(outcome, Conflict)
    assert [one.path for one in outcome.stages] == ["README.md"]
    assert (workspace.root / "README.md").read_text() == workspace.git("show", "HEAD:README.md") + "\n" == saved
    assert workspace.git("log", "-1", "--format=%an") == "Bea"


async def test_a_save_in_the_middle_of_the_merge_is_lost_under_no_order_of_things(workspace: Workspace) -> None:
    coordinator = parking()
    proposal, foreign = await in_the_way(coordinator, workspace, FAR)
    path, saved = workspace.root / "README.md", FAR
    merging = asyncio.create_task(coordinator.merge(proposal, "m", foreign, "Bea"))
    for n in range(20):
        saved = saved.replace("line 6", f"line 6 {n}", 1)
        other = path.with_suffix(".tmp")
        other.write_text(saved)
        other.rename(path)
        await asyncio.sleep(0.005)
    await merging
    held = [path.read_text()]
    for commit in workspace.git("rev-list", "--all", "--glob=refs/coord/*").splitlines():
        shown = workspace.try_git("show", f"{commit}:README.md")
        held.append(shown.stdout.decode())
    assert saved in held, "the newest save is in the file, in history or under a ref"


async def test_both_changes_and_what_they_began_with_can_be_looked_at(workspace: Workspace) -> None:
    _, foreign = await in_the_way(parking(), workspace, FAR)
    seen = await compare(workspace.root, foreign)
    assert "-line 9\n+mine\n" in seen.diff
    assert seen.before == {"README.md": BEFORE.encode()}
    (save,) = foreign.saves
    assert (save.path, save.by, save.at) == ("README.md", (workspace.root / "README.md").owner(), foreign.saved_at)


async def test_a_persons_word_is_written_down_once_and_the_newest_edit_is_the_one_asked_about(
    workspace: Workspace, store: Store
) -> None:
    proposal, foreign = await in_the_way(parking(), workspace, FAR)
    workspace.write({"README.md": None})
    later = (await in_the_way_again(workspace, proposal)).foreign
    assert later
    assert later.saves[0].at == 0
    for edit in (foreign, later):
        await store.run(park, proposal.id, "r1", edit)
    found = await store.run(parked_for, proposal.id)
    assert found
    assert (found.foreign, found.request, found.choice) == (later, "r1", Word.OPEN)
    assert await store.run(choose, found.id, Word.OPEN, Word.KEEP, "bea")
    assert not await store.run(choose, found.id, Word.OPEN, Word.MERGE, "cem")
    assert (await store.run(parked, found.id)).decided_by == "bea"
    assert await store.run(parked_for, "another") is None
    with pytest.raises(Refused, match="none of Bulkhead's"):
        await store.run(parked, "another")


async def in_the_way_again(workspace: Workspace, proposal: Proposal) -> Conflict:
    outcome = await parking().apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    return outcome
