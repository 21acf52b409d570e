"""What runs is stopped by `/cancel` and `/freeze`, in its own conversation too, and stays so after kill -9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_executor import is_running
from tests.crash.scenario import APPEND
from tests.fakes.house import House
from tests.whole.people import furnish, outcome, until, visitor


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("stopping") / "home")
    furnish(opened.home)
    nap = APPEND.replace("workspace.append", "host.nap").replace('["tee", "-a", "log.txt"]', '["sleep", "{text}"]')
    (opened.home / "capabilities" / "host.nap.toml").write_text(nap.replace("timeout_s = 10", "timeout_s = 300"))
    opened.start()
    try:
        opened.sign_in()
        yield opened
    finally:
        opened.close()


def running(house: House, seconds: int, conversation: str) -> dict[str, Any]:
    """The card of a program that runs."""
    shown = house.ask(f"/run host.nap text={seconds}", conversation)
    house.press(shown, "Approve", conversation)
    until(lambda: is_running(str(seconds)))
    return shown


@pytest.mark.parametrize(("seconds", "where"), [(48181, "own"), (48182, "elsewhere")])
def test_a_cancelled_run_is_stopped_wherever_that_was_typed(house: House, seconds: int, where: str) -> None:
    shown = running(house, seconds, "own")
    house.say(f"/cancel {shown['key'][1:]}", where)
    until(lambda: not is_running(str(seconds)), 10)
    assert "Failed" in outcome(house, shown["key"], "own")
    house.wait_for(lambda event: "was running and is stopped" in event.get("html", ""), where)


def test_a_cancel_by_somebody_who_may_not_stops_nothing(house: House) -> None:
    shown = running(house, 48185, "theirs")
    anna = visitor(house, "anna")
    told = anna.ask(f"/cancel {shown['key'][1:]}", "anna")
    assert (told["kind"], "neither asked for this nor may decide it" in told["html"]) == ("error", True)
    assert "may not freeze" in anna.ask("/freeze", "anna")["html"]
    anna.client.close()
    assert is_running("48185")
    house.ask(f"/cancel {shown['key'][1:]}", "elsewhere")
    until(lambda: not is_running("48185"), 10)


def test_a_freeze_stops_what_runs_and_kill_9_right_after_brings_nothing_back(house: House) -> None:
    shown = running(house, 48183, "frozen")
    house.say("/freeze", "frozen")
    until(lambda: not is_running("48183"), 10)
    house.kill()
    house.start()
    assert "Done" not in outcome(house, shown["key"], "frozen")
    assert "frozen" in house.ask("/run host.uptime", "third")["html"]
    assert not is_running("48183")
    assert "Unfrozen" in house.ask("/unfreeze", "other")["html"]


def test_a_run_that_was_being_cancelled_when_the_server_was_killed_never_begins_again(house: House) -> None:
    shown = running(house, 48184, "killed")
    house.say(f"/cancel {shown['key'][1:]}", "killed")
    house.kill()
    until(lambda: not is_running("48184"), 10)
    house.start()
    assert "Done" not in outcome(house, shown["key"], "killed")
    assert not is_running("48184")
