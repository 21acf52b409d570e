"""A commit is taken back by a proposal like any other, and what came after it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.coordination import Applied, Coordinator, Unmergeable
from layers.coordination.git import open_repository, workspace_id
from layers.errors import Misconfigured, Refused
from layers.store import Store
from tests.coordination.conftest import Workspace


def text_of(workspace: Workspace, name: str) -> str:
    return (workspace.root / name).read_text()


async def test_a_revert_undoes_one_commit_and_keeps_what_came_after(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    before = text_of(workspace, "README.md")
    commit = workspace.commit({"README.md": "other\n", "new.txt": "new\n"})
    workspace.commit({"later.txt": "later\n"})
    proposal = await coordinator.revert(workspace.root, commit, "Ann")
    assert {file.path for file in proposal.files} == {"README.md", "new.txt"}
    assert text_of(workspace, "README.md") == "other\n", "a proposal touches no file"
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert text_of(workspace, "README.md") == before
    assert text_of(workspace, "later.txt") == "later\n"
    assert not (workspace.root / "new.txt").exists()


async def test_a_revert_is_itself_reverted(workspace: Workspace, coordinator: Coordinator) -> None:
    commit = workspace.commit({"README.md": "other\n"})
    undone = await coordinator.apply(
        workspace.root, await coordinator.revert(workspace.root, commit, "Ann"), "m", "Ann"
    )
    assert isinstance(undone, Applied)
    again = await coordinator.revert(workspace.root, undone.commit, "Ann")
    assert isinstance(await coordinator.apply(workspace.root, again, "m", "Ann"), Applied)
    assert text_of(workspace, "README.md") == "other\n"


async def test_what_changed_in_the_same_lines_is_not_reverted_and_comes_as_three_versions(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    commit = workspace.commit({"README.md": "other\n"})
    workspace.commit({"README.md": "yet another\n"})
    with pytest.raises(Unmergeable, match=r"README\.md.* in the same lines") as caught:
        await coordinator.revert(workspace.root, commit, "Ann")
    assert [stage.path for stage in caught.value.stages] == ["README.md"]
    assert text_of(workspace, "README.md") == "yet another\n"


async def test_a_commit_that_is_undone_already_is_said_to_be(workspace: Workspace, coordinator: Coordinator) -> None:
    before = text_of(workspace, "README.md")
    commit = workspace.commit({"README.md": "other\n"})
    workspace.commit({"README.md": before})
    with pytest.raises(Refused, match="undone already"):
        await coordinator.revert(workspace.root, commit, "Ann")


async def test_only_a_plain_commit_of_the_branch_is_reverted(workspace: Workspace, coordinator: Coordinator) -> None:
    first = workspace.git("rev-list", "--max-parents=0", "HEAD")
    with pytest.raises(Refused, match="is the first one"):
        await coordinator.revert(workspace.root, first, "Ann")
    main = workspace.git("symbolic-ref", "--short", "HEAD")
    workspace.git("checkout", "-q", "-b", "side")
    elsewhere = workspace.commit({"side.txt": "side\n"})
    workspace.git("checkout", "-q", main)
    with pytest.raises(Refused, match="not in the history"):
        await coordinator.revert(workspace.root, elsewhere, "Ann")
    workspace.commit({"main.txt": "main\n"})
    workspace.git("merge", "-q", "--no-edit", "side")
    with pytest.raises(Refused, match="is a merge"):
        await coordinator.revert(workspace.root, "HEAD", "Ann")


async def test_a_revert_keeps_the_rules_of_every_patch(workspace: Workspace, coordinator: Coordinator) -> None:
    commit = workspace.commit({".env": "SECRET=1\n"})
    with pytest.raises(Refused):
        await coordinator.revert(workspace.root, commit, "Ann")


async def test_workspaces_are_listed_once_they_are_made(store: Store, tmp_path: Path) -> None:
    coordinator = Coordinator(store)
    assert await coordinator.workspaces() == ()
    for name in ("b", "a", "b"):
        await coordinator.create_workspace(tmp_path / name)
    listed = await coordinator.workspaces()
    assert [one.root for one in listed] == [tmp_path / "a", tmp_path / "b"]
    assert [one.id for one in listed] == [workspace_id(await open_repository(one.root)) for one in listed]


async def test_workspaces_are_not_listed_without_a_database(coordinator: Coordinator) -> None:
    with pytest.raises(Misconfigured, match="start the server"):
        await coordinator.workspaces()
