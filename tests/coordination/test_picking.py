"""Some parts of a proposal: what can be chosen, and that git itself makes the same trees of the same hunks."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.coordination import Applied, Coordinator, Patch, Proposal, by_id, keep, parts_of
from layers.errors import Refused, Unavailable
from layers.store import Store
from tests.coordination.conftest import Workspace
from tests.fakes.environment import QUIET, REPO

Files = dict[str, bytes]
HUNK = re.compile(rb"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")
SHOWN = ("-p", "--binary", "--full-index", "-M", "--no-ext-diff")


def shown(coordinator: Coordinator, room: Workspace, base: str, result: str) -> Proposal:
    """The proposal that makes the tree of `result` of the commit `base`, wherever the branch is."""
    diff = room.try_git("diff-tree", *SHOWN, base, result).stdout.decode("utf-8", "surrogateescape")
    made = asyncio.run(coordinator.rehearse(Patch(workspace=room.root, diff=diff, base=base, author="agent")))
    return Proposal(
        id="p1", workspace=room.root, branch="refs/heads/main", base_commit=base, base_tree=made.base_tree,
        result_tree=made.result_tree, diff=made.diff, files=made.files, author="agent", proposed_at=1,
    )  # fmt: skip


def picked(coordinator: Coordinator, proposal: Proposal, ids: Collection[str]) -> Proposal:
    return asyncio.run(coordinator.pick(proposal, ids, "agent"))


def by_git(room: Workspace, proposal: Proposal, chosen: Collection[int], folder: Path) -> str:
    """The tree that `git apply --cached` makes of the parts of these numbers, cut here and in git's own bytes."""
    diff = room.try_git("diff-tree", *SHOWN, proposal.base_commit, proposal.result_tree).stdout
    number, patch = 0, b""
    for section in re.split(rb"(?m)^(?=diff --git )", diff)[1:]:
        head, *hunks = re.split(rb"(?m)^(?=@@ )", section)
        if not hunks or re.search(rb"(?m)^(new file|deleted file|old|new|rename from) ?(mode|\S)", head):
            patch += section if number in chosen else b""
            number += 1
            continue
        wanted = [n for n in range(len(hunks)) if number + n in chosen]
        number += len(hunks)
        patch += head if wanted else b""
        moved = 0
        for hunk in (hunks[n] for n in wanted):
            facts = HUNK.match(hunk)
            assert facts
            before, after = (int(count[1:] or b"1") if count else 1 for count in (facts[2], facts[4]))
            start = int(facts[1]) + moved + (not before) - (not after)
            patch += b"@@ -%s%s +%d%s @@" % (facts[1], facts[2], start, facts[4]) + hunk[facts.end() :]
            moved += after - before
    index = {**QUIET, "GIT_INDEX_FILE": str(folder / "oracle")}
    for command in (["read-tree", proposal.base_tree], ["apply", "--cached", "--whitespace=nowarn", "-"]):
        subprocess.run(["git", *command], cwd=room.root, env=index, input=patch, check=True, capture_output=True)
    ran = subprocess.run(["git", "write-tree"], cwd=room.root, env=index, check=True, capture_output=True)
    return ran.stdout.decode().strip()


LINES = st.sampled_from([b"a", b"b", b"same", b"", b"    indent", b"\xff latin", b"cr\r", b"@@ -1 +1 @@", b"\x0cform"])


@st.composite
def repeated(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two versions of a file whose lines occur again and again, some with no newline at the end."""
    lines = draw(st.lists(LINES, min_size=1, max_size=60))
    changed = list(lines)
    for at in sorted(draw(st.sets(st.integers(0, len(lines) - 1), max_size=4)), reverse=True):
        changed[at : at + draw(st.integers(0, 2))] = draw(st.lists(LINES, max_size=2))
    ends = st.sampled_from([b"", b"\n"])
    return b"\n".join(lines) + draw(ends), b"\n".join(changed) + draw(ends)


@st.composite
def different(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two versions of a file in which no line is like another."""
    lines = [b"line %d\r\n" % n if n % 7 == 0 else b"line %d\n" % n for n in range(draw(st.integers(1, 70)))]
    changed = list(lines)
    for at in draw(st.sets(st.integers(0, len(lines) - 1), max_size=5)):
        changed[at] = draw(st.sampled_from([b"", b"new %d\n" % at, b"new %d\r\nand more %d\n" % (at, at)]))
    return b"".join(lines), b"".join(changed)


def two_trees(room: Workspace, before: Files, after: Files) -> tuple[str, str]:
    """A commit with these files, and a tree with those; `run` is executable in the second, `old` renamed."""
    trees = []
    for files, is_after in ((before, False), (after, True)):
        room.git("read-tree", "--empty")
        oids = {name: room.git("hash-object", "-w", "--stdin", feed=content) for name, content in files.items()}
        modes = {name: "100755" if name == "run" and is_after else "100644" for name in files}
        feed = "".join(f"{modes[name]} {oids[name]}\t{name}\n" for name in files)
        room.git("update-index", "--index-info", feed=feed.encode())
        trees.append(room.git("write-tree"))
    return room.git("commit-tree", "-m", "base", trees[0]), trees[1]


MOVED = b"".join(b"moved %d\n" % n for n in range(12))
ALWAYS: Files = {"run": b"echo\n", "gone": b"gone\n", "old": MOVED, "picture": b"\0png\n"}
THEN: Files = {"run": b"echo\n", "added": b"caf\xe9", "renamed": MOVED + b"and edited\n", "picture": b"\0jpeg\n"}
PROPERTY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A repository for trees."""
    made = Workspace(tmp_path_factory.mktemp("room"))
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture(scope="module")
def clerk() -> Coordinator:
    return Coordinator()


@PROPERTY
@given(one=repeated(), two=repeated(), data=st.data())
def test_chosen_parts_make_the_tree_that_git_makes_of_them(
    room: Workspace, clerk: Coordinator, one: tuple[bytes, bytes], two: tuple[bytes, bytes], data: st.DataObject
) -> None:
    before, after = {"one": one[0], "two": two[0]}, {"one": one[1], "two": two[1]}
    proposal = shown(clerk, room, *two_trees(room, ALWAYS | before, THEN | after))
    parts = parts_of(proposal)
    assert len({part.id for part in parts}) == len(parts)
    chosen = data.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1))
    derived = picked(clerk, proposal, {parts[n].id for n in chosen})
    assert derived.result_tree == by_git(room, proposal, chosen, room.root / ".git")
    assert (derived.base_commit, derived.base_tree) == (proposal.base_commit, proposal.base_tree)
    assert picked(clerk, proposal, [part.id for part in parts]).result_tree == proposal.result_tree


@PROPERTY
@given(one=different(), data=st.data())
def test_what_was_chosen_and_what_was_left_merge_into_the_whole(
    room: Workspace, clerk: Coordinator, one: tuple[bytes, bytes], data: st.DataObject
) -> None:
    proposal = shown(clerk, room, *two_trees(room, ALWAYS | {"one": one[0]}, THEN | {"one": one[1]}))
    ids = {part.id for part in parts_of(proposal)}
    chosen = data.draw(st.sets(st.sampled_from(sorted(ids)), min_size=1, max_size=len(ids) - 1))
    sides = [picked(clerk, proposal, some).result_tree for some in (chosen, ids - chosen)]
    commits = [room.git("commit-tree", "-m", "side", "-p", proposal.base_commit, tree) for tree in sides]
    assert room.git("merge-tree", "--write-tree", *commits) == proposal.result_tree


def test_parts_of_real_commits_make_the_trees_that_git_makes_of_them(tmp_path: Path, clerk: Coordinator) -> None:
    if not (REPO / ".git").exists():
        pytest.skip("this checkout has no history")
    copy = ["git", "clone", "-q", "--bare", "--shared", str(REPO), str(tmp_path / "copy")]
    subprocess.run(copy, env=QUIET, check=True, capture_output=True)
    history = Workspace(tmp_path / "copy")
    tried = 0
    for line in history.git("rev-list", "--no-merges", "--parents", "-60", "HEAD").splitlines()[::7]:
        commit, *parents = line.split(" ")
        if len(parents) == 1 and history.git("diff-tree", parents[0], commit):
            try:
                proposal = shown(clerk, history, parents[0], commit)
            except Refused:
                continue  # by a rule: too many lines for people to look at
            parts = parts_of(proposal)
            for chosen in (set(range(0, len(parts), 2)), set(range(len(parts)))):
                derived = picked(clerk, proposal, {parts[n].id for n in chosen})
                assert derived.result_tree == by_git(history, proposal, chosen, tmp_path), (commit, chosen)
            assert derived.result_tree == history.git("rev-parse", f"{commit}^{{tree}}")
            tried += 1
    assert tried


THIRTY = [f"    line {n}\n" for n in range(1, 31)]


async def three_parts(workspace: Workspace, coordinator: Coordinator) -> Proposal:
    """Two hunks of a long file, and a Makefile."""
    workspace.commit({"long.py": "def first():\n" + "".join(THIRTY)})
    changed = "def first():\n" + "".join(THIRTY).replace("line 3\n", "third\n").replace("line 28\n", "a\nb\n")
    workspace.write({"long.py": changed, "Makefile": "all:\n"})
    return await coordinator.propose(workspace.patch(workspace.diff()))


async def test_a_part_says_where_it_is_and_what_it_changes(workspace: Workspace, coordinator: Coordinator) -> None:
    make, first, second = parts_of(await three_parts(workspace, coordinator))
    assert (make.path, make.title, make.added, make.removed) == ("Makefile", "new file", 1, 0)
    assert make.diff.startswith("diff --git a/Makefile b/Makefile\nnew file mode 100644\n")
    assert (first.path, first.title, first.added, first.removed) == ("long.py", "lines 1 to 7", 1, 1)
    assert (second.title, second.added, second.removed) == ("lines 26 to 31, def first():", 2, 1)
    assert second.diff.startswith("@@ -26,6 +26,7 @@")
    assert second.diff.endswith("\n     line 30\n")


async def test_chosen_parts_are_a_proposal_of_their_own_that_is_applied_alone(
    store: Store, workspace: Workspace, coordinator: Coordinator
) -> None:
    proposal = await three_parts(workspace, coordinator)
    make, first, _ = parts_of(proposal)
    await store.run(keep, proposal, "web:main")
    kept = await store.run(by_id, proposal.id)
    assert parts_of(kept) == parts_of(proposal)
    derived = await coordinator.pick(kept, [first.id], "Eve")
    assert (derived.derived_from, derived.author, derived.is_control_scope) == (proposal.id, "Eve", False)
    assert derived.id != proposal.id
    assert derived.digest != proposal.digest
    await store.run(keep, derived, "web:main")
    assert await store.run(by_id, derived.id) == derived
    assert (await coordinator.pick(kept, [make.id], "Eve")).is_control_scope
    assert isinstance(await coordinator.apply(workspace.root, derived, "Some", "Eve"), Applied)
    content = (workspace.root / "long.py").read_text()
    assert "third" in content
    assert "line 28" in content
    assert workspace.status == ""
    assert not (workspace.root / "Makefile").exists()


async def test_no_part_and_an_unknown_part_are_refused(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await three_parts(workspace, coordinator)
    with pytest.raises(Refused, match="no part was chosen"):
        await coordinator.pick(proposal, [], "Eve")
    with pytest.raises(Refused, match="has no part 'nonesuch'"):
        await coordinator.pick(proposal, ["nonesuch", parts_of(proposal)[0].id], "Eve")


async def test_a_part_that_takes_the_place_of_another_file_is_not_had_without_its_removal(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.git("rm", "-q", "README.md")
    workspace.write({"README.md/now/a/folder": b"x\n"})
    proposal = await coordinator.propose(workspace.patch(workspace.diff()))
    new = next(part for part in parts_of(proposal) if part.title == "new file")
    with pytest.raises(Refused, match=r"takes the place of 'README\.md'"):
        await coordinator.pick(proposal, [new.id], "Eve")


async def test_a_file_that_becomes_a_link_is_one_part(workspace: Workspace, coordinator: Coordinator) -> None:
    workspace.write({"README.md": None, "src/app.py": "def app():\n    return 2\n"})
    (workspace.root / "README.md").symlink_to("src/app.py")
    proposal = await coordinator.propose(workspace.patch(workspace.diff()))
    link, hunk = parts_of(proposal)
    assert (link.path, link.title) == ("README.md", "another type of file")
    assert {file.path for file in (await coordinator.pick(proposal, [link.id], "Eve")).files} == {"README.md"}
    assert {file.path for file in (await coordinator.pick(proposal, [hunk.id], "Eve")).files} == {"src/app.py"}


async def test_a_diff_that_is_not_of_the_two_trees_is_found_out(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await three_parts(workspace, coordinator)
    lies = replace(proposal, diff=proposal.diff.replace("@@ -26,6 +26,7 @@", "@@ -20,6 +20,7 @@"))
    with pytest.raises(Unavailable, match="not what its two trees make"):
        await coordinator.pick(lies, [parts_of(lies)[1].id], "Eve")
    with pytest.raises(Unavailable, match="cannot be read"):
        parts_of(replace(proposal, diff=proposal.diff + "diff --git a/x b/x\n"))
