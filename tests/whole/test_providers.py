"""Slack and Telegram on the real server: a message, a picture, an approval by button, a kill, all over sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House

PEOPLE = """\
[people.owner]
name = "Owner"
approver = true
identities = ["telegram:42", "slack:T0HOUSE:U1"]
"""


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


@pytest.fixture
def telegram() -> Iterator[telegram_server.TelegramServer]:
    with telegram_server.running() as fake:
        yield fake
        assert fake.violations == []


@pytest.fixture
def house(tmp_path: Path, telegram: telegram_server.TelegramServer) -> Iterator[House]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "bulkhead.toml").write_text(PEOPLE)
    settings = {"BULKHEAD_TELEGRAM_TOKEN": telegram_server.TOKEN, "BULKHEAD_TELEGRAM_API_URL": telegram.url}
    served = House(home, env=settings)
    served.start()
    yield served
    served.close()


def test_telegram_from_a_command_to_an_approved_action_across_a_kill(
    house: House, telegram: telegram_server.TelegramServer
) -> None:
    telegram.people.say("/pending")
    until(lambda: telegram.texts() and "Nothing waits" in telegram.texts()[-1])
    telegram.people.say("/diagram flowchart LR; a --> b")
    until(lambda: telegram.last().content.get("media") == "photo")
    telegram.people.say("/run workspace.write-note name=chat text=hello")
    until(lambda: "Approval needed" in telegram.texts()[-1] and telegram.last().buttons)
    house.kill()
    house.start()
    card = telegram.last()
    telegram.people.press(card, next(b["callback_data"] for b in card.buttons if b["text"] == "Approve"))
    until(lambda: "Done" in telegram.last().content.get("text", ""))
    assert (house.home / "workspace" / "notes" / "chat.md").read_text() == "hello\n"


def test_a_stranger_on_telegram_is_told_a_code_and_nothing_else(
    house: House, telegram: telegram_server.TelegramServer
) -> None:
    telegram.people.say("/run host.uptime", chat=7, user=7)
    until(lambda: telegram.texts(7) and "Your code is" in telegram.texts(7)[-1])
    telegram.people.say("/run host.uptime", chat=7, user=7)
    telegram.people.say("/pending")
    until(lambda: telegram.texts() and "Nothing waits" in telegram.texts()[-1])
    assert len(telegram.texts(7)) == 1, "one message, however often they write"
    assert "uptime" not in telegram.texts(7)[-1].lower()


def test_slack_from_a_mention_to_an_approved_action_across_a_kill(tmp_path: Path, shared: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "bulkhead.toml").write_text(PEOPLE)
    with slack_server.running(slack_server.load_spec(shared)) as slack:
        settings = {"BULKHEAD_SLACK_API_URL": slack.url}
        settings |= {"BULKHEAD_SLACK_BOT_TOKEN": "xoxb-1-fake", "BULKHEAD_SLACK_APP_TOKEN": "xapp-1-fake"}
        house = House(home, env=settings)
        house.start()
        try:
            until(lambda: slack.called("apps.connections.open"))
            slack.people.direct("D1", "U1", "/pending")
            until(lambda: slack.workspace.said("D1") and "Nothing waits" in slack.workspace.said("D1")[-1])
            slack.people.mention("C1", "U1", "/run workspace.write-note name=slack text=hello")
            until(lambda: slack.workspace.said("C1") and "Approval needed" in slack.workspace.said("C1")[-1])
            house.kill()
            house.start()
            until(lambda: len(slack.called("apps.connections.open")) >= 3)
            time.sleep(1)  # the fake gives a press to a socket that is there; Slack never repeats one
            slack.people.press("C1", "Approve", "U1")
            until(lambda: "Done" in slack.workspace.said("C1")[-1])
            assert (home / "workspace" / "notes" / "slack.md").read_text() == "hello\n"
            assert slack.violations == []
        finally:
            house.close()
