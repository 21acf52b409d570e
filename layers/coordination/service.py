"""The verbs of coordination that move something: apply, finish what a crash left, make a first workspace.

One actor at a time: a lease of the store on the touched paths, in the order of arrival; a file lock inside the git
folder for the files themselves; and `git update-ref`, which compares before it moves the line and the branch, for
everybody who knows of neither. Without a store (a command beside a running server) the last two alone keep order.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from layers.coordination import rules
from layers.coordination.drafting import Drafting
from layers.coordination.first import README_AND_MAKEFILE
from layers.coordination.fitting import fit
from layers.coordination.foreign import Stance, is_echo, keep_foreign, to_adopt
from layers.coordination.git import Repository, Scratch, open_repository, own_folder, scratch, workspace_id
from layers.coordination.heads import Head, read_head
from layers.coordination.index import index_held
from layers.coordination.leases import Claimant, Known, Lease, enrol, holding, known
from layers.coordination.line import TRAILER, Landing, Line
from layers.coordination.running import run
from layers.coordination.settling import settle
from layers.coordination.types import (
    Applied,
    Conflict,
    Entry,
    Foreign,
    ForeignPolicy,
    Proposal,
    Step,
)
from layers.errors import Misconfigured, Refused, Unavailable
from layers.failpoint import Landing as At
from layers.failpoint import Point, reach
from layers.store import Store

log = logging.getLogger(__name__)

BUSY_S = 30.0
POLL_S = 0.02
TRIES = 5
NO_POLICIES: Mapping[Path, ForeignPolicy] = {}


class Coordinator(Drafting):
    """Everybody's patches to a folder, one at a time."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        foreign: ForeignPolicy = ForeignPolicy.PARK,
        policies: Mapping[Path, ForeignPolicy] = NO_POLICIES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`policies` are those of single workspaces, by their folder; `foreign` is that of every other one."""
        super().__init__(clock)
        self._store = store
        self._foreign = foreign
        self._policies = policies
        self._enrolled: set[str] = set()
        self._names: dict[str, str] = {}
        self._locks: weakref.WeakValueDictionary[Path, asyncio.Lock] = weakref.WeakValueDictionary()

    async def apply(
        self, workspace: Path, proposal: Proposal, message: str, author: str, lease: Lease | None = None
    ) -> Applied | Conflict:
        """Commit what was shown and write it to the work tree; again, and it is the same commit.

        A branch that moved on is no conflict as long as the touched files are still what the proposal was made on:
        then every one of them becomes exactly what was shown. Where they are not, the two are merged in memory: what
        then reads as it was shown is committed, what reads differently comes back to be shown again, and what cannot
        be merged comes back with its three versions. `lease` is one that the caller holds; without it, one is asked
        for, and waited for.

        Raises:
            Refused: the workspace is not the proposal's, or is not in a state to commit, or the lease was lost.
            Unavailable: somebody holds the workspace, or the disk refused; apply it again.
        """
        if Path(os.path.realpath(workspace)) != proposal.workspace:
            raise Refused(f"the proposal {proposal.id!r} is for {str(proposal.workspace)!r}, not {str(workspace)!r}")
        policy = self._policies.get(proposal.workspace, self._foreign)
        return await self._apply(proposal, (message, author), lease, Stance(policy=policy))

    async def merge(
        self, proposal: Proposal, message: str, foreign: Foreign, person: str, lease: Lease | None = None
    ) -> Applied | Conflict:
        """Commit what somebody had saved, in the name of `person` who has looked at it, and then apply, as `apply`.

        Only what they have looked at: where something was saved since, nothing is committed, and that comes back as
        the conflict's `foreign`. Again after a crash, and what was committed is not committed twice.
        """
        stance = Stance(policy=ForeignPolicy.PARK, wanted=foreign, person=person)
        return await self._apply(proposal, (message, proposal.author), lease, stance)

    async def _apply(
        self, proposal: Proposal, words: tuple[str, str], lease: Lease | None, stance: Stance
    ) -> Applied | Conflict:
        repository = await open_repository(proposal.workspace)
        paths = tuple(dict.fromkeys(step.path for step in proposal.steps))
        async with self._leased(repository, paths, words[1], lease) as held:
            reach(At.LEASED)
            async with self._alone(repository), scratch(repository) as pad:
                line = Line(repository=repository, pad=pad, store=self._store)
                await line.recover()
                await settle(repository, pad)
                outcome = await _commit(line, proposal, words, held, stance)
        log.info(
            "patch.applied" if isinstance(outcome, Applied) else "patch.conflicted",
            extra={"proposal": proposal.id, "workspace": str(repository.root), "files": len(outcome.files)},
        )
        return outcome

    async def look(self, proposal: Proposal) -> Foreign | None:
        """What somebody has saved and not committed in a file that `proposal` touches, kept under its ref.

        None also where the policy asks nobody, and of what a formatter has made of our own write.

        Raises:
            Refused: there is no such work tree here, or it is in the middle of a merge.
            Unavailable: somebody holds the workspace.
        """
        repository = await open_repository(proposal.workspace)
        if repository.is_bare or self._policies.get(proposal.workspace, self._foreign) is not ForeignPolicy.PARK:
            return None
        async with self._alone(repository), scratch(repository) as pad:
            head = await read_head(repository)
            found = await keep_foreign(repository, pad, head, proposal.steps)
            return None if found is None or await is_echo(repository, pad, head, found) else found

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
        await self._enrol(repository)
        async with self._alone(repository), scratch(repository) as pad:
            await Line(repository=repository, pad=pad, store=self._store).recover()
            return await settle(repository, pad)

    async def create_workspace(self, path: Path) -> None:
        """Make `path` a git repository with a README and a Makefile; one that has a commit stays as it is.

        Raises:
            Refused: `path` has files and is no repository.
            Misconfigured: there can be no folder of that name.
        """
        repository = await _make_repository(path)
        await self._enrol(repository)
        async with self._alone(repository), scratch(repository) as pad:
            line = Line(repository=repository, pad=pad, store=self._store)
            await line.recover()
            await settle(repository, pad)
            if await repository.commit_at("HEAD") is None:
                await _first_commit(line, int(self._clock()))

    @contextlib.asynccontextmanager
    async def holding(
        self, workspace: Path, actor: str, paths: Sequence[str], *, is_person: bool = False, wait_s: float = BUSY_S
    ) -> AsyncIterator[Lease]:
        """Hold a lease on files, and on folders with a slash at their end, while one reads, proposes and applies.

        Raises:
            Refused: a path that no lease can name.
            Unavailable: others held them for `wait_s`.
            Misconfigured: there is no store.
        """
        store = self._open_store()
        space = await self._enrol(await open_repository(workspace))
        claimant = Claimant(workspace=space, actor=actor, paths=tuple(paths), is_person=is_person)
        async with holding(store, claimant, wait_s) as held:
            yield held

    async def workspaces(self) -> tuple[Known, ...]:
        """Every workspace that was declared, made or written to through this database, by its folder.

        Raises:
            Misconfigured: there is no store.
        """
        found = await self._open_store().run(known)
        return tuple(replace(one, name=self._names.get(one.id, "")) for one in found)

    async def declare(self, workspaces: Mapping[str, Path]) -> None:
        """Make these known, each under its name: work trees that people share, or bare repositories.

        Raises:
            Misconfigured: one is no repository, or two are the same.
        """
        for name, path in workspaces.items():
            try:
                space = await self._enrol(await open_repository(path))
            except Refused as error:
                raise Misconfigured(f"bulkhead.toml, workspaces.{name}: {error}") from None
            if self._names.setdefault(space, name) != name:
                raise Misconfigured(
                    f"bulkhead.toml: {self._names[space]} and {name} are both {str(path)!r}; keep one of them"
                )

    def _open_store(self) -> Store:
        if self._store is None:
            text = "workspaces and leases are in the database, and this process has none; start the server"
            raise Misconfigured(text)
        return self._store

    async def _enrol(self, repository: Repository) -> str:
        workspace = workspace_id(repository)
        if self._store is not None and workspace not in self._enrolled:
            await self._store.run(enrol, workspace, str(repository.root))
            self._enrolled.add(workspace)
        return workspace

    @contextlib.asynccontextmanager
    async def _leased(
        self, repository: Repository, paths: tuple[str, ...], actor: str, lease: Lease | None
    ) -> AsyncIterator[Lease | None]:
        """The caller's lease, or one of our own; None without a store."""
        workspace = await self._enrol(repository)
        if self._store is None or lease is not None:
            yield lease
            return
        async with holding(self._store, Claimant(workspace=workspace, actor=actor, paths=paths), BUSY_S) as held:
            yield held

    @contextlib.asynccontextmanager
    async def _alone(self, repository: Repository) -> AsyncIterator[None]:
        """Nobody else's apply runs on this workspace, in this process or another."""
        lock = self._locks.setdefault(repository.git_dir, asyncio.Lock())
        async with lock, _file_lock(repository):
            yield


async def _make_repository(path: Path) -> Repository:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"the workspace {str(path)!r} cannot be made ({error.strerror}); name another in bulkhead.toml"
        ) from None
    if not (path / ".git").exists():
        if any(path.iterdir()):
            raise Refused(f"the workspace {str(path)!r} has files but no git; run `git init` and commit there")
        await run("init", "--quiet", "--initial-branch=main", "--template=", str(path), cwd=path, place={})
    return await open_repository(path)


@contextlib.asynccontextmanager
async def _file_lock(repository: Repository) -> AsyncIterator[None]:
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


async def _commit(
    line: Line, proposal: Proposal, words: tuple[str, str], lease: Lease | None, stance: Stance
) -> Applied | Conflict:
    repository, pad = line.repository, line.pad
    paths = tuple(file.path for file in proposal.files)
    for _ in range(TRIES):
        head, line_head = await asyncio.gather(read_head(repository), line.head())
        is_at_base = (head.branch, head.commit) == (proposal.branch, proposal.base_commit)
        done = None if is_at_base else await _find_commit(repository, pad, proposal)
        if done is not None:
            return Applied(commit=done, files=paths)
        fitted = await fit(repository, pad, proposal, head, stance.policy)
        if isinstance(fitted, Conflict):
            saved = fitted.foreign and await to_adopt(repository, pad, head, fitted.foreign, stance)
            if saved is None:
                return fitted
            await _adopt(line, (head, line_head), saved, lease)
            continue
        contents = await pad.blobs([fitted.tree, *(step.new.oid for step in fitted.steps if step.new)])
        commit = await _make_commit(pad, proposal, head, fitted.tree, words)
        fence, at = lease.fence if lease else 0, proposal.proposed_at
        landing = await line.prepare(proposal.id, (head, line_head), (commit, fitted.tree), fence, at)
        reach(At.BUILT)
        left = await _land(line, landing, fitted.steps, lease, contents)
        if left is not None:
            reach(Point.PATCH_WRITTEN)
            return Applied(commit=commit, files=paths, left_alone=left)
    raise Unavailable(f"the branch of {str(repository.root)!r} keeps moving; apply the patch again")


async def _land(
    line: Line, landing: Landing, steps: Sequence[Step], lease: Lease | None, contents: Mapping[str, bytes]
) -> tuple[str, ...] | None:
    """A sentence per file left alone, once it has landed and is in the files; None when the branch moved meanwhile."""
    async with index_held(line.repository, line.pad, steps):
        reach(At.INDEX_HELD)
        if not await line.land(landing, steps, lease):
            return None
        reach(Point.PATCH_COMMITTED)
        left, _ = await asyncio.gather(settle(line.repository, line.pad, contents), line.record(landing))
        return left


async def _find_commit(repository: Repository, pad: Scratch, proposal: Proposal) -> str | None:
    """The commit after the proposal's base whose last line is the proposal's trailer."""
    trailer = f"{TRAILER}{proposal.id}"
    wanted = ("--fixed-strings", f"--grep={trailer}", proposal.branch, f"^{proposal.base_commit}", "--")
    ran = await repository.run("rev-list", *wanted, accept=(0, 128))
    commits = ran.text.split()
    bodies = await pad.blobs(commits)
    return next((oid for oid in commits if bodies[oid].endswith(b"\n\n" + trailer.encode() + b"\n")), None)


async def _adopt(line: Line, heads: tuple[Head, str], foreign: Foreign, lease: Lease | None) -> None:
    """Commit what people saved: it lands as a patch does, and the files already have it."""
    fence, name = lease.fence if lease else 0, foreign.ref.rpartition("/")[2]
    landing = await line.prepare(name, heads, (foreign.commit, foreign.tree), fence, foreign.saved_at)
    if await _land(line, landing, foreign.steps, lease, {}) is not None:
        log.info("patch.adopted", extra={"workspace": line.workspace, "ref": foreign.ref})


async def _make_commit(pad: Scratch, proposal: Proposal, head: Head, tree: str, words: tuple[str, str]) -> str:
    """The commit object: the same proposal on the same head makes the same id, whenever and wherever it is made."""
    message, author = words
    body = f"{message.strip() or 'Apply a patch'}\n\n{TRAILER}{proposal.id}\n".replace("\0", "")
    return await pad.commit(tree, (head.commit,), rules.as_bytes(body), author=author, at=proposal.proposed_at)


async def _first_commit(line: Line, now: int) -> None:
    repository, pad = line.repository, line.pad
    entries: dict[str, Entry | None] = {}
    for name, content in README_AND_MAKEFILE.items():
        entries[name] = Entry(mode="100644", oid=await pad.keep_blob(content.encode()))
    tree = await pad.write_tree("", entries)
    commit = await pad.commit(tree, (), b"Start the workspace\n", author="Bulkhead", at=now)
    branch = (await repository.run("symbolic-ref", "HEAD")).text
    steps = tuple(Step(path=path, old=None, new=entry) for path, entry in entries.items())
    if not await line.start(branch, commit, steps):
        raise Unavailable(f"somebody else started the workspace {str(repository.root)!r} at the same moment; try again")
    left = await settle(repository, pad)
    if left:
        log.warning("workspace.left_alone", extra={"workspace": str(repository.root), "files": len(left)})
