"""The private line of a workspace, `refs/coord/<id>/head`: what was done to it, in order, never rewound.

People rewind and rewrite their branch; then a commit that was refused yesterday could land today, because the branch
is back where it expects it. The line only grows: each entry has the entry before and the branch's commit as its parents
and the branch's tree as its own, and an entry lands in one ref transaction with the branch. So an entry whose
predecessor is no longer the head can never land, and that is what recovery goes by.

A landing is a row of the store first (`applying`), then the ref transaction, then `applied`. Whoever finds a row that
is still `applying`, in whichever process, rolls it forward: never back, for a paused owner could still land it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from layers.coordination import git
from layers.coordination.git import Repository, Scratch, workspace_id
from layers.coordination.heads import Head
from layers.coordination.leases import Lease, demand
from layers.coordination.settling import Journal, write_journal
from layers.coordination.types import Step
from layers.errors import Unavailable
from layers.failpoint import Landing as At
from layers.failpoint import reach
from layers.store import Row, Store, Tx

log = logging.getLogger(__name__)

TRAILER = "Proposal: "
TRIES = 5


class LandingState(StrEnum):
    """How far a landing is."""

    APPLYING = "applying"
    APPLIED = "applied"
    ABORTED = "aborted"
    """It did not land and never can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One entry on its way into the line, and its commit on its way into the branch."""

    workspace: str
    new_head: str
    old_head: str
    """All zeros: the line begins with it."""
    branch: str
    old_commit: str
    new_commit: str
    proposal: str
    fence: int
    """Of the lease it was made under; 0 without one."""


def begin(tx: Tx, landing: Landing, lease: Lease | None, paths: Sequence[str]) -> None:
    """Write down that it is about to land.

    Raises:
        Refused: the lease is not held any more; nothing was written.
    """
    if lease is not None:
        demand(tx, lease, paths)
    tx.run("coordination.begin_landing", now=tx.now, **asdict(landing))


def settle_row(tx: Tx, new_head: str, after: LandingState) -> bool:
    """Whether this call ended it."""
    return tx.run("coordination.settle_landing", new_head=new_head, after=after.value, now=tx.now) == 1


def open_landings(tx: Tx, workspace: str) -> list[Landing]:
    """What is still on its way."""
    return [_landing(row, workspace) for row in tx.all("coordination.open_landings", workspace=workspace)]


def history(tx: Tx, workspace: str) -> list[tuple[Landing, LandingState]]:
    """Everything that ever was on its way, oldest first."""
    rows = tx.all("coordination.landings", workspace=workspace)
    return [(_landing(row, workspace), LandingState(row["state"])) for row in rows]


def _landing(row: Row, workspace: str) -> Landing:
    names = ("new_head", "old_head", "branch", "old_commit", "new_commit", "proposal", "fence")
    return Landing(workspace=workspace, **{name: row[name] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line of an open workspace."""

    repository: Repository
    pad: Scratch
    store: Store | None
    """Where landings are journalled; None: nowhere."""

    @property
    def workspace(self) -> str:
        """Its id."""
        return workspace_id(self.repository)

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/coord/{self.workspace}/head"

    async def head(self) -> str:
        """Where the line is; all zeros before it begins."""
        return await self.repository.tip(self.ref) or self.repository.zero

    async def prepare(self, name: str, heads: tuple[Head, str], made: tuple[str, str], fence: int, at: int) -> Landing:
        """The landing of `made`, a commit and its tree, in the `name` of a proposal. `at`: epoch seconds.

        `heads` are the branch and the line as they were looked at; whichever has moved since refuses the landing.
        """
        commit, tree = made
        head, old_head = heads
        words = f"Land {name}\n\nFence: {fence}\n{TRAILER}{name}\n"
        entry = await self._entry(tree, (old_head, commit), words, at)
        return Landing(
            workspace=self.workspace, new_head=entry, old_head=old_head, branch=head.branch, old_commit=head.commit,
            new_commit=commit, proposal=name, fence=fence,
        )  # fmt: skip

    async def land(self, landing: Landing, steps: Sequence[Step], lease: Lease | None) -> bool:
        """Journal, then compare and swap; False when the branch or the line moved meanwhile. `record` comes after it.

        Raises:
            Refused: the lease is not held any more.
        """
        journalling = asyncio.create_task(asyncio.to_thread(write_journal, self.repository, _journal(landing, steps)))
        try:
            if self.store is not None:
                await self.store.run(begin, landing, lease, [step.path for step in steps])
        finally:
            await journalling
        reach(At.JOURNALLED)
        has_landed = await self._swap(landing)
        reach(At.MOVED)
        return has_landed or (self.store is not None and await self._resolve(landing))

    async def record(self, landing: Landing) -> None:
        """It has landed. Needs no hurry: whoever finds the row otherwise looks into the line."""
        if self.store is not None:
            await self.store.run(settle_row, landing.new_head, LandingState.APPLIED)
            reach(At.RECORDED)

    async def start(self, branch: str, commit: str, steps: Sequence[Step]) -> bool:
        """The first commit of a new repository; False when somebody else made one."""
        zero = self.repository.zero
        landing = Landing(
            workspace=self.workspace, new_head=zero, old_head=zero, branch=branch, old_commit=zero, new_commit=commit,
            proposal="", fence=0,
        )  # fmt: skip
        await asyncio.to_thread(write_journal, self.repository, _journal(landing, steps))
        return await self._move([(branch, commit, zero)])

    async def recover(self) -> None:
        """End every landing that was begun and not ended, whoever began it."""
        if self.store is None:
            return
        for landing in await self.store.run(open_landings, self.workspace):
            has_landed = await self._resolve(landing)
            fields = {"workspace": self.workspace, "proposal": landing.proposal, "landed": has_landed}
            log.info("patch.recovered", extra=fields)

    async def _resolve(self, landing: Landing) -> bool:
        """Land it if it still can; whether it is in the line."""
        assert self.store is not None
        for _ in range(TRIES):
            head = await self.head()
            if await contains(self.repository, head, landing.new_head):
                if await self.repository.tip(landing.branch) == landing.old_commit:  # git died between the two refs
                    await self._move([(landing.branch, landing.new_commit, landing.old_commit)])
                await self.store.run(settle_row, landing.new_head, LandingState.APPLIED)
                return True
            if head != landing.old_head:
                await self.store.run(settle_row, landing.new_head, LandingState.ABORTED)
                return False
            changes = await self.pad.changes(landing.old_commit, landing.new_commit)
            steps = [Step(path=path, old=old, new=new) for path, (old, new) in changes.items()]
            steps.sort(key=lambda step: step.new is not None)  # removals first
            await asyncio.to_thread(write_journal, self.repository, _journal(landing, steps))
            if not await self._swap(landing):
                await self._burn(landing)
        raise Unavailable(f"the branch of {str(self.repository.root)!r} keeps moving; apply the patch again")

    async def _burn(self, landing: Landing) -> None:
        """The branch went elsewhere: an entry that notes it, after which `landing` can never land."""
        tip = await self.repository.tip(landing.branch)
        if tip == landing.old_commit:
            return  # back again: it is tried once more
        tip = tip or landing.old_commit
        noted = await self.repository.commit_at(tip)
        if noted is None:
            raise Unavailable(f"{landing.branch} is at {tip[:10]}, which is no commit; run `git fsck`")
        words = f"Note what others did to {landing.branch}\n\nInstead-of: {landing.proposal}\n"
        entry = await self._entry(noted[1], (landing.old_head, tip), words, 0)
        await self._move([(self.ref, entry, landing.old_head)])

    async def _swap(self, landing: Landing) -> bool:
        return await self._move(
            [(self.ref, landing.new_head, landing.old_head), (landing.branch, landing.new_commit, landing.old_commit)]
        )

    async def _move(self, refs: Sequence[tuple[str, str, str]]) -> bool:
        """Move every ref from its old to its new place, or none; False when one is not at its old place."""
        feed = "".join(f"update {name} {new} {old}\n" for name, new, old in refs).encode()
        arguments = ("update-ref", "-m", "bulkhead: apply a patch", "--stdin")
        ran = await self.repository.run(*arguments, feed=feed, accept=(0, 1, 128), place=git.BOT)
        stale = ("but expected", "already exists", "unable to resolve reference")
        if ran.code and not any(words in ran.error for words in stale):
            raise Unavailable(f"git could not move {refs[-1][0]}: {ran.first_line}; apply the patch again")
        return ran.code == 0

    async def _entry(self, tree: str, parents: Sequence[str], words: str, at: int) -> str:
        links = [parent for parent in parents if parent.strip("0")]
        return await self.pad.commit(tree, links, words.encode(), author="Bulkhead", at=at)


async def contains(repository: Repository, head: str, entry: str) -> bool:
    """Whether the line whose head that is (empty or all zeros: there is none) has an entry."""
    if not head.strip("0"):
        return False
    ran = await repository.run("merge-base", "--is-ancestor", entry, head, accept=(0, 1, 128))
    return ran.code == 0


def _journal(landing: Landing, steps: Sequence[Step]) -> Journal:
    return Journal(branch=landing.branch, commit=landing.new_commit, steps=tuple(steps))
