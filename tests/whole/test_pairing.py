"""Strangers are let in across channels, and an account in trouble is told of elsewhere: the real server.

Slack and Telegram are servers on sockets; the page is asked as a browser asks it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import postgres, slack_server, telegram_server
from tests.fakes.house import House
from tests.whole.people import bulkhead, error, execute, until

PEOPLE = """\
[people.owner]
name = "Owner"
approver = true
identities = ["telegram:42", "slack:T0HOUSE:U1"]

[people.anna]
name = "Anna"
identities = ["telegram:43"]
"""


class World:
    """A house with two providers."""

    def __init__(
        self, home: Path, url: str, slack: slack_server.SlackServer, bot: telegram_server.TelegramServer
    ) -> None:
        home.mkdir(mode=0o700)
        (home / "bulkhead.toml").write_text(PEOPLE)
        self.slack, self.telegram = slack, bot
        settings = {
            "BULKHEAD_SLACK_API_URL": slack.url,
            "BULKHEAD_SLACK_BOT_TOKEN": "xoxb-1-fake",
            "BULKHEAD_SLACK_APP_TOKEN": "xapp-1-fake",
            "BULKHEAD_TELEGRAM_TOKEN": telegram_server.TOKEN,
            "BULKHEAD_TELEGRAM_API_URL": bot.url,
        }
        self.house = House(home, url, settings)

    def start(self) -> None:
        opened = len(self.slack.called("apps.connections.open"))
        self.house.start()
        self.house.sign_in()
        until(lambda: len(self.slack.called("apps.connections.open")) >= opened + 2)

    def introduce(self) -> None:
        """The owner writes on both once: from then on the house knows where to find them."""
        self.telegram.people.say("/pending")
        self.slack.people.direct("D1", "U1", "/pending")
        until(lambda: self.telegram.texts() and "Nothing waits" in self.telegram.texts()[-1])
        until(lambda: self.slack.workspace.said("D1") and "Nothing waits" in self.slack.workspace.said("D1")[-1])

    def card(self, word: str, state: str = "") -> dict[str, Any]:
        """The newest message on the page that says so."""
        return self.house.wait_for(lambda event: word in event.get("html", "") and state in event["html"])

    def press_telegram(self, chat: int, label: str, user: int) -> None:
        shown = next(
            each for each in reversed(list(self.telegram.chats.shown.values())) if each.chat == chat and each.buttons
        )
        data = next(button["callback_data"] for button in shown.buttons if button["text"] == label)
        self.telegram.people.press(shown, data, user)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    url = ""
    if request.param == "postgresql":
        url = postgres.create(request.getfixturevalue("postgres_server"), f"p{uuid.uuid4().hex[:12]}")
    with ExitStack() as stack:
        slack = stack.enter_context(slack_server.running(slack_server.load_spec(shared)))
        telegram = stack.enter_context(telegram_server.running())
        made = World(tmp_path_factory.mktemp("pairing") / "home", url, slack, telegram)
        stack.callback(made.house.close)
        made.start()
        made.introduce()
        yield made
        assert (slack.violations, telegram.violations) == ([], [])


def test_a_stranger_on_telegram_is_let_in_by_a_press_on_the_page(world: World) -> None:
    world.telegram.people.say("/run host.uptime", chat=7, user=7)
    until(lambda: world.telegram.texts(7) and "code" in world.telegram.texts(7)[-1])
    assert "uptime" not in world.telegram.texts(7)[-1]
    shown = world.card("telegram:7")
    assert shown["html"].index("telegram:7") < shown["html"].index("U7"), "the id first, then what they call themselves"
    until(lambda: "telegram:7" in world.telegram.texts()[-1])
    until(lambda: "telegram:7" in world.slack.workspace.said("D1")[-1])
    world.house.press(shown, "Let in")
    world.card("telegram:7", "let them in")
    until(lambda: "You are let in" in world.telegram.texts(7)[-1])
    until(lambda: "let them in" in world.telegram.texts()[-1])
    until(lambda: "let them in" in world.slack.workspace.said("D1")[-1])
    world.telegram.people.say("/pending", chat=7, user=7)
    until(lambda: "Nothing waits" in world.telegram.texts(7)[-1])


def test_a_stranger_on_telegram_is_made_an_approver_by_a_press_in_slack_and_counts_at_once(world: World) -> None:
    world.telegram.people.say("hello", chat=8, user=8)
    until(lambda: "telegram:8" in world.slack.workspace.said("D1")[-1])
    world.slack.people.press("D1", "Let in as approver", "U1")
    until(lambda: "You are let in, and may approve" in world.telegram.texts(8)[-1])
    world.telegram.people.say("/run workspace.write-note name=eight text=hello", chat=8, user=8)
    until(lambda: "Approval needed" in world.telegram.texts(8)[-1])
    until(lambda: any(s.chat == 8 and s.buttons for s in list(world.telegram.chats.shown.values())))
    world.press_telegram(8, "Approve", 8)
    until(lambda: "Done" in world.telegram.texts(8)[-1])
    # and, once removed, no more
    world.telegram.people.say("/run workspace.write-note name=nine text=hello", chat=8, user=8)
    until(lambda: "Approval needed" in world.telegram.texts(8)[-1])
    people = world.house.ask("/people", "people")
    assert "U8 (telegram:8)" in people["html"]
    world.house.press(people, "Remove telegram:8", "people")
    world.house.wait_for(lambda event: "is removed" in event.get("html", ""), "people")
    before = len(world.telegram.texts(8))
    world.press_telegram(8, "Approve", 8)
    time.sleep(1)
    assert not any("Done" in text for text in world.telegram.texts(8)[before - 1 :])
    assert not (world.house.home / "workspace" / "notes" / "nine.md").exists()


def test_somebody_who_decides_nothing_cannot_let_in(world: World) -> None:
    world.telegram.people.say("hello", chat=9, user=9)
    shown = world.card("telegram:9")
    code = world.telegram.texts(9)[-1]
    until(lambda: "code" in world.telegram.texts(9)[-1])
    code = next(
        word for word in world.telegram.texts(9)[-1].replace(":", " ").split() if "-" in word and word.isupper()
    )
    world.telegram.people.say(f"/pair {code}", chat=43, user=43)
    until(lambda: world.telegram.texts(43) and "may not decide" in world.telegram.texts(43)[-1])
    value = next(button["value"] for button in shown["buttons"] if button["label"] == "Let in")
    own = [each for each in list(world.telegram.chats.shown.values()) if each.chat == 43][-1]
    world.telegram.people.press(own, value, 43)
    until(lambda: "may not decide" in world.telegram.texts(43)[-1] and len(world.telegram.texts(43)) >= 2)
    world.house.say(f"/pair {code.lower()} refuse", "typed")
    world.house.wait_for(lambda event: "refused" in event.get("html", ""), "typed")
    until(lambda: "not let in" in world.telegram.texts(9)[-1])
    world.house.press(shown, "Let in")
    assert "has decided" in error(world.house)


def test_nobody_in_particular_is_never_asked_about(world: World) -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    world.telegram.people.say("hello", chat=1087968824, user=1087968824)
    world.telegram.people.say(
        "/help@bulkhead_bot", chat=-100, user=1087968824, sender_chat={"id": -100, "type": "supergroup"}
    )
    world.telegram.people.say(
        "/help@bulkhead_bot", chat=-100, user=77, **{"from": {**anonymous, "id": 77, "is_bot": False}}
    )
    world.telegram.people.say("/why", chat=43, user=43)
    until(lambda: "No model has answered" in world.telegram.texts(43)[-1])
    assert world.telegram.texts(-100) == [], "in a group a stranger is not answered"
    asked = execute(world.house, "SELECT identity FROM pairing")
    assert {identity for (identity,) in asked} <= {"telegram:7", "telegram:8", "telegram:9"}


def test_the_audit_trail_has_every_decision(world: World) -> None:
    bodies = " ".join(body for (body,) in execute(world.house, "SELECT body FROM audit ORDER BY seq"))
    for action in ("pair.in", "pair.approver", "pair.refuse", "pair.remove"):
        assert f'"action":"{action}"' in bodies, action
    assert bulkhead(world.house, "audit", "verify").returncode == 0


def test_a_challenge_on_slack_is_told_on_telegram_and_the_page_and_only_a_person_resumes(world: World) -> None:
    world.slack.dead_with = "two_factor_setup_required"
    before = len(world.slack.calls)
    world.slack.people.direct("D1", "U1", "/status")
    until(lambda: len(world.slack.calls) > before)
    hit = time.monotonic()
    world.card("slack is challenged")
    until(lambda: "slack is challenged" in world.telegram.texts()[-1])
    print(f"told after {time.monotonic() - hit:.2f} s")
    calls = len(world.slack.calls)
    world.house.ask("/status", "beside")
    time.sleep(2)
    assert len(world.slack.calls) == calls, "an account that needs a person is called no more"

    world.house.stop()
    world.slack.dead_with = ""
    world.house.start()
    world.house.sign_in()
    listed = world.house.ask("/transports", "beside")
    assert "slack</strong> is challenged" in listed["html"]
    assert "parked" in listed["html"]
    time.sleep(1)
    assert len(world.slack.calls) == calls, "a restart is no word of a person's"
    page = world.house.client.get("/api/transports").json()["transports"]
    assert {one["channel"]: one["resume"] for one in page} == {"slack": "h:resume:slack", "telegram": ""}

    world.telegram.people.say("/transports", chat=43, user=43)
    until(lambda: any(s.chat == 43 and s.buttons for s in list(world.telegram.chats.shown.values())))
    world.press_telegram(43, "Resume slack", 43)
    until(lambda: "may not resume" in world.telegram.texts(43)[-1])
    assert len(world.slack.calls) == calls

    world.press_telegram(42, "Resume slack", 42)
    until(lambda: any("Bulkhead 0" in text for text in world.slack.workspace.said("D1")))
    until(lambda: any("Resumed by Owner" in text for text in world.telegram.texts()))
    world.card("slack is challenged", "Resumed by")


def test_what_was_written_while_the_house_was_stopped_is_answered_after_the_start(world: World) -> None:
    world.house.stop()
    world.telegram.people.say("/why")
    world.house.start()
    world.house.sign_in()
    until(lambda: "No model has answered" in world.telegram.texts()[-1])
