"""A real git repository for every test."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from layers.coordination import Applied, Coordinator, Patch, Proposal
from tests.fakes.environment import QUIET


class Workspace:
    """A work tree and a person with a git of their own, who trusts it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def try_git(self, *arguments: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """How git ended, whichever way."""
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.root, env=QUIET, input=feed, capture_output=True, check=False, timeout=60
        )

    def git(self, *arguments: str, feed: bytes = b"") -> str:
        """What git prints."""
        ran = self.try_git(*arguments, feed=feed)
        ran.check_returncode()
        return ran.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def write(self, files: Mapping[str, bytes | str | None]) -> None:
        """Save files as an editor would; None deletes."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, bytes | str | None] | None = None, message: str = "more") -> str:
        """Commit everything; the commit."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def diff(self) -> str:
        """All that differs from HEAD, as a patch; the work tree and the index go back to HEAD."""
        self.git("add", "-A")
        ran = subprocess.run(
            ["git", "diff", "--cached", "--binary", "-M", "HEAD"],
            cwd=self.root,
            env=QUIET,
            capture_output=True,
            check=True,
        )
        self.git("reset", "-q", "--hard")
        self.git("clean", "-fdq")
        return ran.stdout.decode("utf-8", "surrogateescape")

    @property
    def status(self) -> str:
        """What an IDE shows as changed."""
        return self.git("status", "--porcelain", "--untracked-files=all")

    def patch(self, diff: str, base: str = "") -> Patch:
        return Patch(workspace=self.root, diff=diff, base=base, author="Ann")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One commit: README.md of ten lines, src/app.py, src/twice.txt with a block that occurs twice."""
    root = tmp_path / "ws"
    root.mkdir()
    made = Workspace(root)
    made.git("init", "-q", "-b", "main")
    made.commit(
        {
            "README.md": "".join(f"line {n}\n" for n in range(1, 11)),
            "src/app.py": "def app():\n    return 1\n",
            "src/twice.txt": "head\n" + "same\nblock\nhere\n" * 2 + "tail\n",
        },
        "first",
    )
    return made


@pytest.fixture
def coordinator() -> Coordinator:
    """With a clock that stands still: nothing but the proposal's id differs from run to run."""
    return Coordinator(clock=lambda: 1_800_000_000.0)


async def put(coordinator: Coordinator, workspace: Workspace, diff: str) -> Proposal:
    """Propose and apply, which must succeed and leave everything clean."""
    proposal = await coordinator.propose(workspace.patch(diff))
    outcome = await coordinator.apply(workspace.root, proposal, "A change", "Ann")
    assert isinstance(outcome, Applied), outcome
    assert outcome.left_alone == ()
    assert workspace.status == ""
    return proposal


README_PATCH = """\
--- a/README.md
+++ b/README.md
@@ -1,3 +1,3 @@
 line 1
-line 2
+line two
 line 3
"""
