"""The tree -> Telegram's rich messages (Bot API 10.1): an HTML of its own, with tables, titles and lists.

Clients that are older than rich messages show nothing but a note, so a message is rich only where it gains: it has a
table, or is formatted and too long for one message. What Telegram would find in the text by itself (names, commands,
addresses) it is told not to look for, and names are broken all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import assert_never

from bot.adapters.text.parse import parse
from bot.adapters.text.telegram import TelegramPart, looks, render_telegram
from bot.adapters.text.tree import (
    TABLE,
    Block,
    Code,
    Document,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Runs,
    Table,
)

CHARS, BLOCKS, DEPTH, COLUMNS = 32_768, 500, 16, 20
"""Of one rich message (Bot API, InputRichMessage). Ours are counted with their tags, which is never too few."""
TAGS = {"bold": "b", "italic": "i", "strikethrough": "s", "code": "code"}


def render_rich(markdown: str) -> str:
    """The message as rich HTML; empty where it gains nothing by that, or does not fit."""
    if len(markdown) > CHARS:
        return ""
    tables: list[Table] = []
    blocks = parse(markdown, usernames=True, tables=tables)
    if not tables and not is_long_and_formatted(markdown):
        return ""
    writer = _Writer(tables)
    html = writer.blocks(blocks, 1)
    columns = max((len(row) for table in tables for row in table.rows), default=0)
    fits = len(html) <= CHARS and writer.count <= BLOCKS and writer.depth <= DEPTH and columns <= COLUMNS
    return html if fits else ""


def is_long_and_formatted(markdown: str) -> bool:
    """Whether it takes several messages, one of which has more to it than text, and none is a file."""
    parts = render_telegram(markdown)
    texts = [part for part in parts if isinstance(part, TelegramPart)]
    return 1 < len(texts) == len(parts) and any(part.entities for part in texts)


class _Writer:
    """Blocks as HTML, counted on the way."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self.count = 0
        self.depth = 0

    def blocks(self, blocks: Document, depth: int) -> str:
        """One after the other."""
        self.count += len(blocks)
        self.depth = max(self.depth, depth + 1)  # and one for a look within
        return "".join(self._block(block, depth) for block in blocks)

    def _block(self, block: Block, depth: int) -> str:
        match block:
            case Paragraph(runs):
                return f"<p>{inline(runs)}</p>"
            case Heading(runs, level):
                return f"<h{level}>{inline(runs)}</h{level}>"
            case Code(number, language) if language == TABLE:
                return self._table(self._tables[int(number)])
            case Code(text, language):
                kind = f' class="language-{escape(language)}"' if language else ""
                return f"<pre><code{kind}>{escape(text)}</code></pre>"
            case Rule():
                return "<hr/>"
            case Quote(inner):
                return f"<blockquote>{self.blocks(inner, depth + 1)}</blockquote>"
            case List(items):
                return self._list(items, depth)
            case _:
                assert_never(block)

    def _list(self, items: Sequence[Item], depth: int) -> str:
        self.count += len(items)
        tag = "ol" if items[0].number is not None else "ul"
        html = "".join(f"<li{number(item)}>{box(item)}{self._within(item.blocks, depth + 1)}</li>" for item in items)
        return f"<{tag}>{html}</{tag}>"

    def _within(self, blocks: Document, depth: int) -> str:
        """An item's blocks; its first paragraph stands where the mark stands."""
        if blocks and isinstance(first := blocks[0], Paragraph):
            return inline(first.runs) + self.blocks(blocks[1:], depth)
        return self.blocks(blocks, depth)

    def _table(self, table: Table) -> str:
        self.count += len(table.rows)
        rows = [self._row(row, table.aligns, "td" if n else "th") for n, row in enumerate(table.rows)]
        return f"<table bordered striped>{''.join(rows)}</table>"

    def _row(self, row: Sequence[Runs], aligns: Sequence[str], tag: str) -> str:
        padded = [*aligns, *[""] * (len(row) - len(aligns))]
        how = [f' align="{align}"' if align else "" for align in padded]
        return f"<tr>{''.join(f'<{tag}{own}>{inline(runs)}</{tag}>' for own, runs in zip(how, row, strict=False))}</tr>"


def number(item: Item) -> str:
    """The number that an item of an ordered list has."""
    return f' value="{item.number}"' if item.number is not None else ""


def box(item: Item) -> str:
    """The box of a task."""
    if item.is_done is None:
        return ""
    return f'<input type="checkbox"{" checked" if item.is_done else ""}>'


def inline(runs: Runs) -> str:
    """Runs under their looks."""
    pieces = []
    for run in runs:
        html = escape(run.text).replace("\n", "<br>")
        for kind, url in reversed(list(looks(run))):
            html = f'<a href="{escape(url)}">{html}</a>' if url else f"<{TAGS[kind]}>{html}</{TAGS[kind]}>"
        if run.url.startswith("mailto:"):
            html = f'<a href="{escape(run.url)}">{html}</a>'
        pieces.append(html)
    return "".join(pieces)
