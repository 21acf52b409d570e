"""Repositories to measure in, and a git of one's own to look into them with."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.fakes import environment

REPO = Path(__file__).parents[2]
QUIET = {
    **environment.QUIET,
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
"""The git of the tests, which looks into anybody's repository."""


def git_bytes(root: Path, *arguments: str, feed: bytes = b"", place: Mapping[str, str] | None = None) -> bytes:
    """What git prints.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=root, env={**QUIET, **(place or {})}, input=feed, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RuntimeError(f"git {arguments[0]} ended with {done.returncode}: {said[:300]}")
    return done.stdout


def git(root: Path, *arguments: str) -> str:
    """The same as text, without the last newline."""
    return git_bytes(root, *arguments).decode("utf-8", "surrogateescape").removesuffix("\n")


def make_workspace(root: Path, files: Mapping[str, str]) -> None:
    """A work tree of one commit."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")


def borrow(repository: Path, root: Path) -> None:
    """A clone that reads the repository's objects and writes only its own."""
    git(root.parent, "clone", "-q", "--shared", "--no-checkout", str(repository), str(root))
