"""What there is to see of a workspace, beside whoever works in it: its leases, and what landed. Nothing is written.

A database to look at and a repository go in. The line in git is what holds; the database's journal of it is laid
beside it, and where the two differ, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layers.coordination import rules, warm
from layers.coordination.git import Repository, open_repository, workspace_id
from layers.coordination.leases import Known, Lease, LeaseState, lease_of
from layers.coordination.line import LandingState, contains
from layers.coordination.objects import Commit, read_commit
from layers.store import ReadStore, Row

_ENTRY = re.compile(r"Land (?P<name>[^\n]*)\n\nFence: (?P<fence>\d{1,18})\nProposal: (?P=name)\n")
_NOTE = re.compile(r"Note what others did to [^\n]*\n\nInstead-of: (?P<name>[^\n]*)\n")

NO_ENTRY = "it is no entry of a line: somebody else has moved the reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A lease, and how it stands in the queue."""

    lease: Lease
    left_s: float
    """Seconds by the database's clock until it ends, or until nobody waits for it any more; below 0 it has ended, and
    whoever asks next takes it away."""
    behind: tuple[str, ...]
    """Ids of those that it waits behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """One entry of a workspace's line."""

    entry: str
    """Its commit in the line."""
    name: str
    """The proposal's id; of adopted edits, the end of their ref."""
    commit: str
    """The branch's."""
    branch: str
    """Full name of the ref, from the database; empty where that does not know it."""
    fence: int
    author: str
    made_at: int
    """Epoch seconds: when it was proposed."""
    landed_at: float | None
    """Epoch seconds by the database's clock; None where that does not know it."""
    is_note: bool
    """Nothing landed: it keeps out what was refused, `name`, because the branch went elsewhere."""
    is_on_branch: bool | None
    """Whether the branch still has the commit; None where that is not known."""
    differences: tuple[str, ...]
    """What git and the database do not agree on, a sentence each."""


async def look_at(workspace: Path) -> Known:
    """The workspace that a folder is, whether or not a database knows it.

    Raises:
        Refused: it is none.
    """
    repository = await open_repository(workspace)
    return Known(id=workspace_id(repository), root=repository.root)


async def look_known(store: ReadStore) -> tuple[Known, ...]:
    """Every workspace that the database knows, by its folder."""
    rows = await store.fetch_all("coordination.workspaces")
    return tuple(Known(id=row["id"], root=Path(row["root"])) for row in rows)


async def look_clock(store: ReadStore) -> float:
    """Epoch seconds by the database's clock."""
    row = await store.fetch_one("store.clock")
    assert row is not None  # a clock always has an answer
    return float(row["now"])


async def look_queue(store: ReadStore, workspace: str) -> tuple[Queued, ...]:
    """The leases that are held and waited for, by their tickets."""
    now = await look_clock(store)
    found = [lease_of(row) for row in await store.fetch_all("coordination.live_leases", workspace=workspace)]
    alive = [one for one in found if one.ends_at > now]
    behind = rules.blockers(_claims(alive, LeaseState.WAITING), _claims(alive, LeaseState.HELD))
    return tuple(Queued(lease=one, left_s=one.ends_at - now, behind=behind.get(one.id, ())) for one in found)


def _claims(found: Sequence[Lease], state: LeaseState) -> list[rules.Claim]:
    return [
        rules.Claim(id=one.id, ticket=one.ticket, paths=one.paths, is_person=one.is_person)
        for one in found
        if one.state is state
    ]


async def look_line(store: ReadStore, workspace: Path, most: int) -> tuple[Landed, ...]:
    """The newest entries of the line, newest first; what only the database has is put before them.

    Raises:
        Refused: the folder is no workspace.
        Unavailable: git cannot read the line.
    """
    repository = await open_repository(workspace)
    space = workspace_id(repository)
    # the database first: a landing's row is written before git has it, so what is read later has all of the earlier
    rows = await store.fetch_all("coordination.newest_landings", workspace=space, few=most)
    newest = {row["new_head"]: row for row in rows}
    head = await repository.tip(f"refs/coord/{space}/head")
    found = [
        _beside(one, newest.get(one.entry) or await store.fetch_one("coordination.landing", new_head=one.entry))
        for one in await _entries(repository, head, most)
    ]
    listed = {one.entry for one in found}
    rest = [row for id, row in newest.items() if id not in listed and row["state"] != LandingState.ABORTED]
    missing = [_missing(row) for row in rest if not await contains(repository, head, row["new_head"])]
    return await _with_branches(repository, (*missing, *found))


async def _entries(repository: Repository, head: str, most: int) -> list[Landed]:
    """As git has them, newest first. The first one of all has no parent but the branch's commit."""
    if not head:
        return []
    ran = await repository.run("rev-list", "--first-parent", f"--max-count={most}", head, "--")
    oids, found = ran.text.split(), []
    for oid, commit in zip(oids, await _commits(repository, oids), strict=True):
        said = _ENTRY.fullmatch(commit.words) or _NOTE.fullmatch(commit.words)
        is_note = said is not None and said.re is _NOTE
        found.append(
            Landed(
                entry=oid, name=said["name"] if said else "", commit=commit.parents[-1] if commit.parents else "",
                branch="", fence=int(said["fence"]) if said and not is_note else 0, author="", made_at=commit.at,
                landed_at=None, is_note=is_note, is_on_branch=None, differences=() if said else (NO_ENTRY,),
            )
        )  # fmt: skip
        if said is None or len(commit.parents) < 2:
            break
    made = await _commits(repository, [one.commit for one in found if one.commit])
    authors = {one.commit: commit.author for one, commit in zip([o for o in found if o.commit], made, strict=True)}
    return [replace(one, author=authors.get(one.commit, "")) for one in found]


async def _commits(repository: Repository, oids: Sequence[str]) -> list[Commit]:
    answers = await warm.contents(repository.git_dir, repository.objects, oids) if oids else []
    bodies = [answer.content if answer and answer.kind == "commit" else b"" for answer in answers]
    return [read_commit(body) for body in bodies]


def _beside(one: Landed, row: Row | None) -> Landed:
    """An entry of git's with what the database says of it."""
    if one.is_note or one.differences:
        return one
    if row is None:
        return replace(one, differences=("the database knows nothing of it",))
    pairs = (("proposal", "proposal", one.name), ("commit", "new_commit", one.commit), ("fence", "fence", one.fence))
    told = [f"the database has {row[column]!r} as its {what}" for what, column, own in pairs if row[column] != own]
    if row["state"] != LandingState.APPLIED:
        told.append(f"the database says that it is {row['state']}")
    return replace(one, branch=row["branch"], landed_at=row["settled_at"], differences=tuple(told))


def _missing(row: Row) -> Landed:
    """What the database says has landed, or is about to."""
    is_open = row["state"] == LandingState.APPLYING
    why = "it is on its way: git does not have it yet" if is_open else "git's line does not have it"
    return Landed(
        entry=row["new_head"], name=row["proposal"], commit=row["new_commit"], branch=row["branch"],
        fence=row["fence"], author="", made_at=int(row["created_at"]), landed_at=row["settled_at"], is_note=False,
        is_on_branch=None, differences=(why,),
    )  # fmt: skip


async def _with_branches(repository: Repository, found: Sequence[Landed]) -> tuple[Landed, ...]:
    """The same, with whether each branch still has its commits: one question for each branch."""
    gone: dict[str, set[str]] = {}
    for branch in {one.branch for one in found if one.branch}:
        commits = [one.commit for one in found if one.branch == branch]
        feed = "".join(f"{oid}\n" for oid in (*commits, f"^{await repository.tip(branch)}")).encode()
        ran = await repository.run("rev-list", "--ignore-missing", "--stdin", feed=feed, accept=(0, 128))
        gone[branch] = set(ran.text.split()) if ran.code == 0 else set(commits)  # there is no such branch any more
    return tuple(
        replace(one, is_on_branch=one.commit not in gone[one.branch]) if one.branch and not one.differences else one
        for one in found
    )
