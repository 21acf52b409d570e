"""What Slack's payloads mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.reading import Me, heard
from bot.adapters.slack.typed import plain
from bot.adapters.text.slack import escape
from layers.types import InboundKind

ME = Me(user="U0BOT", team="T1")
SAID = {"type": "message", "channel": "C1", "channel_type": "im", "ts": "17.1", "user": "U1", "text": "hi"}


def event(**changes: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event": {**SAID, **changes}}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("<@U0BOT> hello", "hello"),
        ("hello <@U0BOT>", "hello"),
        ("ask <@U2> in <#C2|general>", "ask @U2 in #general"),
        ("<@U2|anna>", "@anna"),
        ("<!channel> <!here|here>", "@channel here"),
        ("<!subteam^S1|@ops>", "@ops"),
        ("<https://a.b/c?d=1&amp;e=2>", "https://a.b/c?d=1&e=2"),
        ("<http://a.b|a.b>", "http://a.b"),
        ("<https://a.b|the page>", "[the page](https://a.b)"),
        ("<mailto:a@b.c|a@b.c>", "a@b.c"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("```\nx <- y\n```".replace("<", "&lt;"), "```\nx <- y\n```"),
    ],
)
def test_what_was_typed_comes_back_as_markdown(typed: str, meant: str) -> None:
    assert plain(typed, "U0BOT") == meant


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_without_tokens_comes_back_as_it_was(text: str) -> None:
    assert plain(escape(text), "U0BOT") == text.strip()


def test_the_pair_of_a_mention_has_one_key() -> None:
    message = heard(event(channel_type="channel", text="<@U0BOT> hi"), ME)
    mention = heard(event(type="app_mention", channel_type="", text="<@U0BOT> hi"), ME)
    assert message is not None
    assert mention is not None
    assert message.event_id == mention.event_id == "C1:17.1"
    assert message.text == mention.text == "hi"


def test_a_bare_mention_asks_for_help() -> None:
    found = heard(event(type="app_mention", text="<@U0BOT>"), ME)
    assert found is not None
    assert found.text == "/help"


def test_somebody_of_another_workspace_keeps_their_own_identity() -> None:
    found = heard(event(user_team="T2"), ME)
    assert found is not None
    assert found.identity == "slack:T2:U1"
    assert found.address.conversation == "T1/C1"


@pytest.mark.parametrize(
    "changes",
    [
        {"channel_type": "channel"},
        {"channel_type": "mpim"},
        {"bot_id": "B1"},
        {"subtype": "bot_message"},
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"user": "U0BOT"},
        {"user": "USLACKBOT"},
        {"user": None},
        {"ts": "yesterday"},
        {"channel": "C1/../C2"},
        {"type": "reaction_added"},
    ],
)
def test_what_concerns_nobody_means_nothing(changes: dict[str, Any]) -> None:
    assert heard(event(**changes), ME) is None


def pressed(**changes: Any) -> dict[str, Any]:
    action = {"action_id": "bulkhead:0", "action_ts": "18.1", "block_id": "t7~0~abc", "value": "a:b:c", **changes}
    container = {"channel_id": "C1", "message_ts": "17.1", "thread_ts": "16.1"}
    user = {"id": "U1", "team_id": "T1"}
    return {"type": "block_actions", "user": user, "team": {"id": "T1"}, "container": container, "actions": [action]}


def test_a_press_says_which_button_of_which_message() -> None:
    found = heard(pressed(), ME)
    assert found is not None
    assert found.kind is InboundKind.PRESS
    assert found.press is not None
    assert (found.press.value, found.press.key) == ("a:b:c", "t7")
    assert found.address.id == "slack:T1/C1:16.1"


@pytest.mark.parametrize("changes", [{"action_id": "other"}, {"value": "x" * 65}, {"value": "ü"}, {"value": None}])
def test_a_press_of_what_is_not_ours_means_nothing(changes: dict[str, Any]) -> None:
    assert heard(pressed(**changes), ME) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(["event", "command", "type", "container"]), JSON, JSON)
def test_no_payload_makes_it_stumble(name: str, value: Any, other: Any) -> None:
    heard({name: value, "type": "block_actions", "actions": other, "team_id": other}, ME)
    heard({"event": {**SAID, "text": value, name: other}}, ME)
