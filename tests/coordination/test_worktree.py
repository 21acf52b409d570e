"""Where the file system cannot exchange two files, a save in place survives, and people are told what may not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.coordination import Applied, Coordinator
from layers.coordination.objects import object_id
from layers.coordination.types import Entry, Step
from layers.coordination.worktree import Folder
from layers.failpoint import Landing
from tests.coordination.conftest import README_PATCH, Workspace

OLD, NEW, SAVED = b"old\n", b"new\n", b"a person's\n"


@pytest.fixture(autouse=True)
def _no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that refuses both flags."""
    monkeypatch.setattr("layers.coordination.worktree._renameat2", lambda: None)


def entry(content: bytes) -> Entry:
    return Entry(mode="100644", oid=object_id("blob", content, "sha1"))


async def test_the_files_are_written_and_the_risk_is_told(workspace: Workspace, coordinator: Coordinator) -> None:
    patch = README_PATCH + "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+one\n"
    proposal = await coordinator.propose(workspace.patch(patch))
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert outcome.left_alone == (
        "this file system cannot exchange files: a save of 'README.md' at that moment may have been lost",
    )
    assert workspace.status == ""


@pytest.mark.parametrize("point", [Landing.STAGED, Landing.EXCHANGED])
def test_a_save_in_place_around_the_swap_is_kept(
    point: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    path = tmp_path / "root/file"
    path.write_bytes(OLD)
    folder = Folder(tmp_path / "root", tmp_path / "stage", "sha1")
    with path.open("r+b") as editor:

        def save(reached: object) -> None:
            if reached == point:
                editor.truncate()
                editor.write(SAVED)
                editor.flush()

        monkeypatch.setattr("layers.failpoint.hook", save)
        left = folder.write([Step(path="file", old=entry(OLD), new=entry(NEW))], {entry(NEW).oid: NEW})
    assert list(left) == ["file"]
    assert path.read_bytes() == SAVED
    assert list((tmp_path / "stage").iterdir()) == []
