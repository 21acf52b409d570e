"""What is to be said, row by row, and where each visible message is. All functions take an open transaction."""

from __future__ import annotations

import re

from layers.store import ReadStore, Tx
from layers.transport.rules import (
    Priority,
    RowKind,
    dump_outbound,
    expires_at,
    load_outbound,
    priority_of,
    sameness,
)
from layers.types import Outbound, OutboundKind, Receipt

COMPARED = (OutboundKind.MESSAGE, OutboundKind.WORKING)


def send(tx: Tx, outbound: Outbound, dedupe: str, turn_id: int | None = None) -> Receipt:
    """Take a message into the outbox, once per `dedupe`. Without a turn it is Bulkhead's own word."""
    is_compared = turn_id is not None and outbound.kind in COMPARED
    row = tx.one(
        "transport.put_outbox",
        channel=outbound.address.channel,
        conversation_id=outbound.address.id,
        turn_id=turn_id,
        dedupe=dedupe,
        key=outbound.key,
        kind=outbound.kind.value,
        payload=dump_outbound(outbound),
        priority=priority_of(outbound).value,
        sameness=sameness(outbound) if is_compared else None,
        expires_at=expires_at(outbound.kind, tx.now),
        now=tx.now,
    )
    tx.wake("outbox")
    if row is not None:
        return Receipt(outbox_id=row["id"], is_new=True)
    seen = tx.one("transport.outbox_by_dedupe", dedupe=dedupe)
    return Receipt(outbox_id=seen["id"] if seen else 0, is_new=False)


def send_own(tx: Tx, outbound: Outbound, dedupe: str, kind: RowKind) -> None:
    """Take what transport itself has to say into the outbox."""
    tx.one(
        "transport.put_outbox",
        channel=outbound.address.channel,
        conversation_id=outbound.address.id,
        turn_id=None,
        dedupe=dedupe,
        key=outbound.key,
        kind=kind.value,
        payload=dump_outbound(outbound),
        priority=Priority.REPLY.value,
        sameness=None,
        expires_at=expires_at(kind, tx.now),
        now=tx.now,
    )
    tx.wake("outbox")


def shown(tx: Tx, conversation: str, key: str) -> Outbound | None:
    """The newest form of a visible message, for whoever wants to edit it."""
    row = tx.one("transport.outbox_by_key", conversation_id=conversation, key=key)
    return load_outbound(row["payload"]) if row else None


def put_reference(tx: Tx, outbound: Outbound, reference: str) -> None:
    """Where a message's parts are, before a channel fills further ones: what is not written down would be doubled."""
    tx.run("transport.put_reference", conversation_id=outbound.address.id, key=outbound.key, reference=reference)


def put_shown(tx: Tx, outbound: Outbound, reference: str) -> None:
    """The same of one whose content is there."""
    values = {"conversation_id": outbound.address.id, "key": outbound.key, "reference": reference}
    tx.run("transport.put_shown", **values, now=tx.now)


def shown_at(tx: Tx, conversation: str, key: str) -> float | None:
    """Since when a visible message has had its content, epoch seconds; None where nobody keeps account of it."""
    row = tx.one("transport.shown_at", conversation_id=conversation, key=key)
    if row is None:
        return None
    return tx.now if row["shown_at"] is None else float(row["shown_at"])  # its mark may be on the way at this moment


def key_of(tx: Tx, conversation: str, part: str) -> str:
    """The key of the visible message whose last part the provider calls `part`; empty when there is none."""
    row = tx.one("transport.key_by_reference", conversation_id=conversation, reference=part, ending=f"% {part}")
    return str(row["key"]) if row else ""


def carries(tx: Tx, conversation: str, key: str, part: str) -> bool:
    """Whether the provider calls a part of the visible message `key` that."""
    row = tx.one("transport.reference", conversation_id=conversation, key=key)
    return row is not None and part in re.findall(r"[\w.-]+", row["reference"])


async def said(store: ReadStore, conversation: str, after: int) -> list[tuple[int, Outbound]]:
    """What a conversation was told after the outbox id `after`, oldest first: for a channel that reads it here."""
    rows = await store.fetch_all("transport.said", conversation_id=conversation, after=after)
    return [(row["id"], load_outbound(row["payload"])) for row in rows]
