"""An `Outbound` as Slack takes it: parts, each one message with text and blocks within the limits; pure.

The limits are Slack's (docs.slack.dev, Block Kit; slack_sdk/models/blocks). What a model wrote is
rendered by `bot.adapters.text`, in which nothing is live.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.text import File, SlackPart
from layers.types import Button, ButtonStyle, Outbound, Picture

Block = dict[str, Any]

CHANNEL = "slack"
COMMAND = "/bulkhead"
MAX_BLOCKS = 50
MAX_BLOCKS_CHARS = 13_000
"""Of the blocks as JSON: from 13,200 on Slack answers `msg_blocks_too_long` (slackapi/bolt-js#2509)."""
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


def parts_of(outbound: Outbound, rendered: Sequence[SlackPart | File], shown: Sequence[Block] = ()) -> list[Part]:
    """The messages that an `Outbound` is, the first in the placeholder's place.

    Below its `rendered` text comes what is `shown` (a picture, links to files), and the buttons come last.
    """
    texts = [part for part in rendered if isinstance(part, SlackPart)]
    parts = [Part(part.text, list(part.blocks)) for part in texts] or [Part(PLACEHOLDER)]
    for block in [*shown, *actions(outbound.key, outbound.buttons)]:
        if not fits([*parts[-1].blocks, block]):
            parts.append(Part(PLACEHOLDER))
        parts[-1].blocks.append(block)
    return parts


def fits(blocks: list[Block]) -> bool:
    """Whether Slack takes these blocks as one message."""
    return len(blocks) <= MAX_BLOCKS and len(json.dumps(blocks, ensure_ascii=False)) <= MAX_BLOCKS_CHARS


def image(picture: Picture, file_id: str) -> Block:
    """A block that shows an uploaded file."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": picture.alt[:MAX_ALT] or "picture"}


def link(url: str, label: str) -> Block:
    """A block that points to an uploaded file. Slack shares a file where its author posts its address."""
    element = {"type": "link", "url": url, "text": label[:MAX_ALT] or "file"}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


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


def metadata(outbound: Outbound, part: int, house: str) -> dict[str, Any]:
    """What makes a message of ours recognisable in a channel's history."""
    payload = {"id": message_id(outbound, part, house), "key": outbound.key, "part": part}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def message_id(outbound: Outbound, part: int, house: str = "") -> str:
    """The same id for the same message of the same installation (`house`). It also goes as `client_msg_id`, which is
    not documented: that may help, and nothing relies on it.
    """
    return str(uuid.uuid5(NAMESPACE, f"{house}/{outbound.address.id}/{outbound.key}/{part}"))


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the parts of a message are, and which uploads it shows."""

    channel: str
    stamps: tuple[str, ...]
    """`ts` of each part, in order."""
    uploads: Mapping[str, str] = field(default_factory=dict)
    """Digest of a picture or a file -> Slack's id of it."""

    def dump(self) -> str:
        """As the outbox keeps it."""
        return json.dumps([self.channel, list(self.stamps), dict(self.uploads)], separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Reference:
        """The inverse of `dump`."""
        channel, stamps, uploads = json.loads(text)
        return cls(channel, tuple(stamps), uploads)
