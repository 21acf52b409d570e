"""Mermaid's `mindmap` to `Mindmap`: an idea on each line; its parent is the nearest line above indented less."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Idea, Mindmap, MindShape

HEADER = re.compile(r"mindmap(?!\w)", re.IGNORECASE)
INDENT = re.compile(r"[^\S\n]*")
BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
DECORATION = re.compile(r"[^\S\n]*(?:::icon\([^)\n]*\)|:::([^\n]*))")
NAME = re.compile(r"[^(\[\n){}]+")
COMMENT = re.compile(r"[^\S\n]*%%[^\n]*")
END_OF_LINE = re.compile(r"[^\S\n]*(?:%%[^\n]*)?(?:\n|$)")
QUOTED = re.compile(r"\"`([^`]*)`\"|\"([^\"]*)\"")
BRACKETS = (
    ("((", "))", MindShape.CIRCLE),
    ("{{", "}}", MindShape.HEXAGON),
    ("(-", "-)", MindShape.CLOUD),
    ("-)", "(-", MindShape.CLOUD),
    ("))", "((", MindShape.BANG),
    (")", "(", MindShape.CLOUD),
    ("(", ")", MindShape.ROUNDED),
    ("[", "]", MindShape.SQUARE),
)
BARE = re.compile(r"([^)\](}\"]+)")
ANY_CLOSING = re.compile(r"\)\)|\)|\]|\}\}|\(-|-\)|\(\(|\(")
MOST = 500
LONGEST_LABEL = 5000


def parse_mindmap(cursor: Cursor, meta: Meta) -> Mindmap:
    """Read the whole mindmap that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    ideas: list[Idea] = []
    path: list[tuple[int, str]] = []
    ids: set[str] = set()
    while True:
        cursor.take(BLANK_LINES)
        indent = len((cursor.take(INDENT) or cursor.fail("an idea")).group())
        if cursor.is_done:
            break
        start = cursor.at
        if cursor.take(COMMENT) or cursor.take(DECORATION):
            if cursor.take(END_OF_LINE) is None:
                cursor.fail("a new line", "::icon(...) and :::class stand on a line of their own")
            continue
        name, label, shape = _idea(cursor)
        while path and path[-1][0] >= indent:
            path.pop()
        if ideas and not path:
            cursor.fail("one root", f"indent {label[:24]!r} more than the first idea {ideas[0].label[:24]!r}", at=start)
        if len(ideas) >= MOST:
            cursor.fail(f"at most {MOST} ideas in one mindmap", "split it into several", at=start)
        id = _free(name, ids)
        ideas.append(Idea(id=id, label=label, shape=shape, parent=path[-1][1] if path else ""))
        path.append((indent, id))
    if not ideas:
        cursor.fail("an idea after mindmap", "write e.g. root((Topic)) on the next line")
    return Mindmap(title=meta.title, alt=meta.alt, ideas=tuple(ideas))


def _free(name: str, ids: set[str]) -> str:
    """`name`, or with a number where it is taken: Mermaid lets many ideas share one."""
    id, number = name, 2
    while id in ids:
        id, number = f"{name} {number}", number + 1
    ids.add(id)
    return id


def _idea(cursor: Cursor) -> tuple[str, str, MindShape]:
    start = cursor.at
    opened = _opening(cursor)
    name = ""
    if opened is None:
        found = cursor.take(NAME)
        if found is None:
            cursor.fail("an idea", "write a text, or id[text]")
        name = found.group().strip()
        opened = _opening(cursor)
    if opened is None:
        name, _, _ = name.partition(":::")
        if cursor.take(END_OF_LINE) is None:
            cursor.fail("a new line", 'put a text that has brackets in quotes: id["text"]')
        return name.strip(), plain(name.strip()), MindShape.PLAIN
    opens, closes, shape = opened
    cursor.at += len(opens)
    label = _label(cursor, closes, start)
    cursor.take(DECORATION)
    if cursor.take(END_OF_LINE) is None:
        cursor.fail("a new line after the idea", "one idea on each line")
    return name or label, label, shape


def _opening(cursor: Cursor) -> tuple[str, str, MindShape] | None:
    return next((bracket for bracket in BRACKETS if cursor.starts_with(bracket[0])), None)


def _label(cursor: Cursor, closes: str, start: int) -> str:
    begin = cursor.at
    found = cursor.take(QUOTED) or cursor.take(BARE)
    if found:
        raw = next((text for text in found.groups() if text is not None), "")
        label = plain(f"`{raw}`" if found.group().startswith('"`') else raw.strip())
        cursor.skip_space()
        other = cursor.take(ANY_CLOSING)
        if other and label and (other.group() == closes or cursor.peek(END_OF_LINE)):
            if other.group() != closes:
                cursor.tolerate(f"{other.group()!r} was read as {closes!r}", at=other.start())
            return label
    end = cursor.text.find(closes, begin, begin + LONGEST_LABEL)
    label = plain(cursor.text[begin : max(end, begin)].strip())
    if not label:
        what = "a text" if end >= 0 else f"`{closes}` to close this idea"
        cursor.fail(what, 'put a text that has brackets in quotes: id["text"]', at=start)
    cursor.tolerate(f"the text {label[:40]!r} was read as if it were in quotes", at=begin)
    cursor.at = end + len(closes)
    return label
