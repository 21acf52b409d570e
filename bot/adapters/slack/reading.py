"""What Slack's payloads mean. Takes the body of an event, a slash command or a button press; pure.

Slack tells of one mention twice (`message` and `app_mention`, with two event ids) and once for each workspace of a
shared channel, so the message's own place in its channel is what deduplicates; Slack's event id and the id that the
sender's client gave are further names of it. An edit within `EDIT_S` is an event of its own, named by its text. A body
that cannot be read means nothing: refusing it would only bring it back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.adapters.slack.payloads import Asked, Changed, Commanded, Named, Pressed, Said, Shared, Submitted
from bot.adapters.slack.shortcut import CALLBACK, Place, question_of
from bot.adapters.slack.typed import plain
from bot.adapters.slack.writing import ACTION, CHANNEL, COMMAND, key_of
from layers.types import STRANGER, Address, Attachment, Inbound, InboundKind, Press

SAID_BY_PEOPLE = ("", "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages that a person wrote; all others tell of joins, topics, edits and bots."""
SLACKBOT = "USLACKBOT"
TEAM = re.compile(r"[A-Z0-9]{2,32}")
EDIT_S = 900.0
"""Seconds after which an edited message is no longer heard again."""
FILES = 20
"""Of one message; Slack's own clients send ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who the bot is."""

    user: str
    team: str = ""
    """Conversations are named by our own workspace, whichever one told of an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something a person did, before it is known who they are to us."""

    address: Address
    event_id: str
    identity: str
    """`slack:<team>:<user>`."""
    is_direct: bool
    """Nobody but the person and the bot can read it."""
    is_addressed: bool = True
    """False for a reply in a thread that does not mention us: it concerns us where we take part."""
    kind: InboundKind = InboundKind.MESSAGE
    text: str = ""
    press: Press | None = None
    stamp: str = ""
    """The `ts` of a message."""
    aliases: tuple[str, ...] = ()
    files: tuple[Shared, ...] = ()
    is_edit: bool = False

    @property
    def channel(self) -> str:
        """Slack's id of the channel."""
        return self.address.conversation.partition("/")[2]

    def inbound(self, attachments: tuple[Attachment, ...] = ()) -> Inbound:
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
            is_edit=self.is_edit,
            aliases=self.aliases,
            attachments=attachments,
        )


def heard(body: Mapping[str, Any], me: Me) -> Heard | None:
    """What a person did; None when nobody did anything that concerns us."""
    try:
        if isinstance(body.get("event"), Mapping):
            said = _said(body["event"])
            return None if said is None else _message(said, body, me)
        match body.get("type"):
            case "block_actions":
                return _press(Pressed.model_validate(body), me)
            case "view_submission":
                return _question(Submitted.model_validate(body), me)
        if "command" in body:
            return _command(Commanded.model_validate(body), me)
    except ValidationError:
        return None
    return None


def asked(body: Mapping[str, Any]) -> Asked | None:
    """The use of our message shortcut."""
    if body.get("type") != "message_action" or body.get("callback_id") != CALLBACK:
        return None
    try:
        return Asked.model_validate(body)
    except ValidationError:
        return None


def ended(body: Mapping[str, Any]) -> str:
    """The event that says that the account is over, or nothing. A person's own token that ended is not the bot's."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return ""
    if event.get("type") == "tokens_revoked":
        tokens = event.get("tokens")
        is_ours = not isinstance(tokens, Mapping) or bool(tokens.get("bot"))
        return "tokens_revoked" if is_ours else ""
    return "app_uninstalled" if event.get("type") == "app_uninstalled" else ""


def _said(event: Mapping[str, Any]) -> Said | None:
    """The message, new or changed by its author in time."""
    if event.get("type") not in ("message", "app_mention"):
        return None
    if event.get("subtype") != "message_changed":
        return Said.model_validate(event)
    changed = Changed.model_validate(event)
    place = {"type": "message", "channel": changed.channel, "channel_type": changed.channel_type}
    said = Said.model_validate({**changed.message, **place})
    is_same = said.text == changed.previous_message.get("text")  # a link was unfolded, a thread grew
    return None if is_same or not _is_fresh_edit(said) else said


def team_of(body: Mapping[str, Any]) -> str:
    """The workspace that told of an event; empty where that is no id."""
    team = body.get("team_id")
    return team if isinstance(team, str) and TEAM.fullmatch(team) else ""


def _is_fresh_edit(said: Said) -> bool:
    return said.edited is not None and 0 <= float(said.edited.ts) - float(said.ts) <= EDIT_S


def _message(said: Said, body: Mapping[str, Any], me: Me) -> Heard | None:
    team, text = team_of(body), said.text or ""
    if said.bot_id or said.subtype not in SAID_BY_PEOPLE or said.user in (me.user, SLACKBOT):
        return None
    thread = "" if said.thread_ts == said.ts else said.thread_ts or ""  # a root stands in the channel itself
    is_direct = said.channel_type == "im"
    is_mention = said.type == "app_mention" or f"<@{me.user}>" in text or f"<@{me.user}|" in text
    is_addressed = is_direct or is_mention or (bool(thread) and said.parent_user_id == me.user)
    if not is_addressed and not thread:
        return None
    files = _files(said)
    is_edit = _is_fresh_edit(said)
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{me.team or team}/{said.channel}", thread=thread),
        event_id=f"{said.channel}:{said.ts}" + (f"~{digest(text)}" if is_edit else ""),
        identity=f"{CHANNEL}:{said.user_team or said.team or team}:{said.user}",
        is_direct=is_direct,
        is_addressed=is_addressed,
        text=plain(text, me.user) or ("" if files else "/help"),
        stamp=said.ts,
        aliases=_aliases(said, body, is_edit=is_edit),
        files=files,
        is_edit=is_edit,
    )


def _aliases(said: Said, body: Mapping[str, Any], *, is_edit: bool) -> tuple[str, ...]:
    """Other names of the same event. An edit has its original's client_msg_id, so that is no name of an edit."""
    found = []
    if isinstance(event_id := body.get("event_id"), str) and 0 < len(event_id) <= 64:
        found.append(f"event:{event_id}")
    if said.client_msg_id and len(said.client_msg_id) <= 64 and not is_edit:
        found.append(f"client:{said.user}:{said.client_msg_id}")
    return tuple(found)


def _files(said: Said) -> tuple[Shared, ...]:
    found = []
    for file in (said.files or [])[:FILES]:
        try:
            found.append(Shared.model_validate(file))
        except ValidationError:
            continue  # a file that was deleted meanwhile has nothing but an id
    return tuple(found)


def digest(text: str) -> str:
    """Enough of a hash to tell one version of a message from the next."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _command(said: Commanded, me: Me) -> Heard | None:
    if said.command != COMMAND:
        return None
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{me.team or said.team_id}/{said.channel_id}"),
        event_id=f"command:{said.trigger_id}",
        identity=f"{CHANNEL}:{said.team_id}:{said.user_id}",
        is_direct=False,
        text=f"{COMMAND} {plain(said.text, '')}".strip(),
    )


def _press(pressed: Pressed, me: Me) -> Heard | None:
    pushed = next((action for action in pressed.actions if action.action_id.startswith(ACTION)), None)
    if pushed is None:
        return None
    place = pressed.container
    is_root = place.thread_ts == place.message_ts  # somebody answered under it: it stands in the channel all the same
    thread = "" if is_root else place.thread_ts or ""
    team = _team(pressed.team, pressed.user)
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{me.team or team}/{place.channel_id}", thread=thread),
        event_id=f"press:{place.channel_id}:{place.message_ts}:{pressed.user.id}:{pushed.action_id}:{pushed.action_ts}",
        identity=f"{CHANNEL}:{pressed.user.team_id or team}:{pressed.user.id}",
        is_direct=False,
        kind=InboundKind.PRESS,
        press=Press(value=pushed.value, key=key_of(pushed.block_id), reference=place.message_ts),
    )


def _question(submitted: Submitted, me: Me) -> Heard | None:
    """What was asked about a message; its answer goes into the thread under it."""
    place = Place.load(submitted.view.private_metadata)
    if submitted.view.callback_id != CALLBACK or place is None:
        return None
    team = _team(submitted.team, submitted.user)
    return Heard(
        address=Address(channel=CHANNEL, conversation=f"{me.team or team}/{place.channel}", thread=place.thread),
        event_id=f"view:{submitted.view.id}",
        identity=identity_of(submitted),
        is_direct=False,
        text=question_of(submitted.view.state, place),
    )


def identity_of(submitted: Submitted) -> str:
    """Who sent a modal."""
    team = submitted.user.team_id or _team(submitted.team, submitted.user)
    return f"{CHANNEL}:{team}:{submitted.user.id}"


def _team(team: Named | None, user: Named) -> str:
    return team.id if team else user.team_id or ""
