"""What is to be said, row by row: taken when due, delivered in order within a conversation, marked one by one."""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet
from dataclasses import replace

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


def shown(tx: Tx, conversation: str, key: str) -> Outbound | None:
    """The newest form of a visible message, for whoever wants to edit it."""
    row = tx.one("transport.outbox_by_key", conversation_id=conversation, key=key)
    return load_outbound(row["payload"]) if row else None


def put_reference(tx: Tx, outbound: Outbound, reference: str) -> None:
    """Where a message's parts are, before a channel fills further ones: what is not written down would be doubled."""
    tx.run("transport.put_reference", conversation_id=outbound.address.id, key=outbound.key, reference=reference)


def key_of(tx: Tx, conversation: str, part: str) -> str:
    """The key of the visible message whose last part the provider calls `part`; empty when there is none."""
    row = tx.one("transport.key_by_reference", conversation_id=conversation, reference=part, ending=f"% {part}")
    return str(row["key"]) if row else ""


def take_due(tx: Tx, channels: Channels, limit: int) -> tuple[list[Delivery], int]:
    """Take due rows, up to `limit`. Those of a local channel are written and marked here and now.

    Returns what must be delivered outside the transaction, and how many rows were handled in all: fewer than `limit`
    means that no more are due.
    """
    taken: list[Delivery] = []
    handled = 0
    elsewhere = "".join(f"|{name}|" for name, channel in channels.items() if channel is None)
    while handled < limit:
        rows = tx.all("transport.due_deliveries", now=tx.now, limit=limit - handled, elsewhere=elsewhere)
        if not rows:
            break
        handled += len(rows)
        for row in rows:
            if delivery := take(tx, channels, row):
                taken.append(delivery)
    return taken, handled


def take(tx: Tx, channels: Channels, row: Row) -> Delivery | None:
    """A row that is to be delivered outside; None for one that is done with: shown here, or dead."""
    channel = channels.get(row["channel"])
    try:
        delivery = as_delivery(row)
        body = channel.render(delivery.outbound) if isinstance(channel, LocalChannel) else ""
    except Exception as error:  # one message that cannot be shown must not hold up all the others
        log.exception("outbox.unrenderable", extra={"outbox": row["id"]})
        tx.run("transport.bury_outbox", id=row["id"], error=f"cannot be shown: {type(error).__name__}")
        return None
    if isinstance(channel, LocalChannel):
        written = channel.write(tx, delivery.outbound, body, delivery.dedupe)
        reach(Point.DELIVER_AFTER)
        tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=written)
        return None  # and the conversation's next row is due now
    if not tx.run("transport.take_delivery", id=row["id"], owner=tx.worker):
        return None
    seen = tx.one("transport.reference", conversation_id=row["conversation_id"], key=row["key"])
    return replace(delivery, reference=seen["reference"]) if seen else delivery


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
    """The provider took it; the next message of its key will edit it."""
    mark_placed(tx, delivery, reference)
    tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=reference)
    tx.wake("outbox")


def mark_placed(tx: Tx, delivery: Delivery, reference: str) -> None:
    """The placeholder is there: from now on the message is edited, never placed again."""
    put_reference(tx, delivery.outbound, reference)


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
