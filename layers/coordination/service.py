"""The verbs of coordination: propose, apply, finish what a crash left, make a first workspace.

One actor at a time: a lock within the process keeps the order of arrival, a file lock inside the git folder keeps
other processes out, and `git update-ref` compares before it moves the branch, for everybody who knows of neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from layers.coordination import git, rules
from layers.coordination.first import README_AND_MAKEFILE
from layers.coordination.git import Repository, Scratch, open_repository, scratch
from layers.coordination.proposing import Head, draft, moved, read_head
from layers.coordination.settling import Journal, index_entries, own_folder, settle, work_tree, write_journal
from layers.coordination.types import Applied, Conflict, Entry, Patch, Proposal, Step
from layers.errors import Misconfigured, Refused, Unavailable
from layers.failpoint import Point, reach

log = logging.getLogger(__name__)

BUSY_S = 30.0
POLL_S = 0.02
TRIES = 5
TRAILER = "Proposal: "


class Coordinator:
    """Everybody's patches to a folder, one at a time."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._locks: weakref.WeakValueDictionary[Path, asyncio.Lock] = weakref.WeakValueDictionary()

    async def propose(self, patch: Patch) -> Proposal:
        """Try `patch` on the workspace's branch, touching no file.

        Raises:
            BadInput: the diff cannot be read; `line` says where.
            Refused: a rule forbids it, it does not fit, or what it touches moved since its base.
            Misconfigured: git is missing or too old.
        """
        proposal = await draft(patch, self._clock())
        fields = {"proposal": proposal.id, "workspace": str(proposal.workspace), "files": len(proposal.files)}
        log.info("patch.proposed", extra=fields)
        return proposal

    async def apply(self, workspace: Path, proposal: Proposal, message: str, author: str) -> Applied | Conflict:
        """Commit what was shown and write it to the work tree; again, and it is the same commit.

        A branch that moved on is no conflict as long as the touched files are still what the proposal was made on:
        then every one of them becomes exactly what was shown.

        Raises:
            Refused: the workspace is not the proposal's, or is not in a state to commit.
            Unavailable: somebody holds the workspace, or the disk refused; apply it again.
        """
        repository = await open_repository(workspace)
        if repository.root != proposal.workspace:
            raise Refused(f"the proposal {proposal.id!r} is for {str(proposal.workspace)!r}, not {str(workspace)!r}")
        async with self._alone(repository), scratch(repository) as pad:
            await settle(repository, pad)
            outcome = await self._commit(repository, pad, proposal, (message, author))
        log.info(
            "patch.applied" if isinstance(outcome, Applied) else "patch.conflicted",
            extra={"proposal": proposal.id, "workspace": str(repository.root), "files": len(outcome.files)},
        )
        return outcome

    async def was_applied(self, proposal: Proposal) -> str | None:
        """The commit that `proposal` became; None when it is not in the branch's history. Asked after a crash."""
        repository = await open_repository(proposal.workspace)
        async with scratch(repository) as pad:
            return await _find_commit(repository, pad, proposal)

    async def where(self, workspace: Path) -> str:
        """The workspace's branch and commit, `main at 1a2b3c4d5e`.

        Raises:
            Refused: it is no git work tree, has no commit or no branch, or is in the middle of a merge.
        """
        head = await read_head(await open_repository(workspace))
        return f"{head.name} at {head.commit[:10]}"

    async def materialise(self, workspace: Path) -> tuple[str, ...]:
        """Finish what a crash left between the commit and the files; one sentence per file left alone."""
        repository = await open_repository(workspace)
        async with self._alone(repository), scratch(repository) as pad:
            return await settle(repository, pad)

    async def create_workspace(self, path: Path) -> None:
        """Make `path` a git repository with a README and a Makefile; one that has a commit stays as it is.

        Raises:
            Refused: `path` has files and is no repository.
            Misconfigured: there can be no folder of that name.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"the workspace {str(path)!r} cannot be made ({error.strerror}); name another in bulkhead.toml"
            ) from None
        if not (path / ".git").exists():
            if any(path.iterdir()):
                raise Refused(f"the workspace {str(path)!r} has files but no git; run `git init` and commit there")
            await git.run("init", "--quiet", "--initial-branch=main", "--template=", str(path), cwd=path, place={})
        repository = await open_repository(path)
        async with self._alone(repository), scratch(repository) as pad:
            await settle(repository, pad)
            born = await repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1, 128))
            if born.code:
                await _first_commit(repository, pad, int(self._clock()))

    async def _commit(
        self, repository: Repository, pad: Scratch, proposal: Proposal, words: tuple[str, str]
    ) -> Applied | Conflict:
        paths = tuple(file.path for file in proposal.files)
        for _ in range(TRIES):
            head = await read_head(repository)
            is_at_base = (head.branch, head.commit) == (proposal.branch, proposal.base_commit)
            done = None if is_at_base else await _find_commit(repository, pad, proposal)
            if done is not None:
                return Applied(commit=done, files=paths)
            conflict = await _find_conflict(repository, pad, proposal, head)
            if conflict is not None:
                return conflict
            tree = await _result_on(pad, proposal, head)
            if isinstance(tree, Conflict):
                return tree
            commit = await _make_commit(pad, proposal, head, tree, words)
            journal = Journal(branch=head.branch, commit=commit, steps=proposal.steps)
            if await _move_branch(repository, journal, head.commit):
                reach(Point.PATCH_COMMITTED)
                left = await settle(repository, pad)
                reach(Point.PATCH_WRITTEN)
                return Applied(commit=commit, files=paths, left_alone=left)
        raise Unavailable(f"the branch of {str(repository.root)!r} keeps moving; apply the patch again")

    @contextlib.asynccontextmanager
    async def _alone(self, repository: Repository) -> AsyncIterator[None]:
        """Nobody else's apply runs on this workspace, in this process or another."""
        lock = self._locks.setdefault(repository.git_dir, asyncio.Lock())
        async with lock:
            own_folder(repository).mkdir(exist_ok=True)
            handle = os.open(own_folder(repository) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                await _take(handle, repository.root)
                yield
            finally:
                os.close(handle)  # and with it the lock, as a crash would


async def _take(handle: int, root: Path) -> None:
    until = time.monotonic() + BUSY_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                text = f"another process has held the workspace {str(root)!r} for {BUSY_S:.0f} seconds; try again"
                raise Unavailable(text) from None
        await asyncio.sleep(POLL_S)


async def _find_commit(repository: Repository, pad: Scratch, proposal: Proposal) -> str | None:
    """The commit after the proposal's base whose last line is the proposal's trailer."""
    trailer = f"{TRAILER}{proposal.id}"
    wanted = ("--fixed-strings", f"--grep={trailer}", proposal.branch, f"^{proposal.base_commit}", "--")
    ran = await repository.run("rev-list", *wanted, accept=(0, 128))
    commits = ran.text.split()
    bodies = await pad.blobs(commits)
    return next((oid for oid in commits if bodies[oid].endswith(b"\n\n" + trailer.encode() + b"\n")), None)


async def _find_conflict(repository: Repository, pad: Scratch, proposal: Proposal, head: Head) -> Conflict | None:
    """Why `proposal` cannot be committed on `head` as it was shown; None when it can."""
    steps = proposal.steps
    if head.branch != proposal.branch:
        was = proposal.branch.removeprefix("refs/heads/")
        text = f"the patch is for the branch {was} and {head.name} is checked out; check {was} out and approve again"
        return Conflict(files=tuple(step.path for step in steps), text=text)
    expected = {step.path: step.old for step in steps if step.old}
    paths = [step.path for step in steps]
    if head.commit != proposal.base_commit:
        changes = await moved(repository, proposal.base_commit, head, expected, await pad.entries(head.tree, paths))
        if changes:
            text = f"{'; '.join(changes.values())}, after the patch was shown; propose it again on {head.commit[:10]}"
            return Conflict(files=tuple(changes), text=text)
    staged = await index_entries(repository, pad, paths)
    reasons = {
        step.path: f"{rules.visible(step.path)!r} has staged changes that are not committed"
        for step in steps
        if staged.get(step.path) not in (step.old, step.new)
    }
    reasons |= await asyncio.to_thread(work_tree(repository).obstacles, steps)
    if not reasons:
        return None
    text = f"nothing was changed: {'; '.join(reasons.values())}; commit or undo that and approve the patch again"
    return Conflict(files=tuple(reasons), text=text)


async def _result_on(pad: Scratch, proposal: Proposal, head: Head) -> str | Conflict:
    """The tree of `head` with exactly what was shown changed; a conflict where that would change more.

    git makes room silently: a new file takes the place of a folder that grew meanwhile, and all that is in it.
    """
    if head.tree == proposal.base_tree:
        return proposal.result_tree
    tree = await pad.write_tree(head.tree, {step.path: step.new for step in proposal.steps})
    shown = {step.path: (step.old, step.new) for step in proposal.steps}
    changes = await pad.changes(head.tree, tree)
    if changes == shown:
        return tree
    others = tuple(path for path in changes if changes[path] != shown.get(path))
    names = ", ".join(repr(rules.visible(path)) for path in others)
    text = f"{head.name} moved on, and the patch would now also change {names}; propose it again on {head.commit[:10]}"
    return Conflict(files=others, text=text)


async def _make_commit(pad: Scratch, proposal: Proposal, head: Head, tree: str, words: tuple[str, str]) -> str:
    """The commit object: the same proposal on the same head makes the same id, whenever and wherever it is made."""
    message, author = words
    body = f"{message.strip() or 'Apply a patch'}\n\n{TRAILER}{proposal.id}\n".replace("\0", "")
    ran = await pad.commit(tree, head.commit, rules.as_bytes(body), author=author, at=proposal.proposed_at)
    if ran.code:
        raise Refused(f"git no longer has what was approved ({ran.first_line}); propose the patch again")
    return ran.text


async def _move_branch(repository: Repository, journal: Journal, old: str) -> bool:
    """Write the journal, then move the branch if it still is at `old`; False when it is not."""
    await asyncio.to_thread(write_journal, repository, journal)
    arguments = ("update-ref", "-m", "bulkhead: apply a patch", journal.branch, journal.commit, old)
    ran = await repository.run(*arguments, accept=(0, 1, 128), place=git.BOT)
    if ran.code and "but expected" not in ran.error and "already exists" not in ran.error:
        raise Unavailable(f"git could not move {journal.branch}: {ran.first_line}; apply the patch again")
    return ran.code == 0


async def _first_commit(repository: Repository, pad: Scratch, now: int) -> None:
    entries: dict[str, Entry | None] = {}
    for name, content in README_AND_MAKEFILE.items():
        entries[name] = Entry(mode="100644", oid=await pad.keep_blob(content.encode()))
    tree = await pad.write_tree("", entries)
    commit = (await pad.commit(tree, "", b"Start the workspace\n", author="Bulkhead", at=now)).text
    branch = (await repository.run("symbolic-ref", "HEAD")).text
    steps = tuple(Step(path=path, old=None, new=entry) for path, entry in entries.items())
    if not await _move_branch(repository, Journal(branch=branch, commit=commit, steps=steps), repository.zero):
        raise Unavailable(f"somebody else started the workspace {str(repository.root)!r} at the same moment; try again")
    left = await settle(repository, pad)
    if left:
        log.warning("workspace.left_alone", extra={"workspace": str(repository.root), "files": len(left)})
