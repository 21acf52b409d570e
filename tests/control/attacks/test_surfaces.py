"""The page, Telegram and Slack attacked alike: who presses, what, where, and how often. One server, real sockets."""

from __future__ import annotations

import secrets
import time

import pytest

from tests.control.attacks.surfaces import ANNA, STRANGER, Slack, Surface, Telegram, World, ask, push
from tests.whole.people import until


@pytest.mark.parametrize("who", [ANNA, STRANGER])
def test_B1_B3_B15_whoever_is_there_and_no_approver_presses_in_vain(surface: Surface, who: str) -> None:
    world, asked = surface.world, ask(surface)
    for label in ("Approve", "Deny"):
        if surface.name == "page" and who == STRANGER:
            push(surface, asked, label, who)
            assert world.state(asked.id) == "pending"
            continue
        with world.refused(asked.id):
            push(surface, asked, label, who)
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied")
    assert world.effects(asked.word) == 0


def test_A6_A7_a_value_that_was_never_sent_decides_nothing(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    real = surface.value(asked, "Approve")
    handle = real.rpartition(":")[2]
    guesses = (secrets.token_urlsafe(16), asked.id, handle.swapcase(), handle[:-1], handle + "A", "1")
    for value in (*(f"a:approve:{guess}" for guess in guesses), f"a:happened:{handle}", f"a:cancel:{handle}"):
        with world.refused(asked.id):
            surface.press(asked, value)
    surface.press(asked, real)
    assert world.became(asked.id, "succeeded")
    assert world.effects(asked.word) == 1


def test_A10_B16_D15_a_handle_pressed_under_another_message_decides_nothing(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    with world.refused(asked.id):
        surface.press(asked, surface.value(asked, "Approve"), elsewhere=True)
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied")


def test_B4_C1_pressed_twice_it_is_decided_once_and_said_once(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    value = surface.value(asked, "Approve")
    before = len(world.trail("refused"))
    for _ in range(4):
        surface.press(asked, value)
    assert world.became(asked.id, "succeeded")
    until(lambda: len(world.trail("refused")) == before + 3)
    assert world.effects(asked.word) == 1
    assert [entry["ref"] for entry in world.trail("approve")].count(asked.id) == 1


def test_C2_E8_of_approve_and_deny_at_once_one_wins_and_what_is_denied_never_runs(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    approve, deny = surface.value(asked, "Approve"), surface.value(asked, "Deny")
    for value in (deny, approve):
        surface.press(asked, value)
    world.became(asked.id, "succeeded", "denied")
    time.sleep(0.3)
    assert world.effects(asked.word) == (1 if world.state(asked.id) == "succeeded" else 0)


def test_F4_deny_comes_first_on_every_surface(surface: Surface) -> None:
    asked = ask(surface)
    shown = surface.value(asked, "Deny")
    assert shown.startswith("a:deny:")
    push(surface, asked, "Deny")
    assert surface.world.became(asked.id, "denied")


def test_B9_nobody_in_particular_never_presses_nor_types(world: World) -> None:
    surface = Telegram(world)
    asked = ask(surface)
    for id in (1087968824, 136817688, 777000):
        surface.users = {**Telegram.users, "mask": id}
        push(surface, asked, "Approve", "mask")
        surface.say(f"/approve {asked.id}", "mask")
        surface.say(f"/cancel {asked.id}", "mask")
    surface.say("/pending")  # the answer comes after all of those
    until(lambda: "waiting for a decision" in world.telegram.texts(surface.chat)[-1])
    assert world.state(asked.id) == "pending"
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied")


@pytest.mark.parametrize("user", ["T0OTHER:U1", "T0OTHER:USLACKBOT", "E0GRID:U1", "T0HOUSE:USLACKBOT"])
def test_B11_B12_the_same_user_id_or_name_in_another_workspace_is_somebody_else(world: World, user: str) -> None:
    surface = Slack(world)
    asked = ask(surface)
    with world.refused(asked.id):
        surface.press(asked, surface.value(asked, "Approve"), user=user)
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied")
