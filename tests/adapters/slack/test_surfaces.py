"""The message shortcut, the assistant's container, App Home."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.ports import Overview, Waiting
from bot.adapters.slack import home as home_module
from bot.adapters.slack.home import link_of, view_of
from bot.adapters.slack.payloads import Asked
from bot.adapters.slack.shortcut import PREFILLED, Place, modal, place_of
from bot.adapters.slack.writing import Reference
from layers.store import Store
from layers.types import Address
from tests.adapters.ports import NOTE
from tests.adapters.slack.bot import TinyBot, running
from tests.adapters.slack.conftest import Until
from tests.adapters.slack.telling import OWNER, reply, shortcut, submit
from tests.fakes.slack_rules import against_spec, parsed
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_views import against_views

SITE = "https://house.slack.com/"
CARD = Waiting(
    title="Restart <!channel> *web*",
    address=Address(channel="slack", conversation="T0HOUSE/C1", thread="17.1"),
    reference=Reference("C1", ("1700000000.000001",)).dump(),
    risk=2,
    expires_at=time.time() + 3600,
)


async def test_the_shortcut_asks_about_a_message_and_answers_under_it(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        message = slack.people.message("C1", "U0OTHER", "the disk\nis full &amp; hot")
        shortcut(slack, "C1", message)
        await until(lambda: slack.workspace.views)
        view = parsed(slack.workspace.views[-1]["view"])
        envelope = submit(slack, view, "what now?")
        await until(envelope.acked.is_set)
        assert envelope.answer == {}
        await until(lambda: bot.events)
        assert bot.events[0].text == "what now?\n\n> the disk\n> is full & hot"
        assert bot.events[0].address.thread == message["ts"]
        await until(lambda: slack.workspace.said("C1"))
        assert slack.workspace.channels["C1"][-1]["thread_ts"] == message["ts"]


async def test_a_stranger_who_asks_is_told_so_in_the_modal(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        shortcut(slack, "C1", slack.people.message("C1", "U0OTHER", "hm"), "U0OTHER")
        await until(lambda: slack.workspace.views)
        envelope = submit(slack, parsed(slack.workspace.views[-1]["view"]), "what now?", "U0OTHER")
        await until(envelope.acked.is_set)
        assert envelope.answer == {"response_action": "errors", "errors": {"question": NOTE}}
        assert bot.accepted == []


@given(st.text(max_size=20_000))
def test_a_modal_carries_any_message_within_slacks_limits(text: str) -> None:
    place = place_of(
        Asked.model_validate(
            {
                "callback_id": "bulkhead_ask",
                "trigger_id": "1",
                "channel": {"id": "C1"},
                "message": {"ts": "17.1", "text": text},
            }
        )
    )
    assert against_views({"view": modal(place)}) == []
    assert Place.load(place.dump()) == place


@given(st.text(max_size=50) | st.just('["C1","17.1",7]') | st.just('["C1/../x","17.1",""]') | st.just("[1,2,3]"))
def test_a_modal_of_somebody_else_names_no_place(text: str) -> None:
    assert Place.load(text) is None


async def test_the_assistant_suggests_names_its_thread_and_shows_its_work(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        root = slack.people.message("D1", "U0BOT", "New thread")["ts"]
        started = {"user_id": OWNER, "channel_id": "D1", "thread_ts": root, "context": {}}
        slack.people.event({"type": "assistant_thread_started", "assistant_thread": started})
        await until(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
        reply(slack, "D1", root, "slowly  please\nname it")
        await until(lambda: any("echo: slowly" in text for text in slack.workspace.said("D1")))
        await until(lambda: slack.workspace.statuses.get(("D1", root)) == "")
        titles = slack.called("assistant.threads.setTitle")
        assert [call.arguments["title"] for call in titles] == ["slowly please name it"]
        assert any(call.arguments["status"] for call in slack.called("assistant.threads.setStatus"))
    async with running(lite, slack.url) as bot:
        made = len(slack.called("assistant.threads.setStatus"))
        reply(slack, "D1", root, "again")
        await until(lambda: [event.text for event in bot.events] == ["again"])
        await until(lambda: len(slack.called("assistant.threads.setStatus")) > made)
        assert len(slack.called("assistant.threads.setTitle")) == 1


async def test_what_slack_refuses_of_the_ornament_holds_up_no_answer(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    for method in ("setSuggestedPrompts", "setStatus", "setTitle"):
        slack.fail(method=f"assistant.threads.{method}", error="internal_error", times=9)
    async with running(lite, slack.url):
        started = {"user_id": OWNER, "channel_id": "D1", "thread_ts": "17.1"}
        slack.people.event({"type": "assistant_thread_started", "assistant_thread": started})
        await until(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
        reply(slack, "D1", "17.1", "hello")
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])


def opened(slack: SlackServer, user: str) -> None:
    slack.people.event({"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home"})


async def test_home_shows_what_waits_and_is_shown_anew_when_that_changes(
    lite: Store, slack: SlackServer, until: Until, monkeypatch: Any
) -> None:
    monkeypatch.setattr(home_module, "LOOK_EVERY_S", 0.1)
    async with running(lite, slack.url) as bot:
        show(bot, Overview(waiting=(CARD,), accounts=("mail is revoked: it said so",)))
        opened(slack, OWNER)
        await until(lambda: slack.workspace.views)
        text = json.dumps(slack.workspace.views[-1])
        assert "Restart" in text
        assert "mail is revoked" in text
        assert "button" not in text
        made = len(slack.workspace.views)
        show(bot, Overview(waiting=(), accounts=()))
        await until(lambda: "Nothing waits." in json.dumps(slack.workspace.views[-1]))
        assert len(slack.workspace.views) == made + 1


async def test_a_stranger_sees_nothing_of_what_waits(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        show(bot, Overview(waiting=(CARD,), accounts=()))
        opened(slack, "U0OTHER")
        await until(lambda: slack.workspace.views)
        assert "Restart" not in json.dumps(slack.workspace.views)


def show(bot: TinyBot, seen: Overview) -> None:
    bot.overview = seen


def test_a_card_is_linked_where_it_is() -> None:
    link = "https://house.slack.com/archives/C1/p1700000000000001?thread_ts=17.1&cid=C1"
    assert link_of(CARD, SITE) == link
    assert link_of(CARD, "") == ""


@given(st.lists(st.text(max_size=500), max_size=30), st.integers(0, 200))
def test_a_home_tab_is_within_slacks_limits_and_literal(titles: list[str], count: int) -> None:
    cards = tuple(Waiting(title=title, address=CARD.address, reference="", risk=1, expires_at=1e12) for title in titles)
    view = view_of(Overview(waiting=cards * (1 + count // 30), accounts=tuple(titles)), SITE, 0.0)
    assert against_views({"view": view}) == []
    assert all(block["type"] in ("header", "rich_text", "divider") for block in view["blocks"])


def test_the_specification_takes_these_calls(slack_spec: dict[str, Any]) -> None:
    place = Place("C1", "17.1", PREFILLED)
    assert against_spec("views.open", {"token": "t", "trigger_id": "1", "view": modal(place)}, slack_spec) == []
