"""From a commit to the files people see: the journal, the work tree, the index of their IDE.

The journal is written before the branch moves and removed when the files are settled, so whoever comes next, in
whichever process, finishes what a crash left: each file is decided by hashes, so doing it twice is doing it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layers.coordination import heads, rules
from layers.coordination.git import BOT, Repository, Scratch, own_folder, workspace_id
from layers.coordination.index import index_follows, release_index
from layers.coordination.types import Entry, Step
from layers.coordination.worktree import Folder
from layers.errors import Unavailable
from layers.failpoint import Landing, reach

log = logging.getLogger(__name__)

RESCUED = b"A save that was under way while the file was written\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What is being done to a workspace."""

    branch: str
    commit: str
    steps: tuple[Step, ...]


def work_tree(repository: Repository) -> Folder:
    """The workspace's files."""
    return Folder(repository.root, own_folder(repository) / "stage", repository.object_format)


def write_journal(repository: Repository, journal: Journal) -> None:
    """Keep `journal` on the disk, durably, before the branch moves."""
    folder = own_folder(repository)
    body = {
        "branch": journal.branch,
        "commit": journal.commit,
        "steps": [[step.path, *_pair(step.old), *_pair(step.new)] for step in journal.steps],
    }
    with open(folder / "journal.new", "w", encoding="ascii") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / "journal.new", folder / "journal.json")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_journal(repository: Repository) -> Journal | None:
    """What a crash left to do; None when nothing."""
    try:
        body = json.loads((own_folder(repository) / "journal.json").read_bytes())
    except FileNotFoundError:
        return None
    steps = tuple(Step(path=row[0], old=_entry(row[1], row[2]), new=_entry(row[3], row[4])) for row in body["steps"])
    return Journal(branch=body["branch"], commit=body["commit"], steps=steps)


def _pair(entry: Entry | None) -> tuple[str, str]:
    return (entry.mode, entry.oid) if entry else ("", "")


def _entry(mode: str, oid: str) -> Entry | None:
    return Entry(mode=mode, oid=oid) if oid else None


async def settle(
    repository: Repository, pad: Scratch, contents: Mapping[str, bytes] | None = None
) -> tuple[str, ...]:
    """Finish what the journal tells, if there is one: files, then index. One sentence per file left alone.

    `contents` are blobs that the caller has read already.

    Raises:
        Unavailable: the disk refused; the journal stays and the next call goes on.
    """
    journal = await asyncio.to_thread(read_journal, repository)
    if journal is None:
        release_index(repository)
        return await _rescue(repository, pad)
    due = await _due(repository, pad, journal)
    left: tuple[str, ...] = ()
    if due:
        known = contents or {}
        wanted = [step.new.oid for step in due if step.new and step.new.oid not in known]
        left = await _write(repository, pad, due, {**known, **await pad.blobs(wanted)})
        reach(Landing.FILES_DONE)
    release_index(repository)
    with contextlib.suppress(FileNotFoundError):
        await asyncio.to_thread(os.unlink, own_folder(repository) / "journal.json")
    return left + await _rescue(repository, pad)


async def _rescue(repository: Repository, pad: Scratch) -> tuple[str, ...]:
    """Saves that went into files which had just been displaced, each kept under a ref of its own; a sentence each."""
    quarantine = work_tree(repository).quarantine
    sentences = []
    for one in await asyncio.to_thread(quarantine.sweep):
        entry = Entry(mode="100644", oid=await pad.keep_blob(one.content))
        tree = await pad.write_tree("", {one.path: entry})
        commit = await pad.commit(tree, (), RESCUED, author="somebody", at=one.at)
        ref = f"refs/coord/{workspace_id(repository)}/foreign/{commit[:12]}"
        await repository.run("update-ref", ref, commit, place=BOT)
        await asyncio.to_thread(quarantine.let_go, one.folder)
        log.warning("patch.save_rescued", extra={"workspace": str(repository.root), "ref": ref})
        shown = repr(rules.visible(one.path))
        sentences.append(f"{shown} was being saved while it was written; that save is kept as {ref}")
    return tuple(sentences)


async def _due(repository: Repository, pad: Scratch, journal: Journal) -> list[Step]:
    """The steps that are still to be seen in the files."""
    if repository.is_bare:
        return []
    head = await heads.look(repository)
    if not head.commit or head.branch != journal.branch:  # another branch is checked out
        return []
    if head.commit == journal.commit:
        return list(journal.steps)
    landed = await repository.run("merge-base", "--is-ancestor", journal.commit, head.commit, accept=(0, 1, 128))
    if landed.code:
        return []
    release_index(repository)  # left by a crash, and older than what landed since
    now = await pad.entries(head.tree, [step.path for step in journal.steps])
    return [step for step in journal.steps if now.get(step.path) == step.new]  # else a later commit is about this file


async def _write(
    repository: Repository, pad: Scratch, due: Sequence[Step], contents: Mapping[str, bytes]
) -> tuple[str, ...]:
    folder = work_tree(repository)
    try:
        left = await asyncio.to_thread(folder.write, due, contents)
    except OSError as error:
        what = rules.visible(str(error.filename or ""))
        text = (
            f"the commit is made but {what!r} could not be written: {error.strerror}; free the disk, it is tried again"
        )
        raise Unavailable(text) from error
    sentences = [f"{why}: left alone" for why in left.values()]
    if folder.unguarded:
        names = ", ".join(repr(rules.visible(path)) for path in folder.unguarded)
        sentences.append(f"this file system cannot exchange files: a save of {names} at that moment may have been lost")
    if not await index_follows(repository, pad, due):
        sentences.append(
            "the git index could not be written: `git status` shows these files as staged until `git reset`"
        )
    return tuple(sentences)
