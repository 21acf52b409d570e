"""Decisions over the real page: the passphrase of a lone approver, another conversation, freeze, grants, drills."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.scenario import APPEND
from tests.fakes.house import House
from tests.whole.people import card, effects, error, furnish, outcome, until

WORDS = "a long enough passphrase"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("deciding") / "home")
    furnish(opened.home)
    hard = APPEND.replace("workspace.append", "workspace.hard").replace("risk = 1", "risk = 2")
    (opened.home / "capabilities" / "workspace.hard.toml").write_text(hard)
    slow = '\n'.join(APPEND.split("[parameters.text]")[0].splitlines())
    slow = slow.replace("workspace.append", "workspace.sleep").replace('["tee", "-a", "log.txt"]', '["sleep", "50"]')
    slow = slow.replace('stdin = "{text}\\n"', "").replace("timeout_s = 10", "timeout_s = 60")
    (opened.home / "capabilities" / "workspace.sleep.toml").write_text(slow)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def test_A10_D15_a_button_pressed_in_another_conversation_is_refused(house: House) -> None:
    shown = card(house, "moved", "here")
    approve = next(button["value"] for button in shown["buttons"] if button["label"] == "Approve")
    for conversation, key in (("there", shown["key"]), ("here", "a0000000000000000")):
        body = {"id": str(uuid.uuid4()), "conversation": conversation, "key": key, "value": approve}
        assert house.post("/api/presses", body).status_code == 202
        assert "not pressed where its card was delivered" in error(house, conversation)
    assert "moved" not in effects(house.home)
    house.press(shown, "Deny", "here")
    assert "Denied" in outcome(house, shown["key"], "here")


def test_a_lone_approver_needs_the_number_and_a_passphrase_set_at_first_use(house: House) -> None:
    shown = house.ask("/run workspace.hard text=solo", "solo")
    assert "solo" in shown["html"]
    right = next(
        b for b in shown["buttons"] if b["label"][8:] and f"<strong>{b['label'][8:]}</strong>" in shown["html"]
    )
    house.press(shown, right["label"], "solo")
    assert "passphrase" in error(house, "solo")
    assert house.post("/api/passphrase", {"passphrase": "short"}).status_code == 428
    assert house.post("/api/passphrase", {"passphrase": WORDS}).status_code == 428
    assert house.post("/api/passphrase", {"passphrase": WORDS, "again": WORDS}).status_code == 200
    assert house.post("/api/passphrase", {"passphrase": "wrong" + WORDS}).status_code == 403
    house.press(shown, right["label"], "solo")
    assert "Done" in outcome(house, shown["key"], "solo")
    assert effects(house.home).count("solo") == 1
    assert WORDS not in (house.home / "bulkhead.db").read_bytes().decode(errors="replace")


def test_A11_what_is_typed_decides_nothing_and_reaches_no_model(house: House) -> None:
    shown = card(house, "typed", "typed")
    for words in (f"/approve {shown['key'][1:]}", "/approve", "/deny \u2014 x", f"/APPROVE {shown['key']}"):
        told = house.ask(words, "typed")
        assert (told["kind"], "by typing" in told["html"]) == ("error", True)
    assert "cancelled" in house.ask(f"/cancel {shown['key'][1:]}", "typed")["html"].lower()
    house.press(shown, "Approve", "typed")
    house.wait_for(lambda event: event["kind"] == "error" and "cancelled" in event["html"], "typed")
    assert "typed" not in effects(house.home)


def test_E15_a_grant_runs_the_same_thing_without_a_press_until_it_is_revoked(house: House) -> None:
    granted = house.ask("/grant workspace.append text=often uses=2 for=1h", "grant")["html"]
    house.ask("/run workspace.append text=often", "grant")
    until(lambda: effects(house.home).count("often") == 1)
    name = granted.rpartition("(")[2].partition(")")[0]
    assert name in house.ask("/grants", "grant")["html"]
    assert "revoked" in house.ask(f"/revoke {name}", "grant")["html"]
    assert card(house, "often", "grant")["buttons"]
    assert effects(house.home).count("often") == 1


def test_E10_a_freeze_outlives_a_restart(house: House) -> None:
    shown = card(house, "frozen", "freeze")
    assert "Frozen" in house.ask("/freeze", "freeze")["html"]
    house.stop()
    house.start()
    house.press(shown, "Approve", "freeze")
    assert "frozen" in error(house, "freeze")
    assert "frozen" in house.ask("/run host.uptime", "freeze")["html"]
    assert "Unfrozen" in house.ask("/unfreeze", "freeze")["html"]
    house.press(shown, "Approve", "freeze")
    assert "Done" in outcome(house, shown["key"], "freeze")


def test_E10_a_freeze_stops_what_runs_also_when_it_is_typed_behind_it(house: House) -> None:
    shown = house.ask("/run workspace.sleep", "behind")
    house.press(shown, "Approve", "behind")
    house.wait_for(lambda event: event["key"] == shown["key"] and "bout to run" in event["html"], "behind")
    house.say("/freeze it should not sleep", "behind")
    assert "Failed" in outcome(house, shown["key"], "behind")
    house.wait_for(lambda event: "it should not sleep" in event.get("html", ""), "main")
    house.wait_for(lambda event: event.get("html", "").startswith("<p>Frozen"), "behind")
    assert "it should not sleep" in house.ask("/status", "behind")["html"]
    assert "Unfrozen" in house.ask("/unfreeze", "freeze")["html"]


def test_F6_a_drill_is_answered_and_counted(house: House, tmp_path: Path) -> None:
    shown = house.ask("/drill", "drill")
    house.press(shown, "Deny", "drill")
    assert "drill" in outcome(house, shown["key"], "drill")
    assert "1 of 1 caught" in house.ask("/status", "drill")["html"]
