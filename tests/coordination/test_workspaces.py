"""Several workspaces, bare ones among them, each under the name that it was declared by."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.coordination import Applied, Conflict, Coordinator, Patch
from layers.errors import Misconfigured, Refused
from layers.store import Store
from tests.coordination.conftest import README_PATCH, Workspace


@pytest.fixture
def bare(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A clone that nobody works in."""
    workspace.git("clone", "-q", "--bare", str(workspace.root), str(tmp_path / "bare.git"))
    return Workspace(tmp_path / "bare.git")


async def test_a_bare_repository_is_patched_reverted_and_never_gets_files(bare: Workspace, lite: Store) -> None:
    coordinator = Coordinator(lite)
    before = bare.git("rev-parse", "HEAD")
    proposal = await coordinator.propose(Patch(workspace=bare.root, diff=README_PATCH, author="Ann"))
    outcome = await coordinator.apply(bare.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert (outcome.commit, outcome.left_alone) == (bare.git("rev-parse", "refs/heads/main"), ())
    assert await coordinator.materialise(bare.root) == ()
    assert "line two" in (await coordinator.read(bare.root, ["README.md"])).contents["README.md"].decode()
    undone = await coordinator.revert(bare.root, outcome.commit, "Ann")
    assert isinstance(await coordinator.apply(bare.root, undone, "m", "Ann"), Applied)
    assert bare.git("rev-parse", "HEAD^{tree}") == bare.git("rev-parse", f"{before}^{{tree}}")
    assert not list(bare.root.glob("index*"))
    assert not list(bare.root.rglob("README.md"))


async def test_a_push_into_a_bare_repository_is_met_as_any_commit(bare: Workspace, workspace: Workspace) -> None:
    coordinator = Coordinator()
    proposal = await coordinator.propose(Patch(workspace=bare.root, diff=README_PATCH, author="Ann"))
    workspace.commit({"README.md": "all new\n"})
    workspace.git("push", "-q", str(bare.root), "main")
    outcome = await coordinator.apply(bare.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert [stages.path for stages in outcome.stages] == ["README.md"]


async def test_declared_workspaces_are_known_by_their_names(bare: Workspace, workspace: Workspace, lite: Store) -> None:
    coordinator = Coordinator(lite)
    await coordinator.declare({"workspace": workspace.root, "site": bare.root})
    assert {one.name: one.root for one in await coordinator.workspaces()} == {
        "workspace": workspace.root, "site": bare.root,
    }  # fmt: skip
    assert {one.name for one in await Coordinator(lite).workspaces()} == {""}


async def test_what_is_declared_and_is_none_or_twice_the_same_is_told(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"bulkhead.toml, workspaces.site: the workspace .* is not a folder"):
        await Coordinator().declare({"site": tmp_path / "none"})
    with pytest.raises(Misconfigured, match="site and shop are both"):
        await Coordinator().declare({"site": workspace.root, "shop": workspace.root / "."})


async def test_a_git_folder_is_no_bare_workspace(workspace: Workspace, coordinator: Coordinator) -> None:
    with pytest.raises(Refused, match="not the top of a git work tree"):
        await coordinator.where(workspace.root / ".git")
