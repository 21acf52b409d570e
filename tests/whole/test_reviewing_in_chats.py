"""A person's word on a picture in Telegram and Slack: what arrives, every button, and presses that must not count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.attacks.surfaces import ANNA, STRANGER, World, between
from tests.presentation.samples import MANY, paper
from tests.whole.people import until
from tests.whole.pictures import Chat, Slack, Telegram, draw, press, says, wait

SMALL = "flowchart LR\n  NAME[Alpha] --> b[Beta]"
NO_FONT_HAS_IT = "flowchart LR\n  NAME[\U00012000\U00012001] --> b[Beta]"
"""Cuneiform."""
BUTTONS = ["Approve", "Request changes", "Redo", "Source", "Full size", "Report a problem"]
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    with between(tmp_path_factory.mktemp("chats") / "home", shared, BULKHEAD_DRAW_BUDGET_S="120") as made:
        yield made


@pytest.fixture(params=[Telegram, Slack])
def chat(request: pytest.FixtureRequest, world: World) -> Chat:
    made: Chat = request.param(world)
    return made


def reviews(chat: Chat) -> list[tuple[Any, ...]]:
    """Version, review and by whom, oldest first."""
    where = f"FROM figure WHERE conversation_id LIKE '{chat.place}%'"  # and its threads
    return chat.world.rows(f"SELECT version, review, reviewed_by {where} ORDER BY created_at, version")


def test_a_picture_arrives_with_its_badge_and_an_approval_is_kept_once_with_who_and_when(chat: Chat) -> None:
    shown = draw(chat, SMALL)
    assert shown.pictures[0].startswith(PNG)
    assert "✓ geometry checked" in shown.text
    assert "no model looked" in shown.text
    assert list(shown.buttons) == BUTTONS
    press(chat, shown, "Approve", STRANGER)
    press(chat, shown, "Approve", ANNA)
    after = wait(chat, lambda seen: seen.id == shown.id and "Approved by" in seen.text)
    assert "Anna" in after.text
    assert list(after.buttons) == ["Source", "Full size", "Report a problem"]
    assert after.pictures == shown.pictures
    press(chat, shown, "Approve")
    press(chat, shown, "Redo")
    wait(chat, says("already approved by anna"))
    until(lambda: sum("already approved by anna" in seen.text for seen in chat.seen()) == 2)
    assert reviews(chat) == [(1, "approved", "anna")]
    ((at,),) = chat.world.rows(f"SELECT reviewed_at FROM figure WHERE conversation_id = '{chat.place}'")
    assert at > 1_700_000_000


def test_what_answers_the_question_is_the_change_and_the_old_version_takes_no_press(chat: Chat) -> None:
    shown = draw(chat, SMALL)
    press(chat, shown, "Request changes")
    question = wait(chat, says("What should change?"))
    chat.reply(question, "flowchart LR\n  x --> y", ANNA)
    wait(chat, says("No model is connected"))
    chat.edit_first("an old message with other words")
    until(lambda: sum("No model is connected" in seen.text for seen in chat.seen()) == 2)
    assert reviews(chat) == [(1, None, None)]
    chat.reply(question, "flowchart LR\n  a[Alpha] --> c[Gamma]")
    second = wait(chat, says("Version 2"))
    assert second.pictures[0].startswith(PNG)
    old = wait(chat, lambda seen: seen.id == shown.id and "Changes requested by" in seen.text)
    assert "Approve" not in old.buttons
    for label in ("Approve", "Request changes", "Redo"):
        press(chat, shown, label)
    until(lambda: sum("already changed by owner" in seen.text for seen in chat.seen()) == 3)
    press(chat, second, "Approve")
    wait(chat, lambda seen: seen.id == second.id and "Approved by" in seen.text)
    assert reviews(chat) == [(1, "changed", "owner"), (2, "approved", "owner")]


def test_a_change_with_a_mistake_in_it_is_asked_for_again(chat: Chat) -> None:
    shown = draw(chat, SMALL)
    press(chat, shown, "Request changes")
    question = wait(chat, says("What should change?"))
    chat.reply(question, "flowchart LR\n  a[Alpha --> c")
    wait(chat, says("ine 2", "still waits for its change"))
    assert reviews(chat) == [(1, None, None)]
    chat.reply(question, "flowchart LR\n  a[Alpha] --> c")
    wait(chat, says("Version 2"))


def test_an_answer_after_somebody_elses_decision_is_told_so_once(chat: Chat) -> None:
    shown = draw(chat, SMALL)
    press(chat, shown, "Request changes")
    question = wait(chat, says("What should change?"))
    press(chat, shown, "Approve", ANNA)
    wait(chat, lambda seen: seen.id == shown.id and "Approved by" in seen.text)
    chat.reply(question, "make it blue")
    wait(chat, says("already approved by anna"))
    chat.reply(question, "hello")
    wait(chat, says("No model is connected"))


def test_redo_keeps_every_version_and_the_look_that_was_asked_for(chat: Chat) -> None:
    shown = draw(chat, f"dark right-angled {SMALL}")
    press(chat, shown, "Redo")
    second = wait(chat, says("Version 2"))
    press(chat, second, "Redo")
    third = wait(chat, says("Version 3"))
    assert all(paper(seen.pictures[0]) < 60 for seen in (shown, second, third))
    assert [row[:2] for row in reviews(chat)] == [(1, "redone"), (2, "redone"), (3, None)]
    assert wait(chat, lambda seen: seen.id == shown.id).pictures == shown.pictures


def test_source_full_size_and_a_reported_problem(chat: Chat) -> None:
    shown = draw(chat, SMALL)
    press(chat, shown, "Source")
    wait(chat, says("[Alpha] --> b[Beta]"))
    press(chat, shown, "Full size")
    file = wait(chat, lambda seen: "full size" in seen.text or seen.files)
    until(lambda: any(shown.pictures[0] in seen.files.values() for seen in chat.seen()))
    assert file.id != shown.id
    press(chat, shown, "Report a problem", ANNA)
    question = wait(chat, says("What is wrong with it?"))
    chat.reply(question, "the arrow is hard to see", ANNA)
    wait(chat, says("Thank you"))
    where = f"FROM lint_case WHERE conversation_id = '{chat.place}'"
    assert chat.world.rows(f"SELECT reported_by, comment {where}") == [("anna", "the arrow is hard to see")]


def test_a_picture_that_fails_is_never_shown_as_good(chat: Chat) -> None:
    chat.say("/diagram\n" + NO_FONT_HAS_IT)
    shown = wait(chat, says("did not pass"))
    assert shown.pictures == ()
    for words in ("no font here has", "Beta", "flowchart LR"):
        assert words in shown.text
    assert list(shown.buttons) == ["Request changes", "Redo", "Source"]
    for verb in ("approve", "full", "report"):
        chat.push(shown, shown.buttons["Source"].replace(":source:", f":{verb}:"))
    until(lambda: sum("nothing was done" in seen.text for seen in chat.seen()) == 3)
    assert reviews(chat) == [(1, None, None)]


def test_pages_come_together_with_the_whole_as_a_file(chat: Chat) -> None:
    chat.say("/diagram\n" + MANY)
    wait(chat, lambda seen: "Approve" in seen.buttons)
    until(lambda: sum(len(seen.pictures) for seen in chat.seen()) == 5)
    until(lambda: sum(b"<svg" in content for seen in chat.seen() for content in seen.files.values()) == 1)
    pictures = [picture for seen in chat.seen() for picture in seen.pictures]
    assert len(set(pictures)) == 5
    assert all(picture.startswith(PNG) for picture in pictures)
    assert [row[:2] for row in reviews(chat)] == [(1, None)]


def test_a_button_of_another_conversation_does_nothing(world: World, chat: Chat) -> None:
    shown, elsewhere = draw(chat, SMALL), type(chat)(world)
    other = draw(elsewhere, SMALL)
    for label in ("Approve", "Source", "Report a problem"):
        elsewhere.push(other, shown.buttons[label])
    until(lambda: sum("stands in another conversation" in seen.text for seen in elsewhere.seen()) == 3)
    assert reviews(chat) == [(1, None, None)]


def test_killed_between_the_answer_and_the_redraw_it_is_drawn_once(world: World, chat: Chat) -> None:
    shown = draw(chat, SMALL)
    press(chat, shown, "Request changes")
    question = wait(chat, says("What should change?"))
    world.house.stop()
    world.house.start("draw.started:1")
    chat.reply(question, "flowchart LR\n  a[Alpha] --> d[Delta]")
    until(lambda: not world.house.is_alive)
    world.start()
    wait(chat, says("Version 2"))
    wait(chat, lambda seen: seen.id == shown.id and "Changes requested by" in seen.text)
    assert [row[:2] for row in reviews(chat)] == [(1, "changed"), (2, None)]
    assert sum("Version 2" in seen.text for seen in chat.seen()) == 1
