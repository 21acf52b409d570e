"""Edits that people saved and did not commit: found by their hashes, and kept under a ref before anything else is done.

The branch and a change's steps go in, a `Foreign` comes out. The work tree is only read.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layers.coordination.git import BOT, Repository, Scratch, open_repository, scratch, workspace_id
from layers.coordination.heads import Head
from layers.coordination.looking import Seen
from layers.coordination.settling import work_tree
from layers.coordination.types import Entry, Foreign, ForeignPolicy, Save, Step

AUTHOR = "work tree"
ECHO_S = 2
"""A formatter that was set off by our write has saved after as many seconds."""
LANDED = re.compile(rb"^[0-9a-f]+ (?P<commit>[0-9a-f]+) .*> (?P<at>\d+) \S+\tbulkhead: apply a patch$")
"""The line that an apply leaves in the branch's log."""
WORDS = b"Keep what was saved and not committed\n"
PLAIN = ("-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-commit-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """What becomes of edits that are in a patch's way."""

    policy: ForeignPolicy
    wanted: Foreign | None = None
    """Those that a person has looked at and wants committed before the patch, as they were then."""
    person: str = ""
    """Who: the author of that commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An edit, to be looked at."""

    diff: str
    """From the branch to what was saved."""
    before: Mapping[str, bytes]
    """The touched files as the branch had them; a file that the edit creates is left out."""


async def keep_foreign(repository: Repository, pad: Scratch, head: Head, steps: Sequence[Step]) -> Foreign | None:
    """Whatever the work tree has at the paths of `steps` that is neither their beginning nor their end.

    None when there is nothing of the kind, or something that no commit can hold. Keeping it again makes nothing new.
    """
    found = await asyncio.to_thread(_look, repository, steps)
    entries: dict[str, Entry | None] = {}
    for path, seen, content in found:
        if seen is not None and seen.entry is None:
            return None
        entries[path] = seen.entry if seen else None
        if seen is not None:
            await pad.keep_blob(content)
    tree = await pad.write_tree(head.tree, entries) if entries else head.tree
    if tree == head.tree:
        return None
    saves = tuple(_save(path, seen) for path, seen, _ in found)
    saved_at = max((save.at for save in saves), default=0)
    commit = await pad.commit(tree, (head.commit,), WORDS, author=AUTHOR, at=saved_at)
    ref = f"refs/coord/{workspace_id(repository)}/foreign/{commit[:12]}"
    await repository.run("update-ref", ref, commit, place=BOT)
    changes = await pad.changes(head.tree, tree)
    ordered = sorted(changes.items(), key=lambda item: item[1][1] is not None)  # removals first
    kept = tuple(Step(path=path, old=old, new=new) for path, (old, new) in ordered)
    return Foreign(ref=ref, commit=commit, tree=tree, steps=kept, saves=saves)


def _save(path: str, seen: Seen | None) -> Save:
    if seen is None:
        return Save(path=path, by="", at=0)
    try:
        by = pwd.getpwuid(seen.owner).pw_name
    except KeyError:
        by = ""
    return Save(path=path, by=by, at=seen.saved_at)


async def to_adopt(repository: Repository, pad: Scratch, head: Head, saved: Foreign, stance: Stance) -> Foreign | None:
    """What is committed before a patch that `saved` is in the way of, and as whose; None where the patch waits."""
    if stance.wanted is not None and _has_all(stance.wanted, saved):
        commit = await pad.commit(saved.tree, (head.commit,), WORDS, author=stance.person, at=saved.saved_at)
        return replace(saved, commit=commit)
    is_adopted = stance.policy is ForeignPolicy.ADOPT or await is_echo(repository, pad, head, saved)
    return saved if is_adopted else None


def _has_all(wanted: Foreign, saved: Foreign) -> bool:
    """Whether a person has seen all that is saved now, however the branch has moved since."""
    return {(step.path, step.new) for step in saved.steps} <= {(step.path, step.new) for step in wanted.steps}


async def compare(workspace: Path, foreign: Foreign) -> Comparison:
    """What was saved beside what the branch had then.

    Raises:
        Refused: git no longer has it.
    """
    async with scratch(await open_repository(workspace)) as pad:
        diff = await pad.run("diff-tree", *PLAIN, f"{foreign.commit}^", foreign.commit)
        before = {step.path: step.old for step in foreign.steps if step.old}
        blobs = await pad.blobs([entry.oid for entry in before.values()])
    text = diff.out.decode("utf-8", "replace").replace("\0", "\ufffd")
    return Comparison(diff=text, before={path: blobs[entry.oid] for path, entry in before.items()})


def _look(repository: Repository, steps: Sequence[Step]) -> list[tuple[str, Seen | None, bytes]]:
    folder, found = work_tree(repository), []
    for step in steps:
        read = folder.read(step.path)
        seen, content = read or (None, b"")
        is_as_expected = seen.holds(step.old) or seen.is_exactly(step.new) if seen else None in (step.old, step.new)
        if not is_as_expected:
            found.append((step.path, seen, content))
    return found


async def is_echo(repository: Repository, pad: Scratch, head: Head, foreign: Foreign) -> bool:
    """Whether all that was saved is what a formatter made, at once, of files that the newest commit had written."""
    landed_at = await asyncio.to_thread(_landed_at, repository, head)
    if landed_at is None or not landed_at <= foreign.saved_at <= landed_at + ECHO_S:
        return False
    pairs = [(step.old, step.new) for step in foreign.steps]
    if any(old is None or new is None or old.mode != new.mode for old, new in pairs):
        return False
    ours = await pad.changes(f"{head.commit}^", head.commit)
    if any(step.path not in ours for step in foreign.steps):
        return False
    blobs = await pad.blobs([entry.oid for pair in pairs for entry in pair if entry])
    return all(_words(blobs, old) == _words(blobs, new) for old, new in pairs)


def _words(blobs: Mapping[str, bytes], entry: Entry | None) -> bytes:
    return b"".join(blobs[entry.oid].split()) if entry else b""


def _landed_at(repository: Repository, head: Head) -> int | None:
    """When the branch's newest commit was landed by an apply, in epoch seconds; None where somebody else made it."""
    path = repository.common_dir / "logs" / head.branch
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            newest = LANDED.search(file.read().rstrip(b"\n").rpartition(b"\n")[2])
    except OSError:
        return None
    return int(newest["at"]) if newest and newest["commit"] == head.commit.encode() else None
