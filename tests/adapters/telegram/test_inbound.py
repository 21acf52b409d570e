"""What Telegram sends -> what is heard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update, User

from bot.adapters.telegram.inbound import Heard, cut, hear

ME = User(id=123456, is_bot=True, first_name="Bulkhead", username="bulkhead_bot")
PRIVATE = {"id": 42, "type": "private", "first_name": "P"}
GROUP = {"id": -5, "type": "supergroup", "title": "G"}
PERSON = {"id": 42, "is_bot": False, "first_name": "P"}
BOT = {"id": 123456, "is_bot": True, "first_name": "Bulkhead", "username": "bulkhead_bot"}


def heard(kind: str = "message", **more: Any) -> Heard | None:
    message = {"message_id": 7, "date": 1_700_000_000, "chat": PRIVATE, "from": PERSON} | more
    update = Update.de_json(json.loads(json.dumps({"update_id": 1, kind: message})), None)
    return hear(update, ME)


def text_of(**more: Any) -> str | None:
    found = heard(**more)
    return found.text if found else None


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def test_a_message_in_private_is_heard_with_ids_of_numbers_only() -> None:
    found = heard(text="hello")
    assert found is not None
    assert (found.identity, found.address.id, found.text) == ("telegram:42", "telegram:42", "hello")
    assert found.event_id.startswith("42/7/")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "hello all"}, None),
        ({"text": "/run host.uptime", "entities": [entity("bot_command", 0, 4)]}, None),
        (
            {"text": "/run@bulkhead_bot host.uptime", "entities": [entity("bot_command", 0, 17)]},
            "/run host.uptime",
        ),
        (
            {"text": "/run@Bulkhead_Bot\nhost.uptime", "entities": [entity("bot_command", 0, 17)]},
            "/run\nhost.uptime",
        ),
        ({"text": "/run@other_bot x", "entities": [entity("bot_command", 0, 14)]}, None),
        ({"text": "@bulkhead_bot what now?", "entities": [entity("mention", 0, 13)]}, "what now?"),
        ({"text": "🎉 @Bulkhead_bot, hi", "entities": [entity("mention", 3, 13)]}, "🎉 , hi"),
        ({"text": "@bulkhead_bot /status", "entities": [entity("mention", 0, 13)]}, "/status"),
        ({"text": "@bulkhead_bots hi", "entities": [entity("mention", 0, 14)]}, None),
        ({"text": "Bulk hi", "entities": [entity("text_mention", 0, 4, user=BOT)]}, "hi"),
        (
            {
                "text": "yes",
                "reply_to_message": {"message_id": 3, "date": 1, "chat": GROUP, "from": BOT, "text": "Shall\nI?"},
            },
            "> Shall\n> I?\n\nyes",
        ),
        (
            {
                "text": "just talking",
                "is_topic_message": True,
                "message_thread_id": 3,
                "reply_to_message": {
                    "message_id": 3,
                    "date": 1,
                    "chat": GROUP,
                    "from": BOT,
                    "forum_topic_created": {"name": "T", "icon_color": 1},
                },
            },
            None,
        ),
        (
            {"caption": "@bulkhead_bot look", "caption_entities": [entity("mention", 0, 13)], "photo": []},
            "look",
        ),
    ],
)
def test_a_group_is_heard_only_when_it_speaks_to_the_bot(message: dict[str, Any], expected: str | None) -> None:
    assert text_of(chat=GROUP, **message) == expected


@pytest.mark.parametrize(
    "message",
    [
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
        {"from": {"id": 136817688, "is_bot": True, "first_name": "Channel"}},
        {"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
        {"from": {"id": 9, "is_bot": True, "first_name": "B"}},
        {"sender_chat": {"id": -100, "type": "channel", "title": "C"}},
        {"via_bot": {"id": 9, "is_bot": True, "first_name": "B"}},
    ],
)
def test_bots_channels_and_anonymous_people_are_never_heard(message: dict[str, Any]) -> None:
    assert heard(text="hello", **message) is None


def test_channel_posts_are_not_heard() -> None:
    assert heard("channel_post", text="x", chat={"id": -100, "type": "channel", "title": "C"}) is None


def test_code_and_links_come_as_markdown_and_commands_as_they_were_typed() -> None:
    entities = [entity("pre", 4, 6, language="py"), entity("code", 11, 1), entity("text_link", 13, 4, url="http://a.b")]
    assert text_of(text="run\nx = 1\n\ny \nhere", entities=[]) == "run\nx = 1\n\ny \nhere"
    assert text_of(text="run\nx = 1\ny\nhere  ", entities=[entity("pre", 4, 5, language="py")]) == (
        "run\n\n```py\nx = 1\n```\n\ny\nhere"
    )
    assert entities
    source = "/diagram\nflowchart LR\na --> b"
    assert text_of(text=source, entities=[entity("bot_command", 0, 8), entity("pre", 9, 20)]) == source


def test_a_forward_is_a_quote_so_that_no_command_in_it_runs() -> None:
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "X"}
    text = text_of(text="/run workspace.write-note", entities=[entity("bot_command", 0, 4)], forward_origin=origin)
    assert text == "> /run workspace.write-note"


def test_what_holds_no_text_is_heard_as_such_and_service_messages_are_not() -> None:
    document = {"file_id": "f", "file_unique_id": "u"}
    assert text_of(document=document) == ""
    assert text_of(document=document, caption="see") == "see"
    assert heard(new_chat_title="x") is None


def test_a_press_carries_its_value_and_message() -> None:
    message = {"message_id": 7, "date": 1, "chat": GROUP, "from": BOT, "message_thread_id": 4, "is_topic_message": True}
    query = {"id": "q1", "from": PERSON, "chat_instance": "1", "data": "a:approve:x", "message": message}
    found = hear(Update.de_json({"update_id": 1, "callback_query": query}, None), ME)
    assert found is not None
    assert found.press is not None
    assert (found.press.value, found.message_id, found.address.id) == ("a:approve:x", 7, "telegram:-5:4")
    for data in ("", "x" * 65, "ü", "a\nb"):
        assert hear(Update.de_json({"update_id": 1, "callback_query": query | {"data": data}}, None), ME) is None


def test_a_press_on_a_message_that_telegram_no_longer_tells_is_heard() -> None:
    message = {"message_id": 7, "date": 0, "chat": PRIVATE}
    query = {"id": "q1", "from": PERSON, "chat_instance": "1", "data": "a:b:c", "message": message}
    found = hear(Update.de_json({"update_id": 1, "callback_query": query}, None), ME)
    assert found is not None
    assert found.message_id == 7


entities = st.lists(
    st.builds(
        entity,
        st.sampled_from(["mention", "code", "pre", "text_link", "bot_command", "bold", "text_mention"]),
        st.integers(0, 60),
        st.integers(1, 60),
    ),
    max_size=5,
)


@given(st.text(min_size=1, max_size=50), entities, st.booleans())
def test_any_text_with_any_entities_is_read_and_can_be_stored(
    text: str, entities: list[dict[str, Any]], is_forward: bool
) -> None:
    more = {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "X"}} if is_forward else {}
    said = text_of(text=text, entities=entities, **more)
    assert said is None or "\0" not in said.encode().decode()


@given(st.text(), st.integers(0, 20), st.integers(0, 20))
def test_cutting_by_utf_16_units_never_fails(text: str, offset: int, length: int) -> None:
    assert len(cut(text, offset, length)) <= length
