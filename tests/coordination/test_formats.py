"""Search/replace blocks, V4A patches and whole files: what each comes to, and that nothing is guessed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.coordination import ABSENT, Coordinator, Patch, Unmergeable, WholeFile
from layers.coordination.rules import Edits, Reading, check_places, edited, understand
from layers.errors import BadInput, Refused
from tests.coordination.conftest import Workspace

BLOCK = "app.py\n<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n"
V4A = "*** Begin Patch\n{}\n*** End Patch\n"
UPDATE = V4A.format("*** Update File: app.py\n{}")
APP = b"import os\n\n\nclass A:\n    def f(self):\n        return 1\n\n\nclass B:\n    def f(self):\n        return 1\n"


def made_of(text: str, content: bytes) -> bytes:
    """What the only file of a change becomes."""
    edits = understand(text)
    assert isinstance(edits, Edits)
    (file,) = edits.files
    return edited(file, content)


@pytest.mark.parametrize(
    ("text", "content", "result"),
    [
        (BLOCK.format("import os", "import sys"), APP, APP.replace(b"os", b"sys")),
        ("`app.py`\n```python\n" + BLOCK.format("b", "c").removeprefix("app.py\n") + "```\n", b"a\nb\n", b"a\nc\n"),
        (BLOCK.format("a", "1") + BLOCK.format("b", "2").removeprefix("app.py\n"), b"a\nb\n", b"1\n2\n"),
        (BLOCK.format("b", "c"), b"a\nb", b"a\nc\n"),
        (BLOCK.format("a", "c"), b"a\nb", b"c\nb"),
        ("t\n<<<<<<<<< SEARCH\n=======\n=========\nx\n>>>>>>>>> REPLACE", b"a\n=======\n", b"a\nx\n"),
        (UPDATE.format("@@ class B:\n     def f(self):\n-        return 1\n+        return 2"), APP,
         APP[:-2] + b"2\n"),
        (UPDATE.format("@@ class A:\n@@ import os"), APP, None),
        (UPDATE.format("@@\n-b\n+c\n*** End of File"), b"b\nb\n", b"b\nc\n"),
        (UPDATE.format("+c\n*** End of File"), b"a\nb", b"a\nb\nc\n"),
        (UPDATE.format("-a\n-b"), b"a\nb\n", b""),
        (UPDATE.format("@@\n a\n\n-b\n+c"), b"a\n\nb\n", b"a\n\nc\n"),
        (UPDATE.format("@@\n *** End of File\n-b"), b"*** End of File\nb\n", b"*** End of File\n"),
        (UPDATE.format("@@\n-a\r\n+b\r\n z"), b"a\r\nz\n", b"b\r\nz\n"),
    ],
)  # fmt: skip
def test_lines_that_a_file_has_once_become_the_others(text: str, content: bytes, result: bytes | None) -> None:
    if result is None:
        with pytest.raises(BadInput):
            made_of(text, content)
    else:
        assert made_of(text, content) == result


@pytest.mark.parametrize(
    ("text", "content", "why"),
    [
        (BLOCK.format("    def f(self):", "    def g(self):"), APP, "more than one place"),
        (UPDATE.format("@@ class A:\n-        return 1"), APP, "more than one place"),
        (UPDATE.format("@@     def f(self):\n-        return 1"), APP, "more than once"),
        (UPDATE.format("@@ class C:\n-        return 1"), APP, "is not in"),
        (BLOCK.format("import  os", "import sys"), APP, "does not have the lines"),
        (BLOCK.format("a", "b"), b"a\r\n", "CR LF"),
        (BLOCK.format("mport os", "x"), APP, "does not have the lines"),
        (UPDATE.format("@@\n+x"), APP, "no line of"),
        (BLOCK.format("a\nb", "1") + BLOCK.format("b\nc", "2"), b"a\nb\nc\n", "meets another"),
    ],
)
def test_what_fits_nowhere_or_twice_is_refused(text: str, content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        made_of(text, content)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "no path"),
        ("app.py\n<<<<<<< SEARCH\na\n=======\nb\n", "ends the block"),
        (BLOCK.format("a\n=======", "b"), "more than once"),
        ("app.py\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE", "is missing"),
        ("Here you are:\napp.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "has no block"),
        (BLOCK.format("a", "b") + "done", "no block follows"),
        ("app.py\n<<<<<<< SEARCH\na\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE", "another block begins"),
        ("../x\n" + BLOCK.format("a", "b").removeprefix("app.py\n"), "leaves or restates"),
        (".git/hooks/x\n" + BLOCK.format("a", "b").removeprefix("app.py\n"), "git's own folder"),
        ("*** Begin Patch\n*** End Patch", "no file"),
        ("*** Begin Patch\n*** Add File: a\n+b", "end of the patch"),
        (V4A.format("*** Frobnicate File: a"), "belongs to no file"),
        (V4A.format("*** Add File: a\n+x\n*** Delete File: a"), "two parts"),
        (V4A.format("*** Add File: .env\n+x"), "holds secrets"),
        (V4A.format("*** Update File: a"), "nothing is said to change"),
        (V4A.format("*** Update File: a\n@@\n*** End of File"), "no lines"),
        (V4A.format("*** Delete File: a") + "+more", "has ended"),
        (V4A.format("".join(f"*** Delete File: {n}\n" for n in range(129))), "more than 128"),
        (BLOCK.format("a", "b\n" * 5001), "is the limit"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        understand(text)


PIECES = st.sampled_from(
    ["<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "*** Begin Patch", "*** End Patch", "*** Update File: a",
     "*** Add File: b", "*** Delete File: c", "*** Move to: d", "*** End of File", "@@", "@@ a", " a", "-a", "+b", "a",
     "", "```", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "diff --git a/x b/x", "\udcff", "\x00", "\r", " *** End Patch "]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=30), st.binary(max_size=60), st.booleans())
def test_no_text_ends_in_anything_but_a_result_or_a_refusal(pieces: list[str], content: bytes, is_v4a: bool) -> None:
    text = "\n".join(["*** Begin Patch"] * is_v4a + pieces + ["*** End Patch"] * is_v4a)
    with contextlib.suppress(Refused):
        edits = understand(text)
        if isinstance(edits, Edits):
            for file in edits.files:
                edited(file, content)


LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"  a", b"\xff", b"d\r"]), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(LINES, st.data())
def test_a_block_changes_exactly_its_lines_or_is_refused(lines: list[bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(start + 1, len(lines)))
    content = b"\n".join(lines) + b"\n"
    before = b"\n".join(lines[start:end]).decode("utf-8", "surrogateescape")
    places = [n for n in range(len(lines)) if lines[n : n + end - start] == lines[start:end]]
    text = UPDATE.format("@@\n" + "\n".join(f"-{line}" for line in before.split("\n")) + "\n+new")
    if len(places) == 1:
        assert made_of(text, content) == b"\n".join([*lines[:start], b"new", *lines[end:]]) + b"\n"
    else:
        with pytest.raises(Refused, match="more than one place"):
            made_of(text, content)


async def test_every_format_makes_the_tree_that_git_makes(workspace: Workspace) -> None:
    base = workspace.commit({"app.py": APP, "old.txt": "old\n", "run": "#!/bin/sh\n"}, "base")
    workspace.git("update-index", "--chmod=+x", "run")
    workspace.git("commit", "-q", "-m", "mode")
    base = workspace.git("rev-parse", "HEAD")
    workspace.git("reset", "-q", "--hard")
    made = {"app.py": APP.replace(b"os", b"sys"), "old.txt": None, "sub/new.txt": "new\n", "run": "#!/bin/bash\n"}
    workspace.write(made)
    diff = workspace.diff()
    oids = {name: workspace.git("rev-parse", f"{base}:{name}") for name in ("app.py", "old.txt", "run")}
    v4a = V4A.format(
        "*** Update File: app.py\n@@\n-import os\n+import sys\n*** Delete File: old.txt\n"
        "*** Add File: sub/new.txt\n+new\n*** Update File: run\n-#!/bin/sh\n+#!/bin/bash"
    )
    whole = tuple(
        WholeFile(path=name, expects=oids.get(name, ABSENT),
                  content=None if text is None else text if isinstance(text, bytes) else text.encode())
        for name, text in made.items()
    )  # fmt: skip
    coordinator = Coordinator()
    told = [
        await coordinator.rehearse(Patch(workspace=workspace.root, base=base, author="Ann", diff=text, whole=files))
        for text, files in ((diff, ()), (v4a, ()), ("", whole))
    ]
    workspace.commit(made)
    tree = workspace.git("rev-parse", "HEAD^{tree}")
    assert [each.result_tree for each in told] == [tree] * 3
    assert told[0].diff == told[1].diff == told[2].diff


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (V4A.format("*** Add File: app.py\n+x"), "already there"),
        (V4A.format("*** Update File: app.py\n*** Move to: other.py"), "already there"),
        (V4A.format("*** Update File: none.py\n-a"), "has no file"),
        (V4A.format("*** Delete File: folder"), "has no file"),
        (V4A.format("*** Add File: app.py/x\n+x"), "take the place of"),
        (V4A.format("*** Add File: folder\n+x"), "take the place of"),
        (V4A.format("*** Update File: link\n-app.py\n+x"), "no plain file"),
    ],
)
async def test_nothing_is_replaced_that_the_patch_does_not_name(workspace: Workspace, text: str, why: str) -> None:
    (workspace.root / "link").symlink_to("app.py")
    workspace.commit({"app.py": APP, "other.py": "x\n", "folder/a": "a\n"})
    with pytest.raises(Refused, match=why):
        await Coordinator().propose(workspace.patch(text))


async def test_a_whole_file_says_which_version_it_replaces(workspace: Workspace) -> None:
    workspace.commit({"app.py": APP})
    was = workspace.git("rev-parse", "HEAD:app.py")
    workspace.commit({"app.py": b"other\n"})

    async def send(expects: str) -> None:
        whole = (WholeFile(path="app.py", expects=expects, content=b"x\n"),)
        await Coordinator().propose(Patch(workspace=workspace.root, whole=whole, author="Ann"))

    for expects, why in (("", "names no version"), (was, "was made on"), (ABSENT, "already there")):
        with pytest.raises(Refused, match=why):
            await send(expects)
    await send(workspace.git("rev-parse", "HEAD:app.py"))


async def test_a_block_of_an_older_base_is_merged_or_comes_back_with_its_versions(workspace: Workspace) -> None:
    base = workspace.commit({"app.py": APP})
    workspace.commit({"app.py": APP.replace(b"return 1", b"return 3")})
    proposal = await Coordinator().propose(workspace.patch(BLOCK.format("import os", "import sys"), base))
    assert "+import sys" in proposal.diff
    clash = UPDATE.format("@@ class B:\n     def f(self):\n-        return 1\n+        return 2")
    with pytest.raises(Unmergeable):
        await Coordinator().propose(workspace.patch(clash, base))


def test_a_moved_hunk_of_blank_lines_in_a_file_of_blank_lines_is_looked_for_once() -> None:
    blank = 4_000
    reading = understand(f"--- a/x\n+++ b/x\n@@ -9,{blank + 1} +9,{blank} @@\n" + " \n" * blank + "-end\n")
    assert isinstance(reading, Reading)
    (file,) = reading.files
    check_places(file, b"\n" * 500_000 + b"end\n")
    with pytest.raises(Refused, match="more than one place"):
        check_places(file, (b"\n" * 250_000 + b"end\n") * 2)


def test_more_moved_hunks_than_can_be_looked_for_are_refused() -> None:
    hunks = "".join(f"@@ -{n},2 +{n},1 @@\n a\n-b\n" for n in range(1, 400, 4))
    reading = understand(f"--- a/x\n+++ b/x\n{hunks}")
    assert isinstance(reading, Reading)
    with pytest.raises(Refused, match="too many moved hunks"):
        check_places(reading.files[0], b"c\n" * 2_000_000)
