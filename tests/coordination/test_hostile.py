"""Patches that want out of the tree, and repositories that want to run code. Nothing leaves, nothing runs."""

from __future__ import annotations

import base64
import os
import time
import zlib
from pathlib import Path

import pytest

from layers.coordination import Applied, Conflict, Coordinator
from layers.errors import BadInput, Refused
from tests.coordination.conftest import README_PATCH, Workspace


def new_file(path: str, content: str = "evil", mode: str = "100644") -> str:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{content}\n"
    )


def new_link(path: str, target: str) -> str:
    return new_file(path, target, "120000") + "\\ No newline at end of file\n"


def plain(path: str) -> str:
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+evil\n"


def copy_from(source: str, how: str = "copy") -> str:
    return f"diff --git a/x b/stolen\nsimilarity index 100%\n{how} from {source}\n{how} to stolen\n"


def edit(path: str, old: str, new: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


def packed(line: bytes) -> str:
    size = len(line)
    letter = chr(ord("A") + size - 1) if size <= 26 else chr(ord("a") + size - 27)
    return letter + base64.b85encode(line, pad=True).decode()


BOMB = zlib.compress(b"\x0a" + b"\x80\x80\x80\x80\x08" + b"\x90\x0a")  # from 10 bytes to two gigabytes
BINARY = f"diff --git a/{{0}} b/{{0}}\nindex {'0' * 39}1..{'1' * 40} 100644\nGIT binary patch\n"

HOSTILE = {
    "a parent folder": new_file("../outside/evil"),
    "a parent folder without git header": plain("../outside/evil"),
    "a parent folder inside": new_file("src/../../outside/evil"),
    "a parent folder, quoted": '--- /dev/null\n+++ "b/\\056\\056/outside/evil"\n@@ -0,0 +1 @@\n+evil\n',
    "an absolute path": "--- /dev/null\n+++ /tmp/evil\n@@ -0,0 +1 @@\n+evil\n",
    "an absolute path behind a prefix": plain("/tmp/evil"),
    "a drive letter": plain("C:/evil"),
    "a backslash": new_file("..\\outside\\evil"),
    "a dot": new_file("./evil"),
    "a double slash": new_file("src//evil"),
    "git's hooks": new_file(".git/hooks/post-commit", mode="100755"),
    "git's config": new_file(".git/config"),
    "git's folder in capitals": new_file(".GIT/config"),
    "git's short name": new_file("GIT~1/config"),
    "git's folder with a trailing dot": new_file(".git./config"),
    "git's folder with an ignorable": new_file(".g\u200cit/config"),
    "git's folder as a stream": new_file(".git::$INDEX_ALLOCATION/config"),
    "git's folder further down": new_file("src/.git/config"),
    "git's folder as a file": new_file(".git"),
    "a trailing space": new_file("evil "),
    "a control character": '--- /dev/null\n+++ "b/ev\\til"\n@@ -0,0 +1 @@\n+evil\n',
    "an escape character": '--- /dev/null\n+++ "b/ev\\033[2Jil"\n@@ -0,0 +1 @@\n+evil\n',
    "a NUL in a name": '--- /dev/null\n+++ "b/ev\\000il"\n@@ -0,0 +1 @@\n+evil\n',
    "a part of 256 bytes": new_file("x" * 256),
    "a path of 5,000 bytes": new_file("/".join(["x" * 99] * 50)),
    "a copy from outside": copy_from("../outside/secret"),
    "a copy from git's config": copy_from(".git/config"),
    "a copy of a secret": copy_from(".env"),
    "a rename of a secret": copy_from(".env", "rename"),
    "a secret": new_file(".env"),
    "a key": new_file("deploy/ID_RSA"),
    "a link to an absolute path": new_link("link", "/etc/passwd"),
    "a link upwards": new_link("link", "../outside"),
    "a link upwards from below": new_link("src/link", "../../outside"),
    "a link down and up": new_link("link", "src/../../outside"),
    "a link into git": new_link("link", ".git/config"),
    "an existing link turned outside": "diff --git a/inside b/inside\n--- a/inside\n+++ b/inside\n@@ -1 +1 @@\n"
    "-README.md\n\\ No newline at end of file\n+/etc/passwd\n\\ No newline at end of file\n",
    "a file below a link to outside": new_file("way/evil"),
    "an edit through a link to outside": edit("way/secret", "secret", "known"),
    "setuid": new_file("evil", mode="104755"),
    "a folder's mode": new_file("evil", mode="040000"),
    "a submodule": "diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1111111\n--- /dev/null\n+++ b/sub\n"
    "@@ -0,0 +1 @@\n+Subproject commit " + "1" * 40 + "\n",
    "a delete whose content differs": "--- a/src/app.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-def a():\n-    return 1\n",
    "a new file that exists": new_file("README.md"),
    "a second file that does not fit": README_PATCH + edit("src/app.py", "nothing like it", "x"),
    "a truncated hunk": README_PATCH.rpartition(" line 3\n")[0],
    "a hunk with more lines than counted": README_PATCH + "+line four\n",
    "two parts for one file": README_PATCH + README_PATCH,
    "names that differ": README_PATCH.replace("+++ b/README.md", "+++ b/src/app.py"),
    "a header that lies": README_PATCH.replace("--- a", "diff --git a/src/app.py b/src/app.py\n--- a", 1),
    "/dev/null twice": "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
    "numbers without end": README_PATCH.replace("-1,3", "-" + "9" * 400 + ",3"),
    "a binary without content": new_file("x").partition("---")[0] + "Binary files a/x and b/x differ\n",
    "a binary bomb": f"{BINARY.format('README.md')}delta 12\n{packed(BOMB)}\n\n",
    "a binary of a gigabyte": f"{BINARY.format('x')}literal 1073741824\nzcmV\n\n",
    "a patch of two megabytes": README_PATCH + " " * (2 << 20),
    "6,000 changed lines": "--- /dev/null\n+++ b/x\n@@ -0,0 +1,6000 @@\n" + "+x\n" * 6000,
    "129 files": "".join(plain(f"f{n}") for n in range(129)),
    "another format": "*** README.md\n--- README.md\n***************\n*** 1 ****\n! line 1\n--- 1 ----\n! x\n",
    "blocks out of the tree": "../x\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n",
    "V4A into git": "*** Begin Patch\n*** Add File: .git/hooks/pre-commit\n+x\n*** End Patch\n",
    "V4A over a file": "*** Begin Patch\n*** Add File: README.md\n+x\n*** End Patch\n",
    "half a surrogate": README_PATCH.replace("line two", "\ud800"),
    "a NUL": README_PATCH.replace("line two", "\0"),
    "nothing": "",
    "only a fence": "```\n```\n",
    "quotes that do not match": '--- "a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n',
}  # fmt: skip


@pytest.fixture
def outside(workspace: Workspace) -> Path:
    """A folder beside the workspace, a committed link to it, a committed link inside and a committed secret."""
    folder = workspace.root.parent / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret\n")
    (workspace.root / "way").symlink_to("../outside")
    (workspace.root / "inside").symlink_to("README.md")
    workspace.commit({".env": "TOKEN=1\n"})
    return folder


@pytest.mark.parametrize("case", HOSTILE)
async def test_it_is_refused_in_one_sentence_and_nothing_is_touched(
    case: str, workspace: Workspace, outside: Path, coordinator: Coordinator
) -> None:
    head = workspace.git("rev-parse", "HEAD")
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        await coordinator.propose(workspace.patch(HOSTILE[case]))
    text = str(caught.value)
    assert time.monotonic() - began < 5
    assert "\n" not in text
    assert 20 < len(text) < 500
    assert (workspace.status, workspace.git("rev-parse", "HEAD")) == ("", head)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret\n"
    assert not Path("/tmp/evil").exists()


SPY = "#!/bin/sh\ntouch {}\nexec cat\n"


async def test_a_repositorys_own_config_hooks_filters_and_drivers_never_run(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    trace = workspace.root.parent / "ran"
    spy = workspace.root.parent / "spy"
    spy.write_text(SPY.format(trace))
    spy.chmod(0o755)
    workspace.commit({".gitattributes": "* filter=evil diff=evil merge=evil text=auto\n"})
    hooks = workspace.root / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "reference-transaction",
        "post-index-change",
        "post-commit",
        "pre-commit",
        "post-checkout",
        "pre-auto-gc",
    ):
        (hooks / name).symlink_to(spy)
    (workspace.root / ".git/info").mkdir(exist_ok=True)
    (workspace.root / ".git/info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
    config = {
        "core.fsmonitor": spy, "filter.evil.clean": spy, "filter.evil.smudge": spy, "filter.evil.process": spy,
        "filter.evil.required": "true", "diff.external": spy, "diff.evil.command": spy, "diff.evil.textconv": spy,
        "merge.evil.driver": spy, "core.pager": spy, "core.editor": spy, "gpg.program": spy, "commit.gpgSign": "true",
        "log.showSignature": "true", "core.sshCommand": spy, "credential.helper": spy, "core.alternateRefsCommand": spy,
        "extensions.partialClone": "origin", "remote.origin.url": f"ext::{spy}", "remote.origin.promisor": "true",
        "core.attributesFile": workspace.root / ".gitattributes", "core.worktree": "/", "gc.auto": "1",
        "trace2.eventTarget": trace, "alias.apply": f"!{spy}", "core.autocrlf": "true", "diff.noprefix": "true",
    }  # fmt: skip
    with (workspace.root / ".git/config").open("a") as file:
        for name, value in config.items():
            section, _, rest = name.partition(".")
            middle, _, key = rest.rpartition(".")
            file.write(f'[{section} "{middle}"]\n' if middle else f"[{section}]\n")
            file.write(f'\t{key} = "{value}"\n')
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    await coordinator.was_applied(proposal)
    await coordinator.materialise(workspace.root)
    assert isinstance(outcome, Applied), outcome
    assert not trace.exists()
    assert (workspace.root / "README.md").read_bytes().startswith(b"line 1\nline two\n")


async def test_attributes_cannot_hide_a_change_from_the_shown_diff(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.commit({".gitattributes": "*.md -diff\n"})
    (workspace.root / ".git/info").mkdir(exist_ok=True)
    (workspace.root / ".git/info/attributes").write_text("* -diff\n")
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    assert "+line two" in proposal.diff


async def test_a_replaced_object_does_not_change_what_is_shown(workspace: Workspace, coordinator: Coordinator) -> None:
    fake = workspace.git("hash-object", "-w", "--stdin", feed=b"line 1\nline 2\nline 3\nnothing to see\n")
    workspace.git("replace", workspace.git("rev-parse", "HEAD:README.md"), fake)
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    assert "nothing to see" not in proposal.diff


async def test_a_folder_swapped_for_a_link_after_the_proposal_is_not_followed(
    workspace: Workspace, outside: Path, coordinator: Coordinator
) -> None:
    proposal = await coordinator.propose(workspace.patch(new_file("src/evil")))
    (workspace.root / "src").rename(workspace.root.parent / "moved")
    (workspace.root / "src").symlink_to("../outside")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "is a link or a file" in outcome.text
    assert [path.name for path in outside.iterdir()] == ["secret"]


async def test_a_fifo_in_the_way_does_not_hang(workspace: Workspace, coordinator: Coordinator) -> None:
    proposal = await coordinator.propose(workspace.patch(README_PATCH))
    (workspace.root / "README.md").unlink()
    os.mkfifo(workspace.root / "README.md")
    outcome = await coordinator.apply(workspace.root, proposal, "m", "Ann")
    assert isinstance(outcome, Conflict)
    assert "no plain file" in outcome.text


async def test_a_forged_trailer_does_not_pass_for_the_commit(workspace: Workspace, coordinator: Coordinator) -> None:
    victim = await coordinator.propose(workspace.patch(README_PATCH))
    other = await coordinator.propose(workspace.patch(edit("src/app.py", "def app():", "def application():")))
    outcome = await coordinator.apply(workspace.root, other, f"m\n\nProposal: {victim.id}\n", "Ann")
    assert isinstance(outcome, Applied)
    assert await coordinator.was_applied(victim) is None
    assert await coordinator.was_applied(other) == outcome.commit


async def test_garbage_is_told_with_its_line(workspace: Workspace, coordinator: Coordinator) -> None:
    lines = {
        "```diff\nhello\n```": 2,
        README_PATCH + "and this\n": 8,
        README_PATCH.replace("@@ -1,3 +1,3 @@", "@@ ... @@"): 3,
        README_PATCH.replace("-line 2", "line 2"): 5,
        "\n\n" + README_PATCH + "@@ -9 +9 @@\n-line 9\n": 12,
    }
    for text, line in lines.items():
        with pytest.raises(BadInput) as caught:
            await coordinator.propose(workspace.patch(text))
        assert caught.value.line == line, (text, str(caught.value))
        assert caught.value.expected
