"""Pure: how nouns are written down, what a row of the outbox can be, and when it is tried again or comes too late."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import IntEnum, StrEnum
from typing import Any

from layers.types import (
    Address,
    Attachment,
    Button,
    ButtonStyle,
    Changeset,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Person,
    Picture,
    Press,
    SentFile,
    Urgency,
)


class State(StrEnum):
    """Where a row of the outbox is. The first four are open: somebody is still owed the message."""

    PENDING = "pending"
    """Nobody is at it. What its key names may be visible already, by an earlier row."""
    PLACING = "placing"
    """The provider is asked for a placeholder. After a crash it is asked again: at most one orphan."""
    PLACED = "placed"
    """The placeholder's reference is committed, and nobody is at it: to be edited, never placed again."""
    EDITING = "editing"
    """The provider is asked to edit what is visible. After a crash it is asked again: twice is once."""
    SENT = "sent"
    MERGED = "merged"
    """Progress that a later row of its key overtook, or a text that was there already: it told nothing new."""
    UNKNOWN = "unknown"
    """Given up, and nobody can tell whether the provider took it."""
    FAILED = "failed"
    """The provider, or a rule of ours, said no."""
    EXPIRED = "expired"
    """It came too late to be worth sending, and one message says so."""


class Priority(IntEnum):
    """Which row goes first where a bucket has not enough for all. Within a conversation the order of rows holds."""

    PRESSED = 0
    """The edit of a finished message, as a press brings it about. It waits for rows of its own key only."""
    CARD = 1
    REPLY = 2
    PROGRESS = 3


class RowKind(StrEnum):
    """What transport itself says, beside the kinds of `OutboundKind`."""

    NOTICE = "notice"
    """That a message was not sent, or nobody knows. Nothing is said of a notice's own failure."""
    DIGEST = "digest"
    """That some messages came too late. It comes late itself, so it never expires."""


MAX_ATTEMPTS = 12
"""Deliveries tried before a row is given up: with the delays below a little over an hour."""
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 600.0

FOR_EVER = 1e12
"""Epoch seconds that never come."""
REPLY_LIFE_S = 3600.0
"""An answer of an hour ago still helps; one of last night, in a burst with twenty others, is what people complained of
(openclaw/openclaw#39138: 110 messages of up to a week ago replayed after a restart)."""
PROGRESS_LIFE_S = 300.0
"""What somebody was doing five minutes ago is no news."""
CARD_LIFE_S = 86400.0
"""As long as a request waits for a decision by default."""
LIVES_S: dict[str, float] = {
    OutboundKind.MESSAGE: REPLY_LIFE_S,
    OutboundKind.ERROR: REPLY_LIFE_S,
    OutboundKind.WORKING: PROGRESS_LIFE_S,
    OutboundKind.CARD: CARD_LIFE_S,
    RowKind.NOTICE: CARD_LIFE_S,
}
"""Kind of row -> how long it is worth sending. Rows of the page and the console are local: they never wait."""
FIRST_WORDS = 60
"""Characters of a message by which a person recognises it."""


def retry_delay_s(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th failure: doubling from 1 to 600."""
    return min(FIRST_DELAY_S * 2.0 ** max(0, attempts - 1), MAX_DELAY_S)


def expires_at(kind: str, now: float) -> float:
    """Until when a row of that kind, written now, is worth sending."""
    return now + LIVES_S[kind] if kind in LIVES_S else FOR_EVER


def priority_of(outbound: Outbound) -> Priority:
    """The priority of a message that edits no finished one."""
    match outbound.kind:
        case OutboundKind.WORKING:
            return Priority.PROGRESS
        case OutboundKind.CARD:
            return Priority.CARD
    return Priority.REPLY


def sameness(outbound: Outbound) -> str:
    """Equal for two messages of a conversation of which the second one tells nothing new."""
    subject = outbound.key if outbound.kind is OutboundKind.WORKING else ""
    return hashlib.sha256(f"{subject}\0{outbound.text}".encode(errors="replace")).hexdigest()


def first_words(text: str) -> str:
    """The beginning of a message on one line, as plain text that no renderer takes for markup."""
    line = " ".join(text.split())
    cut = line if len(line) <= FIRST_WORDS else f"{line[: FIRST_WORDS - 1]}…"
    return "`" + cut.replace("`", "'") + "`"


def dump_inbound(inbound: Inbound) -> str:
    """JSON for the inbox."""
    has_bytes = inbound.changeset is not None  # a diff may hold what is no UTF-8, and no database takes a surrogate
    return json.dumps(asdict(inbound), ensure_ascii=has_bytes, separators=(",", ":"))


def load_inbound(text: str) -> Inbound:
    """The inverse of `dump_inbound`."""
    data = json.loads(text)
    press = data["press"]
    return Inbound(
        address=Address(**data["address"]),
        event_id=data["event_id"],
        person=Person(**data["person"]),
        kind=InboundKind(data["kind"]),
        text=data["text"],
        press=Press(**{**press, "proofs": tuple(press["proofs"])}) if press else None,
        subject=data["subject"],
        aliases=tuple(data["aliases"]),
        attachments=tuple(Attachment(**each) for each in data["attachments"]),
        identity=data["identity"],
        display=data["display"],
        is_direct=data["is_direct"],
        is_edit=data["is_edit"],
        changeset=load_changeset(data["changeset"]) if data.get("changeset") else None,
    )


def load_changeset(data: Mapping[str, Any]) -> Changeset:
    """What was handed in."""
    return Changeset(**{**data, "whole": tuple(SentFile(**each) for each in data["whole"])})


def dump_outbound(outbound: Outbound) -> str:
    """JSON for the outbox."""
    return json.dumps(asdict(outbound), ensure_ascii=False, separators=(",", ":"))


def load_outbound(text: str) -> Outbound:
    """The inverse of `dump_outbound`."""
    data = json.loads(text)
    return Outbound(
        address=Address(**data["address"]),
        key=data["key"],
        text=data["text"],
        kind=OutboundKind(data["kind"]),
        picture=Picture(**data["picture"]) if data["picture"] else None,
        buttons=tuple(
            Button(
                label=b["label"],
                value=b["value"],
                style=ButtonStyle(b["style"]),
                begins_row=b.get("begins_row", False),
            )
            for b in data["buttons"]
        ),
        album=tuple(Picture(**each) for each in data["album"]),
        files=tuple(Attachment(**each) for each in data["files"]),
        urgency=Urgency(data["urgency"]),
        answers=data["answers"],
    )
