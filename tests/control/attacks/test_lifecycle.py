"""Cards across restarts, lost answers, and places that take none: what waits stays decidable, or says why not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.control.attacks.surfaces import (
    ANNA,
    OWNER,
    STRANGER,
    Asked,
    Page,
    Slack,
    Surface,
    Telegram,
    World,
    ask,
    id_of,
    push,
)
from tests.fakes.slack_server import SlackServer
from tests.fakes.telegram_server import TelegramServer
from tests.whole.people import until

SHORTEN = "UPDATE approval SET expires_at = {now} WHERE id = '{id}'"


def every(world: World) -> list[Surface]:
    return [Page(world), Telegram(world), Slack(world)]


def test_E2_after_kill_9_every_old_button_still_decides_on_every_surface(world: World) -> None:
    waiting = [(surface, ask(surface), label) for surface in every(world) for label in ("Approve", "Deny")]
    values = [surface.value(asked, label) for surface, asked, label in waiting]
    world.restart(by_force=True)
    for (surface, asked, _), value in zip(waiting, values, strict=True):
        surface.press(asked, value)
    for surface, asked, label in waiting:
        assert world.became(asked.id, "succeeded", "denied") == ("succeeded" if label == "Approve" else "denied")
        assert world.effects(asked.word) == (label == "Approve")
        until(lambda shown=surface, of=asked: shown.value(of, "Approve") == "")  # type: ignore[misc]


def lose_telegram(fake: TelegramServer) -> None:
    fake.drop("sendMessage")


def lose_slack(fake: SlackServer) -> None:
    fake.fail(method="chat.postMessage", is_drop=True)


@pytest.mark.parametrize("name", ["telegram", "slack"])
def test_E3_a_message_whose_id_was_lost_is_no_second_card(world: World, name: str) -> None:
    """The answer to the posting is lost: one card with buttons, whatever else is left lying there."""
    surface: Telegram | Slack
    if name == "telegram":
        surface = Telegram(world)
        lose_telegram(world.telegram)
    else:
        surface = Slack(world)
        lose_slack(world.slack)
    asked = ask(surface)
    time.sleep(0.5)
    assert count_cards(surface) == 1
    push(surface, asked, "Approve")
    assert world.became(asked.id, "succeeded")
    until(lambda: count_cards(surface) == 0)
    assert world.effects(asked.word) == 1


def count_cards(surface: Telegram | Slack) -> int:
    """Messages there under which something can be pressed."""
    if isinstance(surface, Telegram):
        there = list(surface.world.telegram.chats.shown.values())
        return sum(1 for each in there if each.chat == surface.chat and each.buttons)
    messages = list(surface.world.slack.workspace.channels.get(surface.channel, ()))
    return sum(any(block["type"] == "actions" for block in each.get("blocks", ())) for each in messages)


def test_E3_a_socket_that_came_anew_takes_the_press_of_an_old_card(world: World) -> None:
    surface = Slack(world)
    asked = ask(surface)
    for _ in range(2):
        world.slack.sockets.refresh()
    push(surface, asked, "Approve")
    assert world.became(asked.id, "succeeded")
    assert world.effects(asked.word) == 1


def test_E1_E5_what_nobody_answers_ends_and_a_late_press_is_told(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    ((bound,),) = world.rows(f"SELECT expires_at - created_at FROM approval WHERE id = '{asked.id}'")
    assert 0 < bound <= 86_400
    value = surface.value(asked, "Approve")
    world.rows(SHORTEN.format(now=time.time() - 1, id=asked.id))
    assert world.became(asked.id, "expired")
    until(lambda: surface.value(asked, "Approve") == "")
    before = len(world.trail("refused"))
    surface.press(asked, value)
    until(lambda: len(world.trail("refused")) > before)
    assert (world.state(asked.id), world.effects(asked.word)) == ("expired", 0)


Break = Callable[[World, int | str], None]


def no_buttons(world: World, _place: int | str) -> None:
    world.telegram.fail("editMessageText", 400, "Bad Request: BUTTON_DATA_INVALID")


def kicked_out(world: World, _place: int | str) -> None:
    world.telegram.fail("sendMessage", 403, "Forbidden: bot was kicked from the supergroup chat")


def bad_blocks(world: World, place: int | str) -> None:
    world.slack.fail(method="chat.update", channel=place, error="invalid_blocks")


def archived(world: World, place: int | str) -> None:
    world.slack.fail(method="chat.postMessage", channel=place, error="is_archived")


@pytest.mark.parametrize("fault", [no_buttons, kicked_out, bad_blocks, archived])
def test_E12_a_card_that_cannot_be_shown_is_on_the_page_and_says_undelivered(world: World, fault: Break) -> None:
    surface: Telegram | Slack = Telegram(world) if fault in (no_buttons, kicked_out) else Slack(world)
    fault(world, surface.chat if isinstance(surface, Telegram) else surface.channel)
    word = f"e{time.time_ns():x}"
    surface.say(f"/run workspace.append text={word}")
    asked = Asked(id=id_of(world, word), word=word)
    house = world.house
    card = house.wait_for(lambda event: event["key"] == f"a{asked.id}", "approvals")
    assert "Undelivered" in card["html"]
    assert world.state(asked.id) == "pending"
    assert [entry["ref"] for entry in world.trail("undelivered")].count(asked.id) == 1
    told = house.ask("/pending", "e12")["html"]
    assert asked.id in told
    assert "undelivered" in told
    world.anna.press(card, "Approve", "approvals")
    house.wait_for(lambda event: event["kind"] == "error" and "Anna" in event["html"], "approvals")
    assert world.state(asked.id) == "pending"
    house.press(card, "Approve", "approvals")
    assert world.became(asked.id, "succeeded")
    assert world.effects(word) == 1
    house.wait_for(lambda event: event["key"] == f"a{asked.id}" and "Done" in event["html"], "approvals")


def test_E12_the_number_to_match_of_an_undelivered_card_is_on_the_page(world: World) -> None:
    surface = Telegram(world)
    kicked_out(world, surface.chat)
    word = f"n{time.time_ns():x}"
    surface.say(f"/run workspace.hard text={word}")
    asked = Asked(id=id_of(world, word), word=word)
    ((number,),) = world.rows(f"SELECT number FROM approval WHERE id = '{asked.id}'")
    world.house.wait_for(
        lambda event: event["key"] == f"a{asked.id}" and f"<strong>{number}</strong>" in event["html"], "approvals"
    )


@pytest.mark.parametrize("capability", ["workspace.append", "workspace.hard"])
def test_E13_what_a_button_carries_fits_everywhere_and_nothing_cut_or_longer_is_taken(
    surface: Surface, capability: str
) -> None:
    world, asked = surface.world, ask(surface, capability)
    ((choices,),) = world.rows(f"SELECT choices FROM approval WHERE id = '{asked.id}'")
    labels = ["Deny", *([f"Approve {number}" for number in choices.split()] or ["Approve"])]
    values = [surface.value(asked, label) for label in labels]
    if not all(values) and surface.name != "page":
        values = values[:1]  # approved on the page only: the chat's card has no other button
    for value in values:
        assert value.isascii()
        assert len(value.encode()) <= 64
    for wrong in (values[-1][:-3], values[-1][:24]):
        with world.refused(asked.id):
            surface.press(asked, wrong)
    for broken in (values[-1] + "x" * 64, "\u00e9" * 40, ""):
        try:
            surface.press(asked, broken)
        except AssertionError:
            assert surface.name == "page", "there it is refused at the door"
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied")


def test_E14_every_press_is_answered_once_and_in_at_most_200_characters(world: World) -> None:
    surface, fake = Telegram(world), world.telegram
    asked = ask(surface)
    value, before = surface.value(asked, "Approve"), len(fake.called("answerCallbackQuery"))
    for who, what in ((STRANGER, value), (ANNA, value), (OWNER, "a:approve:none"), (OWNER, value), (OWNER, value)):
        surface.press(asked, what, who)
    assert world.became(asked.id, "succeeded")
    until(lambda: len(fake.called("answerCallbackQuery")) >= before + 5)
    time.sleep(0.2)
    calls = fake.called("answerCallbackQuery")[before:]
    ids = [call.params["callback_query_id"] for call in calls]
    assert len(ids) == len(set(ids)) == 5
    assert all(len(str(call.params.get("text", ""))) <= 200 for call in calls)
