"""Where a person talks to the server under the kill: what they do there, and what they see in the end.

A surface acts as its provider does: an event is brought again until it was taken, and what people see is what the
provider holds, not what the server believes. Each room is a conversation of its own with the owner.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House
from tests.fakes.slack_workspace import BOT_ID, TEAM
from tests.fakes.telegram_chats import Shown

REST_S = 1.5
"""Slack brings an event again after 0.4 s, the courier a row after 1 s."""
ROOMS = 100
"""How many rooms belong to the owner."""
PLACEHOLDERS = ("…", "Drawing", "Drawing again", "Working on it")
"""What is shown until the answer is there."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One message of the server's, as people see it."""

    text: str
    labels: tuple[str, ...] = ()
    """Of its buttons."""
    has_picture: bool = False

    @property
    def is_placeholder(self) -> bool:
        """Whether it is no answer yet."""
        return not self.has_picture and self.text.strip(" .*_") in PLACEHOLDERS


class Surface(Protocol):
    """One provider."""

    env: dict[str, str]
    """Settings of the server."""
    violations: list[str]
    rest_s: float
    """Nothing new for so long is rest."""

    def say(self, house: House, room: int, text: str) -> None:
        """The owner writes. Returns once the provider has it."""

    def press(self, house: House, room: int, label: str) -> None:
        """The owner presses a button of the room's newest message that has it."""

    def seen(self, house: House, room: int) -> list[Seen]:
        """What the server has said there, as it stands now."""

    def drop_next(self) -> None:
        """Let the next thing that is done at this provider be done, and its answer be lost."""


class TelegramSurface:
    """Room n is the private chat of user 1000 + n."""

    rest_s = REST_S

    def __init__(self, fake: telegram_server.TelegramServer) -> None:
        self.fake = fake
        self.violations = fake.violations
        self.env = {"BULKHEAD_TELEGRAM_TOKEN": telegram_server.TOKEN, "BULKHEAD_TELEGRAM_API_URL": fake.url}

    def say(self, house: House, room: int, text: str) -> None:
        """Telegram keeps the update until it is confirmed."""
        self.fake.people.say(text, chat=1000 + room, user=1000 + room)

    def press(self, house: House, room: int, label: str) -> None:
        """Telegram keeps a press, too."""
        for shown in self._shown(room)[::-1]:
            for button in shown.buttons:
                if button["text"] == label:
                    self.fake.people.press(shown, button["callback_data"], user=1000 + room)
                    return
        raise AssertionError(f"no button {label!r}")

    def seen(self, house: House, room: int) -> list[Seen]:
        """The chat's messages."""
        return [
            Seen(
                text=shown.text or str((shown.content.get("rich_message") or {}).get("html", "")),
                labels=tuple(button["text"] for button in shown.buttons),
                has_picture="media" in shown.content,
            )
            for shown in self._shown(room)
        ]

    def drop_next(self) -> None:
        """Whatever is called next, but for the poll."""
        self.fake.drop("")

    def _shown(self, room: int) -> list[Shown]:
        found = [shown for (chat, _), shown in list(self.fake.chats.shown.items()) if chat == 1000 + room]
        return sorted(found, key=lambda shown: shown.id)


class SlackSurface:
    """Room n is the direct message channel D<n> of user U<n>."""

    rest_s = REST_S

    def __init__(self, fake: slack_server.SlackServer) -> None:
        self.fake = fake
        self.violations = fake.violations
        self.env = {
            "BULKHEAD_SLACK_API_URL": fake.url,
            "BULKHEAD_SLACK_BOT_TOKEN": "xoxb-1-fake",
            "BULKHEAD_SLACK_APP_TOKEN": "xapp-1-fake",
        }

    def say(self, house: House, room: int, text: str) -> None:
        """Slack brings it again three times."""
        self.fake.people.direct(f"D{room}", f"U{room}", text)

    def press(self, house: House, room: int, label: str) -> None:
        """Slack brings a press once only: whoever sees nothing happen presses again."""
        self.fake.people.press(f"D{room}", label, f"U{room}")

    def seen(self, house: House, room: int) -> list[Seen]:
        """The channel's messages of the bot."""
        messages = [m for m in list(self.fake.workspace.channels.get(f"D{room}", ())) if m.get("bot_id") == BOT_ID]
        return [seen_in_slack(message) for message in messages]

    def drop_next(self) -> None:
        """Whatever is called next."""
        self.fake.fail(is_drop=True)


def seen_in_slack(message: dict[str, Any]) -> Seen:
    """A message with its blocks."""
    blocks = message.get("blocks") or []
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return Seen(
        text=message["text"],
        labels=tuple(element["text"]["text"] for element in elements if "text" in element),
        has_picture=any(block["type"] == "image" for block in blocks),
    )


class PageSurface:
    """Room n is the page's conversation `room<n>`."""

    rest_s = REST_S

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.violations: list[str] = []
        self._drops = 0

    def say(self, house: House, room: int, text: str) -> None:
        """The page posts until it is told that the message was taken; the id stays the same."""
        id = str(uuid.uuid4())
        self._deliver(house, lambda: house.say(text, f"room{room}", id))

    def press(self, house: House, room: int, label: str) -> None:
        """As `say`."""
        event = next(e for e in self._events(house, room)[::-1] if label in labels_of(e))
        id = str(uuid.uuid4())
        self._deliver(house, lambda: house.press(event, label, f"room{room}", id))

    def seen(self, house: House, room: int) -> list[Seen]:
        """What the page shows of the server's. Nothing while the server is away."""
        try:
            events = self._events(house, room)
        except (httpx.HTTPError, AssertionError):
            return []
        return [
            Seen(
                text="…" if event["kind"] == "working" else unescape(event.get("html", "")),
                labels=labels_of(event),
                has_picture="picture" in event,
            )
            for event in events
            if event["kind"] != "own"
        ]

    def drop_next(self) -> None:
        """The next post is carried out, and its answer is not read."""
        self._drops += 1

    def _events(self, house: House, room: int) -> list[dict[str, Any]]:
        if not house.client.cookies:
            house.sign_in()
        return house.history(f"room{room}")

    def _deliver(self, house: House, send: Callable[[], httpx.Response]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if not house.is_alive:
                house.start()
            try:
                if not house.client.cookies:
                    house.sign_in()
                answer = send()
                if self._drops == 0:
                    assert answer.status_code == 202, answer.text
                    return
                self._drops -= 1
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError("the page's post was never taken")


def labels_of(event: dict[str, Any]) -> tuple[str, ...]:
    """Of a message on the page."""
    return tuple(button["label"] for button in event.get("buttons", ()))


@contextmanager
def open_surface(name: str, shared: Path) -> Iterator[Surface]:
    """One of these providers, of its own."""
    with ExitStack() as stack:
        match name:
            case "telegram":
                yield TelegramSurface(stack.enter_context(telegram_server.running()))
            case "slack":
                spec = slack_server.load_spec(shared)
                yield SlackSurface(stack.enter_context(slack_server.running(spec)))
            case "page":
                yield PageSurface()
            case _:
                raise ValueError(f"there is no surface {name!r}")


def people() -> str:
    """bulkhead.toml: the owner, whose rooms they all are."""
    identities = [f"telegram:{1000 + room}" for room in range(1, ROOMS + 1)]
    identities += [f"slack:{TEAM}:U{room}" for room in range(1, ROOMS + 1)]
    identities.append("mail:anna@example.test")
    listed = ", ".join(f'"{identity}"' for identity in identities)
    return f'[people.owner]\nname = "Owner"\napprover = true\nidentities = [{listed}]\n'


class Trap:
    """A port that the server calls from inside, at a named point, to have the next answer lost."""

    def __init__(self, spring: Callable[[], None]) -> None:
        self._spring = spring
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.is_sprung = False
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # closed, and never sprung
        with connection:
            self._spring()
            self.is_sprung = True
            connection.sendall(b".")

    def close(self) -> None:
        """Wait no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits
        self._listener.close()
