"""Mermaid's `xychart` to `Chart`: bars, lines, or both."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Axis, Chart, ChartType, Series

HEADER = re.compile(r"xychart(?:-beta)?(?![\w-])", re.IGNORECASE)
ORIENTATION = re.compile(r"[^\S\n]+(vertical|horizontal)\b", re.IGNORECASE)
SEPARATORS = re.compile(r"(?:\s|;)+")
STATEMENT = re.compile(r"(title|x-axis|y-axis|line|bar)(?![\w-])", re.IGNORECASE)
QUOTED = re.compile(r"\"`((?:(?!`\").)+)`\"|\"([^\"]*)\"", re.DOTALL)
_WORD = r"(?:[A-Za-z0-9+=*.#&_-](?!->)|[^\x00-\x7f])+"
BARE = re.compile(rf"{_WORD}(?:[^\S\n]+(?![+-]?[\d.]){_WORD})*")
BARE_CATEGORY = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)")
RANGE = re.compile(r"([+-]?(?:\d+(?:\.\d+)?|\.\d+))\s*-->\s*([+-]?(?:\d+(?:\.\d+)?|\.\d+))")
END_OF_STATEMENT = re.compile(r"[^\S\n]*(?:%%[^\n]*)?(?:[;\n]|$)")
COMMA = re.compile(r"\s*,\s*")
MOST = 1000


def parse_xychart(cursor: Cursor, meta: Meta) -> Chart:
    """Read the whole chart that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    found = cursor.take(ORIENTATION)
    is_horizontal = found is not None and found.group(1).lower() == "horizontal"
    axes = {"x": Axis(), "y": Axis()}
    series: list[tuple[ChartType, str, tuple[float, ...]]] = []
    while True:
        cursor.take(SEPARATORS)
        if cursor.is_done:
            break
        if meta.take(cursor):
            continue
        start = cursor.at
        word = cursor.take(STATEMENT)
        if word is None:
            cursor.fail("title, x-axis, y-axis, line or bar", "write e.g. bar [10, 20, 30]")
        name = word.group(1).lower()
        if name == "title":
            meta.title = _text(cursor) or cursor.fail("a title", 'put it in quotes: title "Sales"')
        elif name in ("x-axis", "y-axis"):
            axes[name[0]] = _axis(cursor, may_have_categories=name == "x-axis")
        else:
            label = "" if cursor.peek(re.compile(r"\s*\[")) else _text(cursor)
            series.append((ChartType(name), label, _numbers(cursor)))
            if len(series) > MOST:
                cursor.fail(f"at most {MOST} series in one chart", "split it into several", at=start)
        if cursor.take(END_OF_STATEMENT) is None:
            cursor.skip_blanks()
            cursor.fail("a new line", 'put a text with spaces in double quotes: "two words"')
    return _chart(cursor, meta, axes, series, is_horizontal=is_horizontal)


def _chart(
    cursor: Cursor,
    meta: Meta,
    axes: dict[str, Axis],
    series: list[tuple[ChartType, str, tuple[float, ...]]],
    *,
    is_horizontal: bool,
) -> Chart:
    is_bar = any(kind is ChartType.BAR for kind, _, _ in series)
    type = ChartType.BAR if is_bar or not series else ChartType.LINE
    categories = axes["x"].categories
    taken: set[str] = set()
    made = []
    for kind, label, values in series:
        if categories and len(values) > len(categories):
            cursor.tolerate(f"{len(values)} values for {len(categories)} categories; the last ones are left out")
            values = values[: len(categories)]
        own: ChartType | None = None if kind is type else kind
        name = label if label not in taken else ""
        taken.add(label)
        made.append(Series.model_validate({"name": name, "values": values, "type": own}))
    return Chart(
        title=meta.title,
        alt=meta.alt,
        type=type,
        series=tuple(made),
        x=axes["x"],
        y=axes["y"],
        is_horizontal=is_horizontal,
    )


def _text(cursor: Cursor, bare: re.Pattern[str] = BARE) -> str:
    cursor.skip_blanks()
    if found := cursor.take(QUOTED):
        return plain(f"`{found.group(1)}`") if found.group(1) is not None else plain(found.group(2))
    found = cursor.take(bare)
    if found and len(found.group().split()) > 1:
        cursor.tolerate(f"the text {found.group()[:40]!r} was read as if it were in quotes", at=found.start())
    return plain(found.group()) if found else ""


def _axis(cursor: Cursor, *, may_have_categories: bool) -> Axis:
    cursor.skip_blanks()
    title = ""
    if not cursor.peek(RANGE) and not cursor.starts_with("["):
        title = _text(cursor)
        cursor.skip_blanks()
    if found := cursor.take(RANGE):
        low, high = sorted((_number(found.group(1)), _number(found.group(2))))
        if low == high:
            cursor.tolerate("the axis begins where it ends; it is fitted to the data", at=found.start())
            return Axis(title=title)
        return Axis(title=title, low=low, high=high)
    if may_have_categories and cursor.starts_with("["):
        cursor.at += 1
        return Axis(title=title, categories=tuple(_items(cursor)))
    return Axis(title=title)


def _items(cursor: Cursor) -> list[str]:
    items: list[str] = []
    while True:
        cursor.skip_space()
        start = cursor.at
        text = _text(cursor, BARE_CATEGORY)
        if cursor.at == start:
            cursor.fail("a category", 'put a text with spaces in double quotes: ["first quarter", "second"]')
        items.append(text)
        cursor.skip_space()
        if cursor.starts_with("]"):
            cursor.at += 1
            return items
        if cursor.take(COMMA) is None or len(items) > MOST:
            cursor.fail("`,` or `]` in the list", 'put a text with spaces in double quotes: "two words"')


def _numbers(cursor: Cursor) -> tuple[float, ...]:
    cursor.skip_blanks()
    if not cursor.starts_with("["):
        cursor.fail("`[` and numbers", "write e.g. bar [10, 20, 30]")
    cursor.at += 1
    values: list[float] = []
    while True:
        cursor.skip_space()
        found = cursor.take(NUMBER)
        if found is None:
            cursor.fail("a number", "write digits and a point only: [10, 20.5]")
        values.append(_number(found.group()))
        cursor.skip_space()
        if cursor.starts_with("]"):
            cursor.at += 1
            return tuple(values)
        if cursor.take(COMMA) is None or len(values) > MOST:
            cursor.fail("`,` or `]` in the list of numbers", "write e.g. [10, 20, 30]")


def _number(text: str) -> float:
    return float(text[:30])
