"""A person's word on a picture, through the page: every button, the answer that follows one, versions, cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.house import House
from tests.whole.people import bulkhead, error, execute, furnish, visitor

SOURCE = "/diagram\nflowchart LR\n  a[Alpha] --> b[Beta]"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("reviewing") / "home")
    furnish(opened.home)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def drawn(house: House, conversation: str) -> dict[str, Any]:
    shown = house.ask(SOURCE, conversation)
    assert [button["label"] for button in shown["buttons"]] == [
        *("Approve", "Request changes", "Redo", "Source", "Full size", "Report a problem")
    ]
    return shown


def answer(house: House, conversation: str, words: str) -> dict[str, Any]:
    return house.wait_for(lambda event: words in event.get("html", ""), conversation)


def test_an_approval_is_kept_with_who_and_when(house: House) -> None:
    shown = drawn(house, "approve")
    house.press(shown, "Approve", "approve")
    after = house.wait_for(lambda e: e["key"] == shown["key"] and "Approved by" in e.get("html", ""), "approve")
    assert [button["label"] for button in after["buttons"]] == ["Source", "Full size", "Report a problem"]
    ((who, when),) = execute(house, "SELECT reviewed_by, reviewed_at FROM figure WHERE conversation_id = 'web:approve'")
    assert who == "owner"
    assert when > 1_700_000_000


def test_the_message_after_request_changes_is_the_change(house: House) -> None:
    shown = drawn(house, "change")
    house.press(shown, "Request changes", "change")
    answer(house, "change", "What should change?")
    house.say("flowchart LR\n  a[Alpha] --> b[Gamma]", "change")
    second = answer(house, "change", "Version 2")
    assert second["key"] != shown["key"]
    house.wait_for(lambda e: e["key"] == shown["key"] and "Changes requested by" in e.get("html", ""), "change")
    rows = execute(
        house, "SELECT version, review, comment FROM figure WHERE conversation_id = 'web:change' ORDER BY version"
    )
    assert [row[:2] for row in rows] == [(1, "changed"), (2, None)]
    assert "Gamma" in rows[0][2]
    house.press(second, "Redo", "change")
    answer(house, "change", "Version 3")


def test_a_change_in_words_is_kept_where_no_model_could_draw_it(house: House) -> None:
    shown = drawn(house, "words")
    house.press(shown, "Request changes", "words")
    answer(house, "words", "What should change?")
    house.say("make the boxes larger", "words")
    answer(house, "words", "Kept as the review")
    house.wait_for(lambda e: e["key"] == shown["key"] and "make the boxes larger" in e.get("html", ""), "words")


def test_somebody_elses_message_is_no_answer_and_cancel_ends_the_question(house: House) -> None:
    shown = drawn(house, "other")
    house.press(shown, "Request changes", "other")
    answer(house, "other", "What should change?")
    anna = visitor(house, "anna")
    anna.say("hello", "other")
    answer(house, "other", "No model is connected")
    anna.client.close()
    house.say("cancel", "other")
    answer(house, "other", "Dropped")
    assert execute(house, "SELECT review FROM figure WHERE conversation_id = 'web:other'") == [(None,)]


def test_a_reported_problem_is_a_case_that_a_command_lists(house: House) -> None:
    shown = drawn(house, "report")
    house.press(shown, "Report a problem", "report")
    answer(house, "report", "What is wrong with it?")
    house.say("the arrow is hard to see", "report")
    answer(house, "report", "Thank you")
    (case,) = json.loads(bulkhead(house, "cases").stdout)
    assert (case["comment"], case["reported_by"]) == ("the arrow is hard to see", "owner")
    assert "Alpha" in case["source"]


def test_full_size_brings_the_file_and_source_the_text(house: House) -> None:
    shown = drawn(house, "full")
    house.press(shown, "Full size", "full")
    file = answer(house, "full", "full size")
    assert "diagram-v1.png" in json.dumps(file)
    house.press(shown, "Source", "full")
    answer(house, "full", "a[Alpha] --&gt; b[Beta]")


def test_a_decided_picture_is_not_decided_again(house: House) -> None:
    shown = drawn(house, "twice")
    house.press(shown, "Approve", "twice")
    house.wait_for(lambda e: e["key"] == shown["key"] and "Approved by" in e.get("html", ""), "twice")
    house.press(shown, "Redo", "twice")
    assert "already approved by owner" in error(house, "twice")
