"""What people saved and did not commit: kept before anything else, then adopted, parked or left to them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from layers.coordination import Applied, Conflict, Coordinator, ForeignPolicy
from layers.store import Store
from tests.coordination.conftest import README_PATCH, Workspace, put

SAVED = "".join(f"line {n}\n" for n in range(1, 10)) + "mine\n"


def with_policy(policy: ForeignPolicy, store: Store | None = None) -> Coordinator:
    return Coordinator(store, foreign=policy, clock=lambda: 1_800_000_000.0)


@pytest.mark.parametrize("policy", [ForeignPolicy.PARK, ForeignPolicy.ADOPT])
async def test_a_save_in_a_touched_file_is_kept_under_a_ref_before_anything_else(
    policy: ForeignPolicy, workspace: Workspace
) -> None:
    coordinator = with_policy(policy)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": "all new\n", "src/app.py": "not touched by the patch\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    (line,) = workspace.git("for-each-ref", "--format=%(refname)", "refs/coord/*/foreign/*").splitlines()
    assert workspace.git("show", f"{line}:README.md") == "all new"
    assert workspace.git("show", f"{line}:src/app.py") == "def app():\n    return 1"
    assert (workspace.root / "README.md").read_text() == "all new\n"
    if policy is ForeignPolicy.PARK:
        assert outcome.foreign is not None
        assert outcome.foreign.ref == line
        assert workspace.git("rev-list", "--count", "HEAD") == "1"


async def test_the_same_save_is_kept_once_and_a_newer_one_beside_it(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.PARK)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    for content, count in (("one\n", 1), ("one\n", 1), ("two\n", 2)):
        if (workspace.root / "README.md").read_text() != content:
            workspace.write({"README.md": content})
        await coordinator.apply(workspace.root, proposal, "m", "Ann")
        assert len(workspace.git("for-each-ref", "refs/coord/*/foreign/*").splitlines()) == count


async def test_blocked_edits_are_named_and_nothing_is_kept(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.BLOCK)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": "mine\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert outcome.foreign is None
    assert workspace.git("for-each-ref", "refs/coord") == ""


async def test_an_adopted_save_is_committed_first_and_the_patch_is_merged_with_it(
    workspace: Workspace, store: Store
) -> None:
    coordinator = with_policy(ForeignPolicy.ADOPT, store)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": SAVED})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied), outcome
    assert workspace.git("log", "--format=%an").split("\n") == ["Ann", "work tree", "Ann"]
    assert workspace.git("show", "HEAD^:README.md") + "\n" == SAVED
    assert (workspace.root / "README.md").read_text() == SAVED.replace("line 2\n", "line two\n")
    assert workspace.status == ""


async def test_a_person_wins_over_a_patch_that_does_not_merge_with_the_save(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.ADOPT)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": SAVED.replace("line 2", "mine too")})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert [one.path for one in outcome.stages] == ["README.md"]
    assert (workspace.root / "README.md").read_text() == SAVED.replace("line 2", "mine too")
    assert workspace.git("show", "HEAD:README.md") + "\n" == SAVED.replace("line 2", "mine too")
    assert workspace.status == ""


async def test_a_deleted_file_a_new_one_and_a_link_are_adopted_too(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.ADOPT)
    diff = README_PATCH + "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+theirs\n"
    proposal = await coordinator.propose(workspace.patch(diff))
    workspace.write({"README.md": None})
    (workspace.root / "new.txt").symlink_to("src/app.py")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert workspace.git("ls-tree", "--name-only", "HEAD").split() == ["new.txt", "src"]
    assert (workspace.root / "new.txt").is_symlink()
    assert workspace.status == ""


async def test_each_workspace_has_a_policy_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    workspace.git("clone", "-q", str(workspace.root), str(tmp_path / "other"))
    policies = {workspace.root: ForeignPolicy.ADOPT, tmp_path / "other": ForeignPolicy.BLOCK}
    coordinator = Coordinator(policies=policies, clock=lambda: 1_800_000_000.0)
    for one, is_adopted in ((workspace, True), (Workspace(tmp_path / "other"), False)):
        proposal = await coordinator.propose(one.patch(README_PATCH))
        one.write({"README.md": SAVED})
        outcome = await coordinator.apply(one.root, proposal, "m", "Ann")
        assert isinstance(outcome, Applied if is_adopted else Conflict)
        assert bool(one.git("for-each-ref", "refs/coord/*/foreign/*")) is is_adopted


async def test_staged_edits_are_never_adopted(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.ADOPT)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.write({"README.md": "mine\n"})
    workspace.git("add", "README.md")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert workspace.git("rev-list", "--count", "HEAD") == "1"
    assert workspace.status == "M  README.md"


@pytest.mark.parametrize(
    ("old", "new", "after_s", "is_echo"),
    [
        ("line 1\n", "line  1\n", 1, True),
        ("line 1\n", "line one\n", 1, False),
        ("line 1\n", "line  1\n", 60, False),
        ("line 1\n", "line  1\n", -60, False),
    ],
    ids=["formatted at once", "other words", "much later", "before our write"],
)
async def test_what_a_formatter_makes_of_our_write_at_once_is_adopted_quietly(
    old: str, new: str, after_s: int, is_echo: bool, workspace: Workspace
) -> None:
    coordinator = with_policy(ForeignPolicy.PARK)
    await put(coordinator, workspace, README_PATCH)
    landed = re.search(r"@\{(\d+)\}", workspace.git("log", "-g", "-1", "--date=unix", "--format=%gd", "main"))
    assert landed
    path = workspace.root / "README.md"
    path.write_text(path.read_text().replace(old, new, 1))
    os.utime(path, (int(landed[1]) + after_s,) * 2)
    far = "--- a/README.md\n+++ b/README.md\n@@ -8,3 +8,3 @@\n line 8\n-line 9\n+line nine\n line 10\n"
    outcome = await coordinator.apply(
        workspace.root, await coordinator.propose(workspace.patch(far)), "m", "Ann"
    )
    assert isinstance(outcome, Applied if is_echo else Conflict)
    if is_echo:
        assert path.read_text().splitlines()[:3] == ["line  1", "line two", "line 3"]
        subjects = workspace.git("log", "--format=%s", "-2").splitlines()
        assert subjects == ["m", "Keep what was saved and not committed"]
        assert workspace.status == ""


async def test_a_formatted_file_that_the_newest_commit_did_not_write_is_nobodys_echo(workspace: Workspace) -> None:
    coordinator = with_policy(ForeignPolicy.PARK)
    await put(coordinator, workspace, README_PATCH)
    workspace.write({"src/app.py": "def app():\n        return 1\n"})
    patch = "--- a/src/app.py\n+++ b/src/app.py\n@@ -1,2 +1,2 @@\n-def app():\n+def use():\n     return 1\n"
    proposal = await coordinator.propose(workspace.patch(patch))
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Conflict)
