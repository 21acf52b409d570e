"""A patch through the page: why it was denied, what a merge made of it, and taking it back."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.environment import QUIET
from tests.fakes.house import House
from tests.whole.people import error, execute, furnish, outcome, visitor

LINES = [f"line {n}" for n in range(1, 13)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("patches") / "home")
    furnish(opened.home)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def git(house: House, *words: str) -> str:
    command = ["git", "-C", str(house.home / "workspace"), *words]
    return subprocess.run(command, env=QUIET, capture_output=True, text=True, check=True).stdout.strip()


def file(house: House, name: str) -> str:
    """A committed file of twelve lines that no other test writes to."""
    path = house.home / "workspace" / name
    path.write_text("".join(f"{line}\n" for line in LINES))
    git(house, "add", name)
    git(house, "commit", "-q", "-m", f"Add {name}")
    return name


def commit(house: House, name: str, line: int, text: str) -> None:
    """Somebody's own commit."""
    path = house.home / "workspace" / name
    lines = path.read_text().split("\n")
    lines[line - 1] = text
    path.write_text("\n".join(lines))
    git(house, "commit", "-q", "-m", f"Change line {line}", "--", name)


def proposed(house: House, name: str, line: int, text: str, conversation: str) -> dict[str, Any]:
    """The card of a patch that changes one line."""
    block = f"{name}\n<<<<<<< SEARCH\nline {line}\n=======\n{text}\n>>>>>>> REPLACE\n"
    shown = house.ask(f"/patch\n{block}", conversation)
    assert shown["kind"] == "card", shown
    return shown


def said(house: House, conversation: str, words: str) -> dict[str, Any]:
    return house.wait_for(lambda event: words in event.get("html", ""), conversation)


def labels(event: dict[str, Any]) -> list[str]:
    return [button["label"] for button in event.get("buttons", [])]


def test_who_denies_is_asked_why_and_their_words_are_kept_on_the_card_and_with_the_proposal(house: House) -> None:
    shown = proposed(house, file(house, "deny.txt"), 3, "denied", "deny")
    house.press(shown, "Deny", "deny")
    said(house, "deny", "Why?")
    assert "Denied" in outcome(house, shown["key"], "deny")
    house.say("it breaks *the* build", "deny")
    after = house.wait_for(lambda e: e["key"] == shown["key"] and "in their words" in e.get("html", ""), "deny")
    assert "it breaks *the* build" in after["html"]
    ((note,),) = execute(house, "SELECT note FROM proposal WHERE diff LIKE '%deny.txt%'")
    assert note == "Owner said no: it breaks *the* build"
    house.say("one more word", "deny")
    assert "one more word" not in said(house, "deny", "in their words")["html"]


def test_nobody_has_to_say_why(house: House) -> None:
    shown = proposed(house, file(house, "skip.txt"), 3, "denied", "skip")
    house.press(shown, "Deny", "skip")
    said(house, "skip", "Why?")
    house.say("skip", "skip")
    said(house, "skip", "Dropped")
    assert execute(house, "SELECT why FROM approval WHERE conversation_id = 'web:skip'") == [("",)]


def test_whoever_asked_elsewhere_is_told_why(house: House) -> None:
    anna = visitor(house, "anna")
    name = file(house, "elsewhere.txt")
    asked = proposed(anna, name, 3, "denied", "annas")
    house.press(asked, "Deny", "annas")
    house.wait_for(lambda e: e["key"] == asked["key"] and "Denied" in e.get("html", ""), "annas")
    anna.say("my own message", "annas")  # it was not she who was asked
    anna.client.close()
    house.say("not today", "annas")
    after = house.wait_for(lambda e: e["key"] == asked["key"] and "in their words" in e.get("html", ""), "annas")
    assert "not today" in after["html"]


def test_a_patch_that_a_merge_made_another_one_is_asked_for_anew_with_what_differs(house: House) -> None:
    name = file(house, "merged.txt")
    shown = proposed(house, name, 5, "line five", "merged")
    commit(house, name, 7, "line seven")
    before = git(house, "rev-parse", "HEAD")
    house.press(shown, "Approve", "merged")
    differs = said(house, "merged", "reads differently")["html"]
    assert "+ line seven" in differs
    again = house.wait_for(lambda e: e["kind"] == "card" and e["key"] != shown["key"], "merged")
    assert git(house, "rev-parse", "HEAD") == before
    house.press(again, "Approve", "merged")
    assert "Done" in outcome(house, again["key"], "merged")
    lines = (house.home / "workspace" / name).read_text().split("\n")
    assert (lines[4], lines[6]) == ("line five", "line seven")


def test_a_landed_patch_is_taken_back_by_a_request_of_its_own_made_once(house: House) -> None:
    name = file(house, "revert.txt")
    shown = proposed(house, name, 5, "line five", "revert")
    house.press(shown, "Approve", "revert")
    landed = house.wait_for(lambda e: e["key"] == shown["key"] and "Revert" in labels(e), "revert")
    assert labels(landed) == ["Revert"]
    house.press(landed, "Revert", "revert")
    card = house.wait_for(lambda e: e["kind"] == "card" and e["key"] != shown["key"], "revert")
    house.press(landed, "Revert", "revert")
    said(house, "revert", "asked for already")
    assert "line five" in (house.home / "workspace" / name).read_text()
    house.press(card, "Approve", "revert")
    assert "Done" in outcome(house, card["key"], "revert")
    assert (house.home / "workspace" / name).read_text().split("\n")[:-1] == LINES
    house.press(landed, "Revert", "revert")
    assert "is undone already" in error(house, "revert")


def test_revert_works_from_its_own_card_only(house: House) -> None:
    shown = proposed(house, file(house, "place.txt"), 5, "line five", "place")
    house.press(shown, "Approve", "place")
    landed = house.wait_for(lambda e: e["key"] == shown["key"] and "Revert" in labels(e), "place")
    house.press(landed, "Revert", "other-place")
    assert "was not shown here" in error(house, "other-place")


def long_card(house: House, name: str, conversation: str) -> dict[str, Any]:
    """Of a patch with more lines than a message should have, one of which looks like a key."""
    lines = "".join(f"+word {n}\n" for n in range(80))
    secret = "+token = sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD\n"
    new = f"--- /dev/null\n+++ b/long/{name}\n@@ -0,0 +1,81 @@\n{lines}{secret}"
    old = f"--- a/{name}\n+++ b/{name}\n@@ -3 +3 @@\n-line 3\n+line three\n"
    shown = house.ask(f"/patch\n{new}{old}", conversation)
    assert shown["kind"] == "card", shown
    return shown


def proposal_of(house: House, name: str) -> str:
    ((id,),) = execute(house, f"SELECT id FROM proposal WHERE diff LIKE '%{name}%' AND state = 'proposed'")
    return str(id)


def test_what_is_too_long_for_a_message_goes_along_as_a_file_without_its_secrets(house: House) -> None:
    shown = long_card(house, file(house, "long.txt"), "long")
    assert "more lines of the diff not shown here" in shown["html"]
    (attached,) = shown["files"]
    assert attached["name"] == f"patch-{proposal_of(house, 'long.txt')}.diff"
    whole = house.client.get(attached["url"]).text
    assert ("+word 79\n" in whole, "+line three\n" in whole) == (True, True)
    assert ("[secret]" in whole, "sk-proj-" in whole + shown["html"]) == (True, False)


def test_the_page_shows_every_part_and_asks_for_the_chosen_ones(house: House) -> None:
    name = file(house, "chosen.txt")
    shown = long_card(house, name, "chosen")
    id = proposal_of(house, name)
    assert f"/patches/{id}" in shown["html"]
    assert house.client.get(f"/patches/{id}").headers["content-type"].startswith("text/html")
    patch = house.client.get(f"/api/patches/{id}").json()["patch"]
    assert [(one["path"], len(one["parts"])) for one in patch["files"]] == [(name, 1), (f"long/{name}", 1)]
    assert "sk-proj-" not in str(patch)
    assert (patch["is_pending"], patch["conversation"]) == (True, "web:chosen")
    value = f"k:pick:{patch['request']}:1"
    press = {"id": str(uuid.uuid4()), "conversation": "chosen", "key": "", "value": value}
    assert house.post("/api/presses", press).status_code == 202
    card = house.wait_for(lambda e: e["kind"] == "card" and e["key"] != shown["key"], "chosen")
    assert f"long/{name}" not in card["html"]
    assert house.client.get(f"/api/patches/{id}").json()["patch"]["state"] == "superseded"
    house.press(card, "Approve", "chosen")
    assert "Done" in outcome(house, card["key"], "chosen")
    assert (house.home / "workspace" / name).read_text().split("\n")[2] == "line three"


def test_a_patch_that_is_not_there_is_said_to_be_none(house: House) -> None:
    for id in ("0" * 20, "..%2f..%2fetc", "%00"):
        assert house.client.get(f"/api/patches/{id}").status_code in (400, 404)
