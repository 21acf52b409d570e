"""`bulkhead patch propose`: the tree that a patch makes of its base, without a server; in a batch errors are data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.coordination.conftest import README_PATCH, Workspace
from tests.fakes.command import bulkhead


@pytest.fixture
def repository(tmp_path: Path) -> Workspace:
    """Two commits of one file."""
    (tmp_path / "ws").mkdir()
    made = Workspace(tmp_path / "ws")
    made.git("init", "-q", "-b", "main")
    made.commit({"README.md": "".join(f"line {n}\n" for n in range(1, 11))}, "first")
    made.commit({"café.txt": b"\xff\n"}, "second")
    return made


def propose(repository: Workspace, *options: str, stdin: str = "") -> tuple[int, str]:
    done = bulkhead("patch", "propose", "--workspace", str(repository.root), *options, stdin=stdin)
    return done.returncode, done.stdout


def test_a_dry_run_gives_gits_own_tree_and_writes_nothing(repository: Workspace) -> None:
    repository.write({"café.txt": b"\xfe\n", "new.txt": "new\n"})
    diff, head = repository.diff(), repository.git("rev-parse", "HEAD")
    (repository.root.parent / "change.diff").write_bytes(diff.encode("utf-8", "surrogateescape"))
    refs = repository.git("for-each-ref")
    options = ("--base", head, "--diff", str(repository.root.parent / "change.diff"), "--dry-run")
    code, out = propose(repository, *options, "--json")
    told = json.loads(out)
    assert (code, told["state"], told["refusal"]) == (0, "validated", None)
    assert [(file["status"], file["path"]) for file in told["files"]] == [("M", "café.txt"), ("A", "new.txt")]
    assert (repository.status, repository.git("for-each-ref")) == ("", refs)
    words = ["tree", told["result_tree"], "M", '"café.txt"', "+1", "-1", "A", '"new.txt"', "+1", "-0"]
    assert propose(repository, *options)[1].split() == words
    repository.write({"café.txt": b"\xfe\n", "new.txt": "new\n"})
    repository.commit()
    assert repository.git("rev-parse", "HEAD^{tree}") == told["result_tree"]


def test_in_a_batch_every_line_has_its_answer_in_order(repository: Workspace) -> None:
    lines = [
        {"base": "HEAD", "diff": README_PATCH},
        {"base": "HEAD~1", "diff": README_PATCH},
        {"base": "HEAD", "diff": README_PATCH.replace("line 3", "line four")},
        {"base": "HEAD", "diff": "no patch"},
        {"base": "HEAD", "diff": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\ud800\n+b\n"},
        {"base": "nonesuch", "diff": README_PATCH},
        {"diff": README_PATCH},
        {"base": "HEAD"},
        ["no object"],
    ]
    code, out = propose(repository, "--batch", "-", stdin="\n".join([*map(json.dumps, lines), "{"]))
    fits, older, *wrong = map(json.loads, out.splitlines())
    assert (code, fits["ok"], older["ok"]) == (0, True, True)
    assert fits["result_tree"] != older["result_tree"]
    assert fits["files"] == older["files"]
    assert [(told["state"], told["result_tree"], told["files"]) for told in wrong] == [("refused", None, [])] * 8
    for told, reason in zip(
        wrong,
        ("does not have the lines", "", "broken character", "names no commit", "names no base", "no strings",
         "no strings", "is not JSON"),
        strict=True,
    ):  # fmt: skip
        assert reason in told["refusal"]


def test_what_keeps_every_patch_from_being_tried_is_an_error_and_one_refused_patch_is_an_answer(
    repository: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    refused = bulkhead("patch", "propose", "--workspace", str(tmp_path / "empty"), "--batch", "-", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["ok"]) == (2, False)
    assert propose(repository, "--diff", "-", "--json")[0] == 2
    code, out = propose(repository, "--diff", "-", "--dry-run", stdin=README_PATCH)
    assert (code, out) == (1, "refused: the patch names no base; say which commit it was made on\n")


def test_a_batch_takes_every_format_and_each_makes_the_same_tree(repository: Workspace) -> None:
    diffs = [
        "--- a/README.md\n+++ b/README.md\n@@ -3 +3 @@\n-line 3\n+line three\n",
        "*** Begin Patch\n*** Update File: README.md\n@@\n line 2\n-line 3\n+line three\n*** End Patch",
        "README.md\n<<<<<<< SEARCH\nline 3\n=======\nline three\n>>>>>>> REPLACE",
    ]
    lines = "\n".join(json.dumps({"base": "HEAD", "diff": diff}) for diff in diffs)
    told = [json.loads(line) for line in propose(repository, "--batch", "-", stdin=lines)[1].splitlines()]
    repository.commit({"README.md": "".join(f"line {n if n != 3 else 'three'}\n" for n in range(1, 11))})
    assert [each["result_tree"] for each in told] == [repository.git("rev-parse", "HEAD^{tree}")] * 3
