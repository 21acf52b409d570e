"""Mermaid's `sequenceDiagram` to `SequenceDiagram`: statements on a cursor, open blocks on a list.

The names of actors, the arrows and what ends a text follow mermaid 11's lexer; so do the rules that it checks after
parsing (who may be deactivated, created, destroyed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn, cast

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta, split_colour
from layers.presentation.mermaid.nodes import data_fields
from layers.presentation.mermaid.phrases import Phrases
from layers.presentation.mermaid.speakers import Speakers
from layers.presentation.nearest import nearest
from layers.presentation.spec import (
    Block,
    Branch,
    Create,
    Destroy,
    Line,
    Message,
    Note,
    Numbering,
    SequenceDiagram,
    Step,
    Tip,
)

HEADER = re.compile(r"sequenceDiagram(?!\w)")
AS = re.compile(r"[^\S\n]*as(?=\s)", re.IGNORECASE)
END_OF_STATEMENT = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?:[;\n]|$)")
SEPARATORS = re.compile(r"(?:\s|;|#[^\n]*)+")
ARROW = re.compile(r"<<--?>>|--?(?:>>|>|[xX]|\)|\|\\|\|/|\\\\|//)|(?:/\||\\\||//|\\\\)--?")
CENTRE = re.compile(r"[^\S\n]*\(\)[^\S\n]*")
MENU_AHEAD = re.compile(r"[^\S\n]+[^/\\+()<>:\n,;\s-]")
"""After `link` and its like: an actor may be called Link."""
WORD = re.compile(r"[A-Za-z_]+")
NUMBERS = re.compile(r"[^\S\n]+(?:(off)\b|(\d+(?:\.\d+)?)(?:[^\S\n]+(\d+(?:\.\d+)?))?)", re.IGNORECASE)
PLACE = re.compile(r"[^\S\n]*(left\s+of|right\s+of|over)\b", re.IGNORECASE)
TITLE = re.compile(r"title(?::|\s)[^\S\n]*", re.IGNORECASE)
BLOCKS = ("loop", "alt", "opt", "par", "par_over", "critical", "break", "rect")
BRANCHES = {"else": "alt", "and": "par", "option": "critical"}
MENUS = ("links", "link", "properties", "details")
KEYWORDS = (
    *(*BLOCKS, *BRANCHES, *MENUS),
    *("participant", "actor", "create", "destroy", "activate", "deactivate", "note", "box", "autonumber"),
    *("title", "end"),
)
DEEPEST = 30
MOST_STEPS = 2000
TIPS = {
    ">>": Tip.ARROW,
    ">": Tip.NONE,
    "x": Tip.CROSS,
    ")": Tip.OPEN,
    "|\\": Tip.HALF_TOP,
    "|/": Tip.HALF_BOTTOM,
    "\\\\": Tip.HALF_TOP,
    "//": Tip.HALF_BOTTOM,
}
TIPS_BACKWARDS = {
    "/|": Tip.HALF_TOP,
    "//": Tip.HALF_TOP,
    "\\|": Tip.HALF_BOTTOM,
    "\\\\": Tip.HALF_BOTTOM,
}
BlockType = Literal["loop", "alt", "opt", "par", "critical", "break", "rect"]


@dataclass(slots=True)
class _Open:
    """A block whose `end` has not come."""

    type: str
    at: int
    label: str = ""
    colour: str = ""
    closed: list[Branch] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def branch(self, label: str) -> None:
        """The next branch begins."""
        self.closed.append(Branch(label=self.label, steps=tuple(self.steps)))
        self.label, self.steps = label, []


def parse_sequence(cursor: Cursor, meta: Meta) -> SequenceDiagram:
    """Read the whole diagram that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    return _Parser(cursor, meta).parse()


class _Parser:
    def __init__(self, cursor: Cursor, meta: Meta) -> None:
        self.cursor = cursor
        self.meta = meta
        self.read = Phrases(cursor)
        self.speakers = Speakers(cursor)
        self.root = _Open("", cursor.at)
        self.open = [self.root]
        self.count = 0

    def parse(self) -> SequenceDiagram:
        while True:
            self.cursor.take(SEPARATORS)
            if self.cursor.is_done:
                break
            self._statement()
        if len(self.open) > 1:
            block = self.open[-1]
            line, _ = self.cursor.place(block.at)
            self.cursor.fail("`end`", f"add a line with end to close the {block.type} of line {line}")
        return SequenceDiagram(
            title=self.meta.title,
            alt=self.meta.alt,
            participants=self.speakers.participants(),
            boxes=tuple(self.speakers.boxes),
            steps=tuple(self.root.steps),
        )

    def _statement(self) -> None:
        cursor = self.cursor
        start = cursor.at
        found = cursor.peek(WORD)
        word = found.group().lower() if found else ""
        if found and word in KEYWORDS and (word not in MENUS or MENU_AHEAD.match(cursor.text, found.end())):
            cursor.at = found.end()
            self._keyword(word, start)
        elif self.meta.take(cursor):
            pass
        else:
            self._message()
        if cursor.take(END_OF_STATEMENT) is None:
            _fail_after(cursor)

    def _keyword(self, word: str, start: int) -> None:
        cursor = self.cursor
        if word in BLOCKS:
            self._begin(word, start)
        elif word in BRANCHES:
            block = self.open[-1]
            if block.type != BRANCHES[word]:
                cursor.fail(f"a statement, not {word!r}", f"{word} belongs into {BRANCHES[word]} … end", at=start)
            block.branch(self.read.line())
        elif word == "end":
            self._end(start)
        elif word in ("participant", "actor"):
            self._declare(word)
        elif word == "create":
            self._create()
        elif word == "destroy":
            self._add(Destroy(participant=self.speakers.destroy(self.read.name())), start)
        elif word == "activate":
            self._add(self.speakers.activate(self.read.name()), start)
        elif word == "deactivate":
            self._add(self.speakers.deactivate(self.read.name(), start), start)
        elif word == "note":
            self._note(start)
        elif word == "box":
            self._box(start)
        elif word == "autonumber":
            self._number(start)
        elif word == "title":
            cursor.at = start
            cursor.take(TITLE)
            self.meta.title = self.read.line() or self.meta.title
        else:
            self.speakers.mention(self.read.name())
            self.read.text_after_colon()

    def _add(self, step: Step, start: int) -> None:
        self.count += 1
        if self.count > MOST_STEPS:
            self.cursor.fail(f"at most {MOST_STEPS} steps in one diagram", "split it into several", at=start)
        self.open[-1].steps.append(step)

    def _begin(self, word: str, start: int) -> None:
        if len(self.open) > DEEPEST:
            self.cursor.fail(f"at most {DEEPEST} blocks inside each other", "split it into several", at=start)
        text = self.read.line()
        block = _Open("par" if word == "par_over" else word, start)
        if word == "rect":
            block.colour, block.label = split_colour(text)
        else:
            block.label = text
        self.open.append(block)

    def _end(self, start: int) -> None:
        if len(self.open) == 1:
            self.cursor.fail("a statement", "there is no open block for this end; delete it", at=start)
        block = self.open.pop()
        block.branch("")
        step = Block(type=cast(BlockType, block.type), branches=tuple(block.closed), colour=block.colour)
        self._add(step, start)

    def _declare(self, word: str, *, is_created: bool = False) -> str:
        cursor = self.cursor
        cursor.skip_blanks()
        start = cursor.at
        id = self.read.name()
        fields = data_fields(cursor) if cursor.starts_with("@{") else {}
        label = self.read.line() if cursor.take(AS) else plain(fields.get("alias", ""))
        self.speakers.declare(id, label, fields.get("type", word), at=start, is_created=is_created)
        return id

    def _create(self) -> None:
        cursor = self.cursor
        cursor.skip_blanks()
        start = cursor.at
        found = cursor.take(WORD)
        if found is None or found.group().lower() not in ("participant", "actor"):
            cursor.fail("`participant` or `actor` after create", "write e.g. create participant Carl", at=start)
        self._add(Create(participant=self._declare(found.group().lower(), is_created=True)), start)

    def _box(self, start: int) -> None:
        colour, title = split_colour(self.read.raw_line())
        self.speakers.open_box(colour, plain(title))
        cursor = self.cursor
        while True:
            cursor.take(SEPARATORS)
            at = cursor.at
            found = cursor.take(WORD)
            word = found.group().lower() if found else ""
            if word == "end":
                break
            if word == "create":
                self._create()
            elif word in ("participant", "actor"):
                self._declare(word)
            else:
                fix = "close the box with end" if cursor.is_done else "only participant and actor may be in a box"
                cursor.fail("`participant`, `actor` or `end` in the box", fix, at=at)
            if cursor.take(END_OF_STATEMENT) is None:
                _fail_after(cursor)
        self.speakers.close_box()

    def _number(self, start: int) -> None:
        found = self.cursor.take(NUMBERS)
        if found is None:
            self._add(Numbering(), start)
        elif found.group(1):
            self._add(Numbering(is_on=False), start)
        else:
            first, by = found.group(2)[:12], (found.group(3) or "1")[:12]
            self._add(Numbering(start=float(first), by=float(by)), start)

    def _note(self, start: int) -> None:
        cursor = self.cursor
        found = cursor.take(PLACE)
        if found is None:
            cursor.fail("`left of`, `right of` or `over` after note", "write e.g. Note over Alice,Bob: text")
        word = found.group(1).lower().split()[0]
        over = [self.read.actor()]
        while word == "over" and cursor.starts_with(",") and len(over) < 2:
            cursor.at += 1
            over.append(self.read.actor())
        for id in over:
            self.speakers.mention(id)
        text = self.read.text_after_colon()
        place: Literal["left", "right", "over"] = "left" if word == "left" else "right" if word == "right" else "over"
        self._add(Note(over=tuple(dict.fromkeys(over)), place=place, text=text), start)

    def _message(self) -> None:
        cursor = self.cursor
        start = cursor.at
        source = self.read.actor()
        cursor.take(CENTRE)
        found = cursor.take(ARROW)
        if found is None:
            _fail_arrow(cursor, source, start)
        cursor.take(CENTRE)
        cursor.skip_blanks()
        sign = cursor.text[cursor.at : cursor.at + 1]
        cursor.at += sign in ("+", "-") and sign != ""
        cursor.take(CENTRE)
        target = self.read.actor()
        text = self.read.text_after_colon()
        self.speakers.message(source, target, at=start)
        tips, line = arrow(found.group())
        self._add(Message(source=source, target=target, text=text, line=line, tips=tips), start)
        if sign == "+":
            self._add(self.speakers.activate(target), start)
        elif sign == "-":
            self._add(self.speakers.deactivate(source, start), start)



def arrow(text: str) -> tuple[tuple[Tip, Tip], Literal[Line.SOLID, Line.DOTTED]]:
    """The tips (at the source, at the target) and the line that `text` stands for."""
    line: Literal[Line.SOLID, Line.DOTTED] = Line.DOTTED if "--" in text else Line.SOLID
    if text.startswith("<<"):
        return (Tip.ARROW, Tip.ARROW), line
    head = text.strip("-").lower()
    if text.endswith("-"):
        return (TIPS_BACKWARDS[head], Tip.NONE), line
    return (Tip.NONE, TIPS[head]), line


def _fail_arrow(cursor: Cursor, source: str, start: int) -> NoReturn:
    if source.endswith("=") and cursor.starts_with(">"):
        cursor.fail(f"an arrow after {source[:-1][:24]!r}", "did you mean ->>?", at=cursor.at - 1)
    first = source.split()[0]
    meant = nearest(first, KEYWORDS) if len(first) > 2 else ""
    if meant and meant != first.lower():
        cursor.fail(f"an arrow after {source[:24]!r}", f"did you mean {meant}?", at=start)
    cursor.fail(f"an arrow after {source[:24]!r}", "use ->> for a call, -->> for an answer, -) for a message")


def _fail_after(cursor: Cursor) -> NoReturn:
    cursor.skip_blanks()
    cursor.fail("a new line", "put each statement on a line of its own; write #59; for a semicolon in a text")
