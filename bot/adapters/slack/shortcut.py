"""The message shortcut "Ask Bulkhead": a modal with a question about a message, and what was asked; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.adapters.slack.payloads import Asked
from bot.adapters.slack.typed import plain
from bot.adapters.storable import storable_text

CALLBACK = "bulkhead_ask"
NAME = "Ask Bulkhead"
BLOCK, ELEMENT = "question", "text"
QUOTE_CHARS = 1000
"""Of the quoted message."""
CARRIED_CHARS = 3000
"""What Slack takes from a modal to its submission."""
QUESTION_CHARS = 3000
PREFILLED = "What does this mean, and what should be done about it?"
PLACE = re.compile(r"[A-Z0-9]{2,32}"), re.compile(r"\d{1,12}\.\d{1,9}")


@dataclass(frozen=True, slots=True)
class Place:
    """What the modal remembers of the message that it is about."""

    channel: str
    thread: str
    """Where the answer goes: the thread under the message, or the one that it is in."""
    quote: str

    def dump(self) -> str:
        """As Slack keeps it."""
        return json.dumps([self.channel, self.thread, self.quote], ensure_ascii=False)

    @classmethod
    def load(cls, text: str) -> Place | None:
        """The inverse of `dump`; None for what we did not write."""
        try:
            channel, thread, quote = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            return None
        is_ours = all(isinstance(each, str) for each in (channel, thread, quote))
        if not is_ours or not PLACE[0].fullmatch(channel) or not PLACE[1].fullmatch(thread):
            return None
        return cls(channel, thread, storable_text(quote))


def place_of(asked: Asked) -> Place:
    """The message that a shortcut was used on."""
    message = asked.message
    text = plain(message.text or "", "")
    quote = text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1] + "…"
    place = Place(asked.channel.id, message.thread_ts or message.ts, quote)
    while len(place.dump()) > CARRIED_CHARS:  # letters that JSON writes as six
        place = replace(place, quote=place.quote[: len(place.quote) // 2])
    return place


def modal(place: Place) -> dict[str, Any]:
    """One field, filled in: to ask nothing in particular takes one press."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": place.dump(),
        "title": {"type": "plain_text", "text": NAME},
        "submit": {"type": "plain_text", "text": "Ask"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            {
                "type": "input",
                "block_id": BLOCK,
                "label": {"type": "plain_text", "text": "Your question"},
                "hint": {"type": "plain_text", "text": "The answer goes into the thread under the message."},
                "element": {
                    "type": "plain_text_input",
                    "action_id": ELEMENT,
                    "multiline": True,
                    "max_length": QUESTION_CHARS,
                    "initial_value": PREFILLED,
                },
            }
        ],
    }


def question_of(state: Mapping[str, Any], place: Place) -> str:
    """The question and, unless it is a command, the message under it as a quote."""
    value: Any = state.get("values")
    for name in (BLOCK, ELEMENT, "value"):
        value = value.get(name) if isinstance(value, Mapping) else None
    question = value.strip() if isinstance(value, str) and value.strip() else PREFILLED
    if question.startswith("/") or not place.quote:
        return question
    quoted = "\n".join(f"> {line}" for line in place.quote.splitlines())
    return f"{question}\n\n{quoted}"


def refusal(note: str) -> dict[str, Any]:
    """What the modal shows to somebody who may not ask."""
    return {"response_action": "errors", "errors": {BLOCK: note}}
