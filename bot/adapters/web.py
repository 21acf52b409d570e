"""The web page as a channel: a post -> `Inbound`, an `Outbound` -> one event of the page's durable log.

The server of the page (bot.web) reads that log; this file writes it. A message becomes visible by the commit of its
row, so delivery needs no network and delivering twice is one event.
"""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from bot.adapters.text.html import to_html
from layers.errors import BadInput
from layers.store import Tx
from layers.types import Address, Inbound, InboundKind, Outbound, Person, Picture, Press

CHANNEL = "web"
PAGE = "page"
"""What a press on the page proves: that somebody is signed in there."""

Conversation = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]


class MessageBody(BaseModel):
    """What the page posts for a message."""

    model_config = ConfigDict(extra="forbid")
    id: UUID
    conversation: Conversation = "main"
    text: str


class PressBody(BaseModel):
    """What the page posts for a button press."""

    model_config = ConfigDict(extra="forbid")
    id: UUID
    conversation: Conversation = "main"
    key: Annotated[str, StringConstraints(max_length=200)]
    value: Annotated[str, StringConstraints(pattern=r"^([!-~]{1,64}|k:pick:[0-9a-f]{1,32}:[0-9,]{1,4000})$")]
    """A button's; or the numbers of the parts that were ticked in the view of a patch."""


def to_inbound(kind: InboundKind, body: bytes, person: Person) -> Inbound:
    """The event that a post means; its UUID is what deduplicates.

    Raises:
        BadInput: the body is not what the page posts, or the message is empty.
    """
    try:
        if kind is InboundKind.PRESS:
            press = PressBody.model_validate_json(body)
            return Inbound(
                address=Address(channel=CHANNEL, conversation=press.conversation),
                event_id=str(press.id),
                person=person,
                kind=kind,
                press=Press(value=press.value, key=press.key, proofs=(PAGE,)),
            )
        message = MessageBody.model_validate_json(body)
    except ValidationError as error:
        raise BadInput(sentence(error)) from None
    text = message.text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL takes no NUL
    if not text.strip():
        raise BadInput("the message is empty; write something or /help")
    return Inbound(
        address=Address(channel=CHANNEL, conversation=message.conversation),
        event_id=str(message.id),
        person=person,
        text=text,
    )


def sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a body, as one sentence."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    shown = repr(first["input"])
    given = shown if len(shown) <= 80 else shown[:79] + "…"
    return f"{where} was refused: {first['msg'][:1].lower()}{first['msg'][1:]}; got {given}"


def to_event(outbound: Outbound) -> str:
    """The event's body, JSON for the browser: markdown is already safe HTML."""
    body: dict[str, object] = {"kind": outbound.kind.value, "html": to_html(outbound.text)}
    if outbound.picture is not None:
        body["picture"] = _shown(outbound.picture)
    if outbound.album:
        body["album"] = [_shown(picture) for picture in outbound.album]
    if files := [file for file in outbound.files if file.digest]:
        body["files"] = [{"url": f"/media/{file.digest}", "name": file.name} for file in files]
    if outbound.buttons:
        body["buttons"] = [
            {"label": button.label, "value": button.value, "style": button.style.value} for button in outbound.buttons
        ]
    return json.dumps(body)


def _shown(picture: Picture) -> dict[str, object]:
    dark = {"dark": f"/media/{picture.dark}"} if picture.dark else {}
    return dark | {
        "url": f"/media/{picture.digest}",
        "alt": picture.alt,
        "width": picture.width,
        "height": picture.height,
    }


class WebChannel:
    """Delivers by writing the page's log, in the transaction that marks the message as sent."""

    def render(self, outbound: Outbound) -> str:
        """The event's body."""
        return to_event(outbound)

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        """Show the message; the event's id. A second delivery of the same `dedupe` gives the first one's id."""
        return str(add_event(tx, outbound.address.id, outbound.key, body, dedupe))


def add_event(tx: Tx, conversation_id: str, key: str, body: str, dedupe: str) -> int:
    """Append to the log unless `dedupe` is there already, and wake the pages; the event's id."""
    row = tx.one(
        "web.add_event", conversation_id=conversation_id, key=key, body=body, dedupe=dedupe, now=tx.now
    ) or tx.one("web.event_by_dedupe", dedupe=dedupe)
    if row is None:
        raise RuntimeError("an event was refused as double, yet the first one is not there")
    tx.wake("page")
    return int(row["id"])


def own_message(tx: Tx, inbound: Inbound) -> None:
    """Show what a person (or a schedule) said, in the transaction that accepts it. A press shows on its card instead.

    The text is kept as it was typed: a pasted patch must not be read as markdown.
    """
    if inbound.kind not in (InboundKind.MESSAGE, InboundKind.SCHEDULE):
        return
    body = {"kind": "own", "text": inbound.text, "person": inbound.person.id, "name": inbound.person.name}
    name = f"u{inbound.event_id}"
    add_event(tx, inbound.address.id, name, json.dumps(body), f"{inbound.address.id}/{name}")
