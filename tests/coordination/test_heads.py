"""A workspace that a person has half-way through something is refused, and the something is named."""

from __future__ import annotations

import pytest

from layers.coordination import Coordinator, git
from layers.coordination.git import open_repository
from layers.coordination.heads import HALF_DONE, look
from layers.errors import Refused
from tests.coordination.conftest import README_PATCH, Workspace


async def refused(workspace: Workspace, coordinator: Coordinator) -> str:
    with pytest.raises(Refused, match="in the middle of") as caught:
        await coordinator.propose(workspace.patch(README_PATCH))
    return str(caught.value)


async def test_a_rebase_that_stopped_is_called_a_rebase(workspace: Workspace, coordinator: Coordinator) -> None:
    base = workspace.git("rev-parse", "HEAD")
    workspace.commit({"README.md": "one\n"})
    workspace.git("checkout", "-q", "-b", "side", base)
    workspace.commit({"README.md": "two\n"})
    for option, mark in (("--merge", "rebase-merge"), ("--apply", "rebase-apply")):
        assert workspace.try_git("rebase", option, "main").returncode
        assert f"a rebase ({mark})" in await refused(workspace, coordinator)
        workspace.git("rebase", "--abort")


async def test_git_am_that_stopped_is_refused_although_a_branch_is_checked_out(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.commit({"README.md": "one\n"})
    mail = workspace.git("format-patch", "-1", "--stdout")
    workspace.git("reset", "-q", "--hard", "HEAD~1")
    workspace.commit({"README.md": "two\n"})
    assert workspace.try_git("am", feed=mail.encode() + b"\n").returncode
    assert workspace.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert "git am (rebase-apply/applying)" in await refused(workspace, coordinator)
    workspace.git("am", "--abort")
    await coordinator.propose(workspace.patch("--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-two\n+three\n"))


@pytest.mark.parametrize("mark", HALF_DONE)
async def test_whatever_git_leaves_half_done_is_refused(
    mark: str, workspace: Workspace, coordinator: Coordinator
) -> None:
    path = workspace.root / ".git" / mark
    path.parent.mkdir(exist_ok=True)
    path.mkdir()
    assert f"({mark}); finish or abort it first" in await refused(workspace, coordinator)


async def test_a_head_that_is_a_link_or_leads_to_no_branch_is_gits_to_read(workspace: Workspace) -> None:
    repository = await open_repository(workspace.root)
    head = workspace.root / ".git/HEAD"
    assert (await look(repository)).branch == "refs/heads/main"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert (await look(repository)).name == "main"
    head.unlink()
    head.write_text("ref: refs/remotes/origin/main\n")
    found = await look(repository)
    assert (found.branch, found.commit) == ("", "")


async def test_workspaces_that_were_opened_long_ago_are_forgotten(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.coordination.git.MAX_OPENED", 1)
    other = Workspace(workspace.root.parent / "other")
    workspace.git("worktree", "add", "-q", "-b", "other", str(other.root))
    for one in (workspace, other, workspace):
        assert (await open_repository(one.root)).root == one.root
        assert list(git._opened) == [one.root]
