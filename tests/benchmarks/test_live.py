"""The benchmark's own reading of a call: it must see what is live, or its 0 would mean nothing."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.transport.hostile import hostile
from benchmarks.transport.live import live_in_slack, live_on_telegram

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello <!here>"}}
BROADCAST = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "broadcast"}]}]}


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": "<!channel>"},
        {"text": "in code: `<!here|here>`"},
        {"text": "<@U012AB3CD|bob>"},
        {"text": "a <!subteam^S012AB3CD>"},
        {"text": "<#C012AB3CD|general>"},
        {"text": "wake up, @everyone"},
        {"markdown_text": "<@U012AB3CD>"},
        {"blocks": [SECTION]},
        {"blocks": '[{"type": "markdown", "text": "<!everyone>"}]'},
        {"blocks": [BROADCAST]},
        {"attachments": [{"pretext": "<!channel>"}]},
    ],
)
def test_what_slack_would_notify_people_of_is_seen(arguments: dict[str, Any]) -> None:
    assert live_in_slack(arguments) != []


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": "&lt;!channel&gt; and @\u200bchannel, bob@here.example"},
        {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "<!here>"}}]},
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "<https://example.org|x>"}}]},
    ],
)
def test_what_slack_shows_and_does_not_read_is_dead(arguments: dict[str, Any]) -> None:
    assert live_in_slack(arguments) == []


def link(url: str) -> dict[str, Any]:
    return {"text": "Bob", "entities": [{"type": "text_link", "offset": 0, "length": 3, "url": url}]}


@pytest.mark.parametrize(
    "params",
    [
        {"text": "ask @durov"},
        {"text": "ask @\u0333durov"},
        {"text": "😀 @durov", "entities": [{"type": "code", "offset": 0, "length": 2}]},
        {"text": "see tg://user?id=42"},
        link("tg:user?id=42"),
        {"text": "Bob", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 42}}]},
        {"photo": "attach://x", "caption": "@everyone"},
        {"media": {"type": "photo", "media": "attach://x", "caption": "@everyone"}},
        {"text": "<a href='tg://user?id=42'>Bob</a>", "parse_mode": "HTML"},
        {"rich_message": {"html": "<p>ask @durov</p>"}},
        {"rich_message": {"markdown": "[Bob](tg://user?id=42)"}},
        {"rich_message": {"markdown": "[Bob](tg:user?id=42)"}},
        {"rich_message": {"html": "<p><a href='tg:user?id=42'>Bob</a></p>"}},
    ],
)
def test_what_telegram_would_notify_people_of_is_seen(params: dict[str, Any]) -> None:
    assert live_on_telegram(params) != []


@pytest.mark.parametrize(
    "params",
    [
        {"text": "ask @\u200bdurov, or bob@example.org"},
        {"text": "😀 @durov", "entities": [{"type": "code", "offset": 3, "length": 6}]},
        link("https://t.me/durov"),
        {"rich_message": {"html": "<p><code>@durov</code></p>"}},
        {"rich_message": {"html": "<p>[Bob](tg:user?id=42)</p>"}},
        {"reply_markup": {"inline_keyboard": [[{"text": "@durov", "callback_data": "a:b:c"}]]}},
    ],
)
def test_what_telegram_does_not_look_into_is_dead(params: dict[str, Any]) -> None:
    assert live_on_telegram(params) == []


def test_the_hostile_texts_are_the_same_each_time_and_live_where_nobody_renders_them() -> None:
    texts = hostile(1000)
    assert texts == hostile(1000)
    assert len(set(texts)) == 1000
    assert sum(bool(live_in_slack({"text": text})) for text in texts) > 400
    assert sum(bool(live_on_telegram({"text": text})) for text in texts) > 250
