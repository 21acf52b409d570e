"""The index of a person's git is locked from before the branch moves until it has moved too."""

from __future__ import annotations

import pytest

from layers.coordination import Applied, Conflict, Coordinator
from tests.coordination.conftest import README_PATCH, Workspace, put
from tests.coordination.test_line import killed_at


@pytest.mark.parametrize("point", ["landing.index_held", "patch.committed", "landing.file_done"])
async def test_nobody_commits_old_files_while_the_branch_moves(
    point: str, workspace: Workspace, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write({"src/app.py": "mine\n"})
    workspace.git("add", "src/app.py")
    complaints = []

    def commit(reached: object) -> None:
        if reached == point:
            done = workspace.try_git("commit", "-q", "-m", "mine")
            complaints.append((done.returncode, "index.lock" in done.stderr.decode()))

    monkeypatch.setattr("layers.failpoint.hook", commit)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert complaints == [(128, True)]
    monkeypatch.undo()
    workspace.git("commit", "-q", "-m", "mine")
    assert workspace.git("diff", "--name-only", "HEAD~1", "HEAD") == "src/app.py"
    assert "line two" in workspace.git("show", "HEAD:README.md")
    assert workspace.status == ""


async def test_a_lock_that_a_crash_left_is_known_as_ours_and_goes(workspace: Workspace, sqlite_url: str) -> None:
    lock = workspace.root / ".git/index.lock"
    proposal = await Coordinator().propose(workspace.patch(README_PATCH))
    killed_at("landing.index_held", proposal, sqlite_url)
    assert lock.exists()
    await Coordinator().materialise(workspace.root)
    assert not lock.exists()
    assert list((workspace.root / ".git/bulkhead").glob("index*")) == []
    await put(Coordinator(), workspace, README_PATCH)


async def test_a_lock_of_somebody_else_is_not_taken_for_ours_after_a_crash(
    workspace: Workspace, sqlite_url: str
) -> None:
    lock = workspace.root / ".git/index.lock"
    proposal = await Coordinator().propose(workspace.patch(README_PATCH))
    killed_at("landing.index_held", proposal, sqlite_url)
    lock.unlink()  # as git tells people to do
    lock.write_text("theirs\n")
    await Coordinator().materialise(workspace.root)
    assert lock.read_text() == "theirs\n"


async def test_what_somebody_staged_between_two_looks_is_seen(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": "staged\n"})
    workspace.git("add", "README.md")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert outcome.foreign is None  # it would be kept for a person, were it not staged
    workspace.git("reset", "-q", "--hard")
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert workspace.status == ""
