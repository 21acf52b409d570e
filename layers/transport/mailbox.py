"""Everything that happens to a conversation is an inbox row; one turn at a time works through them.

A conversation's row holds who owns it and an epoch that grows with every turn. Each write of a turn begins with
`fence`: once another worker took the conversation, the epoch differs and the write is refused. All functions take an
open transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from layers.errors import LeaseLost
from layers.store import ReadStore, Row, Tx
from layers.transport.contacts import meet
from layers.transport.outbox import send
from layers.transport.rules import dump_inbound, load_inbound
from layers.transport.types import Accepted, Line, Step, StepKind, StepState, TurnEnd
from layers.types import Inbound, Outbound, Person, Turn

log = logging.getLogger(__name__)


def accept(tx: Tx, inbound: Inbound, has_room: bool = True) -> Accepted:
    """Journal an event once, whichever of its names it comes under: its event id or one of its aliases.

    Takes the conversation in the same transaction when it is idle and `has_room`; otherwise leaves it ready for whoever
    has. Commit before you acknowledge the provider.
    """
    conversation = inbound.address.id
    lock = tx.one("transport.lock_conversation", id=conversation)
    row = tx.one(
        "transport.insert_inbox",
        source=inbound.address.channel,
        event_id=inbound.event_id,
        conversation_id=conversation,
        kind=inbound.kind.value,
        payload=dump_inbound(inbound),
        now=tx.now,
    )
    known = seen_before(tx, inbound, row["id"] if row else None)
    if row is None or known is not None:
        return Accepted(inbox_id=known or 0, is_new=False)
    meet(tx, inbound)
    turn = None
    if lock and lock["owner"] is None:
        if has_room:
            turn = take(tx, conversation)
        else:
            tx.run("transport.mark_ready", id=conversation, now=tx.now)
            tx.wake("inbox")
    return Accepted(inbox_id=row["id"], is_new=True, turn=turn)


def seen_before(tx: Tx, inbound: Inbound, inserted: int | None) -> int | None:
    """The inbox id of the same event, if it came before under any of its names; None where it is new.

    The names are unique in the database, so of two processes that journal the same event one waits for the other here,
    also where the conversations differ. A name that was not known of a known event is known from then on. `inserted` is
    the row made just now, which goes again; None where the event id itself was there.
    """
    source = inbound.address.channel
    names = sorted({inbound.event_id, *inbound.aliases})
    listed = json.dumps(names)
    if inserted is None:
        row = tx.one("transport.inbox_by_event", source=source, event_id=inbound.event_id)
        if row is not None and len(names) > 1:
            tx.run("transport.take_names", source=source, names=listed, inbox_id=row["id"])
        return row["id"] if row else None
    if tx.run("transport.take_names", source=source, names=listed, inbox_id=inserted) == len(names):
        return None
    first = tx.one("transport.inbox_by_names", source=source, names=listed, but=inserted)
    if first is None:
        return None
    tx.run("transport.give_names", source=source, names=listed, before=inserted, after=first["id"])
    tx.run("transport.forget_inbox", id=inserted)
    return int(first["id"])


async def takes_part(store: ReadStore, channel: str, conversation: str, event_id: str) -> bool:
    """Whether anything was said in a conversation, by either side, or an event of that id was accepted."""
    row = await store.fetch_one("transport.takes_part", conversation_id=conversation, source=channel, event_id=event_id)
    return row is not None


def claim(tx: Tx, limit: int) -> list[Turn]:
    """Take up to `limit` ready conversations, each with its oldest event."""
    rows = tx.all("transport.ready_conversations", limit=limit)
    turns = [take(tx, row["id"]) for row in rows]
    return [turn for turn in turns if turn is not None]


def take(tx: Tx, conversation: str) -> Turn | None:
    """Own an idle conversation and begin its oldest pending event."""
    row = tx.one("transport.own_conversation", id=conversation, worker=tx.worker)
    return begin(tx, conversation, row["epoch"]) if row else None


def begin(tx: Tx, conversation: str, epoch: int) -> Turn | None:
    """The turn of the oldest pending event of an owned conversation; releases it when there is none."""
    while row := tx.one("transport.begin_first_pending", conversation_id=conversation):
        inbound = readable(row)
        if inbound is None:
            tx.run("transport.bury_inbox", id=row["id"])
            continue
        tx.run("transport.start_turn", id=row["id"], conversation_id=conversation, epoch=epoch, now=tx.now)
        return Turn(
            id=row["id"],
            epoch=epoch,
            inbound=inbound,
            attempt=row["attempts"],
            received_at=row["received_at"],
            stopped_by=who(tx, row["stopped_by"]),
        )
    tx.run("transport.release", id=conversation)
    return None


def readable(row: Row) -> Inbound | None:
    """The event of a row; None for one that this release cannot read, which must not hold up all the others."""
    try:
        return load_inbound(row["payload"])
    except (ValueError, KeyError, TypeError):
        log.exception("inbox.unreadable", extra={"inbox": row["id"]})
        return None


def who(tx: Tx, inbox_id: int | None) -> Person | None:
    """Whose word the event was that wants no more of a turn."""
    row = tx.one("transport.word_of", id=inbox_id) if inbox_id is not None else None
    return load_inbound(row["payload"]).person if row else None


def fence(tx: Tx, turn: Turn) -> None:
    """Refuse to write for a turn whose conversation another worker owns.

    Raises:
        LeaseLost: stop silently; the new owner carries on.
    """
    conversation = turn.inbound.address.id
    if tx.one("transport.fence", id=conversation, epoch=turn.epoch, worker=tx.worker) is None:
        raise LeaseLost(f"turn {turn.id} of {conversation!r} belongs to another worker now")


def finish(
    tx: Tx,
    turn: Turn,
    outbounds: Sequence[Outbound],
    lines: Sequence[Line] = (),
    route: str = "",
    end: TurnEnd = TurnEnd.DONE,
) -> Turn | None:
    """End a turn: its messages, its transcript and `end` land together. Returns the conversation's next turn.

    `route` is what `/why` will tell, as JSON; empty when no model took part.
    """
    fence(tx, turn)
    conversation = turn.inbound.address.id
    for n, outbound in enumerate(outbounds):
        send(tx, outbound, dedupe=f"t{turn.id}.{n}", turn_id=turn.id)
    remember(tx, conversation, turn.id, lines)
    tx.run("transport.end_turn", id=turn.id, state=end.value, now=tx.now, route=route or None)
    tx.run("transport.end_inbox", id=turn.id)
    row = tx.one("transport.next_epoch", id=conversation)
    return begin(tx, conversation, row["epoch"]) if row else None


def remember(tx: Tx, conversation: str, turn_id: int, lines: Sequence[Line]) -> None:
    """Add to what the agent remembers of a conversation, its turn's own or another."""
    for line in lines:
        row = tx.one("transport.next_sequence", id=conversation)
        seq = row["sequence"] if row else 0
        said = {"role": line.role, "content": line.content}
        tx.run("transport.add_line", conversation_id=conversation, seq=seq, turn_id=turn_id, **said, now=tx.now)


def give_back(tx: Tx, turn: Turn) -> None:
    """Let another worker, or this one after a restart, begin the turn again: the server is stopping."""
    let_go(tx, turn.inbound.address.id, turn.epoch)


def owned(tx: Tx) -> set[tuple[str, int]]:
    """What this worker owns by the database's account: (conversation, epoch)."""
    return {(row["id"], row["epoch"]) for row in tx.all("transport.owned", worker=tx.worker)}


def let_go(tx: Tx, conversation: str, epoch: int) -> None:
    """Make a conversation that this worker owns ready for any worker."""
    tx.run("transport.give_back", id=conversation, epoch=epoch, worker=tx.worker, now=tx.now)
    tx.wake("inbox")


def reap(tx: Tx) -> int:
    """Free what workers that run no more had taken. Returns how many conversations became ready."""
    freed = 0
    for row in tx.all("transport.owners"):
        if tx.is_gone(row["owner"]):
            freed += tx.run("transport.free_conversations", owner=row["owner"], now=tx.now)
            tx.wake("inbox")
    for row in tx.all("transport.sending_owners"):
        if tx.is_gone(row["owner"]) and tx.run("transport.free_deliveries", owner=row["owner"]):
            tx.wake("outbox")
    return freed


def steps(tx: Tx, turn: Turn) -> list[Step]:
    """The journal of a turn, oldest first."""
    return [as_step(row) for row in tx.all("transport.steps", turn_id=turn.id)]


def step_at(tx: Tx, turn: Turn, n: int) -> Step | None:
    """One row of a turn's journal."""
    row = tx.one("transport.step", turn_id=turn.id, n=n)
    return as_step(row) if row else None


def as_step(row: Row) -> Step:
    """The row as a noun."""
    return Step(
        n=row["n"],
        kind=StepKind(row["kind"]),
        name=row["name"],
        state=StepState(row["state"]),
        body=row["body"] or "",
    )


def put_step(tx: Tx, turn: Turn, step: Step) -> None:
    """Write one journal row, fenced."""
    fence(tx, turn)
    tx.run(
        "transport.put_step",
        turn_id=turn.id,
        n=step.n,
        kind=step.kind.value,
        name=step.name,
        state=step.state.value,
        body=step.body,
        epoch=turn.epoch,
        now=tx.now,
    )
