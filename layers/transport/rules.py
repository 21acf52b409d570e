"""Pure: how nouns are written down, and when a failed delivery is tried again."""

from __future__ import annotations

import json
from dataclasses import asdict

from layers.types import (
    Address,
    Attachment,
    Button,
    ButtonStyle,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Person,
    Picture,
    Press,
    Urgency,
)

MAX_ATTEMPTS = 12
"""Deliveries tried before a row is dead: with the delays below a little over an hour."""
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 600.0


def retry_delay_s(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th failure: doubling from 1 to 600."""
    return min(FIRST_DELAY_S * 2.0 ** max(0, attempts - 1), MAX_DELAY_S)


def dump_inbound(inbound: Inbound) -> str:
    """JSON for the inbox."""
    return json.dumps(asdict(inbound), ensure_ascii=False, separators=(",", ":"))


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
        press=Press(**press) if press else None,
        subject=data["subject"],
        aliases=tuple(data["aliases"]),
        attachments=tuple(Attachment(**each) for each in data["attachments"]),
        identity=data["identity"],
        display=data["display"],
        is_direct=data["is_direct"],
    )


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
            Button(label=b["label"], value=b["value"], style=ButtonStyle(b["style"])) for b in data["buttons"]
        ),
        album=tuple(Picture(**each) for each in data["album"]),
        files=tuple(Attachment(**each) for each in data["files"]),
        urgency=Urgency(data["urgency"]),
        answers=data["answers"],
    )
