"""What somebody saves while a patch waits for a decision is told on its card, and taken from it when it is undone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.house import House
from tests.whole.people import furnish, outcome
from tests.whole.test_edits import git, save, text

NOTICE = "An edit is in the way"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("watching") / "home")
    furnish(opened.home)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def waiting(house: House, name: str) -> dict[str, Any]:
    """The card of a patch of a file's second line."""
    save(house, name, text())
    git(house, "add", f"{name}.txt")
    git(house, "commit", "--quiet", "-m", f"Write {name}")
    return house.ask(
        f"/patch\n--- a/{name}.txt\n+++ b/{name}.txt\n@@ -1,3 +1,3 @@\n line 1\n-line 2\n+line two\n line 3\n", name
    )


def told(house: House, shown: dict[str, Any], name: str, *, is_there: bool, but: int = 0) -> dict[str, Any]:
    """The card with the notice, or without it again; newer than the event `but`."""
    return house.wait_for(
        lambda e: e["key"] == shown["key"] and e["id"] > but and (NOTICE in e["html"]) is is_there, name
    )


def labels(event: dict[str, Any]) -> set[str]:
    return {button["label"] for button in event.get("buttons", ())}


def test_a_save_is_told_on_the_waiting_card_and_goes_with_the_edit(house: House) -> None:
    shown = waiting(house, "undone")
    save(house, "undone", text(nine="mine"))
    noted = told(house, shown, "undone", is_there=True)
    assert {"Approve", "Deny"} <= labels(noted)
    assert "undone.txt" in noted["html"]
    assert "/foreign/" in git(house, "for-each-ref", "--format=%(refname)", "refs/coord")
    git(house, "checkout", "--", "undone.txt")
    clean = told(house, shown, "undone", is_there=False, but=noted["id"])
    house.press(clean, "Approve", "undone")
    assert "Done" in outcome(house, shown["key"], "undone")


def test_a_save_in_place_is_told_too_and_commits_nothing(house: House) -> None:
    shown = waiting(house, "place")
    head = git(house, "rev-parse", "HEAD")
    with (house.home / "workspace" / "place.txt").open("r+") as opened:
        opened.write("mine  ")
    noted = told(house, shown, "place", is_there=True)
    assert git(house, "rev-parse", "HEAD") == head
    git(house, "commit", "--quiet", "-m", "Mine", "--", "place.txt")
    told(house, shown, "place", is_there=False, but=noted["id"])


def test_another_file_and_what_can_be_no_edit_are_told_of_nowhere(house: House) -> None:
    shown = waiting(house, "quiet")
    other = waiting(house, "loud")
    save(house, "elsewhere", "mine\n")
    (house.home / "workspace" / "quiet.txt").unlink()
    os.mkfifo(house.home / "workspace" / "quiet.txt")
    save(house, "loud", text(nine="mine"))
    told(house, other, "loud", is_there=True)  # whoever looks is not held up by the pipe
    assert all(NOTICE not in e["html"] for e in house.history("quiet") if e["key"] == shown["key"])
