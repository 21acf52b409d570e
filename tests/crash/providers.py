"""The sweep over the providers: at each named point the server is killed, or the provider's next answer is lost.

Each message is said in a room of its own, so that the provider's side can be counted without reading any text: after
everything came to rest a room holds one answer (else it was lost or doubled) and no placeholder (else an orphan).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from layers.failpoint import Point
from tests.crash.mail import open_mail
from tests.crash.scenario import APPEND, ENDED
from tests.crash.surfaces import Seen, Surface, Trap, open_surface, people
from tests.fakes.house import House
from tests.fakes.nursery import Nursery

SURFACES = ("telegram", "slack", "mail", "page")
KILLED, DROPPED = "killed", "dropped"
WAYS = (KILLED, DROPPED)
WAIT_S = 40.0
AGAIN_S = 5.0
"""After so long without an effect a person presses once more."""


@dataclass(kw_only=True)
class Stage:
    """A server, one provider, and what was said so far."""

    house: House
    surface: Surface
    rooms: list[int] = field(default_factory=list)
    lost_effects: int = 0
    doubled_effects: int = 0

    def say(self, text: str) -> int:
        """Say it in a new room; the room."""
        self.rooms.append(len(self.rooms) + 1)
        self.surface.say(self.house, self.rooms[-1], text)
        return self.rooms[-1]

    def answers(self, room: int) -> list[Seen]:
        """What is there and no placeholder."""
        return [seen for seen in self.surface.seen(self.house, room) if not seen.is_placeholder]

    def until(self, claim: Callable[[], object], seconds: float = WAIT_S) -> bool:
        """Wait for something to be so, and keep the server running meanwhile; whether it came to be."""
        deadline = time.monotonic() + seconds
        while not claim():
            if time.monotonic() > deadline:
                return False
            if not self.house.is_alive:
                self.house.start()
            time.sleep(0.02)
        return True

    def answer(self, room: int) -> bool:
        """Wait for the room's answer."""
        return self.until(lambda: self.answers(room))

    def press(self, room: int, label: str, ended: tuple[str, ...]) -> None:
        """Press, and again while nothing happens, until the message says one of `ended`."""
        for _ in range(4):
            if any(label in seen.labels for seen in self.answers(room)):
                self.surface.press(self.house, room, label)
            if self.until(lambda: any(w in seen.text for seen in self.answers(room) for w in ended), AGAIN_S):
                return
        self.lost_effects += 1

    def rest(self) -> None:
        """Until nothing changes any more."""
        before, since = self.look(), time.monotonic()
        end = since + WAIT_S
        while time.monotonic() < min(since + self.surface.rest_s, end):
            self.until(lambda: False, 0.1)
            if (now := self.look()) != before:
                before, since = now, time.monotonic()

    def look(self) -> list[list[Seen]]:
        """All that is seen."""
        return [self.surface.seen(self.house, room) for room in self.rooms]


def talk(stage: Stage) -> None:
    """Two commands."""
    for text in ("/run no.such-thing", "/pending"):
        stage.answer(stage.say(text))


def converse(stage: Stage) -> None:
    """Free text to a model."""
    stage.answer(stage.say("please say pineapple"))


def draw(stage: Stage) -> None:
    """A picture, and its approval where it has buttons."""
    room = stage.say("/diagram flowchart LR; a --> b --> c")
    if stage.answer(room) and any(seen.labels for seen in stage.answers(room)):
        stage.press(room, "Approve", ("Approved by",))


def act(stage: Stage) -> None:
    """Something that may happen once only, requested and approved."""
    room = stage.say("/run workspace.append text=once")
    if not stage.answer(room) or not any(seen.labels for seen in stage.answers(room)):
        return
    stage.press(room, "Approve", ENDED)
    log = stage.house.home / "workspace" / "log.txt"
    times = len(log.read_text().split()) if log.exists() else 0
    stage.doubled_effects += max(0, times - 1)
    if times == 0 and any("Done" in seen.text for seen in stage.answers(room)):
        stage.lost_effects += 1  # said to be done, and it was not


def patch(stage: Stage) -> None:
    """A patch, requested and approved."""
    room = stage.say("/patch\n--- /dev/null\n+++ b/hello.txt\n@@ -0,0 +1 @@\n+Hello from a patch.\n")
    if stage.answer(room):
        stage.press(room, "Approve", ENDED)


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    "accept": talk,
    "turn": talk,
    "model": converse,
    "draw": draw,
    "request": act,
    "decision": act,
    "effect": act,
    "patch": patch,
    "finish": talk,
}
"""By the first word of a point's name; every other one is passed by whatever is said."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One point, one provider, one kind of accident."""

    point: Point
    surface: str
    way: str

    def __str__(self) -> str:
        return f"{self.point.value}-{self.surface}-{self.way}"

    @property
    def nth(self) -> int:
        """The reach at which it happens: the courier looks for work before anybody has said anything."""
        return 3 if self.point is Point.DELIVER_BEFORE else 1

    @property
    def scenario(self) -> Callable[[Stage], None]:
        """What is done."""
        return SCENARIOS.get(self.point.value.partition(".")[0], talk)


def passes(point: Point, surface: str) -> bool:
    """Whether what is said there passes the point.

    What lives in our own database is never placed; a mail neither, and nothing is decided by mail.
    """
    first = point.value.partition(".")[0]
    return first not in {"page": ("place", "placed"), "mail": ("decision", "effect", "patch")}.get(surface, ())


@dataclass(frozen=True, kw_only=True)
class Count:
    """What the provider's side shows in the end."""

    lost: int
    doubled: int
    orphans: int
    was_reached: bool
    violations: tuple[str, ...] = ()


def furnish(home: Path, model_url: str) -> None:
    """A home that was never started."""
    (home / "capabilities").mkdir(parents=True, mode=0o700)
    (home / "bulkhead.toml").write_text(people())
    (home / "capabilities" / "workspace.append.toml").write_text(APPEND)
    routes = ""
    if model_url:
        shapes = "\n".join(f'{shape} = ["fake/echo"]' for shape in ("obedience", "depth", "code", "cheap"))
        routes = f'[routes]\n{shapes}\n[servers]\nfake = "{model_url}"\n'
    (home / "routes.toml").write_text(routes)  # one that names a model has its library loaded, for 10 s and 150 MB


@dataclass(kw_only=True)
class Sweep:
    """What cases share: the nursery, and a home whose first start is over."""

    nursery: Nursery
    folder: Path
    shared: Path
    model_url: str = ""

    def prepare(self) -> None:
        """Start the home once."""
        home = self.folder / "template"
        furnish(home, self.model_url)
        house = House(home, nursery=self.nursery)
        house.start()
        house.close()

    def run(self, case: Case) -> Count:
        """One case, on a home and a provider of its own."""
        home = self.folder / str(case)
        shutil.copytree(self.folder / "template", home, ignore=shutil.ignore_patterns("*.sock"))
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            opened = open_mail() if case.surface == "mail" else open_surface(case.surface, self.shared)
            surface: Surface = stack.enter_context(opened)
            house = House(home, env=surface.env, nursery=self.nursery)
            stack.callback(house.close)
            stack.callback(house.kill)
            trap = Trap(surface.drop_next)
            stack.callback(trap.close)
            stage = Stage(house=house, surface=surface)
            start(house, f"{case.point.value}:{case.nth}" + (f":{trap.port}" if case.way == DROPPED else ""))
            case.scenario(stage)
            stage.rest()
            return count(stage, house.starts > 1 if case.way == KILLED else trap.is_sprung)


def start(house: House, kill_at: str) -> None:
    """Start, and again where the point was reached before anybody could say anything."""
    try:
        house.start(kill_at)
    except AssertionError:
        house.start()


def count(stage: Stage, was_reached: bool) -> Count:
    """What is seen, room by room."""
    answers = [len(stage.answers(room)) for room in stage.rooms]
    orphans = sum(len(seen) for seen in stage.look()) - sum(answers)
    return Count(
        lost=answers.count(0) + stage.lost_effects,
        doubled=sum(max(0, n - 1) for n in answers) + stage.doubled_effects,
        orphans=orphans,
        was_reached=was_reached,
        violations=tuple(stage.surface.violations),
    )
