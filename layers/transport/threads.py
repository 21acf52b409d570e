"""Which conversation a mail belongs to: by its Message-ID and those it answers, for each correspondent apart.

Other providers say which thread a message is in. Mail only says which message another one answers, so the ids that came
and went are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layers.store import ReadStore, Tx

ANCESTORS_KEPT = 20
"""Message-IDs for References: the first one and the last ones are what mail programs go by (RFC 5322, 3.6.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that came in or left."""

    correspondent: str
    """Their address, in lower case."""
    message_id: str
    """With its angle brackets."""
    conversation: str
    """`Address.id`."""
    key: str = ""
    """The `Outbound.key` of one that left."""
    subject: str = ""
    ancestors: tuple[str, ...] = ()
    """Message-IDs that it answers, oldest first."""
    hops: int = 0
    """Automatic answers that led to it."""


def put_letter(tx: Tx, letter: Letter) -> bool:
    """Write a mail down; False when it was there already."""
    row = tx.one(
        "transport.put_letter",
        correspondent=letter.correspondent,
        message_id=letter.message_id,
        conversation_id=letter.conversation,
        key=letter.key,
        subject=letter.subject,
        ancestors=" ".join(shortened(letter.ancestors)),
        hops=letter.hops,
        now=tx.now,
    )
    return row is not None


def forget_letter(tx: Tx, correspondent: str, message_id: str) -> None:
    """It never left, or nobody known wrote it."""
    tx.run("transport.forget_letter", correspondent=correspondent, message_id=message_id)


async def conversation_of(store: ReadStore, correspondent: str, ids: Sequence[str]) -> str:
    """The conversation of the first of these Message-IDs that this correspondent wrote or was sent; or nothing."""
    for id in ids:
        row = await store.fetch_one("transport.letter", correspondent=correspondent, message_id=id)
        if row is not None:
            return str(row["conversation_id"])
    return ""


async def letter_to_answer(store: ReadStore, conversation: str) -> Letter | None:
    """The newest mail that came in; where none did, the first one that left."""
    row = await store.fetch_one("transport.last_letter", conversation_id=conversation)
    row = row or await store.fetch_one("transport.first_letter", conversation_id=conversation)
    if row is None:
        return None
    return Letter(
        correspondent="",
        message_id=row["message_id"],
        conversation=conversation,
        subject=row["subject"],
        ancestors=tuple(row["ancestors"].split()),
        hops=row["hops"],
    )


async def sent_letter(store: ReadStore, message_id: str) -> Letter | None:
    """The mail of ours that has this Message-ID."""
    row = await store.fetch_one("transport.sent_letter", message_id=message_id)
    if row is None:
        return None
    return Letter(
        correspondent=row["correspondent"], message_id=message_id, conversation=row["conversation_id"], key=row["key"]
    )


def shortened(ancestors: Sequence[str]) -> tuple[str, ...]:
    """The first and the last ones."""
    kept = tuple(ancestors)
    return kept if len(kept) <= ANCESTORS_KEPT else (kept[0], *kept[1 - ANCESTORS_KEPT :])
