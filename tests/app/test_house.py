"""The whole house in this process: approvals whose outcome nobody saw, settings that must do what they say."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

from bot.adapters.console import Request, to_inbound
from bot.app import House, open_house
from bot.config import Settings
from layers.control import Executor, Outcome, State, pending
from layers.errors import Unavailable
from layers.store import Tx
from layers.transport import give_back, said
from layers.types import Button, Outbound, OutboundKind
from tests.crash.scenario import APPEND
from tests.fakes.environment import KEYS

SLOW = APPEND.replace('["tee", "-a", "log.txt"]', '["sh", "-c", "tee -a log.txt; sleep 20"]').replace(
    "workspace.append", "workspace.slow"
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with two capabilities whose effect can be counted, and no model."""
    for name in list(os.environ):
        if any(key in name for key in KEYS):
            monkeypatch.delenv(name)
    folder = tmp_path / "home" / "capabilities"
    folder.mkdir(parents=True)
    (folder / "workspace.append.toml").write_text(APPEND)
    (folder / "workspace.slow.toml").write_text(SLOW)
    return Settings(home=tmp_path / "home", discover_models=False)


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings) as opened:
        yield opened


async def say(house: House, text: str, verb: Literal["ask", "press"] = "ask") -> list[Outbound]:
    """What comes back on the conversation `main`, placeholders left out."""
    request = Request(verb=verb, conversation="main", text=text, value=text)
    answers = house.console.ask(to_inbound(request, house.operator()))
    return [answer async for answer in answers if answer.kind is not OutboundKind.WORKING]


def button(message: Outbound, label: str) -> Button:
    return next(button for button in message.buttons if button.label == label)


async def press(house: House, message: Outbound, label: str) -> list[Outbound]:
    return await say(house, button(message, label).value, "press")


def lines(house: House) -> list[str]:
    """How often the effect took place."""
    log = house.settings.home / "workspace" / "log.txt"
    return log.read_text().split() if log.exists() else []


async def eventually(is_true: Callable[[], Awaitable[bool] | bool], seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.05)):
        found = is_true()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")


async def lose_the_end(house: House) -> Outbound:
    """Approve something slow and kill the executor in the middle of it; the card afterwards."""
    (card,) = await say(house, "/run workspace.slow text=once")
    approving = asyncio.create_task(press(house, card, "Approve"))
    await eventually(lambda: lines(house) == ["once"])
    assert house.executor._process is not None
    os.kill(house.executor._process.pid, signal.SIGKILL)
    *_, last = await asyncio.wait_for(approving, 30)
    return last


@pytest.mark.parametrize(
    ("label", "ended", "times"),
    [("It happened", "Done", 1), ("It did not; leave it", "Cancelled", 1)],
)
async def test_an_outcome_nobody_saw_is_asked_for_and_settled_by_a_person(
    house: House, label: str, ended: str, times: int
) -> None:
    card = await lose_the_end(house)
    assert card.text.startswith("**Outcome unknown**")
    assert {one.label for one in card.buttons} == {"It happened", "It did not; leave it", "Run it again"}
    (settled,) = await press(house, card, label)
    assert settled.text.startswith(f"**{ended}**")
    assert (settled.key, settled.buttons) == (card.key, ())
    assert lines(house) == ["once"] * times
    (again,) = await press(house, card, "Run it again")
    assert again.kind is OutboundKind.ERROR


async def test_run_it_again_runs_it_once_more_and_is_asked_for_again_when_that_is_lost_too(house: House) -> None:
    card = await lose_the_end(house)
    rerun = asyncio.create_task(press(house, card, "Run it again"))
    await eventually(lambda: lines(house) == ["once", "once"])
    assert house.executor._process is not None
    os.kill(house.executor._process.pid, signal.SIGKILL)
    *_, last = await asyncio.wait_for(rerun, 30)
    assert last.text.startswith("**Outcome unknown**")
    assert button(last, "It happened").value != button(card, "It happened").value
    (old,) = await press(house, card, "It happened")
    assert old.kind is OutboundKind.ERROR
    (done,) = await press(house, last, "It happened")
    assert done.text.startswith("**Done**")


async def test_an_approved_run_that_another_home_began_is_unknown_and_not_run_here(house: House) -> None:
    """A replica claimed it and died; its executor's memory died, or lives, with its own home."""
    (card,) = await say(house, "/run workspace.append text=once")
    house.executor.memory = lambda: "elsewhere"  # type: ignore[method-assign]
    first = house.dispatcher._runner._handler

    async def die_after_the_claim(work):  # type: ignore[no-untyped-def]
        run = house.executor.run

        async def never(run_id: str, plan: object, *_: object) -> Outcome:
            house.executor.memory = lambda: "here"  # type: ignore[method-assign]
            await house.store.run(give_back, work.turn)  # as the reaper of another replica
            raise Unavailable("the process is gone")

        house.executor.run = never  # type: ignore[method-assign, assignment]
        house.dispatcher._runner._handler = first
        try:
            await first(work)
        finally:
            house.executor.run = run  # type: ignore[method-assign]

    house.dispatcher._runner._handler = die_after_the_claim
    *_, last = await asyncio.wait_for(press(house, card, "Approve"), 20)
    assert last.text.startswith("**Outcome unknown**")
    assert "nobody saw the end" in last.text
    assert lines(house) == []


async def test_a_decision_whose_turn_breaks_leaves_nothing_claimed_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (card,) = await say(house, "/run workspace.append text=once")

    async def breaks(self: Executor, run_id: str, plan: object, *_: object) -> Outcome:
        raise ZeroDivisionError

    monkeypatch.setattr(Executor, "run", breaks)
    *_, last = await press(house, card, "Approve")
    assert last.text.startswith("**Outcome unknown**")
    row = await house.store.fetch_one("control.approval", id=card.key[1:])
    assert row is not None
    assert row["state"] == State.UNKNOWN.value


async def test_a_decision_tried_too_often_is_failed_or_unknown_but_ends(house: House) -> None:
    (card,) = await say(house, "/run workspace.append text=once")
    handle = house.dispatcher._runner._handler

    async def give_up_in_the_middle(work):  # type: ignore[no-untyped-def]
        async def stop(name: str, body: object) -> str:
            if name == "claim":
                raise ZeroDivisionError
            return await type(work).step_in(work, name, body)

        work.step_in = stop
        await handle(work)

    house.dispatcher._runner._handler = give_up_in_the_middle
    apology, last = (await press(house, card, "Approve"))[-2:]
    assert apology.kind is OutboundKind.ERROR
    assert last.text.startswith("**Failed**")
    assert "nothing was run" in last.text
    assert lines(house) == []


async def test_a_press_on_a_card_that_just_ran_out_takes_its_buttons_away(settings: Settings, tmp_path: Path) -> None:
    brief = settings.model_copy(update={"approval_ttl_s": 0.3})
    async with open_house(brief) as house:
        (card,) = await say(house, "/run workspace.append text=once")
        await asyncio.sleep(0.4)
        answers = await press(house, card, "Approve")
    assert "expired" in answers[0].text or answers[0].text.startswith("**Expired**")
    assert any(answer.key == card.key and not answer.buttons for answer in answers)
    assert not (settings.home / "workspace" / "log.txt").exists()


async def test_a_patch_whose_files_could_not_all_be_written_is_said_to_be_committed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (card,) = await say(house, "/patch\n--- /dev/null\n+++ b/hello.txt\n@@ -0,0 +1 @@\n+Hello.\n")
    apply = house.coordinator.apply

    async def full(*arguments: object) -> object:
        await apply(*arguments)  # type: ignore[arg-type]
        raise Unavailable("the disk is full")

    monkeypatch.setattr(house.coordinator, "apply", full)
    *_, last = await press(house, card, "Approve")
    assert "**Done**" in last.text
    assert "committed, but not every file is written yet: the disk is full" in last.text


async def test_limits_of_the_settings_reach_the_agent(settings: Settings) -> None:
    strict = settings.model_copy(update={"max_steps": 3, "model_timeout_s": 7.0, "max_turn_cost_usd": 0.0})
    async with open_house(strict) as house:
        from bot.app.house import make_parts

        limits = make_parts(house).agent._limits
    assert (limits.steps, limits.call_s, limits.cost_usd) == (3, 7.0, float("inf"))


async def test_a_house_without_a_model_says_how_to_connect_one(house: House) -> None:
    (answer,) = await say(house, "hello there")
    assert "ANTHROPIC_API_KEY" in answer.text
    (status,) = await say(house, "/status")
    assert "none connected" in status.text


async def test_a_schedule_of_somebody_who_is_nobody_here_any_more_does_not_run(house: House) -> None:
    console = to_inbound(Request(verb="ask", conversation="main", text="x", value=""), house.operator()).address.id

    def plant(tx: Tx) -> None:
        due = {"next_fire": tx.now - 1, "now": tx.now, "timezone": "UTC", "cron": "0 0 1 1 *"}
        text = "/run workspace.append text=ghost"
        tx.run("bot.schedule_add", conversation_id=console, text=text, created_by="gone", **due)

    async def told() -> bool:
        return any("nobody here any more" in outbound.text for _, outbound in await said(house.store, console, 0))

    await house.store.run(plant)
    await eventually(told)
    assert not await house.store.run(pending)
