"""The real server between a Telegram and a Slack that are ours, and what the benchmarks do there as people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.transport.bench import Bench, NotMeasured
from bot.config import BulkheadFile
from tests.crash.providers import furnish
from tests.crash.surfaces import ROOMS, SlackSurface, Surface, TelegramSurface
from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House
from tests.fakes.nursery import Nursery

START_S = 20.0
PACE_FACTOR = 40.0
"""Slack takes 50 edits a minute for a workspace: at its own pace the soak alone would be 20 minutes of waiting."""
PROVIDERS = ("telegram", "slack")
COMMAND = "/run no.such-{:06}"
"""Answered at once, without a model, and the answer names it."""


@dataclass(slots=True, kw_only=True)
class World:
    """Two providers and a server."""

    telegram: TelegramSurface
    slack: SlackSurface
    house: House

    def surface(self, provider: str) -> Surface:
        """By name."""
        return self.telegram if provider == "telegram" else self.slack

    def say(self, provider: str, room: int, text: str) -> float:
        """Somebody writes; when, by the monotonic clock."""
        said_at = time.monotonic()
        self.surface(provider).say(self.house, room, text)
        return said_at

    def connected(self, *providers: str) -> None:
        """Wait until the server hears the providers."""
        if "telegram" in providers:
            wait("Telegram is not polled", lambda: self.telegram.fake.called("getUpdates"))
        if "slack" in providers:
            wait("Slack has no socket", lambda: self.slack.fake.sockets.sockets)

    def shows(self, provider: str, room: int, text: str) -> bool:
        """Whether one of the messages there holds the text."""
        return any(text in seen.text for seen in self.surface(provider).seen(self.house, room))


@contextmanager
def world(
    bench: Bench,
    name: str,
    providers: Sequence[str] = PROVIDERS,
    *,
    fast: Sequence[str] = (),
    nursery: Nursery | None = None,
    model_url: str = "",
) -> Iterator[World]:
    """A home of that name, not started yet, served to those providers; `fast` ones are called without their pace."""
    home = bench.folder / name
    furnish(home, model_url)
    with open(home / "bulkhead.toml", "a") as file:
        file.write(pace(fast))
    with ExitStack() as stack:
        telegram = TelegramSurface(stack.enter_context(telegram_server.running()))
        slack = SlackSurface(stack.enter_context(slack_server.running(slack_server.load_spec(bench.shared))))
        env: dict[str, str] = {}
        for provider, surface in (("telegram", telegram), ("slack", slack)):
            env |= surface.env if provider in providers else {}
        house = House(home, env=env, nursery=nursery)
        stack.callback(house.close)
        try:
            yield World(telegram=telegram, slack=slack, house=house)
        finally:
            bench.violations += [*telegram.violations, *slack.violations]


def pace(fast: Sequence[str]) -> str:
    """bulkhead.toml for providers that let themselves be called faster than the real ones."""
    if "transport" not in BulkheadFile.model_fields:
        return ""  # nothing is paced
    return "".join(f"\n[transport.{name}]\npace_factor = {PACE_FACTOR:g}\n" for name in fast)


def wait(what: str, holds: Callable[[], object], seconds: float = START_S) -> None:
    """Until it holds.

    Raises:
        NotMeasured: it never did; `what` says what that means.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise NotMeasured(f"{what} after {seconds:g} s")
        time.sleep(0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of one message, in milliseconds after it was said."""

    first_ms: float
    """Anything of the server's became visible: a placeholder, or the answer."""
    final_ms: float
    """The answer did."""


@dataclass(slots=True)
class Talk:
    """Messages, each in the room whose turn it is, and when the provider saw what of their answers."""

    world: World
    provider: str
    rooms: Sequence[int] = range(1, ROOMS // 2 + 1)

    def run(self, count: int, per_s: float, first: int = 0) -> list[Reply]:
        """Say `count` messages at that pace; the replies, in order.

        Raises:
            NotMeasured: one was never answered.
        """
        said = []
        start = time.monotonic()
        for n in range(count):
            time.sleep(max(0.0, start + n / per_s - time.monotonic()))
            room, text = self.rooms[n % len(self.rooms)], COMMAND.format(first + n)
            said.append((room, text.split()[1], self.world.say(self.provider, room, text)))
        room, tag, _ = said[-1]
        for room, tag, _ in said:
            wait(f"{self.provider} has no answer to {tag}", lambda: self.world.shows(self.provider, room, tag), 60)  # noqa: B023
        seen = seen_calls(self.world, self.provider)
        return [reply(seen.get(room, []), tag, said_at) for room, tag, said_at in said]


def seen_calls(world: World, provider: str) -> dict[int, list[tuple[float, bool, str]]]:
    """Room -> (when, whether it is a new message, text) of each call that showed something, in order."""
    found: dict[int, list[tuple[float, bool, str]]] = {}
    if provider == "telegram":
        for call in list(world.telegram.fake.calls):
            if call.method.startswith(("send", "edit")) and call.method != "sendChatAction":
                room = int(call.params.get("chat_id", 1000)) - 1000
                found.setdefault(room, []).append((call.at, call.method.startswith("send"), str(call.params)))
        return found
    for answered in list(world.slack.fake.calls):
        if answered.method in ("chat.postMessage", "chat.update"):
            is_new = answered.method == "chat.postMessage"
            told = (answered.at, is_new, str(answered.arguments))
            found.setdefault(int(answered.channel.removeprefix("D")), []).append(told)
    return found


def reply(calls: Sequence[tuple[float, bool, str]], tag: str, said_at: float) -> Reply:
    """The first call after `said_at` that made a message, and the first that carries the tag."""
    first = next(at for at, is_new, text in calls if at >= said_at and (is_new or tag in text))
    final = next(at for at, _, text in calls if at >= said_at and tag in text)
    return Reply(first_ms=(first - said_at) * 1e3, final_ms=(final - said_at) * 1e3)


def quiet_folder(bench: Bench, name: str) -> Path:
    """A folder of a section's own."""
    folder = bench.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
