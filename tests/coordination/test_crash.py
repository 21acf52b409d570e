"""Kills, other processes and other people's saves: one history, the same commit, nobody's work lost."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from layers.coordination import Applied, Conflict, Coordinator, Proposal
from layers.coordination.git import open_repository
from layers.coordination.objects import object_id
from layers.coordination.types import Entry, Step
from layers.coordination.worktree import Folder
from layers.errors import Unavailable
from tests.coordination.conftest import README_PATCH, Workspace

REPO = Path(__file__).parents[2]

APPLY = """
import asyncio, os, signal, sys, pickle
from layers import failpoint
from layers.coordination import Coordinator
proposal, point = pickle.loads(bytes.fromhex(sys.argv[1])), sys.argv[2]
def die(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)
failpoint.hook = die
print(asyncio.run(Coordinator().apply(proposal.workspace, proposal, "m", "Ann")).commit)
"""

ADD = """
import asyncio, sys
from pathlib import Path
from layers.coordination import Applied, Coordinator, Patch
from layers.errors import Refused
root, name = Path(sys.argv[1]), sys.argv[2]
async def main():
    coordinator = Coordinator()
    for turn in range(20):
        lines = (root / "list.txt").read_text().splitlines()
        head = lines[0]
        diff = f"--- a/list.txt\\n+++ b/list.txt\\n@@ -1 +1,2 @@\\n-{head}\\n+{name}\\n+{head}\\n"
        try:
            proposal = await coordinator.propose(Patch(workspace=root, diff=diff, author=name))
        except Refused:
            await asyncio.sleep(0.01)
            continue
        if isinstance(await coordinator.apply(root, proposal, "add", name), Applied):
            print(name)
            return
asyncio.run(main())
"""


def in_a_process(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(REPO)}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.PIPE, cwd=REPO)


def pickled(proposal: Proposal) -> str:
    return pickle.dumps(proposal).hex()


@pytest.mark.parametrize("point", ["patch.committed", "patch.written"])
async def test_a_kill_at_a_named_point_and_a_second_run_make_one_commit(
    point: str, workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    assert await coordinator.was_applied(proposal) is None
    victim = in_a_process(APPLY, pickled(proposal), point)
    victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL
    commit = await coordinator.was_applied(proposal)
    assert commit == workspace.git("rev-parse", "HEAD")
    assert (workspace.status == "") == (point == "patch.written")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert outcome.commit == commit
    assert workspace.git("rev-list", "--count", "HEAD") == "2"
    assert workspace.status == ""
    assert "line two" in (workspace.root / "README.md").read_text()


async def test_materialise_finishes_what_a_kill_left_and_then_does_nothing(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    in_a_process(APPLY, pickled(proposal), "patch.committed").communicate(timeout=60)
    assert await coordinator.materialise(workspace.root) == ()
    assert workspace.status == ""
    assert await coordinator.materialise(workspace.root) == ()


async def test_a_kill_at_any_moment_leaves_all_or_nothing(workspace: Workspace, coordinator: Coordinator) -> None:
    rng = random.Random(7)
    for number in range(8):
        diff = "".join(
            f"--- /dev/null\n+++ b/n{number}/{name}\n@@ -0,0 +1 @@\n+{number}\n" for name in ("one", "two", "three")
        )
        proposal = await coordinator.propose(workspace.patch(diff))
        victim = in_a_process(APPLY, pickled(proposal), "never")
        try:
            await asyncio.wait_for(asyncio.to_thread(victim.wait), rng.uniform(0.15, 0.5))
        except TimeoutError:
            victim.kill()
        victim.communicate()
        landed = await coordinator.was_applied(proposal)
        await coordinator.materialise(workspace.root)
        assert workspace.status == "", number
        there = [(workspace.root / f"n{number}/{name}").exists() for name in ("one", "two", "three")]
        assert there == [landed is not None] * 3
        outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
        assert isinstance(outcome, Applied)
        assert landed in (None, outcome.commit)
    assert workspace.git("rev-list", "--count", "HEAD") == "9"


async def test_the_same_proposal_makes_the_same_commit_anywhere(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    first = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    workspace.git("reset", "-q", "--hard", "HEAD^")
    second = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert first == second


async def test_ten_applies_at_once_from_ten_processes_lose_nothing(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposals = [
        await coordinator.propose(workspace.patch(f"--- /dev/null\n+++ b/f{n}\n@@ -0,0 +1 @@\n+{n}\n"))
        for n in range(10)
    ]
    running = [in_a_process(APPLY, pickled(proposal), "never") for proposal in proposals]
    commits = [(await asyncio.to_thread(process.communicate, None, 60))[0].decode().strip() for process in running]
    assert set(commits) == set(workspace.git("rev-list", "HEAD", "-10").split())
    assert workspace.status == ""
    assert all((workspace.root / f"f{n}").read_text() == f"{n}\n" for n in range(10))


async def test_writers_of_one_line_conflict_and_none_is_lost(workspace: Workspace, coordinator: Coordinator) -> None:
    workspace.commit({"list.txt": "end\n"})
    running = [in_a_process(ADD, str(workspace.root), f"w{n}") for n in range(4)]
    acknowledged = [(await asyncio.to_thread(process.communicate, None, 60))[0].decode().strip() for process in running]
    lines = (workspace.root / "list.txt").read_text().split()
    assert sorted(lines) == sorted([*filter(None, acknowledged), "end"])
    assert workspace.git("show", "HEAD:list.txt").split() == lines
    assert workspace.status == ""


async def test_ten_applies_at_once_in_one_process_are_serialised(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposals = [
        await coordinator.propose(workspace.patch(f"--- /dev/null\n+++ b/f{n}\n@@ -0,0 +1 @@\n+{n}\n"))
        for n in range(10)
    ]
    outcomes = await asyncio.gather(*(coordinator.apply(workspace.root, p, "m", "Ann") for p in proposals))
    assert all(isinstance(outcome, Applied) for outcome in outcomes)
    assert workspace.git("rev-list", "--count", "HEAD") == "11"
    assert workspace.status == ""


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda w: w.write({"README.md": "mine\n"}), "'README.md' has changes in the work tree"),
        (lambda w: w.write({"README.md": None}), "'README.md' was deleted in the work tree"),
        (lambda w: (w.write({"README.md": "mine\n"}), w.git("add", "-A")), "'README.md' has changes in the work tree"),
        (lambda w: w.git("rm", "-q", "--cached", "README.md"), "'README.md' has staged changes"),
    ],
)
async def test_unsaved_work_is_named_and_kept(
    act: object, reason: str, workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    assert callable(act)
    act(workspace)
    before = workspace.status
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert reason in outcome.text
    assert workspace.status == before
    assert workspace.git("rev-list", "--count", "HEAD") == "1"


async def test_an_untracked_file_in_the_way_is_kept_and_an_equal_one_is_fine(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    diff = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
    proposal = await coordinator.propose(workspace.patch(diff))
    workspace.write({"new.txt": "mine\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "'new.txt' exists in the work tree and is not committed" in outcome.text
    assert (workspace.root / "new.txt").read_text() == "mine\n"
    workspace.write({"new.txt": "new\n"})
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert workspace.status == ""


async def test_other_peoples_changes_beside_the_patch_stay(workspace: Workspace, coordinator: Coordinator) -> None:
    workspace.write({"src/app.py": "half a thought\n", "scratch.txt": "x\n", "staged.txt": "y\n"})
    workspace.git("add", "staged.txt")
    before = workspace.status
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert workspace.status == before


async def test_a_save_between_the_commit_and_the_write_is_left_alone_and_told(
    workspace: Workspace, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(point: object) -> None:
        if point == "patch.committed":
            workspace.write({"README.md": "saved in the gap\n"})

    monkeypatch.setattr("layers.failpoint.hook", save)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert outcome.left_alone == ("'README.md' has changes in the work tree that are not committed: left alone",)
    assert (workspace.root / "README.md").read_text() == "saved in the gap\n"
    assert workspace.status == " M README.md"


async def test_an_index_locked_by_an_ide_is_waited_for_and_told(
    workspace: Workspace, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.coordination.index.WAIT_S", 0.001)
    lock = workspace.root / ".git/index.lock"
    lock.touch()
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert "git reset" in outcome.text
    assert lock.exists()
    assert "line two" in (workspace.root / "README.md").read_text()


async def test_a_workspace_somebody_holds_is_told_after_a_while(
    workspace: Workspace, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.coordination.service.BUSY_S", 0.1)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    async with coordinator._alone(await open_repository(workspace.root)):
        with pytest.raises(Unavailable, match="another process has held"):
            await Coordinator().apply(workspace.root, proposal, "m", "Ann")


def _edit_for_ever(path: str, log: str, seed: int) -> None:
    """An editor: saves unique words by rename or in place and writes down what it saved."""
    rng = random.Random(seed)
    with open(log, "w", encoding="ascii") as kept:
        for number in range(400):
            word = f"edit {seed} {number}\n"
            kept.write(json.dumps([path, word]) + "\n")
            kept.flush()
            with open(f"{path}.swap{seed}", "w", encoding="ascii") as file:
                file.write(word)
            os.replace(f"{path}.swap{seed}", path)
            if rng.random() < 0.3:
                os.sched_yield()


def test_a_save_by_rename_at_the_moment_of_the_swap_is_never_lost(tmp_path: Path) -> None:
    """The file ends as the editor's last save or as our write after it; a save displaced by us is always put back."""
    root, stage = tmp_path / "root", tmp_path / "stage"
    root.mkdir()
    folder = Folder(root, stage, "sha1")
    path = root / "file"
    path.write_bytes(b"start\n")
    editor = multiprocessing.get_context("spawn").Process(
        target=_edit_for_ever, args=(str(path), str(tmp_path / "log"), 1)
    )
    editor.start()
    wrote = 0
    while editor.is_alive():
        old = path.read_bytes()
        if old.startswith(b"ours"):
            continue
        new = b"ours " + old
        oids = [object_id("blob", content, "sha1") for content in (old, new)]
        step = Step(path="file", old=Entry(mode="100644", oid=oids[0]), new=Entry(mode="100644", oid=oids[1]))
        wrote += not folder.write([step], {oids[1]: new})
    editor.join()
    folder.quarantine.sweep()
    final = path.read_text().removeprefix("ours ")
    assert final == f"edit 1 {399}\n"
    assert list(stage.iterdir()) == []
    assert wrote


@pytest.mark.parametrize("left", ["old", "new", "foreign"])
@pytest.mark.parametrize("there", ["old", "new", "other"])
def test_a_stage_left_by_a_kill_is_decided_by_hashes(left: str, there: str, tmp_path: Path) -> None:
    contents = {"old": b"old\n", "new": b"new\n", "foreign": b"a person's\n", "other": b"a person's newer\n"}
    oids = {name: object_id("blob", content, "sha1") for name, content in contents.items()}
    (tmp_path / "root").mkdir()
    stage = tmp_path / "stage"
    stage.mkdir()
    (stage / "0").write_bytes(contents[left])
    (tmp_path / "root/file").write_bytes(contents[there])
    step = Step(path="file", old=Entry(mode="100644", oid=oids["old"]), new=Entry(mode="100644", oid=oids["new"]))
    Folder(tmp_path / "root", stage, "sha1").write([step], {oids["new"]: contents["new"]})
    final = (tmp_path / "root/file").read_bytes()
    assert list(stage.iterdir()) == []
    kept = [path.read_bytes() for path in (tmp_path / "quarantine").rglob("file")]
    assert kept in ([], [contents["foreign"]])
    if left == "foreign":
        assert contents["foreign"] in (final, *kept)
    if there == "other":
        assert final == contents["other"]
    elif left != "foreign":
        assert final == contents["new"]
