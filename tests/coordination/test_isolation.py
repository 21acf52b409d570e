"""Work trees of agents: what is done there is delivered as a patch, and reaches nothing of the workspace otherwise."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from layers.coordination import AgentTree, Applied, Coordinator, Made, Patch, drop_tree, find_trees, look_in, make_tree
from layers.errors import Refused
from tests.coordination.conftest import Workspace


@pytest.fixture
async def tree(workspace: Workspace, tmp_path: Path) -> AgentTree:
    """Of a workspace with an ignored folder, a file of secrets, a script and a link."""
    os.symlink("README.md", workspace.root / "link")
    workspace.commit(
        {".gitignore": "*.log\nbuild/\n", ".env": "KEY=1\n", "run.py": "run\n", "b.bin": b"\0\1\xff"}, "more"
    )
    (workspace.root / ".git" / "info" / "exclude").write_text("private/\n")
    return await make_tree(tmp_path / "trees", workspace.root, "claude", 1_800_000_000)


def agent(tree: AgentTree) -> Workspace:
    return Workspace(tree.folder)


def everything(folder: Path) -> dict[str, str]:
    """All of a workspace but its objects: files, index, references, settings."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith((".git/objects/", ".git/refs/coord/")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


async def delivered(workspace: Workspace, tree: AgentTree, made: Made) -> Applied:
    """As any patch."""
    coordinator = Coordinator()
    diff = made.diff.decode("utf-8", "surrogateescape")
    proposal = await coordinator.propose(Patch(workspace=workspace.root, diff=diff, base=tree.base, author="claude"))
    assert proposal.result_tree == made.tree
    outcome = await coordinator.apply(workspace.root, proposal, "m", "claude")
    assert isinstance(outcome, Applied)
    return outcome


async def test_everything_that_differs_in_a_tree_is_delivered_as_one_patch_and_nothing_else_is(
    workspace: Workspace, tree: AgentTree
) -> None:
    mine = agent(tree)
    assert (mine.git("rev-parse", "HEAD"), mine.status) == (workspace.git("rev-parse", "HEAD"), "")
    assert mine.try_git("symbolic-ref", "-q", "HEAD").returncode == 1
    assert mine.git("remote") == ""
    base = await look_in(tree)
    assert (base.diff, base.paths, base.tree) == (b"", (), workspace.git("rev-parse", "HEAD^{tree}"))
    mine.write(
        {
            "README.md": "all new\n", "src/app.py": None, "b.bin": b"\0\2\xfe", "deep/er/new.txt": "new\n",
            "out.log": "x", "build/x": "x", "private/x": "x", "caf\udce9.txt": "x\n",
        }
    )  # fmt: skip
    (tree.folder / "run.py").chmod(0o755)
    (tree.folder / "link").unlink()
    os.symlink("src/twice.txt", tree.folder / "link")
    made = await look_in(tree)
    paths = {"README.md", "b.bin", "caf\udce9.txt", "deep/er/new.txt", "link", "run.py", "src/app.py"}
    assert set(made.paths) == paths
    await delivered(workspace, tree, made)
    assert workspace.status == ""
    assert workspace.git("ls-tree", "HEAD", "run.py").startswith("100755")
    assert os.readlink(workspace.root / "link") == "src/twice.txt"
    assert (workspace.root / ".env").read_text() == "KEY=1\n"


async def test_whatever_an_agent_does_in_its_tree_nothing_of_the_workspace_changes(
    workspace: Workspace, tree: AgentTree
) -> None:
    before, mine = everything(workspace.root), agent(tree)
    mine.commit({"README.md": "mine\n"}, "mine")
    mine.git("branch", "-f", "main", "HEAD")
    mine.git("config", "core.hooksPath", "/tmp/none")
    mine.git("update-ref", "refs/coord/x/head", "HEAD")
    mine.git("checkout", "-q", "main")
    mine.git("gc", "-q", "--prune=now")
    await look_in(tree)
    assert everything(workspace.root) == before
    assert workspace.git("for-each-ref", "--format=%(refname)").split() == [
        f"refs/coord/{tree.folder.parent.name}/worktree/claude", "refs/heads/main",
    ]  # fmt: skip


async def test_no_setting_filter_or_hook_of_either_side_runs_and_files_are_as_they_are_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    evil = f"touch {trap}; cat"
    workspace.commit({".gitattributes": "* filter=evil text eol=crlf ident\n", "id.txt": "$Id$\n"})

    def arm(folder: Path) -> None:
        side = Workspace(folder)
        for name in ("filter.evil.smudge", "filter.evil.clean", "core.fsmonitor", "diff.external", "core.pager"):
            side.git("config", name, evil)
        for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
            path = folder / ".git" / "hooks" / hook
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {trap}\n")
            path.chmod(0o755)

    arm(workspace.root)
    tree = await make_tree(tmp_path / "trees", workspace.root, "claude", 0)
    assert ((tree.folder / "id.txt").read_bytes(), agent(tree).status) == (b"$Id$\n", "")
    arm(tree.folder)
    agent(tree).write({"id.txt": "other\n", "new.txt": "x\n"})
    trap.unlink(missing_ok=True)  # arming runs git, and that is the test's own
    assert set((await look_in(tree)).paths) == {"id.txt", "new.txt"}
    with pytest.raises(Refused, match="does not have"):
        await drop_tree(tree)
    assert not trap.exists()


async def test_files_of_secrets_are_not_there_and_none_is_delivered(workspace: Workspace, tree: AgentTree) -> None:
    assert not (tree.folder / ".env").exists()
    agent(tree).write({"deploy.pem": "x"})
    with pytest.raises(Refused, match="holds secrets"):
        await look_in(tree)


async def test_what_no_patch_can_hold_is_refused_and_nobody_waits_for_a_pipe(tree: AgentTree) -> None:
    (tree.folder / "src" / "app.py").unlink()
    os.mkfifo(tree.folder / "src" / "app.py")
    with pytest.raises(Refused, match="is no plain file"):
        await look_in(tree)
    (tree.folder / "src" / "app.py").unlink()
    os.mkfifo(tree.folder / "src" / ".gitignore")
    with pytest.raises(Refused, match=r"src/\.gitignore is no plain file"):
        await look_in(tree)
    (tree.folder / "src" / ".gitignore").unlink()
    agent(tree).git("init", "-q", "inner")
    Workspace(tree.folder / "inner").commit({"a": "a"})
    with pytest.raises(Refused, match="'inner/' is a git repository of its own"):
        await look_in(tree)
    shutil.rmtree(tree.folder / "inner")
    agent(tree).write({f"many/{n}": "x" for n in range(200)})
    with pytest.raises(Refused, match="200 new files"):
        await look_in(tree)


async def test_a_link_in_the_place_of_a_folder_shows_nothing_of_what_is_behind_it(
    tree: AgentTree, tmp_path: Path, workspace: Workspace
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "app.py").write_text("nobody's business\n")
    shutil.rmtree(tree.folder / "src")
    os.symlink(outside, tree.folder / "src")
    made = await look_in(tree)
    assert b"business" not in made.diff
    with pytest.raises(Refused, match="leaves the workspace"):
        await delivered(workspace, tree, made)


async def test_a_submodule_stays_and_is_not_taken_out(workspace: Workspace, tmp_path: Path) -> None:
    workspace.git("update-index", "--add", "--cacheinfo", f"160000,{workspace.git('rev-parse', 'HEAD')},sub")
    workspace.git("commit", "-q", "-m", "sub")
    tree = await make_tree(tmp_path / "trees", workspace.root, "claude", 0)
    assert (await look_in(tree)).paths == ()
    (tree.folder / "sub").rmdir()
    with pytest.raises(Refused, match="a submodule"):
        await delivered(workspace, tree, await look_in(tree))


async def test_a_tree_with_unsaved_work_is_never_removed_unless_forced(workspace: Workspace, tree: AgentTree) -> None:
    mine, shelf = agent(tree), tree.folder.parents[1]
    mine.write({"README.md": "mine\n"})
    with pytest.raises(Refused, match=r"changes that main does not have \('README.md.\)"):
        await drop_tree(tree)
    await delivered(workspace, tree, await look_in(tree))
    mine.commit({"lost.txt": "only in a commit\n"}, "lost")
    (tree.folder / "lost.txt").unlink()
    with pytest.raises(Refused, match="has the commit"):
        await drop_tree(tree)
    mine.git("reset", "-q", "--hard", tree.base)
    mine.write({"README.md": "mine\n", "ignored.log": "x"})
    assert find_trees(shelf) == [tree]
    await drop_tree(tree)  # all of it is on the branch
    assert (find_trees(shelf), tree.folder.exists(), workspace.git("for-each-ref", "refs/coord/*/worktree")) == (
        [], False, "",
    )  # fmt: skip


async def test_force_removes_a_tree_whose_workspace_is_gone_too(workspace: Workspace, tree: AgentTree) -> None:
    agent(tree).write({"README.md": "mine\n"})
    shutil.rmtree(workspace.root)
    with pytest.raises(Refused, match="is not a folder"):
        await drop_tree(tree)
    await drop_tree(tree, force=True)
    assert not tree.folder.exists()


async def test_a_name_is_taken_once_and_what_an_agent_spoilt_leads_to_no_other_workspace(
    workspace: Workspace, tree: AgentTree, tmp_path: Path
) -> None:
    shelf = tree.folder.parents[1]
    for name, why in (("claude", "already"), ("../x", "is no name"), (".x", "is no name"), ("", "is no name")):
        with pytest.raises(Refused, match=why):
            await make_tree(shelf, workspace.root, name, 0)
    other = Workspace(tmp_path / "other")
    workspace.git("clone", "-q", str(workspace.root), str(other.root))
    assert (await make_tree(shelf, other.root, "claude", 0)).folder.parent != tree.folder.parent
    record = tree.folder / ".git" / "bulkhead.json"
    record.write_text(record.read_text().replace(str(workspace.root), str(other.root)))
    (spoilt,) = [one for one in find_trees(shelf) if one.folder == tree.folder]
    with pytest.raises(Refused, match="is not of"):
        await look_in(spoilt)
    record.write_text("[]")
    assert len(find_trees(shelf)) == 1
    assert not list(shelf.glob("*/.*"))
