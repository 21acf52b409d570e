"""Where a card of one real server is pressed: the page, a Telegram group, a Slack channel."""

from __future__ import annotations

import copy
import itertools
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import httpx

from tests.crash.scenario import APPEND
from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House
from tests.fakes.slack_server import SlackServer
from tests.fakes.telegram_chats import Shown
from tests.fakes.telegram_server import TOKEN, TelegramServer
from tests.whole.people import execute, until, visitor

PEOPLE = """\
[people.owner]
name = "Owner"
approver = true
identities = ["telegram:42", "slack:T0HOUSE:U1"]

[people.anna]
name = "Anna"
identities = ["telegram:43", "slack:T0HOUSE:U2"]
"""
OWNER, ANNA, STRANGER = "owner", "anna", "stranger"
ROOM = "yard"
numbers = itertools.count(100)
"""Each place is a new one: providers, and so Bulkhead, are slow where much is said."""


class World:
    """One home whose server comes and goes, between a Telegram and a Slack."""

    def __init__(self, home: Path, slack: SlackServer, telegram: TelegramServer, **settings: str) -> None:
        (home / "capabilities").mkdir(mode=0o700, parents=True)
        (home / "bulkhead.toml").write_text(PEOPLE)
        (home / "capabilities" / "workspace.append.toml").write_text(APPEND)
        hard = APPEND.replace("workspace.append", "workspace.hard").replace("risk = 1", "risk = 2")
        (home / "capabilities" / "workspace.hard.toml").write_text(hard)
        self.slack, self.telegram = slack, telegram
        env = {
            "BULKHEAD_SLACK_API_URL": slack.url,
            "BULKHEAD_SLACK_BOT_TOKEN": "xoxb-1-fake",
            "BULKHEAD_TELEGRAM_TOKEN": TOKEN,
            "BULKHEAD_TELEGRAM_API_URL": telegram.url,
        }
        self.house = House(home, env=env | settings)

    def start(self) -> None:
        """The server, and the owner signed in on its page."""
        opened = len(self.slack.called("apps.connections.open"))
        self.house.start()
        self.house.sign_in()
        if "BULKHEAD_SLACK_APP_TOKEN" in self.house.env:
            until(lambda: len(self.slack.called("apps.connections.open")) >= opened + 2)
            until(lambda: len(self.slack.sockets.sockets) >= 2)

    def restart(self, *, by_force: bool = False) -> None:
        """Away and back; the session goes on."""
        self.house.kill() if by_force else self.house.stop()
        self.start()

    @cached_property
    def anna(self) -> House:
        """The page as Anna sees it."""
        return visitor(self.house, ANNA)

    def close(self) -> None:
        """Leave nothing behind."""
        if "anna" in self.__dict__:
            self.anna.client.close()
        self.house.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        return execute(self.house, statement)

    def state(self, id: str) -> str:
        """Of a request."""
        return str(self.rows(f"SELECT state FROM approval WHERE id = '{id}'")[0][0])

    def became(self, id: str, *states: str) -> str:
        """Wait for one of these states."""
        until(lambda: self.state(id) in states)
        return self.state(id)

    def trail(self, *actions: str) -> list[dict[str, Any]]:
        """The audit entries of these kinds, oldest first."""
        likes = " OR ".join(f"body LIKE '%\"action\":\"{action}\"%'" for action in actions)
        return [json.loads(body) for (body,) in self.rows(f"SELECT body FROM audit WHERE {likes} ORDER BY seq")]

    def effects(self, word: str) -> int:
        """How often it was really done."""
        file = self.house.home / "workspace" / "log.txt"
        return file.read_text().split().count(word) if file.exists() else 0

    @contextmanager
    def refused(self, id: str) -> Iterator[None]:
        """What is done within is refused: in the audit trail, with no decision and no effect, and left to who may."""
        before = len(self.trail("refused"))
        yield
        until(lambda: len(self.trail("refused")) > before)
        assert self.state(id) == "pending"


@contextmanager
def between(home: Path, shared: Path, **settings: str) -> Iterator[World]:
    """A running server between a Telegram and a Slack, neither of which may have anything to object to in the end."""
    with ExitStack() as stack:
        slack = stack.enter_context(slack_server.running(slack_server.load_spec(shared)))
        telegram = stack.enter_context(telegram_server.running())
        made = World(home, slack, telegram, BULKHEAD_SLACK_APP_TOKEN="xapp-1-fake", **settings)
        stack.callback(made.close)
        made.start()
        yield made
        assert (slack.violations, telegram.violations) == ([], [])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, and the word whose effect can be counted."""

    id: str
    word: str


def id_of(world: World, word: str) -> str:
    """The request that has this word in its plan."""
    rows: list[tuple[Any, ...]] = []

    def found() -> bool:
        rows[:] = world.rows(f"SELECT id FROM approval WHERE plan LIKE '%{word}%' ORDER BY created_at DESC")
        return bool(rows)

    until(found)
    return str(rows[0][0])


class Surface(Protocol):
    """One place. People are `owner`, `anna` (no approver) and `stranger`."""

    name: str
    world: World

    def say(self, text: str, who: str = OWNER) -> None:
        """Write to the bot there."""

    def value(self, asked: Asked, label: str) -> str:
        """What the button carries."""

    def press(self, asked: Asked, value: str, who: str = OWNER, *, elsewhere: bool = False) -> None:
        """Press whatever value under its card, or under another message."""

    def shows(self, asked: Asked) -> str:
        """The card as it is now."""


def ask(surface: Surface, capability: str = "workspace.append") -> Asked:
    """The owner asks; the card is there when this returns."""
    word = f"w{uuid.uuid4().hex[:12]}"
    surface.say(f"/run {capability} text={word}")
    asked = Asked(id=id_of(surface.world, word), word=word)
    until(lambda: asked.id in surface.shows(asked) and surface.value(asked, "Deny"))
    return asked


def push(surface: Surface, asked: Asked, label: str, who: str = OWNER) -> None:
    """Press a button by its label."""
    surface.press(asked, surface.value(asked, label), who)


class Page:
    """The page's own conversation."""

    name = "page"

    def __init__(self, world: World) -> None:
        self.world = world

    def _browser(self, who: str) -> House:
        return self.world.anna if who == ANNA else self.world.house

    def say(self, text: str, who: str = OWNER) -> None:
        """See `Surface`."""
        assert self._browser(who).say(text, ROOM).status_code == 202

    def _card(self, asked: Asked) -> dict[str, Any]:
        events = self.world.house.history(ROOM)
        return next((event for event in events if event["key"] == f"a{asked.id}"), {"html": ""})

    def value(self, asked: Asked, label: str) -> str:
        """See `Surface`."""
        return next((str(b["value"]) for b in self._card(asked).get("buttons", ()) if b["label"] == label), "")

    def press(self, asked: Asked, value: str, who: str = OWNER, *, elsewhere: bool = False) -> None:
        """See `Surface`. A stranger has no session: refused at the door, and nothing of it is kept."""
        body = {"id": str(uuid.uuid4()), "conversation": ROOM, "key": f"a{asked.id}", "value": value}
        if elsewhere:
            body["conversation"] = "elsewhere"
        if who == STRANGER:
            origin = {"origin": f"http://127.0.0.1:{self.world.house.port}"}
            url = f"http://127.0.0.1:{self.world.house.port}/api/presses"
            assert httpx.post(url, json=body, headers=origin).status_code == 401
            return
        assert self._browser(who).post("/api/presses", body).status_code == 202

    def shows(self, asked: Asked) -> str:
        """See `Surface`."""
        return str(self._card(asked)["html"])


class Telegram:
    """A group, in which everybody is."""

    name = "telegram"
    users: Mapping[str, int] = MappingProxyType({OWNER: 42, ANNA: 43, STRANGER: 666})

    def __init__(self, world: World) -> None:
        self.world = world
        self.chat = -next(numbers)
        self.people = world.telegram.people

    def say(self, text: str, who: str = OWNER) -> None:
        """See `Surface`."""
        mention = {"type": "mention", "offset": 0, "length": 13}
        self.people.say(f"@bulkhead_bot {text}", chat=self.chat, user=self.users[who], entities=[mention])

    def card(self, asked: Asked) -> Shown | None:
        """Its message."""
        there = list(self.world.telegram.chats.shown.values())
        return next((each for each in there if each.chat == self.chat and asked.id in each.text), None)

    def value(self, asked: Asked, label: str) -> str:
        """See `Surface`."""
        card = self.card(asked)
        buttons = card.buttons if card else ()
        return next((str(button["callback_data"]) for button in buttons if button["text"] == label), "")

    def press(self, asked: Asked, value: str, who: str = OWNER, *, elsewhere: bool = False) -> None:
        """See `Surface`."""
        card = self.card(asked)
        assert card is not None
        if elsewhere:
            card = copy.copy(card)
            card.id += 100_000
        self.people.press(card, value, self.users[who])

    def shows(self, asked: Asked) -> str:
        """See `Surface`."""
        card = self.card(asked)
        return card.text if card else ""


class Slack:
    """A channel, in which everybody is."""

    name = "slack"
    users: Mapping[str, str] = MappingProxyType({OWNER: "U1", ANNA: "U2", STRANGER: "U9"})

    def __init__(self, world: World) -> None:
        self.world = world
        self.channel = f"C{next(numbers)}"
        self.people = world.slack.people

    def say(self, text: str, who: str = OWNER) -> None:
        """See `Surface`."""
        self.people.mention(self.channel, self.users[who], text)

    def card(self, asked: Asked) -> dict[str, Any]:
        """Its message."""
        there = list(self.world.slack.workspace.channels.get(self.channel, ()))
        return next((each for each in there if asked.id in json.dumps(each)), {})

    def value(self, asked: Asked, label: str) -> str:
        """See `Surface`."""
        rows = (block for block in self.card(asked).get("blocks", ()) if block["type"] == "actions")
        buttons = [element for row in rows for element in row["elements"]]
        return next((str(button["value"]) for button in buttons if button["text"]["text"] == label), "")

    def press(self, asked: Asked, value: str, who: str = OWNER, *, elsewhere: bool = False, user: str = "") -> None:
        """See `Surface`. `user` is anybody else, as Slack names them."""
        message = self.card(asked)
        buttons = [block for block in message["blocks"] if block["type"] == "actions"]
        block = buttons[0] if buttons else {"block_id": "b1"}
        element = {"type": "button", "action_id": "bulkhead:0", "text": {"text": "View logs"}, "value": value}
        if elsewhere:
            message = {**message, "ts": f"{time.time() - 1:.6f}"}
        self.people.push(self.channel, message, block, element, user or self.users[who])

    def shows(self, asked: Asked) -> str:
        """See `Surface`."""
        return json.dumps(self.card(asked))
