"""Whatever arrives, the intake takes it or leaves it, and says which."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.adapters.ports import Overview, Ports, Welcome
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.intake import Intake
from bot.adapters.slack.reading import Me
from layers.errors import AccountTrouble, Unavailable
from layers.store import Store
from tests.adapters.slack.bot import QUICK, running
from tests.adapters.slack.conftest import Until
from tests.fakes.slack_server import SlackServer

NAMES = ["type", "event", "team_id", "callback_id", "trigger_id", "view", "user", "message", "channel", "actions"]
KINDS = [
    "event_callback", "message", "app_mention", "message_action", "view_submission", "block_actions", "tokens_revoked",
    "app_home_opened", "assistant_thread_started", "message_changed", "bulkhead_ask", "im", "U1", "C1", "17.1",
]  # fmt: skip
LEAF = st.none() | st.booleans() | st.integers() | st.sampled_from(KINDS) | st.text(max_size=8)
INNER = ["type", "subtype", "channel", "channel_type", "user", "ts", "text", "files", "message", "tokens", "tab", "id"]
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(INNER), inner, max_size=5),
    max_leaves=12,
)


async def take(body: dict[str, Any]) -> None:
    async def nothing(*_: object) -> Any:
        return ""

    async def accept(*_: object) -> Welcome:
        return Welcome(person=None)

    async def overview() -> Overview:
        return Overview(waiting=(), accounts=())

    def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work)

    given_ports: dict[str, Any] = {each.name: nothing for each in fields(Ports)}
    intake = Intake(
        SlackApi(SecretStr("xoxb-1")), Ports(**{**given_ports, "accept": accept, "overview": overview}), spawn
    )
    intake.me = Me(user="U0BOT", team="T1")
    assert isinstance(await intake.take(body), str | dict)
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.gather(*rest)


@given(st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6))
def test_no_payload_makes_the_intake_stumble(body: dict[str, Any]) -> None:
    asyncio.run(take(body))


async def test_before_it_is_known_who_the_bot_is_nothing_is_acknowledged(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    slack.fail(method="auth.test", error="internal_error", times=99)
    async with running(lite, slack.url) as bot:
        with pytest.raises(Unavailable):
            await bot.account._intake.take({"type": "event_callback", "event": {"type": "message"}})
        await until(lambda: [state.value for state, _ in bot.told] == ["degraded"])


async def test_a_message_after_a_silence_hides_none_of_those_before_it(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    timing = QUICK.__class__(deaf_after_s=1.0, check_every_s=0.1, ping_every_s=0.3, open_within_s=5)
    async with running(lite, slack.url, timing) as bot:
        slack.people.direct("D1", "U0OWNER", "before")
        await until(lambda: slack.workspace.said("D1") == ["echo: before"])
        slack.fail(method="conversations.history", error="internal_error")
        muted = slack.sockets.mute()
        for n in range(3):
            slack.people.message("D1", "U0OWNER", f"missed {n}")
        await until(lambda: len([each for each in slack.sockets.sockets if not each.is_mute]) >= muted)
        slack.people.direct("D1", "U0OWNER", "after")
        await until(lambda: len(bot.events) == 5)
        assert {event.text for event in bot.events} == {"before", "missed 0", "missed 1", "missed 2", "after"}


async def test_an_account_in_trouble_is_not_asked_for_its_history(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        slack.dead_with = "account_inactive"
        slack.people.mention("C1", "U0OWNER", "one")
        await until(lambda: bot.account.health.state.value == "suspended")
        with pytest.raises(AccountTrouble):
            await bot.account._intake.history.catch_up(Me(user="U0BOT", team="T0HOUSE"))
