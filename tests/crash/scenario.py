"""What people do while the server is killed under them, and what must be true afterwards.

The driver acts as a provider does: an event that was not acknowledged is delivered again, with the same id, to the
server that was started after the kill. Effects are counted outside the server: lines of a file, commits of a branch.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from layers.failpoint import Point
from tests.fakes.environment import REPO
from tests.fakes.house import House

APPEND = """\
id = "workspace.append"
title = "Append a line"
description = "Appends a line to log.txt: doing it twice shows."
scope = "workspace"
risk = 1
argv = ["tee", "-a", "log.txt"]
stdin = "{text}\\n"
timeout_s = 10

[parameters.text]
type = "string"
description = "The line."
pattern = "[a-z0-9]+"
max_length = 40

[sandbox]
writable_workspace = true
"""
PATCH = "/patch\n--- /dev/null\n+++ b/hello.txt\n@@ -0,0 +1 @@\n+Hello from a patch.\n"
ENDED = ("Done", "Failed", "Outcome unknown")


@dataclass(slots=True)
class Driver:
    """A person and their provider, who outlive the server."""

    house: House
    restarts: int = 0
    restarted_in_s: float = 0.0
    sent: list[str] = field(default_factory=list)

    def deliver(self, send: Callable[[], httpx.Response]) -> None:
        """Until it is acknowledged, whatever happens to the server."""
        for _ in range(4):
            try:
                answer = send()
            except httpx.TransportError:
                self.revive()
                continue
            assert answer.status_code == 202, answer.text
            return
        raise AssertionError("the event was never acknowledged")

    def say(self, text: str) -> str:
        """A message; its id."""
        id = str(uuid.uuid4())
        self.sent.append(id)
        self.deliver(lambda: self.house.say(text, id=id))
        return id

    def press(self, event: dict[str, Any], label: str) -> None:
        """A button; the same press is delivered again after a crash."""
        id = str(uuid.uuid4())
        self.deliver(lambda: self.house.press(event, label, id=id))

    def wait_for(self, found: Callable[[dict[str, Any]], bool], seconds: float = 40) -> dict[str, Any]:
        """What is shown at last, across restarts."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return self.house.wait_for(found, seconds=1)
            except httpx.TransportError:
                self.revive()
            except AssertionError:
                if not self.house.is_alive:
                    self.revive()
        raise AssertionError(f"never shown; the log ends: {self.house.log.read_text()[-2500:]}")

    def answer_to(self, id: str) -> dict[str, Any]:
        """The first message that follows one's own and is no placeholder."""

        def follows(event: dict[str, Any]) -> bool:
            events = self.house.history()
            keys = [item["key"] for item in events]
            later = events[keys.index(f"u{id}") + 1 :] if f"u{id}" in keys else []
            answers = [item["key"] for item in later if item["kind"] not in ("own", "working")]
            return event["kind"] != "working" and event["key"] in answers

        return self.wait_for(follows)

    def revive(self) -> None:
        """Start the server again, as its supervisor would."""
        assert self.house.process is not None
        self.house.process.wait(20)
        self.restarts += 1
        started = time.monotonic()
        self.house.start()
        self.restarted_in_s = time.monotonic() - started


def talk(driver: Driver) -> None:
    """Two commands and their answers."""
    for text in ("/help", "/pending"):
        driver.answer_to(driver.say(text))


def draw(driver: Driver) -> None:
    """A picture, and its approval."""
    shown = driver.answer_to(driver.say("/diagram flowchart LR; a --> b --> c"))
    assert "picture" in shown, shown
    driver.press(shown, "Approve")
    driver.wait_for(lambda event: event["key"] == shown["key"] and "Approved by" in event.get("html", ""))


def act(driver: Driver) -> None:
    """Something that may happen once only, requested and approved."""
    card = driver.answer_to(driver.say("/run workspace.append text=once"))
    driver.press(card, "Approve")
    ended = driver.wait_for(lambda event: event["key"] == card["key"] and any(word in event["html"] for word in ENDED))
    log = driver.house.home / "workspace" / "log.txt"
    lines = log.read_text().split() if log.exists() else []
    assert lines in ([], ["once"]), f"the effect ran {len(lines)} times"
    if "Done" in ended["html"]:
        assert lines == ["once"], "said to be done, and it was not"
    else:
        assert "Outcome unknown" in ended["html"], ended["html"]


def patch(driver: Driver) -> None:
    """A patch, requested and approved."""
    card = driver.answer_to(driver.say(PATCH))
    driver.press(card, "Approve")
    driver.wait_for(lambda event: event["key"] == card["key"] and "Done" in event["html"])
    workspace = driver.house.home / "workspace"
    log = subprocess.run(["git", "log", "--format=%s"], cwd=workspace, capture_output=True, text=True, check=True)
    assert len(log.stdout.split("\n")) == 3, log.stdout  # the first commit, the patch, an empty end
    assert (workspace / "hello.txt").read_text() == "Hello from a patch.\n"


def converse(driver: Driver) -> None:
    """Free text to a model."""
    shown = driver.answer_to(driver.say("please say pineapple"))
    assert "pineapple" in shown["html"], shown


def console(driver: Driver) -> None:
    """A question on the command line, whose server dies under it; then one on the page."""
    command = [sys.executable, "-m", "bot", "ask", "--home", str(driver.house.home), "/help"]
    subprocess.run(command, env=driver.house.env, cwd=REPO, capture_output=True, check=False, timeout=60)
    talk(driver)


@dataclass(frozen=True, slots=True)
class Case:
    """Kill at the `nth` reach of `point` during `scenario`."""

    point: Point
    nth: int
    scenario: Callable[[Driver], None]

    def __str__(self) -> str:
        return f"{self.point.value}#{self.nth}-{self.scenario.__name__}"


CASES = (
    Case(Point.ACCEPT_BEFORE_COMMIT, 1, talk),
    Case(Point.ACCEPT_BEFORE_COMMIT, 2, act),
    Case(Point.ACCEPT_AFTER_COMMIT, 1, talk),
    Case(Point.ACCEPT_AFTER_COMMIT, 2, act),
    Case(Point.TURN_CLAIMED, 1, talk),
    Case(Point.TURN_CLAIMED, 2, act),
    Case(Point.MODEL_CALLED, 1, converse),
    Case(Point.MODEL_ANSWERED, 1, converse),
    Case(Point.DRAW_STARTED, 1, draw),
    Case(Point.DRAW_DONE, 1, draw),
    Case(Point.REQUEST_BEFORE_COMMIT, 1, act),
    Case(Point.REQUEST_AFTER_COMMIT, 1, act),
    Case(Point.DECISION_BEFORE_COMMIT, 1, act),
    Case(Point.DECISION_AFTER_COMMIT, 1, act),
    Case(Point.EFFECT_STARTED, 1, act),
    Case(Point.EFFECT_RUNNING, 1, act),
    Case(Point.EFFECT_DONE, 1, act),
    Case(Point.EFFECT_RECORDED, 1, act),
    Case(Point.EFFECT_STARTED, 1, patch),
    Case(Point.PATCH_COMMITTED, 1, patch),
    Case(Point.PATCH_WRITTEN, 1, patch),
    Case(Point.EFFECT_DONE, 1, patch),
    Case(Point.FINISH_BEFORE_COMMIT, 1, talk),
    Case(Point.FINISH_BEFORE_COMMIT, 2, act),
    Case(Point.FINISH_AFTER_COMMIT, 1, talk),
    Case(Point.DELIVER_BEFORE, 3, talk),
    Case(Point.DELIVER_AFTER, 1, console),
    Case(Point.SENT_AFTER_COMMIT, 1, talk),
)

FIRST = tuple({case.point: case for case in reversed(CASES)}.values())[::-1]
"""Each point once; the others are for when there is time."""


@contextmanager
def house_for(case: Case, folder: Path, database_url: str, model_url: str) -> Iterator[Driver]:
    """A signed-in server that will die in this case."""
    house = House(folder / "home", database_url)
    capabilities = house.home / "capabilities"
    capabilities.mkdir(parents=True)
    (capabilities / "workspace.append.toml").write_text(APPEND)
    if case.scenario is converse:  # one that names a model has its library loaded, for seconds of CPU at each start
        shapes = "\n".join(f'{shape} = ["fake/echo"]' for shape in ("obedience", "depth", "code", "cheap"))
        (house.home / "routes.toml").write_text(f'[routes]\n{shapes}\n[servers]\nfake = "{model_url}"\n')
    try:
        house.start(f"{case.point.value}:{case.nth}")
        house.sign_in()
        yield Driver(house)
    finally:
        house.close()


def run(case: Case, folder: Path, database_url: str, model_url: str) -> Driver:
    """Do the scenario under the kill, then check what holds for every case."""
    with house_for(case, folder, database_url, model_url) as driver:
        case.scenario(driver)
        assert driver.restarts >= 1, f"{case} was never reached"
        keys = [event["key"] for event in driver.house.history()]
        for id in driver.sent:
            assert keys.count(f"u{id}") == 1, "a message was lost or doubled"
        answers = [key for key in keys if key[0] in "ta" and "." not in key]  # t12, or the card a7c...
        assert len(answers) == len(driver.sent), f"an answer was lost or doubled: {keys}"
        kinds = [event["kind"] for event in driver.house.history()]
        assert "working" not in kinds, "a placeholder was left behind"
        return driver
