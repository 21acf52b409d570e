"""What was displaced is dropped once nobody can write into it; what was written into it is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from layers.coordination import Applied, Coordinator
from layers.coordination.objects import object_id
from layers.coordination.quarantine import Quarantine, is_unused
from layers.coordination.types import Entry, Step
from layers.coordination.worktree import Folder
from tests.coordination.conftest import README_PATCH, Workspace

OLD, NEW = b"old\n", b"new\n"


def entry(content: bytes) -> Entry:
    return Entry(mode="100644", oid=object_id("blob", content, "sha1"))


def written(tmp_path: Path) -> Folder:
    """A folder in which `file` goes from old to new."""
    folder = Folder(tmp_path / "root", tmp_path / "stage", "sha1")
    step = Step(path="file", old=entry(OLD), new=entry(NEW))
    assert folder.write([step], {entry(NEW).oid: NEW}) == {}
    assert (tmp_path / "root/file").read_bytes() == NEW
    assert list((tmp_path / "stage").iterdir()) == []
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    path = tmp_path / "root/file"
    path.write_bytes(OLD)
    return path


def test_a_file_that_nobody_has_open_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    written(tmp_path)
    assert not (tmp_path / "quarantine").exists()


def test_a_save_into_a_file_that_was_displaced_meanwhile_is_caught(path: Path, tmp_path: Path) -> None:
    with path.open("r+b") as editor:
        folder = written(tmp_path)
        assert folder.quarantine.sweep() == []
        editor.truncate()
        editor.write(b"a person's\n")
        editor.flush()
        assert folder.quarantine.sweep() == []
    (caught,) = folder.quarantine.sweep()
    assert (caught.path, caught.content) == ("file", b"a person's\n")
    assert folder.quarantine.sweep() == [caught]
    folder.quarantine.let_go(caught.folder)
    assert folder.quarantine.sweep() == []


def test_a_file_that_was_only_read_meanwhile_is_dropped_when_it_is_closed(path: Path, tmp_path: Path) -> None:
    with path.open("rb") as reader:
        folder = written(tmp_path)
        assert len(list((tmp_path / "quarantine").iterdir())) == 1
        assert reader.read() == OLD
    assert folder.quarantine.sweep() == []
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_opening_another_name_of_a_file_while_it_is_looked_at_kills_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    os.link(tmp_path / "file", tmp_path / "other")
    assert is_unused(str(tmp_path / "file"))
    with (tmp_path / "other").open("rb"):
        assert is_unused(str(tmp_path / "file")) is False
    assert is_unused(str(tmp_path / "nonesuch"))


def test_a_crash_before_the_file_came_leaves_nothing_to_keep(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine", lambda name: "")
    (tmp_path / "quarantine/0123").mkdir(parents=True)
    (tmp_path / "quarantine/0123/about.json").write_text("{}")
    assert quarantine.sweep() == []
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_half_of_a_new_file_never_gets_a_name_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage/0.part").write_bytes(NEW[:2])  # what a kill in the middle of writing leaves
    folder = Folder(tmp_path / "root", tmp_path / "stage", "sha1")
    assert folder.write([Step(path="file", old=None, new=entry(NEW))], {entry(NEW).oid: NEW}) == {}
    assert (tmp_path / "root/file").read_bytes() == NEW
    assert list((tmp_path / "stage").iterdir()) == []


async def test_a_save_in_place_during_an_apply_is_kept_under_a_ref_and_told(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    with (workspace.root / "README.md").open("r+b") as editor:
        outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
        assert isinstance(outcome, Applied)
        editor.truncate()
        editor.write(b"a person's\n")
    (sentence,) = await coordinator.materialise(workspace.root)
    ref = sentence.rpartition(" ")[2]
    assert "'README.md' was being saved" in sentence
    assert workspace.git("show", f"{ref}:README.md") == "a person's"
    assert await coordinator.materialise(workspace.root) == ()
    assert "line two" in (workspace.root / "README.md").read_text()
    assert workspace.status == ""
