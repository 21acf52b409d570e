"""Mermaid's `pie` to `Pie`."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Pie, Slice

HEADER = re.compile(r"pie(?!\w)")
SHOW_DATA = re.compile(r"\s*showData\b")
TITLE = re.compile(r"title(?:[^\S\n]+([^\n]*)|(?=\n|$))")
LABEL = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
VALUE = re.compile(r"-?(?:\d+\.\d+|0|[1-9]\d*)(?![\d.])")
END_OF_LINE = re.compile(r"[^\S\n]*(?:%%[^\n]*)?(?:\n|$)")
MOST = 100


def parse_pie(cursor: Cursor, meta: Meta) -> Pie:
    """Read the whole pie that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    shows_values = cursor.take(SHOW_DATA) is not None
    slices: dict[str, float] = {}
    while True:
        cursor.skip_space()
        if cursor.is_done:
            break
        if found := cursor.take(TITLE):
            meta.title = plain((found.group(1) or "").partition("%%")[0].strip()) or meta.title
        elif not meta.take(cursor):
            label, value = _slice(cursor)
            if label in slices:
                cursor.tolerate(f"the slice {label!r} occurs twice; the first counts")
            slices.setdefault(label, value)
            if len(slices) > MOST:
                cursor.fail(f"at most {MOST} slices in one pie", "put the small ones together")
    if not slices:
        cursor.tolerate("the pie has no slices")
    return Pie(
        title=meta.title,
        alt=meta.alt,
        slices=tuple(Slice(label=label, value=value) for label, value in slices.items()),
        shows_values=shows_values,
    )


def _slice(cursor: Cursor) -> tuple[str, float]:
    start = cursor.at
    found = cursor.take(LABEL)
    if found is None:
        cursor.fail('a label in quotes, like "Dogs" : 40', "put the label in double quotes")
    label = plain(found.group(1) if found.group(1) is not None else found.group(2))
    cursor.skip_blanks()
    if not cursor.starts_with(":"):
        cursor.fail("`:` after the label", 'write "label" : number')
    cursor.at += 1
    cursor.skip_blanks()
    number = cursor.take(VALUE)
    if number is None or len(number.group()) > 30:
        cursor.fail("a number", "write digits and a point only, like 12.5")
    if number.group().startswith("-"):
        cursor.fail("a number of zero or more", "a slice cannot be negative", at=number.start())
    if cursor.take(END_OF_LINE) is None:
        cursor.fail("a new line after the number", "one slice on each line", at=max(start, cursor.at))
    return label, float(number.group())
