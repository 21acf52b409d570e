"""The private line: journalled, compared, swapped and recorded; ended by whoever comes next; never rewound."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from layers import failpoint
from layers.coordination import Applied, Conflict, Coordinator, Proposal, leases
from layers.coordination.git import open_repository, scratch, workspace_id
from layers.coordination.line import Landing, LandingState, Line, begin, history, open_landings
from layers.errors import Refused
from layers.failpoint import Landing as At
from layers.store import Store, open_store
from tests.coordination.conftest import README_PATCH, Workspace

REPO = Path(__file__).parents[2]
TWO_FILES = README_PATCH + "--- /dev/null\n+++ b/new/one.txt\n@@ -0,0 +1 @@\n+one\n"

APPLY = """
import asyncio, os, signal, sys, pickle
from layers import failpoint
from layers.coordination import Coordinator
from layers.store import open_store
proposal, point, url = pickle.loads(bytes.fromhex(sys.argv[1])), sys.argv[2], sys.argv[3]
def die(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)
failpoint.hook = die
async def main():
    store = await open_store(url)
    await Coordinator(store).apply(proposal.workspace, proposal, "m", "Ann")
    await store.close()
asyncio.run(main())
"""


def killed_at(point: str, proposal: Proposal, url: str) -> None:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", APPLY, pickle.dumps(proposal).hex(), point, url]
    done = subprocess.run(command, env=environment, cwd=REPO, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


async def states(store: Store, workspace: Workspace) -> list[LandingState]:
    space = workspace_id(await open_repository(workspace.root))
    return [state for _, state in await store.run(history, space)]


async def head_of(workspace: Workspace) -> str:
    repository = await open_repository(workspace.root)
    async with scratch(repository) as pad:
        return await Line(repository=repository, pad=pad, store=None).head()


@pytest.mark.parametrize("point", list(At))
async def test_whoever_comes_after_a_kill_at_a_named_point_ends_what_was_begun(
    point: At, workspace: Workspace, sqlite_url: str
) -> None:
    proposal = await Coordinator().propose(workspace.patch(TWO_FILES))
    killed_at(point, proposal, sqlite_url)
    store = await open_store(sqlite_url)
    coordinator = Coordinator(store)
    assert await coordinator.materialise(workspace.root) == ()
    has_begun = list(At).index(point) >= list(At).index(At.JOURNALLED)
    assert await states(store, workspace) == [LandingState.APPLIED] * has_begun
    assert (await coordinator.was_applied(proposal) is not None) == has_begun
    assert workspace.status == ""
    assert (workspace.root / "new/one.txt").exists() == has_begun
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert workspace.git("rev-list", "--count", "HEAD") == "2"
    assert workspace.status == ""
    assert await states(store, workspace) == [LandingState.APPLIED]
    await store.close()


async def test_another_replica_ends_a_landing_on_postgresql(workspace: Workspace, postgres_url: str) -> None:
    proposal = await Coordinator().propose(workspace.patch(TWO_FILES))
    store = await open_store(postgres_url)
    killed_at(At.JOURNALLED, proposal, postgres_url)
    coordinator = Coordinator(store)
    assert await coordinator.materialise(workspace.root) == ()
    assert await states(store, workspace) == [LandingState.APPLIED]
    assert "line two" in workspace.git("show", "HEAD:README.md")
    assert workspace.status == ""
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    await store.close()


async def test_what_lost_its_place_is_aborted_and_cannot_land_when_the_branch_comes_back(
    workspace: Workspace, lite: Store
) -> None:
    coordinator = Coordinator(lite)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    paused: list[Landing] = []

    class Frozen(Exception):
        """The owner stops here."""

    def freeze(point: object) -> None:
        if point is At.JOURNALLED:
            raise Frozen

    failpoint.hook = freeze
    try:
        with pytest.raises(Frozen):
            await coordinator.apply(workspace.root, proposal, "m", "Ann")
    finally:
        failpoint.hook = None
    space = workspace_id(await open_repository(workspace.root))
    paused = await lite.run(open_landings, space)
    first = workspace.git("rev-parse", "HEAD")
    workspace.commit({"src/app.py": "a person's\n"})
    await coordinator.materialise(workspace.root)
    assert await states(lite, workspace) == [LandingState.ABORTED]
    workspace.git("reset", "-q", "--hard", first)
    repository = await open_repository(workspace.root)
    async with scratch(repository) as pad:  # the owner goes on, where the branch is again as it was
        assert not await Line(repository=repository, pad=pad, store=lite)._swap(paused[0])
    assert workspace.git("rev-parse", "HEAD") == first
    assert workspace.status == ""


async def test_the_line_grows_when_people_rewind_their_branch(workspace: Workspace, lite: Store) -> None:
    coordinator = Coordinator(lite)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    first = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    before = await head_of(workspace)
    workspace.git("reset", "-q", "--hard", "HEAD^")
    second = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    after = await head_of(workspace)
    assert first == second
    assert before != after
    workspace.git("merge-base", "--is-ancestor", before, after)
    assert isinstance(first, Applied)
    assert workspace.git("rev-parse", f"{after}^{{tree}}", f"{after}^2").split() == [
        proposal.result_tree, first.commit,
    ]  # fmt: skip
    assert "Fence: 2" in workspace.git("log", "-1", "--format=%B", after)


async def test_a_lease_lost_before_the_journal_writes_nothing(workspace: Workspace, store: Store) -> None:
    coordinator = Coordinator(store)
    await coordinator.materialise(workspace.root)
    space = workspace_id(await open_repository(workspace.root))
    claimant = leases.Claimant(workspace=space, actor="agent", paths=("README.md",))
    lease = await store.run(leases.ask, claimant, "1" * 20)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    await store.run(leases.ask, replace(claimant, actor="ann", is_person=True), "2" * 20)
    with pytest.raises(Refused, match="taken over by a person"):
        await coordinator.apply(workspace.root, proposal, "m", "agent", lease)
    assert workspace.git("rev-list", "--count", "HEAD") == "1"
    assert await states(store, workspace) == []
    assert await coordinator.materialise(workspace.root) == ()
    assert workspace.status == ""


async def test_journalling_a_landing_again_changes_nothing(store: Store) -> None:
    landing = Landing(
        workspace="w", new_head="1" * 40, old_head="0" * 40, branch="refs/heads/main", old_commit="2" * 40,
        new_commit="3" * 40, proposal="p", fence=0,
    )  # fmt: skip
    await store.run(begin, landing, None, [])
    await store.run(begin, landing, None, [])
    assert await store.run(open_landings, "w") == [landing]


async def test_two_work_trees_of_one_repository_have_lines_of_their_own(workspace: Workspace, lite: Store) -> None:
    workspace.git("worktree", "add", "-q", "-b", "other", str(workspace.root.parent / "other"))
    other = Workspace(workspace.root.parent / "other")
    coordinator = Coordinator(lite)
    for one in (workspace, other):
        proposal = await coordinator.propose(one.patch(README_PATCH))
        outcome = await coordinator.apply(one.root, proposal, "m", "Ann")
        assert not isinstance(outcome, Conflict)
    assert await head_of(workspace) != await head_of(other)
    assert len(workspace.git("for-each-ref", "refs/coord").splitlines()) == 2
