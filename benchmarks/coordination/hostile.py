"""Patches that want out of the tree and patches that make no sense, in a repository that wants to run code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.coordination.ground import git, make_workspace
from benchmarks.section import Measured, missed
from layers.coordination import Applied, Coordinator, Patch, Proposal
from layers.errors import Refused
from tests.coordination.conftest import README_PATCH
from tests.coordination.test_hostile import HOSTILE

FUZZED, QUICK_FUZZED = 10_000, 150
HANG_S = 2.0
GIVEN_UP_S = 20.0
EVIL = ("../outside/evil", "/tmp/bulkhead-evil", ".git/config", ".git/hooks/post-commit", "way/evil", ".env", "a\\b")
ODD = (0, 9, 27, 92, 0x202E, 0xDCE9, 48, 43, 45)
FILES = {
    "README.md": "".join(f"line {n}\n" for n in range(1, 11)),
    "src/app.py": "def app():\n    return 1\n",
    "src/twice.txt": "head\n" + "same\nblock\nhere\n" * 2 + "tail\n",
    ".gitattributes": "* filter=evil diff=evil merge=evil text=auto\n",
    ".env": "TOKEN=1\n",
}
SPIES = ("post-index-change", "reference-transaction", "post-commit", "pre-commit", "post-checkout", "pre-auto-gc")
SPIED = (
    "core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.external",
    "diff.evil.command", "diff.evil.textconv", "merge.evil.driver", "core.pager", "core.sshCommand",
)  # fmt: skip
SEEDS = (
    README_PATCH,
    README_PATCH + "--- a/src/app.py\n+++ b/src/app.py\n@@ -1,2 +1,2 @@\n def app():\n-    return 1\n+    return 2\n",
    "--- /dev/null\n+++ b/new/file.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n",
    "--- a/src/twice.txt\n+++ b/src/twice.txt\n@@ -2,3 +2,3 @@\n same\n-block\n+brick\n here\n",
    "diff --git a/src/app.py b/src/main.py\nsimilarity index 100%\nrename from src/app.py\nrename to src/main.py\n",
    "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+src/app.py\n"
    "\\ No newline at end of file\n",
    "src/app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n",
    "*** Begin Patch\n*** Update File: src/app.py\n@@ def app():\n-    return 1\n+    return 2\n"
    "*** Add File: new/file.txt\n+one\n*** End Patch\n",
    "*** Begin Patch\n*** Delete File: src/twice.txt\n*** Update File: src/app.py\n*** Move to: src/main.py\n"
    "@@\n def app():\n-    return 1\n+    return 3\n*** End Patch\n",
)


@dataclass(slots=True, kw_only=True)
class Ground:
    """The workspace, what is beside it, and what has been found out."""

    root: Path
    outside: Path
    trace: Path
    """A file that exists once code of the repository has run."""
    coordinator: Coordinator = field(default_factory=Coordinator)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("escapes", "code_run", "hangs", "half_applied"), 0)
    )
    applied: int = 0
    refused: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)

    def see(self) -> Mapping[str, bytes]:
        """Everything in the work tree."""
        found = {}
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root)
            if ".git" in name.parts or not (path.is_symlink() or path.is_file()):
                continue
            found[str(name)] = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        return found


def hostile(folder: Path, is_quick: bool) -> Measured:
    """Each is proposed; what is not refused is applied, and must then be wholly there and nothing else."""
    ground = prepare(folder)
    rng = random.Random(30)
    cases = list(HOSTILE.values()) + [fuzzed(rng) for _ in range(QUICK_FUZZED if is_quick else FUZZED)]
    asyncio.run(pose_all(ground, cases))
    printed = {**ground.counts, "posed": len(cases), "refused": ground.refused, "applied": ground.applied}
    claims = {f"{count} of {name}": not count for name, count in ground.counts.items()}
    return Measured(printed={"hostile": printed}, misses=missed(claims))


def prepare(folder: Path) -> Ground:
    """A workspace with a link to the outside, and a spy wherever git can be told to run something."""
    ground = Ground(root=folder / "workspace", outside=folder / "outside", trace=folder / "ran")
    ground.root.mkdir()
    ground.outside.mkdir()
    (ground.outside / "secret").write_text("secret\n")
    (ground.root / "way").symlink_to("../outside")
    (ground.root / "inside").symlink_to("README.md")
    make_workspace(ground.root, FILES)
    spy = folder / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {ground.trace}\nexec cat\n")
    spy.chmod(0o755)
    hooks = ground.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in SPIES:
        (hooks / name).symlink_to(spy)
    for name in SPIED:
        git(ground.root, "config", name, str(spy))
    ground.trace.unlink(missing_ok=True)  # our own git may have asked fsmonitor
    ground.files = ground.see()
    return ground


async def pose_all(ground: Ground, cases: list[str]) -> None:
    """One after the other."""
    for case in cases:
        began = time.monotonic()
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                await pose(ground, case)
        except TimeoutError:
            ground.counts["hangs"] += 1
        else:
            ground.counts["hangs"] += time.monotonic() - began > HANG_S
        look(ground)


async def pose(ground: Ground, case: str) -> None:
    """Propose it, and apply what was not refused."""
    try:
        proposal = await ground.coordinator.propose(Patch(workspace=ground.root, diff=case, author="evil"))
    except Refused:
        ground.refused += 1
        ground.counts["half_applied"] += ground.see() != ground.files
        return
    before = ground.files
    outcome = await ground.coordinator.apply(ground.root, proposal, "evil", "evil")
    ground.files = ground.see()
    if not isinstance(outcome, Applied) or outcome.left_alone:
        ground.refused += 1
        ground.counts["half_applied"] += ground.files != before
        return
    ground.applied += 1
    touched = {name for name in {*before, *ground.files} if before.get(name) != ground.files.get(name)}
    told = {step.path for step in proposal.steps if (step.old and step.old.oid) != (step.new and step.new.oid)}
    ground.counts["half_applied"] += touched != told
    await undo(ground, proposal)


async def undo(ground: Ground, proposal: Proposal) -> None:
    """The way back, as a patch: the next case finds the tree as this one did."""
    quiet = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    options = ("-p", "-R", "--binary", "--full-index", "--no-ext-diff", "--no-textconv")
    diff = git(ground.root, *quiet, "diff-tree", *options, proposal.base_tree, proposal.result_tree)
    with contextlib.suppress(Refused):  # then the next case finds it as it is
        back = await ground.coordinator.propose(Patch(workspace=ground.root, diff=f"{diff}\n", author="bench"))
        await ground.coordinator.apply(ground.root, back, "back", "bench")
    ground.files = ground.see()


def look(ground: Ground) -> None:
    """Whether anything left the tree, or ran."""
    outside = {path.name: path.read_text() for path in ground.outside.iterdir()}
    if outside != {"secret": "secret\n"} or Path("/tmp/bulkhead-evil").exists():
        ground.counts["escapes"] += 1
        for name in set(outside) - {"secret"}:
            (ground.outside / name).unlink()
    if ground.trace.exists():
        ground.counts["code_run"] += 1
        ground.trace.unlink()


def fuzzed(rng: random.Random) -> str:
    """A patch that was one, with up to six things done to it."""
    lines = rng.choice(SEEDS).split("\n")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines))
        match rng.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = "".join(str(rng.randrange(100)) if char.isdigit() else char for char in lines[at])
            case 4:
                lines[at] = lines[at].replace(rng.choice(("README.md", "src/app.py", "new/file.txt")), rng.choice(EVIL))
            case 5:
                cut = rng.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + chr(rng.choice(ODD)) + lines[at][cut:]
            case 6:
                lines[at:at] = rng.choice(SEEDS).split("\n")[:-1]
            case _:
                lines[at] = rng.choice("+- \\@") + lines[at][1:]
        lines = lines or [""]
    return "\n".join(lines)
