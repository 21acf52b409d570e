"""What people are told of messages that did not arrive, and what their buttons do.

One digest tells a conversation of everything that came too late; a note tells of each message that failed or of which
nobody knows. Both are rows of the outbox, written in the transaction that ended the message. All functions take an
open transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from layers.store import Row, Tx
from layers.transport.outbox import send_own
from layers.transport.rules import RowKind, State, dump_outbound, expires_at, first_words, load_outbound
from layers.types import Address, Button, ButtonStyle, Outbound, OutboundKind

LISTED = 5
"""Messages that a digest names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message that a button can send again."""

    id: int
    conversation_id: str
    state: State


def words_of(row: Row) -> str:
    """By what a person recognises a row's message."""
    try:
        return first_words(load_outbound(row["payload"]).text)
    except (ValueError, KeyError, TypeError):
        return "(nobody can read it)"


# --- too late ---


def expire_late(tx: Tx, conversation: str, is_late: Callable[[Row], bool]) -> int:
    """End everything of a conversation that is late and of which nothing is visible; how many rows. One digest tells.

    Late progress is nobody's loss: it is not told of.
    """
    late = [row for row in tx.all("transport.waiting", conversation_id=conversation) if is_late(row)]
    open_digest = tx.one("transport.open_digest", conversation_id=conversation)
    handle = str(open_digest["digest"]) if open_digest else secrets.token_urlsafe(12)
    is_told = False
    for row in late:
        is_progress = row["kind"] == OutboundKind.WORKING
        is_told = is_told or not is_progress
        tx.run("transport.expire", id=row["id"], digest=None if is_progress else handle)
    if is_told:
        text, key = digest_text(tx.all("transport.expired_of", digest=handle)), note_key(handle)
        outbound = Outbound(
            address=Address.parse(conversation),
            key=key,
            text=text,
            buttons=(Button(label="Show", value=f"o:show:{handle}"),),
        )
        if open_digest:  # one that was not seen yet tells of these as well
            tx.run("transport.rewrite", id=open_digest["id"], payload=dump_outbound(outbound))
        else:
            send_own(tx, outbound, f"digest:{handle}", RowKind.DIGEST)
            tx.run("transport.name_digest", dedupe=f"digest:{handle}", digest=handle)
    tx.wake("outbox")
    return len(late)


def digest_text(rows: Sequence[Row]) -> str:
    """What was not sent, in a few lines."""
    what = "1 message" if len(rows) == 1 else f"{len(rows)} messages"
    named = [f"- {words_of(row)}" for row in rows[:LISTED]]
    rest = [f"- and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
    return "\n".join([f"{what} came too late and {'was' if len(rows) == 1 else 'were'} not sent:", "", *named, *rest])


def kept_back(tx: Tx, handle: str) -> list[Kept]:
    """The messages that a digest told of and that were not sent since."""
    return [kept(row) for row in tx.all("transport.expired_of", digest=handle)]


def show_late(tx: Tx, handle: str) -> int:
    """Send what a digest told of; how many messages. None of them is sent twice, however often this is called."""
    rows = tx.all("transport.expired_of", digest=handle)
    return sum(again(tx, row) for row in rows)


# --- failed, or nobody knows ---


def tell(tx: Tx, outbox_id: int, state: State, reason: str, notes: str) -> None:
    """Write the notes about a message that has just ended badly: to the owner, and where it should have been.

    The conversation's own takes the place of what is visible of the message. Where nothing is, it is written only if
    the message may still have arrived: a place that refused one message gets no second one.
    """
    row = tx.one("transport.outbox_by_id", id=outbox_id)
    if row is None or row["kind"] in (RowKind.NOTICE, RowKind.DIGEST, OutboundKind.WORKING):
        return
    conversation, key = row["conversation_id"], note_key(outbox_id)
    told = f"{said_of(state)} in `{conversation}`: {reason}\n\n{words_of(row)}"
    dedupe = f"note:{outbox_id}:{tx.now:.6f}"
    if notes and notes != conversation:
        send_own(tx, note(Address.parse(notes), key, told, outbox_id), f"{dedupe}:owner", RowKind.NOTICE)
    if tx.one("transport.is_overtaken", id=outbox_id, conversation_id=conversation, key=row["key"]):
        return  # a newer form of it is there, or on its way
    seen = tx.one("transport.reference", conversation_id=conversation, key=row["key"])
    if seen or state is State.UNKNOWN or notes == conversation:
        here = note(Address.parse(conversation), row["key"] if seen else key, told, outbox_id)
        send_own(tx, here, dedupe, RowKind.NOTICE)


def said_of(state: State) -> str:
    """One clause on what is known."""
    if state is State.UNKNOWN:
        return "Nobody can tell whether this message arrived"
    return "This message was not sent"


def note_key(handle: int | str) -> str:
    """The key of the notes about a message, by its id, or of a digest, by its handle."""
    return f"o{handle}"


def note(address: Address, key: str, text: str, outbox_id: int) -> Outbound:
    """A note with its button."""
    again = Button(label="Resend", value=f"o:resend:{outbox_id}", style=ButtonStyle.PRIMARY)
    return Outbound(address=address, key=key, text=text, kind=OutboundKind.ERROR, buttons=(again,))


def outcome(tx: Tx, outbox_id: int) -> Kept | None:
    """A message of the outbox, by its id; None when there is none."""
    row = tx.one("transport.outbox_by_id", id=outbox_id)
    return kept(row) if row else None


def resend(tx: Tx, outbox_id: int) -> bool:
    """Send a message that ended badly again; False when it did not, or is on its way already."""
    row = tx.one("transport.outbox_by_id", id=outbox_id)
    return row is not None and again(tx, row)


def again(tx: Tx, row: Row) -> bool:
    """Let a row begin anew: its tries and its time. A note that would take its place meanwhile is dropped."""
    until = expires_at(row["kind"], tx.now)
    if not tx.run("transport.send_again", id=row["id"], now=tx.now, expires_at=until):
        return False
    tx.run("transport.drop_notes", conversation_id=row["conversation_id"], key=row["key"])
    tx.wake("outbox")
    return True


def settle_notes(tx: Tx, key: str, conversations: Sequence[str], text: str) -> None:
    """Take the button from what was told under `key`, wherever it was."""
    for conversation in dict.fromkeys(conversations):
        if conversation and tx.one("transport.note_shown", conversation_id=conversation, key=key):
            outbound = Outbound(address=Address.parse(conversation), key=key, text=text)
            send_own(tx, outbound, f"settled:{conversation}:{key}:{tx.now:.6f}", RowKind.NOTICE)


def kept(row: Row) -> Kept:
    """The row as a noun."""
    return Kept(id=row["id"], conversation_id=row["conversation_id"], state=State(row["state"]))
