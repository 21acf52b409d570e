"""What a provider would make of a call: the mentions in it that notify people. Pure, and apart from the renderers.

Slack reads `<!here>`, `<@U1>`, `<#C1>` and `<!subteam^S1>` wherever mrkdwn or markdown stands, also in code
(docs.slack.dev, formatting); rich text names people by elements. `@channel` as such is live where `link_names` or
`parse=full` is asked for; here it counts everywhere. Telegram's server looks for `@name` by itself, after it has
removed some characters, in whatever lies in no code and no link (tdlib, MessageEntity.cpp and misc.cpp).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

_SLACK_TOKEN = re.compile(
    r"<(?:!(?:channel|here|everyone|group)\b|!subteam\^|@[A-Z0-9]|#[A-Z0-9])[^<>]*>", re.IGNORECASE
)
_SLACK_BARE = re.compile(r"(?<!\w)@(?:channel|here|everyone)(?!\w)", re.IGNORECASE)
_SLACK_ELEMENTS = ("user", "usergroup", "broadcast", "channel", "team")
_SLACK_PARSED = ("mrkdwn", "markdown")
_LEGACY = ("text", "pretext", "fallback", "title", "markdown_text", "initial_comment")
"""Arguments, and fields of attachments, that Slack parses without being told."""

_TELEGRAM_REMOVES = re.compile("[\u2028-\u202e\u0333\u033f\u030a\r]")
_TELEGRAM_BLANKS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_USERNAME = re.compile(r"(?<!\w)@[A-Za-z0-9_]{2,32}(?!\w)")
_PROFILE = re.compile(r"\s*tg:(?://)?(?:user|openmessage)\b", re.IGNORECASE)
"""As the address of a link (tdlib, LinkManager::get_link_user_id)."""
_BARE_PROFILE = re.compile(r"tg://(?:user|openmessage)\b", re.IGNORECASE)
"""As plain text, where only what has its slashes becomes a link."""
_HTML_PROFILE = re.compile(r"href\s*=\s*[\"']?\s*tg:(?://)?(?:user|openmessage)\b|tg://user", re.IGNORECASE)
"""In HTML, where brackets are text."""
_MARKED_PROFILE = re.compile(
    r"(?:\]\(\s*<?|\]:\s*<?)\s*tg:(?://)?(?:user|openmessage)\b|" + _HTML_PROFILE.pattern, re.IGNORECASE
)
"""In markdown, which may hold HTML."""
_SHIELDS = ("code", "pre", "text_link")
"""In these Telegram finds nothing."""


def live_in_slack(arguments: Mapping[str, Any]) -> list[str]:
    """Of chat.postMessage, chat.update and their like."""
    return list(_in_slack({name: _parsed(value) for name, value in arguments.items()}, is_top=True))


def _in_slack(node: object, *, is_top: bool = False) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _in_slack(each)
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in _SLACK_ELEMENTS:
        yield json.dumps(node)
    for name, value in node.items():
        is_parsed = (name == "text" and kind in _SLACK_PARSED) or (name in _LEGACY and (is_top or kind is None))
        if name in ("metadata", "client_msg_id"):
            continue
        if isinstance(value, str) and is_parsed:
            yield from (found[0] for pattern in (_SLACK_TOKEN, _SLACK_BARE) for found in pattern.finditer(value))
        else:
            yield from _in_slack(value)


def live_on_telegram(params: Mapping[str, Any]) -> list[str]:
    """Of sendMessage, editMessageText, media with captions, rich messages."""
    given = {name: _parsed(value) for name, value in params.items()}
    return list(_on_telegram(given))


def _on_telegram(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _on_telegram(each)
    if not isinstance(node, dict):
        return
    mode = str(node.get("parse_mode") or "").lower()
    for name, entities in (("text", "entities"), ("caption", "caption_entities")):
        if isinstance(node.get(name), str) and "callback_data" not in node and "url" not in node:
            if mode:
                yield from _in_markup(node[name], is_html=mode == "html")
            else:
                yield from _in_text(node[name], node.get(entities) or ())
    for name in ("html", "markdown"):
        if isinstance(node.get(name), str):
            yield from _in_markup(node[name], is_html=name == "html")
    if _PROFILE.match(str(node.get("url", ""))):
        yield str(node["url"])
    if node.get("type") in ("mention", "text_mention"):
        yield json.dumps(node)
    for value in node.values():
        yield from _on_telegram(value)


def _in_text(text: str, entities: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A text whose entities are given: what the server would find besides."""
    units = _units(text)
    shielded = bytearray(len(units))
    for entity in entities:
        if entity.get("type") in _SHIELDS:
            start = int(entity["offset"])
            shielded[start : start + int(entity["length"])] = b"\x01" * int(entity["length"])
    kept = "".join(char for n, char in enumerate(units) if char and not _TELEGRAM_REMOVES.match(char))
    where = [n for n, char in enumerate(units) if char and not _TELEGRAM_REMOVES.match(char)]
    cleaned = _TELEGRAM_BLANKS.sub(" ", kept)
    for pattern in (_USERNAME, _BARE_PROFILE):
        for found in pattern.finditer(cleaned):
            if not any(shielded[where[n]] for n in range(found.start(), found.end())):
                yield found[0]


def _units(text: str) -> list[str]:
    """A character for each UTF-16 unit; nothing for the second half of a pair."""
    return [part for char in text for part in ((char, "") if ord(char) > 0xFFFF else (char,))]


def _in_markup(text: str, *, is_html: bool) -> Iterator[str]:
    """Rich text that the server parses itself."""
    pattern = _HTML_PROFILE if is_html else _MARKED_PROFILE
    yield from (found[0] for found in pattern.finditer(text))
    if is_html:
        reader = _Outside()
        reader.feed(text)
        reader.close()
        outside = "".join(reader.said)
    else:
        outside = re.sub(r"(`+).*?\1", " ", text, flags=re.DOTALL)
    yield from (found[0] for found in _USERNAME.finditer(_TELEGRAM_REMOVES.sub("", outside)))


class _Outside(HTMLParser):
    """The text of HTML that lies in no code and no link."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """A tag opens."""
        self._depth += tag in ("code", "pre", "a")

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        self._depth -= tag in ("code", "pre", "a")

    def handle_data(self, data: str) -> None:
        """Text."""
        self.said.append(data if self._depth <= 0 else " ")


def _parsed(value: object) -> Any:  # noqa: ANN401
    """A nested argument, which forms carry as JSON."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
