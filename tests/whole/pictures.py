"""Where a picture is reviewed: a Telegram group and a Slack channel of one real server, as people see them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.control.attacks import surfaces
from tests.control.attacks.surfaces import OWNER, World
from tests.whole.people import until


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One message of the bot's, as it is now."""

    id: str
    text: str
    buttons: Mapping[str, str]
    """Label -> value."""
    pictures: tuple[bytes, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    raw: Any = None


class Chat(Protocol):
    """One place. People are those of `surfaces`."""

    world: World

    @property
    def place(self) -> str:
        """Its conversation's id."""

    def say(self, text: str, who: str = OWNER) -> None:
        """Write to the bot there."""

    def reply(self, to: Seen, text: str, who: str = OWNER) -> None:
        """Answer a message the way people do it there."""

    def edit_first(self, text: str) -> None:
        """The owner's first message there gets other words."""

    def push(self, seen: Seen, value: str, who: str = OWNER) -> None:
        """Press whatever value under a message."""

    def seen(self) -> list[Seen]:
        """What the bot shows, oldest first."""


def wait(chat: Chat, found: Callable[[Seen], object]) -> Seen:
    """The newest message of which that holds, once there is one."""
    hits: list[Seen] = []

    def look() -> bool:
        hits[:] = [seen for seen in chat.seen() if found(seen)]
        return bool(hits)

    until(look, 40)
    return hits[-1]


def says(*words: str) -> Callable[[Seen], bool]:
    """For `wait`."""
    return lambda seen: all(word in seen.text for word in words)


def press(chat: Chat, seen: Seen, label: str, who: str = OWNER) -> None:
    """Press a button by its label."""
    chat.push(seen, seen.buttons[label], who)


def draw(chat: Chat, source: str) -> Seen:
    """The picture of a diagram with this source, its name made unique; every button is there."""
    name = f"N{uuid.uuid4().hex[:6]}"
    chat.say("/diagram\n" + source.replace("NAME", name))
    return wait(chat, lambda seen: "Approve" in seen.buttons and name in last_source(chat))


def last_source(chat: Chat) -> str:
    """Of the newest figure there."""
    rows = chat.world.rows(f"SELECT source FROM figure WHERE conversation_id = '{chat.place}' ORDER BY created_at DESC")
    return str(rows[0][0]) if rows else ""


class Telegram(surfaces.Telegram):
    """A group."""

    _first: dict[str, Any]

    @property
    def place(self) -> str:
        """See `Chat`."""
        return f"telegram:{self.chat}"

    def say(self, text: str, who: str = OWNER) -> None:
        """See `Chat`."""
        mention = {"type": "mention", "offset": 0, "length": 13}
        said = self.people.say(f"@bulkhead_bot {text}", chat=self.chat, user=self.users[who], entities=[mention])
        self.__dict__.setdefault("_first", said)

    def reply(self, to: Seen, text: str, who: str = OWNER) -> None:
        """See `Chat`. The bot hears what answers its messages; Telegram brings along what is answered."""
        above = self.world.telegram.chats.as_message(to.raw)
        self.people.say(text, chat=self.chat, user=self.users[who], reply_to_message=above)

    def edit_first(self, text: str) -> None:
        """See `Chat`."""
        self.people.edit(self._first, f"@bulkhead_bot {text}")

    def push(self, seen: Seen, value: str, who: str = OWNER) -> None:
        """Press whatever value under a message."""
        self.people.press(seen.raw, value, self.users[who])

    def seen(self) -> list[Seen]:
        """See `Chat`."""
        found = []
        for (chat, id), shown in sorted(self.world.telegram.chats.shown.items()):
            if chat != self.chat:
                continue
            kind = shown.content.get("media")
            found.append(
                Seen(
                    id=str(id),
                    text=shown.text,
                    buttons={button["text"]: button["callback_data"] for button in shown.buttons},
                    pictures=(shown.file,) if kind == "photo" else (),
                    files={"document": shown.file} if kind == "document" else {},
                    raw=shown,
                )
            )
        return found


class Slack(surfaces.Slack):
    """A channel."""

    _first: dict[str, Any]

    @property
    def place(self) -> str:
        """See `Chat`."""
        return f"slack:T0HOUSE/{self.channel}"

    def say(self, text: str, who: str = OWNER) -> None:
        """See `Chat`."""
        self.people.mention(self.channel, self.users[who], text)
        messages = self.world.slack.workspace.channels[self.channel]
        self.__dict__.setdefault("_first", next(m for m in messages if m.get("user") == self.users[OWNER]))

    def reply(self, to: Seen, text: str, who: str = OWNER) -> None:
        """See `Chat`: in the thread under it."""
        self.people.mention(self.channel, self.users[who], text, to.id)

    def edit_first(self, text: str) -> None:
        """See `Chat`."""
        stamp = self.world.slack.workspace.stamp()
        new = {**self._first, "type": "message", "text": f"<@U0BOT> {text}", "edited": {"user": "U1", "ts": stamp}}
        event = {"type": "message", "subtype": "message_changed", "channel": self.channel, "channel_type": "channel"}
        self.people.event({**event, "message": new, "previous_message": self._first, "ts": stamp, "event_ts": stamp})

    def push(self, seen: Seen, value: str, who: str = OWNER) -> None:
        """Press whatever value under a message."""
        rows = [block for block in seen.raw["blocks"] if block["type"] == "actions"]
        block = rows[0] if rows else {"block_id": "b1"}
        element = {"type": "button", "action_id": "bulkhead:0", "text": {"text": "View"}, "value": value}
        self.people.push(self.channel, seen.raw, block, element, self.users[who])

    def seen(self) -> list[Seen]:
        """See `Chat`."""
        workspace = self.world.slack.workspace
        found = []
        for message in list(workspace.channels.get(self.channel, ())):
            if not message.get("bot_id"):
                continue
            blocks = message["blocks"]
            images = [block["slack_file"]["id"] for block in blocks if block["type"] == "image"]
            buttons = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
            links = json.dumps([block for block in blocks if block["type"] == "rich_text"])
            found.append(
                Seen(
                    id=message["ts"],
                    text=message["text"] + json.dumps(blocks, ensure_ascii=False),
                    buttons={button["text"]["text"]: button["value"] for button in buttons},
                    pictures=tuple(workspace.files[id]["bytes"] for id in images),
                    files={f["name"]: f["bytes"] for id, f in list(workspace.files.items()) if f"/{id}/" in links},
                    raw=message,
                )
            )
        return found
