"""The one tree every renderer reads. Text in it is literal: no markup, no entity, nothing live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto
from itertools import groupby
from typing import TypeAlias, final


class Style(Flag):
    """How a run looks; they combine."""

    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()


PLAIN = Style(0)


@final
@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look."""

    text: str
    style: Style = PLAIN
    url: str = ""
    """http, https or mailto; empty when it is no link."""


Runs: TypeAlias = tuple[Run, ...]


@final
@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text; a newline is a line break."""

    runs: Runs


@final
@dataclass(frozen=True, slots=True)
class Heading:
    """A title."""

    runs: Runs
    level: int
    """1 to 6."""


@final
@dataclass(frozen=True, slots=True)
class Code:
    """A code block, or a table laid out in columns."""

    text: str
    """Without the last newline; never blank."""
    language: str = ""


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


@final
@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody else's words."""

    blocks: tuple[Block, ...]


@final
@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list."""

    blocks: tuple[Block, ...]
    number: int | None = None
    """None in a list without numbers."""
    is_done: bool | None = None
    """None when it is no task."""
    is_continued: bool = False
    """The rest of an item that began in the message before: it has no mark of its own."""


@final
@dataclass(frozen=True, slots=True)
class List:
    """Items, numbered or not."""

    items: tuple[Item, ...]


Block: TypeAlias = Paragraph | Heading | Code | Rule | Quote | List
Document: TypeAlias = tuple[Block, ...]


TABLE = "(table)"
"""The language of a `Code` that stands for a table; no fence can name it."""


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the header first; a row may be longer than the header."""

    rows: tuple[tuple[Runs, ...], ...]
    aligns: tuple[str, ...]
    """`left`, `center`, `right` or nothing, for the header's columns."""


@final
@dataclass(frozen=True, slots=True)
class File:
    """What is too long to be read in a chat."""

    name: str
    """ASCII, with an extension."""
    content: bytes
    """UTF-8."""


def target(url: str, text: str, brackets: str = "()") -> str:
    """What a surface without links adds to a link's text: where it goes, unless the text says so already."""
    address = url.removeprefix("mailto:")
    return f" {brackets[0]}{address}{brackets[1]}" if address not in text else ""


def flat(runs: Sequence[Run], brackets: str = "()") -> str:
    """Runs on a surface without looks and links: strike and code keep their marks, for they carry meaning."""
    parts: list[str] = []
    for url, linked in groupby(runs, key=lambda run: run.url):
        group = list(linked)
        for run in group:
            text = f"`{run.text}`" if Style.CODE in run.style else run.text
            parts.append(f"~~{text}~~" if Style.STRIKE in run.style else text)
        parts.append(target(url, "".join(run.text for run in group), brackets))
    return "".join(parts)


def mark(item: Item, bullet: str = "•", boxes: Sequence[str] = "☐☑") -> str:
    """What stands before an item."""
    if item.is_continued:
        return ""
    box = "" if item.is_done is None else boxes[item.is_done]
    if item.number is not None:
        return f"{item.number}. {box}".rstrip()
    return box or bullet
