"""Markdown becomes one tree, and what CommonMark drops stays visible."""

from __future__ import annotations

import time

import pytest

from bot.adapters.text import plain, render_mail, render_slack, render_telegram
from bot.adapters.text.parse import parse
from bot.adapters.text.tree import Code, Item, List, Paragraph, Quote, Run, Style


def test_looks_links_and_line_breaks_are_runs() -> None:
    (paragraph,) = parse("**a _b_** ~~c~~ `d`\n[e](https://a.example)")
    assert paragraph == Paragraph(
        (
            Run("a ", Style.BOLD),
            Run("b", Style.BOLD | Style.ITALIC),
            Run(" "),
            Run("c", Style.STRIKE),
            Run(" "),
            Run("d", Style.CODE),
            Run("\n"),
            Run("e", Style(0), "https://a.example"),
        )
    )


def test_lists_nest_count_and_tick() -> None:
    (tasks,) = parse("- [ ] a\n- [x] b\n\n  3. c\n  4. d\n\n     > e")
    assert isinstance(tasks, List)
    assert [item.is_done for item in tasks.items] == [False, True]
    inner = tasks.items[1].blocks[1]
    assert inner == List(
        (
            Item((Paragraph((Run("c"),)),), number=3),
            Item((Paragraph((Run("d"),)), Quote((Paragraph((Run("e"),)),))), number=4),
        )
    )


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("<details>hidden</details>", "<details>hidden</details>"),
        ("<!-- note -->", "<!-- note -->"),
        ("# <tags> stay", "<tags> stay"),
        ("![seen](https://a.example/x.png)", "seen (https://a.example/x.png)"),
        ('[a](https://a.example "why")', "a (https://a.example) (why)"),
        ("[![a](https://a.example/i.png)](https://b.example)", "a (https://b.example) (https://a.example/i.png)"),
        ("[](https://a.example)", "https://a.example"),
        ("[**a** `b`](https://a.example)", "a `b` (https://a.example)"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[https://bank.example](https://evil.example)", "https://bank.example (https://evil.example)"),
        ("see https://a.example/x_(y), ok", "see https://a.example/x_(y), ok"),
        ("<me@a.example>", "me@a.example"),
        ("[info]: done", "[info]: done"),
        ("a\n\n[one]: https://a.example 'Why'", "a\n\n[one]: https://a.example 'Why'"),
        ("[one]\n\n[one]: https://a.example", "one (https://a.example)"),
        ("|a|\n|-|\n|1|2|", "```\na |\n--+--\n1 | 2\n```"),
        ("|a|\n|-|\n|`x\\|y`|", "```\na\n-----\n`x|y`\n```"),
        ("```", "```"),
        ("````````", "````````"),
        ("```python\n```", "`python`"),
        ("```js app.js\nx\n```", "app.js\n\n```js\nx\n```"),
        ("~~~\n```\n~~~", "````\n```\n````"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("> " * 60 + "deep", "> " * 60 + "deep"),
        ("a\x00b\u202ec\ud800", "a bc\ufffd"),
        ("x\r\ny\rz", "x\ny\nz"),
        ("  \n\u2028\n", ""),
    ],
)
def test_nothing_is_dropped(markdown: str, text: str) -> None:
    assert plain(markdown) == text


def test_a_narrow_table_is_a_grid_and_a_wide_one_is_read_row_by_row() -> None:
    (narrow,) = parse("| name | n |\n|:--|--:|\n| 中文 | 1 |\n| b | 20 |")
    assert narrow == Code("name |  n\n-----+---\n中文 |  1\nb    | 20")
    words = "word " * 20
    assert plain(f"| a | b |\n|---|---|\n| x | {words} |\n| y | |\n") == f"- a: x\n  b: {words.strip()}\n- a: y"


def test_mail_underlines_titles_and_shows_where_links_go() -> None:
    body = render_mail("# Hello\n\nSee [the log](https://a.example/1).\n\n- a\n- b\n\n> said\n\n---")
    assert body == f"Hello\n=====\n\nSee the log <https://a.example/1>.\n\n- a\n- b\n\n> said\n\n{'-' * 40}"


def test_an_address_is_spelled_so_that_it_is_no_mention_and_still_works() -> None:
    (paragraph,) = parse("https://a.example/@here and https://a.example/@someone", usernames=True)
    assert isinstance(paragraph, Paragraph)
    assert [run.url for run in paragraph.runs if run.url] == ["https://a.example/%40here", "https://a.example/@someone"]


def test_mail_addresses_and_decorators_are_left_alone() -> None:
    text = "write to me@here.example or bob@x.example"
    assert plain(text) == text
    (code,) = parse("```\n@dataclass\n```", usernames=True)
    assert code == Code("@dataclass")
    assert render_mail("@alice, npm i @types/node") == "@alice, npm i @types/node"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "![" * 20_000,
        "*a " * 20_000,
        "[a](" * 10_000,
        "x" * 2_000_000,
        "a\n\n" * 20_000,
        "|a" * 900 + "|\n" + "|-" * 900 + "|\n" + "|\n" * 500,
        "- " * 5_000,
        "https://a.example/((" * 2_000,
    ],
    ids=lambda text: text[:8],
)
def test_no_pattern_takes_long(text: str) -> None:
    began = time.process_time()
    render_telegram(text)
    render_slack(text)
    plain(text)
    assert time.process_time() - began < 10
