"""The index of a person's git, and its lock: after an apply `git status` is clean, and nobody's commit undoes it.

Between the move of a branch and that of the index, a `git commit` would commit the old files on top of the new ones.
So the new index is made first, beside the old one; git's own lock is taken, as a link to it; the branch moves, the
files are written, and the lock becomes the index. A lock that somebody else holds is never deleted; ours is known by
its inode, after a crash too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from layers.coordination.git import Repository, Scratch, index_lines, own_folder
from layers.coordination.types import Entry, Step

TRIES = 50
WAIT_S = 0.02
UNMERGED = "unmerged"
"""The mode that stands for an index entry waiting for a merge."""
MAX_LOOKS = 16

Mark = tuple[int, ...]
"""Equal only for the very same index file."""


async def index_entries(repository: Repository, pad: Scratch, paths: Sequence[str]) -> dict[str, Entry]:
    """What the workspace's own index has at `paths`."""
    index = repository.git_dir / "index"
    mark = _mark(index)
    key = (index, tuple(paths))
    if mark and (known := _looks.get(key)) and known[0] == mark:
        return known[1]
    # seen from the scratch git finds no file to run a filter on: from the repository itself even
    # `update-index --index-info` runs the clean filter, on entries as young as the index
    ran = await pad.run("ls-files", "-s", "-z", "--", *paths, place={"GIT_INDEX_FILE": str(index)})
    found: dict[str, Entry] = {}
    for record in ran.text.split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, oid, stage = facts.split(" ")
        found[path] = Entry(mode=mode if stage == "0" else UNMERGED, oid=oid)
    if mark == _mark(index):
        _looks[key] = (mark, found)
        while len(_looks) > MAX_LOOKS:
            _looks.popitem(last=False)
    return found


_looks: OrderedDict[tuple[Path, tuple[str, ...]], tuple[Mark, dict[str, Entry]]] = OrderedDict()
"""What was seen last: an apply looks twice, and almost always at the same index."""


def _mark(index: Path) -> Mark:
    try:
        status = index.stat()
    except FileNotFoundError:
        return ()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@contextlib.asynccontextmanager
async def index_held(repository: Repository, pad: Scratch, steps: Sequence[Step]) -> AsyncIterator[None]:
    """Nobody's git writes the index inside the block; `index_follows` makes it what `steps` lead to.

    Where somebody else has the lock for longer than a second, or there can be no link, the block runs without it.
    """
    try:
        if not repository.is_bare:
            await _take(repository, pad, steps)
        yield
    finally:
        release_index(repository)


async def index_follows(repository: Repository, pad: Scratch, steps: Sequence[Step]) -> bool:
    """Whether the index now has the ends of `steps` where it had their beginnings."""
    if not _is_ours(repository) and await _take(repository, pad, steps):
        return True
    if not _is_ours(repository):
        return False
    index, lock, _ = _places(repository)
    os.rename(lock, index)
    release_index(repository)
    return True


async def _take(repository: Repository, pad: Scratch, steps: Sequence[Step]) -> bool:
    """Take the lock, with the next index in it, if that is possible; whether there is nothing to be done at all."""
    index, lock, own = _places(repository)
    for _ in range(TRIES):
        before = _mark(index)
        staged = await index_entries(repository, pad, [step.path for step in steps])
        due = {step.path: step.new for step in steps if staged.get(step.path) == step.old}
        if not due:
            return True
        if lock.exists():
            await asyncio.sleep(WAIT_S)
            continue
        try:
            if not await _make_next(repository, pad, due):
                return False
            os.link(own, lock)
        except FileExistsError:  # somebody was faster
            continue
        except OSError:  # a file system without links, or a full one
            return False
        if _mark(index) == before:
            return False
        release_index(repository)
    return False


async def _make_next(repository: Repository, pad: Scratch, due: Mapping[str, Entry | None]) -> bool:
    """Whether a copy of the index with `due` in it is in our folder now."""
    index, _, own = _places(repository)
    draft = own.with_suffix(".draft")
    for left_by_a_crash in (draft, Path(f"{draft}.lock")):
        left_by_a_crash.unlink(missing_ok=True)
    age_ns = None
    if index.exists():
        age_ns = index.stat().st_mtime_ns
        await asyncio.to_thread(shutil.copyfile, index, draft)
    feed, place = index_lines(due, pad.zero), {"GIT_INDEX_FILE": str(draft)}
    ran = await pad.run("update-index", "-z", "--index-info", feed=feed, accept=(0, 128), place=place)
    if ran.code or not draft.exists():
        return False
    if age_ns is not None:  # entries that were too young to be trusted stay so
        os.utime(draft, ns=(age_ns, age_ns))
    os.replace(draft, own)
    return True


def release_index(repository: Repository) -> None:
    """Give our lock back, if there is one."""
    _, lock, own = _places(repository)
    if _is_ours(repository):
        lock.unlink()
    own.unlink(missing_ok=True)


def _is_ours(repository: Repository) -> bool:
    _, lock, own = _places(repository)
    try:
        return os.path.samestat(lock.lstat(), own.lstat())
    except FileNotFoundError:
        return False


def _places(repository: Repository) -> tuple[Path, Path, Path]:
    """The index, its lock, and our own next index."""
    git_dir = repository.git_dir
    return git_dir / "index", git_dir / "index.lock", own_folder(repository) / "index.next"
