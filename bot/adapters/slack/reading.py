"""What Slack's payloads mean. Takes the body of an event, a slash command or a button press; pure.

Slack tells of one mention twice (`message` and `app_mention`, with two event ids), so the message's own place in its
channel is what deduplicates. A body that cannot be read means nothing: refusing it would only bring it back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, StringConstraints, ValidationError

from bot.adapters.slack.writing import ACTION, key_of
from layers.types import STRANGER, Address, Inbound, InboundKind, Press

CHANNEL = "slack"
COMMAND = "/bulkhead"
SAID_BY_PEOPLE = ("", "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages that a person wrote; all others tell of joins, topics, edits and bots."""
ACCOUNT_ENDED = ("tokens_revoked", "app_uninstalled")
SLACKBOT = "USLACKBOT"

Id = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,32}$")]
Ts = Annotated[str, StringConstraints(pattern=r"^\d{1,12}\.\d{1,9}$")]


class Said(BaseModel):
    """`message` and `app_mention`, as much of them as matters."""

    type: str
    channel: Id
    ts: Ts
    user: Id
    text: str = ""
    thread_ts: Ts | None = None
    channel_type: str = ""
    subtype: str = ""
    bot_id: str | None = None
    user_team: Id | None = None
    """Whose workspace the sender is in, where it is another one (Slack Connect)."""


class Commanded(BaseModel):
    """A slash command."""

    command: str
    text: str = ""
    team_id: Id
    channel_id: Id
    user_id: Id
    trigger_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Named(BaseModel):
    """Somebody or something with an id."""

    id: Id
    team_id: Id | None = None


class Container(BaseModel):
    """The message that a button hangs under."""

    channel_id: Id
    message_ts: Ts
    thread_ts: Ts | None = None


class Pushed(BaseModel):
    """One pressed element."""

    action_id: str
    action_ts: str
    block_id: str = ""
    value: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]


class Pressed(BaseModel):
    """`block_actions`."""

    user: Named
    team: Named | None
    container: Container
    actions: list[Pushed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something a person did, before it is known who they are to us."""

    address: Address
    event_id: str
    identity: str
    """`slack:<team>:<user>`."""
    is_direct: bool
    """Nobody but the person and the bot can read it."""
    kind: InboundKind = InboundKind.MESSAGE
    text: str = ""
    press: Press | None = None
    stamp: str = ""
    """The `ts` of a message."""

    @property
    def channel(self) -> str:
        """Slack's id of the channel."""
        return self.address.conversation.partition("/")[2]

    @property
    def inbound(self) -> Inbound:
        """The event as the door takes it."""
        return Inbound(
            address=self.address,
            event_id=self.event_id,
            person=STRANGER,
            kind=self.kind,
            text=self.text,
            press=self.press,
            identity=self.identity,
            is_direct=self.is_direct,
        )


def heard(body: Mapping[str, Any], bot_user: str) -> Heard | None:
    """What a person did; None when nobody did anything that concerns us."""
    try:
        if "event" in body:
            return _message(Said.model_validate(body["event"]), str(body.get("team_id", "")), bot_user)
        if body.get("type") == "block_actions":
            return _press(Pressed.model_validate(body))
        if "command" in body:
            return _command(Commanded.model_validate(body))
    except ValidationError:
        return None
    return None


def ended(body: Mapping[str, Any]) -> str:
    """The event that says that the account is over, or nothing."""
    event = body.get("event")
    name = str(event.get("type")) if isinstance(event, Mapping) else ""
    return name if name in ACCOUNT_ENDED else ""


def _message(said: Said, team: str, bot_user: str) -> Heard | None:
    is_direct = said.channel_type == "im"
    is_mention = said.type == "app_mention" or f"<@{bot_user}>" in said.text
    if said.type not in ("message", "app_mention") or not (is_direct or is_mention):
        return None
    if said.bot_id or said.subtype not in SAID_BY_PEOPLE or said.user in (bot_user, SLACKBOT):
        return None
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{team}/{said.channel}", thread=said.thread_ts or ""),
        event_id=f"{said.channel}:{said.ts}",
        identity=f"{CHANNEL}:{said.user_team or team}:{said.user}",
        is_direct=is_direct,
        text=plain(said.text, bot_user) or "/help",
        stamp=said.ts,
    )


def _command(said: Commanded) -> Heard | None:
    if said.command != COMMAND:
        return None
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{said.team_id}/{said.channel_id}"),
        event_id=f"command:{said.trigger_id}",
        identity=f"{CHANNEL}:{said.team_id}:{said.user_id}",
        is_direct=False,
        text=f"{COMMAND} {plain(said.text, '')}".strip(),
    )


def _press(pressed: Pressed) -> Heard | None:
    pushed = next((action for action in pressed.actions if action.action_id.startswith(ACTION)), None)
    if pushed is None:
        return None
    place, team = pressed.container, pressed.team.id if pressed.team else pressed.user.team_id or ""
    is_root = place.thread_ts == place.message_ts  # somebody answered under it: it stands in the channel all the same
    thread = "" if is_root else place.thread_ts or ""
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{team}/{place.channel_id}", thread=thread),
        event_id=f"press:{place.channel_id}:{place.message_ts}:{pressed.user.id}:{pushed.action_id}:{pushed.action_ts}",
        identity=f"{CHANNEL}:{pressed.user.team_id or team}:{pressed.user.id}",
        is_direct=False,
        kind=InboundKind.PRESS,
        press=Press(value=pushed.value, key=key_of(pushed.block_id)),
    )


_TOKEN = re.compile(r"<(?P<mark>[@#!]?)(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # & last: `&amp;lt;` is the four letters `&lt;`


def plain(text: str, bot_user: str) -> str:
    """What the person typed, as markdown: without the mention of the bot, with links and names in words."""
    text = _TOKEN.sub(lambda found: _words(found, bot_user), text)
    for entity, letter in _ENTITIES:
        text = text.replace(entity, letter)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()


def _words(found: re.Match[str], bot_user: str) -> str:
    mark, target, label = found["mark"], found["target"], found["label"] or ""
    match mark:
        case "@":
            return "" if target == bot_user else f"@{label or target}"
        case "#":
            return f"#{label or target}"
        case "!":
            return label or f"@{target.partition('^')[0]}"
        case _:
            bare = target.removeprefix("mailto:").removeprefix("tel:")
            is_bare = not label or label in (bare, target, target.partition("://")[2], target.rstrip("/"))
            return (label or bare) if is_bare and bare != target else target if is_bare else f"[{label}]({target})"
