"""Leases in the store: who may write which paths of a workspace, for how long, in which order.

Takes an actor and paths, gives a `Lease`: a place in the queue first, then a fence, a number of the workspace that
only grows. A lease is not what keeps a paused holder from writing (a clock never is): its fence is checked in the
transaction that journals a landing, and the line itself compares before it moves. All times are the database's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from layers.coordination import rules
from layers.errors import BulkheadError, Refused, Unavailable
from layers.store import Row, Store, Tx

log = logging.getLogger(__name__)

TTL_S = 30.0
HEARTBEAT_S = 10.0
TICKET_S = 15.0
"""Who waits says so more often than this, or leaves the queue."""
LOOK_S = 1.0
"""How often one who waits looks by itself: what a dead holder leaves is free within this after its expiry."""


class LeaseState(StrEnum):
    """How a lease is."""

    WAITING = "waiting"
    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"
    """Its holder, or who waited for it, was not heard of in time."""
    FENCED = "fenced"
    """A person took over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who asks for a lease, and for what."""

    workspace: str
    """Its id."""
    actor: str
    paths: tuple[str, ...]
    """Exact paths, and folders with a slash at their end."""
    is_person: bool = False
    """People go first, and take over from whoever is none."""
    worker: str = ""
    """`Store.worker` of the process that the lease ends with, however it dies; empty: only time ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as it was when it was looked at."""

    id: str
    workspace: str
    ticket: int
    actor: str
    paths: tuple[str, ...]
    is_person: bool
    worker: str
    state: LeaseState
    fence: int
    """Greater than every earlier one of the workspace; 0 until it is held."""
    ends_at: float
    """Epoch seconds by the database's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A workspace that the store knows."""

    id: str
    root: Path
    """Its work tree, resolved."""
    name: str = ""
    """As `bulkhead.toml` calls it; empty where it does not."""


def topic(workspace: str) -> str:
    """What is woken when a workspace's leases change."""
    return f"leases:{workspace}"


def enrol(tx: Tx, workspace: str, root: str) -> None:
    """Make a workspace known. Doing it again changes nothing."""
    tx.run("coordination.open_workspace", id=workspace, root=root)


def known(tx: Tx) -> tuple[Known, ...]:
    """Every workspace that was made known, by its folder."""
    return tuple(Known(id=row["id"], root=Path(row["root"])) for row in tx.all("coordination.workspaces"))


def ask(tx: Tx, claimant: Claimant, lease_id: str) -> Lease:
    """Draw a ticket; the lease is held at once where nothing is in the way. All paths or none.

    `lease_id` is the caller's own, 20 hex digits at random: asking again under it draws no second ticket.

    Raises:
        Refused: a path that no lease can name, or an unknown workspace.
    """
    paths = rules.check_paths(claimant.paths)
    counts = _lock(tx, claimant.workspace)
    if tx.one("coordination.lease", id=lease_id) is not None:
        return lease(tx, lease_id)
    ticket = counts["tickets"] + 1
    tx.run("coordination.count_workspace", id=claimant.workspace, fence=counts["fence"], tickets=ticket)
    tx.run(
        "coordination.ask_lease", id=lease_id, workspace=claimant.workspace, ticket=ticket, actor=claimant.actor,
        is_person=int(claimant.is_person), worker=claimant.worker, paths=json.dumps(paths), ends_at=tx.now + TICKET_S,
        asked_at=tx.now,
    )  # fmt: skip
    _advance(tx, claimant.workspace)
    return lease(tx, lease_id)


def lease(tx: Tx, lease_id: str) -> Lease:
    """The lease as it is written down.

    Raises:
        Refused: there is none.
    """
    row = tx.one("coordination.lease", id=lease_id)
    if row is None:
        raise Refused(f"there is no lease {lease_id!r}; ask for one")
    return lease_of(row)


def renew(tx: Tx, lease_id: str) -> Lease:
    """A sign of life from its holder, or from who waits for it. What has ended stays ended."""
    before = lease(tx, lease_id)
    _lock(tx, before.workspace)
    _advance(tx, before.workspace)
    now = lease(tx, lease_id)
    if now.state in (LeaseState.WAITING, LeaseState.HELD):
        longer = TTL_S if now.state is LeaseState.HELD else TICKET_S
        _move(tx, now, now.state, fence=now.fence, ends_at=tx.now + longer)
    return lease(tx, lease_id)


def release(tx: Tx, lease_id: str) -> None:
    """Give it back, or leave the queue. Doing it again changes nothing."""
    before = lease(tx, lease_id)
    _lock(tx, before.workspace)
    now = lease(tx, lease_id)
    if now.state in (LeaseState.WAITING, LeaseState.HELD):
        _move(tx, now, LeaseState.RELEASED, fence=now.fence, ends_at=tx.now)
        tx.wake(topic(now.workspace))
    _advance(tx, now.workspace)


def live(tx: Tx, workspace: str) -> list[Lease]:
    """Everything held and everything waiting, in the order of the queue."""
    _lock(tx, workspace)
    _advance(tx, workspace)
    return [lease_of(row) for row in tx.all("coordination.live_leases", workspace=workspace)]


def demand(tx: Tx, held: Lease, paths: Sequence[str]) -> None:
    """Let nobody past whose lease is not held any more, by the database and at this moment.

    Raises:
        Refused: it ran out, was taken over by a person, or does not cover `paths`.
    """
    _lock(tx, held.workspace)
    now = lease(tx, held.id)
    if now.state is not LeaseState.HELD or now.fence != held.fence or now.ends_at <= tx.now:
        why = "was taken over by a person" if now.state is LeaseState.FENCED else "ran out"
        raise Refused(f"the lease {held.id!r} (fence {held.fence}) {why}; nothing was written, ask for a new one")
    if not rules.covers(now.paths, paths):
        outside = next(path for path in paths if not rules.covers(now.paths, [path]))
        raise Refused(f"the lease {held.id!r} does not cover {outside!r}; ask for one that names it")


def _lock(tx: Tx, workspace: str) -> Row:
    """Nobody else's transaction sees or moves this workspace's leases until this one ends."""
    row = tx.one("coordination.lock_workspace", id=workspace)
    if row is None:
        raise Refused(f"there is no workspace {workspace!r} in the database; open it first")
    return row


def _advance(tx: Tx, workspace: str) -> None:
    """Let go of the dead, then let in whose turn it is."""
    alive: list[Lease] = []
    has_changed = False
    for row in tx.all("coordination.live_leases", workspace=workspace):
        one = lease_of(row)
        if one.ends_at <= tx.now or (one.worker and tx.is_gone(one.worker)):
            _move(tx, one, LeaseState.EXPIRED, fence=one.fence, ends_at=one.ends_at)
            has_changed = True
        else:
            alive.append(one)
    by_id = {one.id: one for one in alive}
    claims = {
        id: rules.Claim(id=id, ticket=one.ticket, paths=one.paths, is_person=one.is_person) for id, one in by_id.items()
    }
    waiting = [claims[one.id] for one in alive if one.state is LeaseState.WAITING]
    held = [claims[one.id] for one in alive if one.state is LeaseState.HELD]
    next_ones = rules.advance(waiting, held)
    for id in next_ones.fenced:
        _move(tx, by_id[id], LeaseState.FENCED, fence=by_id[id].fence, ends_at=tx.now)
    for id in next_ones.granted:
        counts = _lock(tx, workspace)
        fence = counts["fence"] + 1
        tx.run("coordination.count_workspace", id=workspace, fence=fence, tickets=counts["tickets"])
        _move(tx, by_id[id], LeaseState.HELD, fence=fence, ends_at=tx.now + TTL_S)
    if has_changed or next_ones.granted or next_ones.fenced:
        tx.wake(topic(workspace))


def _move(tx: Tx, before: Lease, after: LeaseState, *, fence: int, ends_at: float) -> None:
    state = before.state.value
    tx.run("coordination.move_lease", id=before.id, before=state, after=after.value, fence=fence, ends_at=ends_at)


def lease_of(row: Row) -> Lease:
    """A row of the store."""
    return Lease(
        id=row["id"], workspace=row["workspace"], ticket=row["ticket"], actor=row["actor"],
        paths=tuple(json.loads(row["paths"])), is_person=bool(row["is_person"]), worker=row["worker"],
        state=LeaseState(row["state"]), fence=row["fence"], ends_at=row["ends_at"],
    )  # fmt: skip


async def wait(store: Store, waiting: Lease, wait_s: float) -> Lease:
    """Wait until the lease is held, at most `wait_s`, saying that somebody waits.

    Raises:
        Unavailable: others held it all that time; its place in the queue is given up.
    """
    changed = asyncio.Event()
    unsubscribe = store.subscribe(topic(waiting.workspace), changed.set)
    try:
        async with asyncio.timeout(wait_s):
            while waiting.state is LeaseState.WAITING:
                changed.clear()
                waiting = await store.run(renew, waiting.id)
                if waiting.state is LeaseState.WAITING:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), LOOK_S)
    except TimeoutError:
        await store.run(release, waiting.id)
        raise Unavailable(f"others have held {', '.join(waiting.paths[:3])} for {wait_s:.0f} s; try again") from None
    finally:
        unsubscribe()
    if waiting.state is not LeaseState.HELD:
        raise Unavailable(f"the place in the queue was lost ({waiting.state.value}); try again")
    return waiting


@contextlib.asynccontextmanager
async def holding(store: Store, claimant: Claimant, wait_s: float) -> AsyncIterator[Lease]:
    """Wait for a lease, keep it alive inside the block, give it back. It ends with this process.

    Raises:
        Refused: it can never be had.
        Unavailable: others held it for `wait_s`.
    """
    asked = await store.run(ask, replace(claimant, worker=store.worker), secrets.token_hex(10))
    beating: asyncio.Task[None] | None = None
    try:
        held = await wait(store, asked, wait_s) if asked.state is LeaseState.WAITING else asked
        beating = asyncio.create_task(_beat(store, held), name="lease")
        yield held
    finally:
        if beating is not None:
            beating.cancel()
        await store.run(release, asked.id)


async def _beat(store: Store, held: Lease) -> None:
    """Signs of life until it is lost or given back. What is written under it is checked apart from this."""
    while held.state is LeaseState.HELD:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            held = await store.run(renew, held.id)
        except BulkheadError as error:
            log.warning("lease.not_renewed", extra={"lease": held.id, "why": str(error)})
