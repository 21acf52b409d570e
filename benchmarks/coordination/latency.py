"""Milliseconds to propose and to apply three files of a thousand, beside the bare git commands that the same takes."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.coordination.ground import git, git_bytes, make_workspace
from benchmarks.figures import p95
from benchmarks.section import Measured, missed
from layers.coordination import Applied, Coordinator, Patch
from layers.store import open_store

FILES = 1000
TOUCHED = (1, 2, 3)


def latency(folder: Path, is_quick: bool) -> Measured:
    """On SQLite as the server has it, journalled and under a lease; each beside its floor, one after the other."""
    took = asyncio.run(timed(folder, 20 if is_quick else 300))
    commit, propose, bare_commit, bare_propose = (sorted(values) for values in took)
    figures = {
        "commit_ms": {"p50": middle(commit), "p95": round(p95(commit), 1), "bare_git_p50": middle(bare_commit)},
        "propose_ms": {"p50": middle(propose), "p95": round(p95(propose), 1), "bare_git_p50": middle(bare_propose)},
    }
    claims = {
        f"commit p50 {middle(commit)} ms is at most 40 ms": middle(commit) <= 40,
        f"commit p95 {p95(commit):.1f} ms is at most 100 ms": p95(commit) <= 100,
        f"propose p50 {middle(propose)} ms is at most 30 ms": middle(propose) <= 30,
    }
    return Measured(printed=figures, misses=missed(claims))


def middle(values: list[float]) -> float:
    """The median, to a tenth."""
    return round(statistics.median(values), 1)


def name_of(number: int) -> str:
    """Of the file so numbered."""
    return f"d{number % 20}/f{number}.txt"


def diff_of(turn: int) -> str:
    """The first line of each touched file, once more another."""
    parts = []
    for number in TOUCHED:
        name, before = name_of(number), f"v{turn - 1}" if turn else str(number)
        parts.append(f"--- a/{name}\n+++ b/{name}\n@@ -1,2 +1,2 @@\n-{before}\n+v{turn}\n {number}\n")
    return "".join(parts)


async def timed(folder: Path, count: int) -> tuple[list[float], list[float], list[float], list[float]]:
    """Milliseconds: commit, propose, bare commit, bare propose."""
    root, bare = folder / "workspace", folder / "bare"
    root.mkdir()
    make_workspace(root, {name_of(n): f"{n}\n" * 20 for n in range(FILES)})
    shutil.copytree(root, bare)
    git(bare, "status")  # the copy's index is brought up to date
    store = await open_store(f"sqlite:///{folder / 'b.db'}")
    coordinator = Coordinator(store)
    took: tuple[list[float], list[float], list[float], list[float]] = ([], [], [], [])
    for turn in range(count + 1):
        diff = diff_of(turn)
        began = time.perf_counter()
        proposal = await coordinator.propose(Patch(workspace=root, diff=diff, author="bench"))
        proposed = time.perf_counter()
        outcome = await coordinator.apply(root, proposal, "bench", "bench")
        ended = time.perf_counter()
        if not isinstance(outcome, Applied):
            raise RuntimeError(outcome.text)
        floors = (
            milliseconds(partial(commit_bare, bare, diff_of(turn))),
            milliseconds(partial(propose_bare, bare, diff_of(turn + 1))),
        )
        if turn:  # the first one warms up
            spans = ((ended - proposed) * 1e3, (proposed - began) * 1e3, *floors)
            for values, value in zip(took, spans, strict=True):
                values.append(value)
    await store.close()
    return took


def milliseconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e3


def propose_bare(root: Path, diff: str) -> tuple[str, str]:
    """The tree that a diff makes, in an index of its own, and what git shows of it: what no proposal can do without."""
    place = {"GIT_INDEX_FILE": str(root / ".git" / "bare-index")}
    git_bytes(root, "read-tree", "HEAD", place=place)
    git_bytes(root, "apply", "--cached", "-", feed=diff.encode(), place=place)
    tree = git_bytes(root, "write-tree", place=place).decode().strip()
    git_bytes(root, "diff-tree", "-r", "-p", "--raw", "HEAD", tree)
    return tree, git(root, "rev-parse", "HEAD")


def commit_bare(root: Path, diff: str) -> None:
    """A commit of it on the branch, files and index written: what git itself does for `git apply --index; commit`."""
    git_bytes(root, "apply", "--index", "-", feed=diff.encode())
    tree = git(root, "write-tree")
    head = git(root, "rev-parse", "HEAD")
    commit = git(root, "commit-tree", "-m", "bench", "-p", head, tree)
    git(root, "update-ref", "refs/heads/main", commit, head)
