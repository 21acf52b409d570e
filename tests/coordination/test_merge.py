"""Two changes of one file: merged in memory, shown again where that reads differently, and never as markers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from layers.coordination import Applied, Conflict, Coordinator, Unmergeable
from layers.coordination.git import open_repository, scratch
from layers.coordination.merging import merge
from layers.coordination.rules import is_same_change
from tests.coordination.conftest import README_PATCH, Workspace

LINES = [f"line {n}\n" for n in range(1, 31)]


def edited(**changes: str) -> str:
    """Thirty lines with some of them other: `l3="three"`."""
    return "".join(f"{changes[f'l{n}']}\n" if f"l{n}" in changes else line for n, line in enumerate(LINES, 1))


def long(workspace: Workspace) -> str:
    return workspace.commit({"long.txt": "".join(LINES)}, "long")


def patch_of(workspace: Workspace, content: str) -> str:
    workspace.write({"long.txt": content})
    return workspace.diff()


async def test_changes_far_apart_merge_and_read_as_they_were_approved(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    long(workspace)
    proposal = await coordinator.propose(workspace.patch(patch_of(workspace, edited(l25="ours"))))
    workspace.commit({"long.txt": "new first line\n" + edited(l2="theirs")})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied), outcome
    assert (workspace.root / "long.txt").read_text() == "new first line\n" + edited(l2="theirs", l25="ours")
    assert workspace.status == ""
    assert await coordinator.apply(workspace.root, proposal, "m", "Ann") == outcome


async def test_a_merge_whose_context_reads_differently_is_shown_again_and_then_applies(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    long(workspace)
    proposal = await coordinator.propose(workspace.patch(patch_of(workspace, edited(l10="ours"))))
    workspace.commit({"long.txt": edited(l12="theirs")})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "reads differently" in outcome.text
    assert outcome.again is not None
    assert outcome.again.digest != proposal.digest
    assert " theirs\n" in outcome.again.diff
    assert workspace.status == ""
    assert isinstance(await coordinator.apply(workspace.root, outcome.again, "m", "Ann"), Applied)
    assert (workspace.root / "long.txt").read_text() == edited(l10="ours", l12="theirs")


async def test_a_file_that_runs_code_is_shown_again_whenever_it_was_merged(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.commit({"Makefile": "".join(LINES)})
    workspace.write({"Makefile": edited(l25="ours")})
    proposal = await coordinator.propose(workspace.patch(workspace.diff()))
    workspace.commit({"Makefile": edited(l2="theirs")})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert outcome.again is not None


async def test_what_does_not_merge_comes_back_as_three_versions_and_no_marker_is_written(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    base = long(workspace)
    diff = patch_of(workspace, edited(l10="ours"))
    proposal = await coordinator.propose(workspace.patch(diff))
    workspace.commit({"long.txt": edited(l10="theirs")})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    with pytest.raises(Unmergeable, match=r"'long\.txt' changed on main in commit .* do not merge") as caught:
        await coordinator.propose(workspace.patch(diff, base))
    for stages in (outcome.stages, caught.value.stages):
        (one,) = stages
        assert one.path == "long.txt"
        assert one.base is not None
        assert one.ours is not None
        assert one.theirs is not None
        contents = [workspace.git("cat-file", "-p", entry.oid) for entry in (one.base, one.ours, one.theirs)]
        assert [text.split("\n")[9] for text in contents] == ["line 10", "theirs", "ours"]
    assert "<<<<<<<" not in (workspace.root / "long.txt").read_text()
    assert workspace.status == ""


async def test_a_patch_on_an_older_commit_is_shown_as_it_will_be_on_the_branch(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    base = long(workspace)
    diff = patch_of(workspace, edited(l10="ours"))
    head = workspace.commit({"long.txt": edited(l12="theirs")})
    proposal = await coordinator.propose(workspace.patch(diff, base))
    assert proposal.base_commit == head
    assert "\n theirs\n" in proposal.diff
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert (workspace.root / "long.txt").read_text() == edited(l10="ours", l12="theirs")


@pytest.mark.parametrize(
    ("act", "stages"),
    [
        (lambda w: w.commit({"README.md": None}), (True, False, True)),
        (lambda w: (w.git("mv", "README.md", "moved.md"), w.commit()), None),
        (lambda w: w.commit({"README.md": None, "README.md/inner": "x\n"}), (True, False, True)),
    ],
)
async def test_a_deleted_file_conflicts_and_a_renamed_one_is_followed(
    act: Callable[[Workspace], object],
    stages: tuple[bool, bool, bool] | None,
    workspace: Workspace,
    coordinator: Coordinator,
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    act(workspace)
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert workspace.status == ""
    if stages is None:
        assert outcome.again is not None
        assert [file.path for file in outcome.again.files] == ["moved.md"]
    else:
        sides = [(one.base is not None, one.ours is not None, one.theirs is not None) for one in outcome.stages]
        assert stages in sides


async def test_a_patch_that_the_branch_already_has_is_told(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    again = await coordinator.propose(workspace.patch(README_PATCH))
    await coordinator.apply(workspace.root, proposal, "m", "Ann")
    outcome = await coordinator.apply(workspace.root, again, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "already has all that the patch would do" in outcome.text


async def test_a_merge_driver_of_the_repository_is_not_run(workspace: Workspace, tmp_path: object) -> None:
    workspace.commit({".gitattributes": "*.txt merge=evil\n", "long.txt": "".join(LINES)})
    workspace.git("config", "merge.evil.driver", f"touch {tmp_path}/ran; exit 0")
    trees = []
    for content in ("".join(LINES), edited(l10="ours"), edited(l20="theirs")):
        workspace.commit({"long.txt": content})
        trees.append(workspace.git("rev-parse", "HEAD^{tree}"))
    repository = await open_repository(workspace.root)
    async with scratch(repository) as pad:
        tree = await merge(pad, *trees)
    assert isinstance(tree, str)
    assert workspace.git("show", f"{tree}:long.txt") + "\n" == edited(l10="ours", l20="theirs")
    assert not (workspace.root.parent / "ran").exists()


def test_two_diffs_are_the_same_change_when_only_their_places_differ() -> None:
    one = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@ def f\n a\n-b\n+c\n"
    assert is_same_change(one, one.replace("@@ -1,2 +1,2 @@ def f", "@@ -9,2 +7,2 @@").replace("1..2", "3..4"))
    for old, new in ((" a", "  a"), ("+c", "+c "), ("100644", "100755"), ("a/f b/f", "a/g b/g")):
        assert not is_same_change(one, one.replace(old, new))
