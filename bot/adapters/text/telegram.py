"""The tree -> Telegram: texts with entities, offsets and lengths in UTF-16 code units.

The rules kept (Bot API, formatting options): of two entities with common characters one lies in the other; nothing lies
in code or pre, and neither lies in a look; no quote in a quote. The server ignores entities beyond the hundredth, so a
part has at most as many. Tabs become spaces: the server makes each a single one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from bot.adapters.text.files import dam, take_long_code
from bot.adapters.text.parse import parse
from bot.adapters.text.split import split
from bot.adapters.text.tree import (
    Block,
    Code,
    Document,
    File,
    Heading,
    List,
    Paragraph,
    Quote,
    Rule,
    Run,
    Runs,
    Style,
    mark,
    target,
)

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
LEAST_UNITS = 64
ENTITIES = 100
FILE_ABOVE_MESSAGES = 3
"""Code longer than this many messages goes out as a file."""
TAB = 4
END = Run("")
LOOKS = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.STRIKE: "strikethrough"}
BLANK = frozenset("\u00a0\u1680\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2800\u3164\ufeff\ufffc")


@dataclass(frozen=True, slots=True)
class Entity:
    """One MessageEntity."""

    type: str
    offset: int
    """UTF-16 code units."""
    length: int
    """UTF-16 code units; at least 1."""
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TelegramPart:
    """One message's text, to be sent without a parse mode."""

    text: str
    entities: tuple[Entity, ...] = ()


def render_telegram(markdown: str, *, limit: int = TEXT_UNITS) -> list[TelegramPart | File]:
    """The messages of a text, files last; none when nothing of it can be seen.

    Args:
        limit: UTF-16 code units per message: 4096, or 1024 for a caption.
    """
    if limit < LEAST_UNITS:
        raise ValueError(f"a limit of {limit!r} leaves no room for a message: give at least {LEAST_UNITS}")
    blocks, files = take_long_code(parse(markdown, usernames=True), FILE_ABOVE_MESSAGES * limit)
    parts = split(blocks, render, lambda part: fits(part, limit))
    seen = (part for part in parts if is_visible(part.text))
    return dam(seen, files, markdown, lambda note: render(parse(note)))


def fits(part: TelegramPart, limit: int) -> bool:
    """Whether Telegram takes it as one message."""
    return units(part.text) <= limit and len(part.entities) <= ENTITIES


def render(blocks: Document) -> TelegramPart:
    """One message, however long."""
    canvas = _Canvas()
    canvas.blocks(blocks, "\n\n")
    order = sorted(canvas.entities, key=lambda entity: (entity.offset, -entity.length))
    return TelegramPart("".join(canvas.pieces), tuple(order))


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def is_visible(text: str) -> bool:
    """Whether there is anything to see; Telegram refuses a message without."""
    return any(not char.isspace() and char not in BLANK for char in text)


class _Canvas:
    """Text as it grows, and the entities over it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.entities: list[Entity] = []
        self._at = 0
        self._is_quoted = False

    def blocks(self, blocks: Document, between: str, indent: str = "") -> None:
        """Blocks one below the other, the first where the text stands."""
        for number, block in enumerate(blocks):
            if number:
                self._put(between + indent)
            self._block(block, indent)

    def _block(self, block: Block, indent: str) -> None:
        match block:
            case Paragraph(runs):
                self._runs(runs, indent)
            case Heading(runs):
                self._runs(tuple(replace(run, style=run.style | Style.BOLD) for run in runs), indent)
            case Code(text, language):
                start = self._at
                self._put(text.expandtabs(TAB))
                self._mark("pre", start, language=language or None)
            case Rule():
                self._put("———")
            case Quote(inner) if self._is_quoted:
                self._put("> ")
                self.blocks(inner, "\n", indent + "> ")
            case Quote(inner):
                start, self._is_quoted = self._at, True
                self.blocks(inner, "\n\n", indent)
                self._is_quoted = False
                self._mark("blockquote", start)
            case List(items):
                for number, item in enumerate(items):
                    before = mark(item)
                    self._put(("\n" + indent if number else "") + before + (" " if before and item.blocks else ""))
                    self.blocks(item.blocks, "\n", indent + " " * (len(before) + 2))
            case _:
                assert_never(block)

    def _runs(self, runs: Runs, indent: str) -> None:
        """Text under its looks, each opened and closed in turn so that they nest."""
        opened: list[tuple[str, str | None, int]] = []
        for run in (*runs, END):
            wanted = list(looks(run)) if run.style or run.url else []
            while any((kind, url) not in wanted for kind, url, _ in opened):
                kind, url, start = opened.pop()
                self._mark(kind, start, url=url)
            missing = [look for look in wanted if look not in [(kind, url) for kind, url, _ in opened]]
            opened += [(kind, url, self._at) for kind, url in missing]
            shown = target(run.url, run.text) if run.url.startswith("mailto:") else ""
            self._put((run.text + shown).replace("\n", "\n" + indent))

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self._at += units(text)

    def _mark(self, kind: str, start: int, url: str | None = None, language: str | None = None) -> None:
        if self._at > start:
            self.entities.append(Entity(kind, start, self._at - start, url, language))


def looks(run: Run) -> Iterator[tuple[str, str | None]]:
    """The entities a run lies in, outermost first: a link can hold no code, and code no look."""
    if run.url and not run.url.startswith("mailto:"):
        yield "text_link", run.url
    elif Style.CODE in run.style:
        yield "code", None
        return
    for style, kind in LOOKS.items():
        if style in run.style:
            yield kind, None
