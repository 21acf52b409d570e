"""The pure rules: tables, and a reader that is never surprised."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from layers.coordination import FileChange, Proposal, summary_markdown
from layers.coordination.rules import check_link, check_path, code, control_reason, read, visible
from layers.errors import BadInput, Refused
from tests.coordination.conftest import README_PATCH
from tests.fakes.environment import QUIET


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "a/b.c",
        ".gitignore",
        ".github/x.yml",
        "git/x",
        "x.git",
        "id_generator.py",
        ".env.example",
        "naïve",
        "environment",
        "src/...rest",
        "keys.py",
        "ab:c",
        "...x",
    ],
)
def test_ordinary_paths_pass(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/x",
        "a//b",
        "a/",
        "./a",
        "../a",
        "a/..",
        "a\\b",
        "a\nb",
        "a\x7fb",
        ".git",
        "a/.Git/x",
        "git~1",
        ".git /x",
        "...",
        "x.",
        "x ",
        "c:\\x",
        "C:x",
        ".env",
        "a/.ENV.local",
        "x.pem",
        "x.KEY",
        "id_rsa.pub",
        "credentials.json",
        ".netrc",
    ],
)
def test_paths_that_leave_hide_or_hold_secrets_are_refused(path: str) -> None:
    with pytest.raises(Refused):
        check_path(path)


@pytest.mark.parametrize(("path", "target"), [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d/e"), ("a", "b/c/d")])
def test_links_inside_pass(path: str, target: str) -> None:
    check_link(path, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [("a", ""), ("a", "/b"), ("a", ".."), ("a", "../a"), ("a/b", "../../c"), ("a/b/c", "d/../../e"), ("a", ".GIT")],
)
def test_links_that_leave_are_refused(path: str, target: str) -> None:
    with pytest.raises(Refused):
        check_link(path, target)


@pytest.mark.parametrize(
    ("path", "flagged"),
    [
        ("Makefile", True),
        ("sub/makefile", True),
        (".github/workflows/x.yml", True),
        ("run.sh", True),
        ("tests/conftest.py", True),
        ("pyproject.toml", True),
        ("package.json", True),
        (".vscode/tasks.json", True),
        ("hooks/pre-commit", True),
        ("src/hooks/useState.ts", False),
        ("src/app.py", False),
        ("README.md", False),
        ("shell.md", False),
    ],
)
def test_files_that_run_code_are_flagged(path: str, flagged: bool) -> None:
    assert bool(control_reason(path)) == flagged


def proposal(diff: str = "diff\n", **file: object) -> Proposal:
    fields: dict[str, object] = {
        "path": "a", "old_path": "a", "status": "M", "old_mode": "100644", "new_mode": "100644", "old_oid": "1" * 40,
        "new_oid": "2" * 40, "added": 1, "removed": 2,
    }  # fmt: skip
    change = FileChange(**{**fields, **file})  # type: ignore[arg-type]
    return Proposal(
        id="p", workspace=Path("/w"), branch="refs/heads/main", base_commit="c" * 40, base_tree="b" * 40,
        author="Ann *x*", result_tree="d" * 40, diff=diff, files=(change,), proposed_at=1,
    )  # fmt: skip


def test_the_card_says_who_what_and_which_trees() -> None:
    text = summary_markdown(
        proposal(path="Makefile", old_path="old", status="R", control="make runs it", new_mode="100755")
    )
    assert text.startswith("**Patch** by Ann \\*x\\* on `main`: 1 file, +1 -2\n")
    line = "- `old` to `Makefile`, +1 -2, renamed, mode 100644 to 100755, **control scope: make runs it**\n"
    assert line in text
    assert "Tree `bbbbbbbbbb` becomes `dddddddddd`, commit `cccccccccc`." in text


def test_a_long_diff_is_cut_at_sixty_lines_and_the_rest_is_counted() -> None:
    text = summary_markdown(proposal("+x\n" * 75))
    assert text.count("+x\n") == 60
    assert "15 more lines of the diff not shown here." in text


@given(st.text(alphabet=st.sampled_from("`~ab\n\r\u202e+"), max_size=80))
def test_nothing_breaks_out_of_the_fence_or_the_code_span(content: str) -> None:
    lines = summary_markdown(proposal(content)).split("\n")
    fence = next(line for line in lines if line.startswith("```")).removesuffix("diff")
    assert [line.strip() for line in lines].count(fence) == 1
    assert "\u202e" not in "\n".join(lines)
    span = code(content)
    ticks = span[: len(span) - len(span.lstrip("`"))]
    assert ticks not in span[len(ticks) : -len(ticks)].replace("`" * (len(ticks) + 1), "")


def test_what_hides_is_shown() -> None:
    assert visible("a\u202eb\x1bc\udce9") == "a<U+202E>b<U+001B>c<U+DCE9>"


@pytest.mark.parametrize("hidden", ["\u00ad", "\u3164", "\ufe0f", "\U000e0041", "\U000e0101", "\u206a"])
def test_what_is_drawn_as_nothing_is_shown(hidden: str) -> None:
    assert visible(f"a{hidden}b") == f"a<U+{ord(hidden):04X}>b"


def test_the_reader_keeps_names_lines_and_the_blob_it_expects() -> None:
    text = (
        'diff --git "a/caf\\303\\251" "b/caf\\303\\251"\nindex 12345678..abcdef12 100644\n--- "a/caf\\303\\251"\n'
        '+++ "b/caf\\303\\251"\n@@ -2,2 +2,2 @@ def\n x\n-y\n+z\n'
    )
    file = read(text).files[0]
    assert (file.old, file.new, file.expects) == ("café", "café", "12345678")
    assert (file.hunks[0].line, file.hunks[0].before, file.hunks[0].added) == (5, ("x", "y"), 1)


PIECES = [
    "diff --git a/x b/x\n",
    "diff --git a/x b/y\n",
    'diff --git "a/\\303" b/z\n',
    "index 1111111..2222222 100644\n",
    "new file mode 100644\n",
    "deleted file mode 100644\n",
    "old mode 100644\n",
    "new mode 100755\n",
    "rename from x\n",
    "rename to y\n",
    "copy from x\n",
    "copy to y\n",
    "similarity index 90%\n",
    "--- a/x\n",
    "+++ b/x\n",
    "--- /dev/null\n",
    "+++ /dev/null\n",
    "@@ -1 +1 @@\n",
    "@@ -1,2 +1,3 @@\n",
    "@@ -0,0 +1 @@\n",
    " one\n",
    "-one\n",
    "+two\n",
    "\n",
    "\\ No newline\n",
    "GIT binary patch\n",
    "literal 3\n",
    "delta 9\n",
    "zcmV\n",
    "Kcmb\n",
    "-- \n",
    "```\n",
    "```diff\n",
    "\r\n",
    "2.39\n",
    "+++ ../x\n",
]


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.text(max_size=200)))
@example("--- a/x\n+++ b/x\n@@ -1,0 +1,0 @@\n")
@example("diff --git a/x b/x\nrename from x\n")
def test_any_text_is_either_read_or_refused_in_one_sentence(text: str) -> None:
    refusal: Refused | None = None
    try:
        reading = read(text)
    except Refused as error:
        refusal = error
    if refusal is not None:
        assert "\n" not in str(refusal)
        assert not isinstance(refusal, BadInput) or refusal.line <= text.count("\n") + 2
        return
    assert reading.files
    assert all(file.old or file.new for file in reading.files)
    for path in reading.paths:
        check_path(path)
    assert read(reading.text).paths == reading.paths


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["", "\n", " ", "-", "+", "@", "\\", "../", "x"])), max_size=4
    )
)
def test_what_the_reader_accepts_git_reads_as_the_same_files(edits: list[tuple[int, str]]) -> None:
    text = (
        "diff --git a/z b/z\nold mode 100644\nnew mode 100755\n"
        + README_PATCH
        + "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
    )
    for at, insert in edits:
        text = text[: at % len(text)] + insert + text[at % len(text) + 1 :]
    try:
        reading = read(text)
    except Refused:
        return
    command = ["git", "apply", f"-p{reading.strip}", "--numstat", "-z", "-"]
    feed = reading.text.encode("utf-8", "surrogateescape")
    with TemporaryDirectory() as folder:
        ran = subprocess.run(command, input=feed, cwd=folder, env=QUIET, capture_output=True, timeout=10, check=False)
    if ran.returncode == 0:
        seen = {record.split("\t")[2] for record in ran.stdout.decode("utf-8", "surrogateescape").split("\0") if record}
        assert seen <= set(reading.paths), (reading.text, seen)
