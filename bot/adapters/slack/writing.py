"""An `Outbound` as Slack takes it: parts, each one message with text and blocks within the limits; pure.

The limits are Slack's (docs.slack.dev, Block Kit; slack_sdk/models/blocks). Mentions in what a model wrote are dead
text: whatever is not ours is escaped.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from layers.types import Button, ButtonStyle, Outbound, Picture

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_SECTION = 3000
MAX_TEXT = 4000
"""Characters of `text`: what notifications and old clients show. More is cut by us, not by Slack at 40,000."""
MAX_PART = 12_000
"""Characters in the blocks of one message, below Slack's unwritten `msg_blocks_too_long`."""
MAX_BUTTONS = 25
"""In one actions block."""
MAX_LABEL = 75
MAX_ALT = 2000
MAX_BLOCK_ID = 255
ACTION = "bulkhead:"
PLACEHOLDER = "…"
EVENT_TYPE = "bulkhead_message"
STYLES = {ButtonStyle.PRIMARY: "primary", ButtonStyle.DANGER: "danger"}
NAMESPACE = uuid.UUID("6f1c8f5e-6d0b-5a0e-9a3e-0d6a4a4f0b1d")


@dataclass(frozen=True, slots=True)
class Part:
    """One message."""

    text: str
    blocks: list[Block] = field(default_factory=list)


def parts_of(outbound: Outbound, picture: Block | None = None) -> list[Part]:
    """The messages that an `Outbound` is, the first in the placeholder's place. Picture and buttons come last."""
    tail = [picture] if picture else []
    tail += actions(outbound.key, outbound.buttons)
    parts = [Part(text, [section(piece) for piece in pieces(text, MAX_SECTION)]) for text in texts(outbound.text)]
    if tail and len(parts[-1].blocks) + len(tail) > MAX_BLOCKS:
        parts.append(Part(PLACEHOLDER, tail))
    else:
        parts[-1].blocks.extend(tail)
    return [Part(part.text[:MAX_TEXT], part.blocks) for part in parts]


def texts(markdown: str) -> list[str]:
    """The text of each message, escaped."""
    return list(pieces(escape(markdown), MAX_PART)) or [PLACEHOLDER]


def pieces(text: str, limit: int) -> list[str]:
    """The text cut at line ends, else at spaces, else anywhere but within an escaped character."""
    found = []
    while text.strip():
        if len(text) <= limit:
            found.append(text)
            break
        cut = max(text.rfind("\n", 1, limit), 0) or max(text.rfind(" ", 1, limit), 0) or limit
        entity = text.rfind("&", max(0, cut - 5), cut)
        if entity > 0 and ";" not in text[entity:cut]:
            cut = entity
        if text[:cut].strip():
            found.append(text[:cut])
        text = text[cut:].lstrip("\n") if text[cut : cut + 1] == "\n" else text[cut:]
    return found


def escape(text: str) -> str:
    """Text in which nothing is live: neither `<!channel>` nor `<@U1>` nor a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(text: str) -> Block:
    """A block of text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def image(picture: Picture, file_id: str) -> Block:
    """A block that shows an uploaded file."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": picture.alt[:MAX_ALT] or "picture"}


def link(picture: Picture, url: str) -> Block:
    """A block that only points to the file: Slack would not take it as an image."""
    return section(f"<{url}|{escape(picture.alt)[:200] or 'picture'}>")


def actions(key: str, buttons: tuple[Button, ...]) -> list[Block]:
    """The buttons of the message called `key`."""
    found = []
    for start in range(0, len(buttons), MAX_BUTTONS):
        row = buttons[start : start + MAX_BUTTONS]
        elements = [button_element(start + n, button) for n, button in enumerate(row)]
        found.append({"type": "actions", "block_id": block_id(key, start, row), "elements": elements})
    return found


def button_element(n: int, button: Button) -> Block:
    """One button."""
    label = button.label if len(button.label) <= MAX_LABEL else button.label[: MAX_LABEL - 1] + "…"
    element: Block = {
        "type": "button",
        "action_id": f"{ACTION}{n}",
        "text": {"type": "plain_text", "text": label or button.value[:MAX_LABEL]},
        "value": button.value,
    }
    if button.style in STYLES:
        element["style"] = STYLES[button.style]
    return element


def block_id(key: str, start: int, buttons: tuple[Button, ...]) -> str:
    """Names the message whose buttons they are, and changes with them: Slack wants a new id after an edit."""
    content = repr([(button.label, button.value) for button in buttons])
    return f"{key[: MAX_BLOCK_ID - 20]}~{start}~{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def key_of(id: str) -> str:
    """The `Outbound.key` within a block id; empty where it is none of ours."""
    key, _, rest = id.rpartition("~")
    return key.rpartition("~")[0] if rest else ""


def metadata(key: str, part: int) -> dict[str, Any]:
    """What makes a message of ours recognisable in a channel's history."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "part": part}}


def message_id(outbound: Outbound, part: int) -> str:
    """The same id for the same message. `client_msg_id` is not documented: it may help, and nothing relies on it."""
    return str(uuid.uuid5(NAMESPACE, f"{outbound.address.id}/{outbound.key}/{part}"))


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the parts of a message are, and which uploads it shows."""

    channel: str
    stamps: tuple[str, ...]
    """`ts` of each part, in order."""
    digest: str = ""
    file: str = ""
    """The upload of the picture called `digest`."""

    def dump(self) -> str:
        """As the outbox keeps it."""
        return json.dumps([self.channel, list(self.stamps), self.digest, self.file], separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Reference:
        """The inverse of `dump`."""
        channel, stamps, digest, file = json.loads(text)
        return cls(channel, tuple(stamps), digest, file)
