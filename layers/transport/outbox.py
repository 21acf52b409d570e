"""What is to be said, row by row: taken when due, delivered in order within a conversation, marked one by one."""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet

from layers.failpoint import Point, reach
from layers.store import ReadStore, Row, Tx
from layers.transport.rules import MAX_ATTEMPTS, dump_outbound, load_outbound, retry_delay_s
from layers.transport.types import Channels, Delivery, LocalChannel
from layers.types import Outbound, Receipt

log = logging.getLogger(__name__)


def send(tx: Tx, outbound: Outbound, dedupe: str, turn_id: int | None = None) -> Receipt:
    """Take a message into the outbox, once per `dedupe`."""
    row = tx.one(
        "transport.put_outbox",
        channel=outbound.address.channel,
        conversation_id=outbound.address.id,
        turn_id=turn_id,
        dedupe=dedupe,
        key=outbound.key,
        payload=dump_outbound(outbound),
        now=tx.now,
    )
    tx.wake("outbox")
    if row is not None:
        return Receipt(outbox_id=row["id"], is_new=True)
    seen = tx.one("transport.outbox_by_dedupe", dedupe=dedupe)
    return Receipt(outbox_id=seen["id"] if seen else 0, is_new=False)


def messages_of(tx: Tx, conversation: str, turn_id: int) -> list[Outbound]:
    """What a turn said, oldest first, for whoever wants to edit one of its messages."""
    rows = tx.all("transport.messages_of_turn", conversation_id=conversation, turn_id=turn_id)
    return [load_outbound(row["payload"]) for row in rows]


def take_due(tx: Tx, channels: Channels, limit: int) -> tuple[list[Delivery], int]:
    """Take due rows. Those of a local channel are written and marked here and now.

    Returns what must be delivered outside the transaction, and how many rows were handled in all.
    """
    taken: list[Delivery] = []
    rows = tx.all("transport.due_deliveries", now=tx.now, limit=limit)
    for row in rows:
        channel = channels.get(row["channel"])
        try:
            delivery = as_delivery(row)
            body = channel.render(delivery.outbound) if isinstance(channel, LocalChannel) else ""
        except Exception as error:  # one message that cannot be shown must not hold up all the others
            log.exception("outbox.unrenderable", extra={"outbox": row["id"]})
            tx.run("transport.bury_outbox", id=row["id"], error=f"cannot be shown: {type(error).__name__}")
            continue
        if isinstance(channel, LocalChannel):
            write_local(tx, channel, delivery, body)
        elif tx.run("transport.take_delivery", id=row["id"], owner=tx.worker):
            taken.append(delivery)
    return taken, len(rows)


def write_local(tx: Tx, channel: LocalChannel, delivery: Delivery, body: str) -> None:
    """Show a message within the transaction that marks it."""
    reference = channel.write(tx, delivery.outbound, body, delivery.dedupe)
    reach(Point.DELIVER_AFTER)
    tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=reference)


def free_deliveries(tx: Tx, in_flight: AbstractSet[int]) -> int:
    """Free the rows this worker took and does not deliver (the answer of its transaction was lost); how many."""
    taken = {row["id"] for row in tx.all("transport.taken_deliveries", owner=tx.worker)}
    return sum(tx.run("transport.free_delivery", id=id, owner=tx.worker) for id in sorted(taken - in_flight))


async def said(store: ReadStore, conversation: str, after: int) -> list[tuple[int, Outbound]]:
    """What a conversation was told after the outbox id `after`, oldest first: for a channel that reads it here."""
    rows = await store.fetch_all("transport.said", conversation_id=conversation, after=after)
    return [(row["id"], load_outbound(row["payload"])) for row in rows]


def as_delivery(row: Row) -> Delivery:
    """The row as a noun."""
    return Delivery(
        outbox_id=row["id"],
        dedupe=row["dedupe"],
        outbound=load_outbound(row["payload"]),
        attempts=row["attempts"],
    )


def mark_sent(tx: Tx, delivery: Delivery, reference: str) -> None:
    """The provider took it."""
    tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=reference)
    tx.wake("outbox")


def mark_failed(tx: Tx, delivery: Delivery, error: str, is_final: bool) -> None:
    """The provider did not take it: try later, or never."""
    attempts = delivery.attempts + 1
    is_dead = is_final or attempts >= MAX_ATTEMPTS
    tx.run(
        "transport.mark_failed",
        id=delivery.outbox_id,
        state="dead" if is_dead else "pending",
        due=tx.now + retry_delay_s(attempts),
        error=error,
    )
    tx.wake("outbox")
