"""Markdown becomes HTML that is safe in a page, whoever wrote it."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.text.html import to_html

TAGS = re.compile(
    r"a|blockquote|br|button|code|del|div|em|h[1-6]|hr|li|ol|p|pre|s|span|strong|table|t(body|d|h|head|r)|ul"
)
ATTRIBUTES = re.compile(r"href|rel|target|title|class|type|data-command|tabindex|start")
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example)",
    "[x](/media/0)",
    "[x](file:///etc/passwd)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    '![x](https://a.example/"onerror=alert(1))',
    '[x](https://a.example "t\\" onmouseover=alert(1) x=\\"")',
    "<javascript:alert(1)>",
    "<https://a.example/\"onclick='alert(1)'>",
    '`/help" onclick="alert(1)`',
    '```" onload="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "```diff\n+<script>alert(1)</script>\n```",
    "| <b onclick=x> |\n|:-:|\n| `</td><script>` |",
    "[a]: javascript:alert(1)\n\n[a]",
    "<!-- --><style>*{display:none}</style>",
]
PIECES = st.lists(
    st.sampled_from([*HOSTILE, "[", "](", ")", "<", ">", '"', "'", "`", "\n", "\n\n", "|", "&", "\\", "a", "/run "])
)


class Inspector(HTMLParser):
    """Fails on any tag, attribute or address that the page does not expect."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert TAGS.fullmatch(tag), tag
        for name, value in attrs:
            assert ATTRIBUTES.fullmatch(name), name
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE), value
        if tag == "a":
            assert dict(attrs)["rel"] == "noopener noreferrer nofollow"


def inspect(html: str) -> None:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_comes_out_dead(text: str) -> None:
    inspect(to_html(text))


@given(st.text(alphabet=st.characters(codec="utf-8")) | PIECES.map("".join))
def test_any_text_comes_out_safe(text: str) -> None:
    inspect(to_html(text))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and ~~gone~~", "<p><strong>bold</strong> and <s>gone</s></p>\n"),
        ("one\ntwo", "<p>one<br />\ntwo</p>\n"),
        ("`x < y`", "<p><code>x &lt; y</code></p>\n"),
        ("`/etc/passwd`", "<p><code>/etc/passwd</code></p>\n"),
        ("https://a.example", "<p>https://a.example</p>\n"),
        (
            "[a](https://a.example)",
            '<p><a href="https://a.example" rel="noopener noreferrer nofollow" target="_blank">a</a></p>\n',
        ),
        (
            "![seen](https://a.example/x.png)",
            '<p><a href="https://a.example/x.png" rel="noopener noreferrer nofollow" target="_blank">seen</a></p>\n',
        ),
        (
            "`/run x`",
            '<p><button type="button" class="command" data-command="/run x"><code>/run x</code></button></p>\n',
        ),
    ],
)
def test_markdown_reads_as_expected(text: str, html: str) -> None:
    assert to_html(text) == html


def test_a_block_that_is_a_command_can_be_taken_over_and_a_diff_is_marked() -> None:
    assert 'data-command="/diagram\ngraph TD"' in to_html("```\n/diagram\ngraph TD\n```")
    marked = to_html("```diff\n-a\n+b\n c\n```")
    assert '<span class="removed">-a</span>\n<span class="added">+b</span>\n c' in marked


def test_cells_are_aligned_without_inline_styles() -> None:
    html = to_html("| a |\n|--:|\n| 1 |")
    assert "style=" not in html
    assert '<td class="right">1</td>' in html


def test_what_is_nested_too_deep_is_shown_as_it_is() -> None:
    assert "&gt; hello" in to_html("> " * 30 + "hello")


@pytest.mark.parametrize("text", ["[" * 20_000, "![" * 20_000, "*a " * 20_000, "[a](" * 10_000, "x" * 2_000_000])
def test_no_pattern_takes_long(text: str) -> None:
    began = time.process_time()
    to_html(text)
    assert time.process_time() - began < 10
