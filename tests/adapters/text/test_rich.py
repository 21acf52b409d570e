"""Rich messages: only where they gain, within their limits, with nothing dropped and nothing live."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from bot.adapters.text import TelegramPart, render_rich, render_telegram
from bot.adapters.text.mentions import BREAK, clean
from tests.adapters.text.samples import DOCUMENT, PIECES, hostile

TABLE = "| Name | n |\n|:-:|--:|\n| **x** | `1` |"
VOID = {"br", "hr", "input"}


class Balanced(HTMLParser):
    """Fails on what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.deepest = 0
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            assert name in {"href", "class", "align", "value", "type", "checked", "bordered", "striped"}
            assert name != "href" or re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE)
        if tag not in VOID:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_a_table_keeps_its_looks_and_alignments() -> None:
    assert render_rich(TABLE) == (
        '<table bordered striped><tr><th align="center">Name</th><th align="right">n</th></tr>'
        '<tr><td align="center"><b>x</b></td><td align="right"><code>1</code></td></tr></table>'
    )


def test_lists_and_tasks_and_code_have_their_own_tags() -> None:
    html = render_rich(f"{TABLE}\n\n3. one\n   - [x] two\n4. three\n\n```py\nif a < b:\n```\n\n> said\n\n---\n# T")
    assert '<ol><li value="3">one<ul><li><input type="checkbox" checked>two</li></ul></li>' in html
    assert '<pre><code class="language-py">if a &lt; b:</code></pre>' in html
    assert "<blockquote><p>said</p></blockquote><hr/><h1>T</h1>" in html


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "**short** and formatted",
        "word " * 2000,  # long, and nothing to gain
        "|a|\n|-|\n" + "|x|\n" * 600,
        "|" + "a|" * 21 + "\n|" + "-|" * 21,
        TABLE + "\n\n" + "> " * 17 + "deep",
        TABLE + "\n" + "x" * 40_000,
    ],
)
def test_a_text_that_gains_nothing_or_does_not_fit_is_plain(text: str) -> None:
    assert render_rich(text) == ""


def test_a_long_formatted_text_is_one_rich_message() -> None:
    text = "\n\n".join(f"## Part {n}\n\nSome *words* of it." for n in range(150))
    assert len(render_telegram(text)) > 1
    assert render_rich(text).count("<h2>") == 150


@settings(max_examples=60)
@given(DOCUMENT)
def test_nothing_is_dropped_and_every_tag_is_closed(text: str) -> None:
    html = render_rich(f"{text}\n\n{TABLE}")
    if not html:
        return
    Balanced(html)
    source = Counter(re.findall(r"[^\W\d_]+", clean(text).replace("[x]", "").replace("[X]", "")))
    shown = unescape(re.sub(r"<(a href|code class)[^>]*>", lambda found: f" {found[0][1:-1]} ", html))
    shown = re.sub(r"</?[a-z][^>]*>", " ", shown) + html
    missing = {word for word in source if word not in shown.replace(BREAK, "")}
    assert not missing


@settings(max_examples=60)
@given(PIECES)
def test_broken_text_makes_no_broken_tags(text: str) -> None:
    Balanced(render_rich(f"{TABLE}\n\n{text}"))


def test_a_thousand_hostile_texts_mention_nobody() -> None:
    count = 0
    for text in hostile(1_000):
        html = render_rich(f"{TABLE}\n\n{text}")
        count += bool(html)
        Balanced(html)
        shown = re.sub(r"<code[^>]*>.*?</code>|<[^>]*>|https?://[^\s<]*", "#", html, flags=re.DOTALL)
        assert not re.search(r"(?<!\w)@[A-Za-z0-9_]{2,32}(?!\w)", unescape(shown)), ascii(html)
        assert "tg://" not in html
    assert count > 500


def test_commands_and_addresses_stay_as_they_are() -> None:
    """Telegram makes `/status` clickable, which sends just that, without parameters, in the person's own name."""
    (part,) = render_telegram("Send /status, or /status@other_bot, or see t.me/somebody and https://t.me/somebody")
    assert isinstance(part, TelegramPart)
    assert "/status," in part.text
    assert "/status@other_bot" not in part.text
    assert "t.me/somebody" in part.text
