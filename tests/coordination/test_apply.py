"""Patches of every shape through propose and apply, on real repositories; git's own reading is the oracle."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import pytest

from layers.coordination import Applied, Conflict, Coordinator, git_version, summary_markdown
from layers.coordination.git import open_repository
from layers.errors import BadInput, Refused, Unavailable
from tests.coordination.conftest import README_PATCH, Workspace, put


def chmod(name: str, mode: int) -> Callable[[Workspace], None]:
    return lambda w: os.chmod(w.root / name, mode)


def link(name: str, target: str) -> Callable[[Workspace], None]:
    def act(w: Workspace) -> None:
        (w.root / name).unlink(missing_ok=True)
        (w.root / name).parent.mkdir(exist_ok=True)
        (w.root / name).symlink_to(target)

    return act


def save(name: str, content: bytes | str | None) -> Callable[[Workspace], None]:
    return lambda w: w.write({name: content})


def rename(old: str, new: str) -> Callable[[Workspace], None]:
    def act(w: Workspace) -> None:
        (w.root / new).parent.mkdir(parents=True, exist_ok=True)
        (w.root / old).rename(w.root / new)

    return act


SHAPES: dict[str, list[Callable[[Workspace], None]]] = {
    "a changed line": [save("README.md", "other\n")],
    "a new file": [save("new.txt", "hello\n")],
    "a new file in new folders": [save("a/b/c/new.txt", "hello\n")],
    "a new empty file": [save("empty", "")],
    "an emptied file": [save("README.md", "")],
    "a deleted file": [save("README.md", None)],
    "a folder that empties": [save("src/app.py", None), save("src/twice.txt", None)],
    "a rename": [rename("README.md", "docs/READ.md")],
    "a rename and an edit": [rename("src/twice.txt", "b.txt"), save("b.txt", "head\nsame\nblock\nhere\nX\n")],
    "an executable bit": [chmod("src/app.py", 0o755)],
    "an executable file": [save("tool.py", "x\n"), chmod("tool.py", 0o755)],
    "a binary file": [save("logo.bin", bytes(range(256)) * 20)],
    "CRLF lines": [save("crlf.txt", "a\r\nb\r\n")],
    "mixed line ends": [save("mixed.txt", "a\r\nb\nc\rd\n")],
    "no newline at the end": [save("README.md", "line 1\nline 2")],
    "a unicode name": [save("naïve ünï.txt", "x\n")],
    "a name with spaces and quotes": [save('it\'s "quoted" b.txt', "x\n")],
    "a link inside": [link("src/link", "../README.md")],
    "a file that becomes a link": [link("README.md", "src/app.py")],
    "a file that becomes a folder": [save("README.md", None), save("README.md/inner", "x\n")],
    "a folder that becomes a file": [
        save("src/app.py", None), save("src/twice.txt", None), lambda w: (w.root / "src").rmdir(), save("src", "x\n"),
    ],
    "odd line separators": [save("odd.txt", "a\u2028b\x0cc\x0bd\n")],
    "content that looks like a header": [save("h.txt", "--- a/x\n+++ b/x\n@@ -1 +1 @@\ndiff --git a/q b/q\n")],
    "a removed line that looks like a header": [save("README.md", "-- a/x\n++ b/x\n")],
    "a byte order mark": [save("bom.txt", "\ufeffx\n")],
    "latin-1 bytes": [save("latin.txt", b"caf\xe9\n")],
    "a long line": [save("long.txt", "x" * 300_000 + "\n")],
    "a hundred files": [save(f"many/{n}.txt", f"{n}\n") for n in range(100)],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_of_change_gives_gits_own_tree_and_a_clean_status(
    shape: str, workspace: Workspace, coordinator: Coordinator
) -> None:
    for act in SHAPES[shape]:
        act(workspace)
    workspace.git("add", "-A")
    expected = workspace.git("write-tree")
    proposal = await put(coordinator, workspace, workspace.diff())
    assert proposal.result_tree == expected
    assert workspace.git("rev-parse", "HEAD^{tree}") == expected
    assert summary_markdown(proposal)


async def test_a_binary_file_is_changed_and_deleted(workspace: Workspace, coordinator: Coordinator) -> None:
    content = os.urandom(5000)
    workspace.commit({"logo.bin": content})
    workspace.write({"logo.bin": content[:2000] + b"!" + content[2000:]})
    proposal = await put(coordinator, workspace, workspace.diff())
    assert proposal.files[0].added is None
    assert (workspace.root / "logo.bin").read_bytes()[2000:2001] == b"!"
    workspace.write({"logo.bin": None})
    await put(coordinator, workspace, workspace.diff())
    assert not (workspace.root / "logo.bin").exists()


async def test_a_swap_of_two_names_by_renames(workspace: Workspace, coordinator: Coordinator) -> None:
    before = [(workspace.root / name).read_bytes() for name in ("README.md", "src/app.py")]
    diff = (
        "diff --git a/README.md b/src/app.py\nsimilarity index 100%\nrename from README.md\nrename to src/app.py\n"
        "diff --git a/src/app.py b/README.md\nsimilarity index 100%\nrename from src/app.py\nrename to README.md\n"
    )
    await put(coordinator, workspace, diff)
    assert [(workspace.root / name).read_bytes() for name in ("src/app.py", "README.md")] == before


async def test_a_patch_without_prefixes_in_a_fence_with_form_line_ends_applies(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    plain = README_PATCH.replace("a/README", "README").replace("b/README", "README")
    await put(coordinator, workspace, f"```diff\n{plain}```\n".replace("\n", "\r\n"))
    assert (workspace.root / "README.md").read_text().startswith("line 1\nline two\n")


async def test_format_patch_mail_applies(workspace: Workspace, coordinator: Coordinator) -> None:
    workspace.commit({"README.md": "mailed\n"}, "mailed")
    mail = workspace.git("format-patch", "--stdout", "-1") + "\n"
    workspace.git("reset", "-q", "--hard", "HEAD^")
    await put(coordinator, workspace, mail)
    assert (workspace.root / "README.md").read_text() == "mailed\n"


async def test_permissions_other_than_the_executable_bit_are_kept(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    (workspace.root / "README.md").chmod(0o640)
    await put(coordinator, workspace, README_PATCH)
    assert stat.S_IMODE((workspace.root / "README.md").stat().st_mode) == 0o640


async def test_the_commit_names_the_author_and_the_proposal_and_needs_no_identity(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    await coordinator.apply(workspace.root, proposal, "Say two\n\nBecause.", "Zoë <zoe>\nEvil")
    assert (
        workspace.git("log", "-1", "--format=%an|%cn|%at|%ct|%s")
        == "Zoë zoeEvil|Bulkhead|1800000000|1800000000|Say two"
    )
    assert workspace.git("log", "-1", "--format=%(trailers:key=Proposal,valueonly)").strip() == proposal.id
    assert workspace.git("fsck", "--strict") == ""


async def test_proposing_touches_neither_branch_nor_index_nor_files(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.write({"README.md": "unsaved thoughts\n", "staged.txt": "x\n"})
    workspace.git("add", "staged.txt")
    before = (workspace.status, workspace.git("rev-parse", "HEAD"), (workspace.root / ".git/index").read_bytes())
    await coordinator.propose(workspace.patch(README_PATCH))
    assert (workspace.status, workspace.git("rev-parse", "HEAD")) == before[:2]
    assert (workspace.root / "README.md").read_text() == "unsaved thoughts\n"
    assert not (workspace.root / ".git/bulkhead").exists()


async def test_a_patch_that_does_not_fit_names_file_and_hunk(workspace: Workspace, coordinator: Coordinator) -> None:
    diff = README_PATCH.replace("-line 2", "-line too")
    with pytest.raises(
        Refused, match=r"'README\.md' does not have the lines that the hunk at line 3 of the patch"
    ) as caught:
        await coordinator.propose(workspace.patch(diff))
    assert "\n" not in str(caught.value)


async def test_a_patch_whose_index_line_names_another_version_says_so(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.write({"README.md": "line 1\nline X\nline 3\n"})
    diff = workspace.diff()
    workspace.commit({"README.md": "quite different\n"})
    with pytest.raises(Refused, match=r"made on version [0-9a-f]{7,10} of the file, it is [0-9a-f]{10} now"):
        await coordinator.propose(workspace.patch(diff))


async def test_a_stale_base_names_the_file_that_moved(workspace: Workspace, coordinator: Coordinator) -> None:
    base = workspace.git("rev-parse", "HEAD")
    moved = workspace.commit({"README.md": "line 1\nline 2.\nline 3\n", "other.txt": "x\n"})
    with pytest.raises(Refused, match=rf"'README\.md' changed on main in commit {moved[:10]}") as caught:
        await coordinator.propose(workspace.patch(README_PATCH, base))
    assert "other.txt" not in str(caught.value)


async def test_an_older_base_is_fine_while_the_touched_files_are_the_same(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    base = workspace.git("rev-parse", "HEAD")
    head = workspace.commit({"other.txt": "x\n"})
    proposal = await coordinator.propose(workspace.patch(README_PATCH, base))
    assert proposal.base_commit == head


@pytest.mark.parametrize("base", ["nonesuch", "deadbeef", "--all", "HEAD; ls", "x" * 300, "HEAD:README.md"])
async def test_a_base_that_is_no_commit_is_refused(base: str, workspace: Workspace, coordinator: Coordinator) -> None:
    with pytest.raises(Refused, match="the base"):
        await coordinator.propose(workspace.patch(README_PATCH, base))


async def test_a_hunk_may_be_off_only_where_its_lines_occur_once(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    shifted = README_PATCH.replace("@@ -1,3 +1,3 @@", "@@ -5,3 +5,3 @@")
    await coordinator.propose(workspace.patch(shifted))
    twice = "--- a/src/twice.txt\n+++ b/src/twice.txt\n@@ -{0},3 +{0},3 @@\n same\n-block\n+brick\n here\n"
    exact = await coordinator.propose(workspace.patch(twice.format(5)))
    assert "@@ -3,6 +3,6 @@" in exact.diff
    with pytest.raises(Refused, match="fits more than one place"):
        await coordinator.propose(workspace.patch(twice.format(4)))


async def test_an_insertion_without_context_is_refused(workspace: Workspace, coordinator: Coordinator) -> None:
    with pytest.raises(Refused, match=r"no line of 'README\.md' to hold on to"):
        await coordinator.propose(workspace.patch("--- a/README.md\n+++ b/README.md\n@@ -3,0 +4 @@\n+x\n"))


async def test_a_patch_that_changes_nothing_is_refused(workspace: Workspace, coordinator: Coordinator) -> None:
    with pytest.raises(Refused, match="changes nothing"):
        await coordinator.propose(workspace.patch(README_PATCH.replace("+line two", "+line 2")))


async def test_the_shown_diff_is_gits_and_not_the_one_sent(workspace: Workspace, coordinator: Coordinator) -> None:
    sent = README_PATCH.replace("@@ -1,3 +1,3 @@", "@@ -1,3 +1,3 @@ harmless words")
    proposal = await coordinator.propose(workspace.patch(sent))
    assert "harmless words" not in proposal.diff
    assert proposal.diff.count("\n+") == 2


async def test_a_head_that_moved_elsewhere_still_gets_exactly_what_was_shown(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.commit({"other.txt": "x\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Applied)
    assert workspace.git("show", "--stat", "--format=", "HEAD").count("|") == 1
    assert workspace.git("rev-parse", "HEAD:README.md") == proposal.files[0].new_oid
    assert (workspace.root / "other.txt").read_text() == "x\n"
    assert workspace.status == ""


async def test_a_head_that_moved_in_the_touched_file_is_a_conflict_that_names_it(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    head = workspace.commit({"README.md": "mine\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert outcome.files == ("README.md",)
    assert f"'README.md' changed on main in commit {head[:10]}" in outcome.text
    assert workspace.git("rev-parse", "HEAD") == head


async def test_another_branch_is_a_conflict(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.git("checkout", "-q", "-b", "side")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "branch main and side is checked out" in outcome.text


async def test_a_detached_head_an_unborn_branch_and_a_half_merge_are_refused(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    (workspace.root / ".git/MERGE_HEAD").write_text(workspace.git("rev-parse", "HEAD") + "\n")
    with pytest.raises(Refused, match="MERGE_HEAD"):
        await coordinator.propose(workspace.patch(README_PATCH))
    (workspace.root / ".git/MERGE_HEAD").unlink()
    workspace.git("checkout", "-q", "--detach")
    with pytest.raises(Refused, match="not on a branch"):
        await coordinator.propose(workspace.patch(README_PATCH))
    workspace.git("checkout", "-q", "--orphan", "new")
    with pytest.raises(Refused, match="no commit yet"):
        await coordinator.propose(workspace.patch(README_PATCH))


async def test_a_folder_that_is_no_work_trees_top_is_refused(workspace: Workspace, coordinator: Coordinator) -> None:
    for place in (workspace.root / "src", workspace.root / "none", workspace.root.parent):
        with pytest.raises(Refused, match="workspace"):
            await open_repository(place)


async def test_a_linked_work_tree_and_a_sha256_repository_work(workspace: Workspace, coordinator: Coordinator) -> None:
    workspace.git("worktree", "add", "-q", "../linked", "-b", "linked")
    linked = Workspace(workspace.root.parent / "linked")
    await put(coordinator, linked, README_PATCH)
    new = Workspace(workspace.root.parent / "sha256")
    new.root.mkdir()
    new.git("init", "-q", "-b", "main", "--object-format=sha256")
    new.commit({"README.md": "line 1\nline 2\nline 3\n"})
    proposal = await put(coordinator, new, README_PATCH)
    assert len(proposal.result_tree) == 64
    await put(coordinator, new, "--- a/README.md\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-line 1\n-line two\n-line 3\n")


async def test_a_new_workspace_has_a_readme_a_makefile_and_a_commit(
    coordinator: Coordinator, workspace: Workspace
) -> None:
    made = Workspace(workspace.root.parent / "home" / "workspace")
    await coordinator.create_workspace(made.root)
    first = made.git("rev-parse", "HEAD")
    await coordinator.create_workspace(made.root)
    assert made.git("rev-parse", "HEAD") == first
    assert made.status == ""
    assert made.git("ls-files") == "Makefile\nREADME.md"
    example = (made.root / "README.md").read_text().partition("/patch\n")[2].partition("```")[0]
    await put(coordinator, made, example)
    with pytest.raises(Refused, match="has files but no git"):
        await coordinator.create_workspace(workspace.root / "src")


async def test_a_workspace_half_made_is_finished(coordinator: Coordinator, workspace: Workspace) -> None:
    made = Workspace(workspace.root.parent / "half")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    await coordinator.create_workspace(made.root)
    assert made.status == ""
    assert (made.root / "Makefile").exists()


async def test_a_proposal_for_another_workspace_is_refused(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    other = workspace.root.parent / "other"
    await coordinator.create_workspace(other)
    with pytest.raises(Refused, match="is for"):
        await coordinator.apply(other, proposal, "m", "Ann")


async def test_objects_that_git_threw_away_are_told_and_not_guessed(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    workspace.git("prune", "--expire=now")
    with pytest.raises(Refused, match="propose the patch again"):
        await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert workspace.status == ""


async def test_bad_input_carries_its_line(workspace: Workspace, coordinator: Coordinator) -> None:
    with pytest.raises(BadInput) as caught:
        await coordinator.propose(workspace.patch("please change the readme\n"))
    assert caught.value.line == 1
    assert await git_version()


async def test_a_folder_that_grew_where_the_patch_puts_a_file_is_not_swept_away(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch("--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"))
    head = workspace.commit({"new/inner.txt": "precious\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert workspace.git("rev-parse", "HEAD") == head
    assert workspace.status == ""
    (workspace.root / "new/inner.txt").unlink()  # even with nothing in the work tree's way
    (workspace.root / "new").rmdir()
    workspace.git("update-index", "--assume-unchanged", "new/inner.txt")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "would now also change 'new/inner.txt'" in outcome.text


async def test_a_file_that_appeared_where_the_patch_puts_a_folder_is_not_swept_away(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch("--- /dev/null\n+++ b/new/inner\n@@ -0,0 +1 @@\n+x\n"))
    workspace.commit({"new": "precious\n"})
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert (workspace.root / "new").read_text() == "precious\n"


async def test_a_folder_with_somebodys_new_file_does_not_become_a_file(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    for act in SHAPES["a folder that becomes a file"]:
        act(workspace)
    proposal = await coordinator.propose(workspace.patch(workspace.diff()))
    workspace.write({"src/mine.py": "x\n"})
    workspace.git("add", "src/mine.py")
    before = workspace.status
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "'src' is a folder in the work tree" in outcome.text
    assert workspace.status == before


async def test_a_branch_that_git_cannot_move_is_told(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    (workspace.root / ".git/refs/heads/main.lock").touch()
    with pytest.raises(Unavailable, match="git could not move refs/heads/main"):
        await coordinator.apply(workspace.root, proposal, "m", "Ann")
    (workspace.root / ".git/refs/heads/main.lock").unlink()
    assert isinstance(await coordinator.apply(workspace.root, proposal, "m", "Ann"), Applied)
    assert workspace.status == ""
