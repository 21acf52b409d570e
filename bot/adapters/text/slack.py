"""The tree -> Slack: rich_text blocks, which Slack never parses, and the same as escaped mrkdwn for notifications.

A rich_text element's text is literal: no `*`, `_` or `:emoji:` in a message can be taken for markup, looks combine, and
no text can mention anyone (mentions are elements of other types, which nothing here makes). mrkdwn has no escape for
its marks, so only the `text` beside the blocks, which notifications and screen readers use, is mrkdwn: `&`, `<` and `>`
escaped as Slack's documentation demands, marks left as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias, assert_never

from bot.adapters.text.files import dam, take_long_code
from bot.adapters.text.parse import parse
from bot.adapters.text.plain import to_text
from bot.adapters.text.split import split
from bot.adapters.text.tree import Block, Code, Document, File, Heading, Item, List, Paragraph, Quote, Rule, Run, Style

Json: TypeAlias = dict[str, object]

TEXT_CHARS = 3_000
"""Of `text`, as sent: what a section takes too, and below the 4,000 that chat.postMessage recommends."""
BLOCKS = 45
"""Slack takes 50; the rest is for a picture, buttons and a footer."""
BLOCKS_CHARS = 12_000
"""Of the blocks as JSON: from 13,200 on Slack answers `msg_blocks_too_long` (slackapi/bolt-js#2509)."""
HEADER_CHARS = 150
HEADER_LEVEL = 2
"""Titles below are bold text."""
DEEPEST_INDENT = 8
FILE_ABOVE_CHARS = 3 * TEXT_CHARS
LOOKS = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.STRIKE: "strike", Style.CODE: "code"}
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class SlackPart:
    """One message."""

    text: str
    """mrkdwn for where blocks are not shown."""
    blocks: tuple[Json, ...]


def render_slack(markdown: str) -> list[SlackPart | File]:
    """The messages of a text, files last; none for an empty one."""
    blocks, files = take_long_code(parse(markdown), FILE_ABOVE_CHARS)
    parts = split(blocks, render, fits)
    least = len(to_text(blocks)) // TEXT_CHARS
    return dam(parts, files, markdown, lambda note: render(parse(note)), least=least)


def fits(part: SlackPart) -> bool:
    """Whether Slack takes it as one message."""
    if len(part.text) > TEXT_CHARS or len(part.blocks) > BLOCKS:
        return False
    return len(json.dumps(part.blocks, ensure_ascii=False)) <= BLOCKS_CHARS


def render(blocks: Document) -> SlackPart:
    """One message, however long."""
    return SlackPart(escape(to_text(blocks)), tuple(_kit(blocks)))


def escape(text: str) -> str:
    """Text that means itself in mrkdwn, except for its marks."""
    return text.translate(ESCAPES)


def _kit(blocks: Document) -> Iterator[Json]:
    """Block Kit blocks: a rich_text for all that stands between titles and lines."""
    for is_rich, group in groupby(blocks, key=_is_rich):
        if is_rich:
            yield {"type": "rich_text", "elements": list(_merged(_elements(group)))}
            continue
        for block in group:
            if isinstance(block, Heading):
                yield {"type": "header", "text": {"type": "plain_text", "text": block.runs[0].text, "emoji": False}}
            else:
                yield {"type": "divider"}


def _is_rich(block: Block) -> bool:
    """Whether a block goes into a rich_text: all but lines, and titles that are nothing but a few literal words."""
    if isinstance(block, Rule):
        return False
    if not isinstance(block, Heading) or block.level > HEADER_LEVEL or len(block.runs) != 1:
        return True
    run = block.runs[0]
    is_literal = not run.url and not run.style and run.text.translate(ESCAPES) == run.text and "\n" not in run.text
    return not (is_literal and len(run.text) <= HEADER_CHARS)


def _elements(blocks: Iterable[Block], indent: int = 0, *, is_quoted: bool = False) -> Iterator[Json]:
    """The parts of a rich_text. Nothing nests in it: quoted code and lists get a border, deeper lists an indent."""
    words = "rich_text_quote" if is_quoted else "rich_text_section"
    border: Json = {"border": 1} if is_quoted else {}
    for block in blocks:
        match block:
            case Paragraph(runs):
                yield {"type": words, "elements": _inline(runs)}
            case Heading(runs):
                yield {"type": words, "elements": _inline(replace(it, style=it.style | Style.BOLD) for it in runs)}
            case Rule():
                yield {"type": words, "elements": [{"type": "text", "text": "———"}]}
            case Code(text):
                yield {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}], **border}
            case Quote(inner):
                yield from _merged(_elements(inner, indent, is_quoted=True))
            case List(items):
                for item in items:
                    yield from _item(item, indent, is_quoted=is_quoted)
            case _:
                assert_never(block)


def _item(item: Item, indent: int, *, is_quoted: bool) -> Iterator[Json]:
    """An item: its first paragraph as a list's, and what follows it; lists that go together are merged later."""
    first, rest = (item.blocks[0], item.blocks[1:]) if item.blocks else (None, ())
    if not isinstance(first, Paragraph | Heading):
        first, rest = None, item.blocks
    if item.is_continued:
        yield from _elements(item.blocks, indent + 1, is_quoted=is_quoted)
        return
    box = "" if item.is_done is None else "☐☑"[item.is_done] + " "
    runs = [Run(box or " "), *(first.runs if first else ())] if box or not first else first.runs
    style = "bullet" if item.number is None else "ordered"
    listed: Json = {
        "type": "rich_text_list",
        "style": style,
        "indent": min(indent, DEEPEST_INDENT),
        "elements": [{"type": "rich_text_section", "elements": _inline(runs)}],
    }
    if item.number is not None and item.number > 1:
        listed["offset"] = item.number - 1
    yield {**listed, "border": 1} if is_quoted else listed
    yield from _elements(rest, indent + 1, is_quoted=is_quoted)


def _merged(elements: Iterable[Json]) -> Iterator[Json]:
    """Neighbouring paragraphs as one text with an empty line between, neighbouring items as one list."""
    last: Json | None = None
    for element in elements:
        if last is not None and _goes_with(element, last):
            gap = [] if element["type"] == "rich_text_list" else [{"type": "text", "text": "\n\n"}]
            _parts(last).extend([*gap, *_parts(element)])
            continue
        if last is not None:
            yield last
        last = element
    if last is not None:
        yield last


def _goes_with(element: Json, last: Json) -> bool:
    """Whether an element continues the one before it."""
    if element["type"] == "rich_text_preformatted":
        return False
    kept = ("type", "style", "indent", "border")
    if any(element.get(key) != last.get(key) for key in kept):
        return False
    if element.get("style") != "ordered":
        return True
    return element.get("offset", 0) == _number(last.get("offset", 0)) + len(_parts(last))


def _parts(element: Json) -> list[object]:
    """An element's own elements."""
    parts = element["elements"]
    assert isinstance(parts, list)
    return parts


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _inline(runs: Iterable[Run]) -> list[Json]:
    """Runs as text and link elements."""
    found: list[Json] = []
    for run in runs:
        element: Json = {"type": "text", "text": run.text}
        if run.url:
            element = {"type": "link", "url": run.url, "text": run.text}
        styles = {name: True for style, name in LOOKS.items() if style in run.style} if run.style else {}
        found.append({**element, "style": styles} if styles else element)
    return found
