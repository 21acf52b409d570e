"""A request is put before the approvers who are not where it was asked: on the page, in Slack and Telegram, by the
real server. Each copy has buttons of its own, and one decision settles all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.crash.scenario import APPEND
from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House
from tests.fakes.telegram_chats import Shown
from tests.whole.people import bulkhead, effects, error, execute, outcome, until, visitor
from tests.whole.test_pairing import World

APPROVALS = "approvals"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    with ExitStack() as stack:
        slack = stack.enter_context(slack_server.running(slack_server.load_spec(shared)))
        telegram = stack.enter_context(telegram_server.running())
        made = World(tmp_path_factory.mktemp("copies") / "home", "", slack, telegram)
        (made.house.home / "capabilities").mkdir()
        (made.house.home / "capabilities" / "workspace.append.toml").write_text(APPEND)
        stack.callback(made.house.close)
        made.start()
        made.introduce()
        yield made
        assert (slack.violations, telegram.violations) == ([], [])


@pytest.fixture(scope="module")
def anna(world: World) -> Iterator[House]:
    opened = visitor(world.house, "anna")
    yield opened
    opened.client.close()


def card_at(world: World, chat: int, word: str) -> Shown:
    """The newest message of a chat that says so, once it is there."""
    until(lambda: any(word in text for text in world.telegram.texts(chat)))
    shown = list(world.telegram.chats.shown.values())
    return next(each for each in reversed(shown) if each.chat == chat and word in each.text)


def values(event: dict[str, Any]) -> set[str]:
    return {button["value"].rpartition(":")[2] for button in event["buttons"]}


def test_what_is_asked_on_the_page_comes_to_the_approvers_own_chats_and_is_settled_there(
    world: World, anna: House
) -> None:
    shown = anna.ask("/run workspace.append text=fromanna", "anna")
    copy = card_at(world, 42, "fromanna")
    until(lambda: "fromanna" in world.slack.workspace.said("D1")[-1])
    assert "Asked for in" in copy.text
    handles = {button["callback_data"].rpartition(":")[2] for button in copy.buttons}
    assert len(handles | values(shown)) == 2, "each copy has a handle of its own"
    assert not world.house.history(APPROVALS), "she asked on the page: it is there already"
    (stolen,) = values(shown)
    world.telegram.people.press(copy, f"a:approve:{stolen}", 42)
    until(lambda: "not pressed where its card was delivered" in world.telegram.texts()[-1])
    world.press_telegram(42, "Approve", 42)
    assert "Done" in outcome(anna, shown["key"], "anna")
    until(lambda: "Done" in card_at(world, 42, "fromanna").text)
    until(lambda: "Done" in world.slack.workspace.said("D1")[-1])
    assert not card_at(world, 42, "fromanna").buttons
    assert effects(world.house.home) == ["fromanna"]


def test_what_is_asked_in_a_private_chat_comes_to_the_page_and_to_slack(world: World) -> None:
    world.telegram.people.say("/run workspace.append text=private", chat=43, user=43)
    copy = world.house.wait_for(lambda event: "private" in event.get("html", ""), APPROVALS)
    until(lambda: "private" in world.slack.workspace.said("D1")[-1])
    card_at(world, 42, "private")
    listed = world.house.client.get("/api/pending").json()["pending"]
    assert [(each["conversation"], each["key"]) for each in listed] == [("web:approvals", copy["key"])]
    world.house.press(copy, "Deny", APPROVALS)
    assert "Denied" in outcome(world.house, copy["key"], APPROVALS)
    for chat in (42, 43):
        until(lambda chat=chat: "Denied" in card_at(world, chat, "private").text)
        assert not card_at(world, chat, "private").buttons
    until(lambda: "Denied" in world.slack.workspace.said("D1")[-1])
    assert "private" not in effects(world.house.home)


def test_who_asks_where_they_are_gets_no_copy_and_one_press_at_two_places_counts_once(
    world: World, anna: House
) -> None:
    before = len(world.telegram.texts())
    own = world.house.ask("/run workspace.append text=mine7", "own")
    world.house.press(own, "Deny", "own")
    assert "Denied" in outcome(world.house, own["key"], "own")
    shown = anna.ask("/run workspace.append text=bothplaces", "anna")
    copy = card_at(world, 42, "bothplaces")
    until(lambda: copy.buttons)
    assert not any("mine7" in text for text in world.telegram.texts()[before:]), "the asker is the only approver"
    deny = next(button["callback_data"] for button in copy.buttons if button["text"] == "Deny")
    world.house.press(shown, "Approve", "anna")
    world.telegram.people.press(copy, deny, 42)
    html = outcome(world.house, shown["key"], "anna")
    assert ("Done" in html) != ("Denied" in html)
    assert effects(world.house.home).count("bothplaces") == int("Done" in html)
    assert bulkhead(world.house, "audit", "verify").returncode == 0


def test_a_drill_from_the_command_line_is_put_before_every_approver_and_can_never_run(world: World) -> None:
    begun = bulkhead(world.house, "control", "drill")
    told = json.loads(begun.stdout)
    assert (begun.returncode, sorted(told["places"])) == (0, ["slack:T0HOUSE/D1", "telegram:42", "web:approvals"])
    copy = world.house.wait_for(lambda event: event["key"] == f"a{told['request']}", APPROVALS)
    assert "drill" not in copy["html"].lower(), "nothing gives it away"
    world.house.press(copy, "Approve", APPROVALS)
    world.house.wait_for(lambda event: "was a drill" in event.get("html", ""), APPROVALS)
    assert "drill" in error(world.house, APPROVALS)
    again = json.loads(bulkhead(world.house, "control", "drill").stdout)
    copy = card_at(world, 42, again["request"])
    until(lambda: copy.buttons)
    world.press_telegram(42, "Deny", 42)
    until(lambda: "was a drill" in card_at(world, 42, again["request"]).text)
    listed = json.loads(bulkhead(world.house, "control", "drills").stdout)
    assert [each["result"] for each in listed["drills"]] == ["missed", "caught"]
    assert (listed["caught"], listed["missed"], listed["catch_rate"]) == (1, 1, 0.5)
    assert execute(world.house, "SELECT DISTINCT warrant FROM approval WHERE is_drill = 1") == [("",)]
