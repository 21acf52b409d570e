"""A table's cells -> blocks that can be read in a column of text: a grid where it is narrow, else one item per row."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from bot.adapters.text.tree import Code, Document, Item, List, Paragraph, Run, Runs, Style, flat

WIDEST = 64
"""Columns of a fixed-width font. A wider grid wraps in every chat window, and then nobody can read it."""


def lay_out(rows: Sequence[Sequence[Runs]], aligns: Sequence[str]) -> Document:
    """Rows of cells, the header first; a row may be longer than the header."""
    texts = [[flat(cell).replace("\n", " ") for cell in row] for row in rows]
    if not any(cell for row in texts for cell in row):
        return ()
    columns = max(len(row) for row in texts)
    padded = [[*row, *[""] * (columns - len(row))] for row in texts]
    widths = [max(width(row[column]) for row in padded) for column in range(columns)]
    if sum(widths) + 3 * (columns - 1) <= WIDEST or len(rows) == 1:
        return (Code(grid(padded, widths, [*aligns, *[""] * (columns - len(aligns))])),)
    records = [record(rows[0], row, is_whole=row is rows[1]) for row in rows[1:]]
    return (List(tuple(Item((Paragraph(runs),)) for runs in records if runs)),)


def grid(rows: Sequence[Sequence[str]], widths: Sequence[int], aligns: Sequence[str]) -> str:
    """Cells in columns of a fixed-width font."""
    lines = [" | ".join(map(pad, row, widths, aligns)).rstrip() for row in rows]
    return "\n".join([lines[0], "-+-".join("-" * wide for wide in widths), *lines[1:]])


def pad(cell: str, wide: int, align: str) -> str:
    """A cell as wide as its column."""
    room = wide - width(cell)
    left = {"right": room, "center": room // 2}.get(align, 0)
    return " " * left + cell + " " * (room - left)


def record(header: Sequence[Runs], row: Sequence[Runs], *, is_whole: bool) -> Runs:
    """A row as lines of `Header: cell`, looks and links kept; without empty cells unless `is_whole`."""
    runs: list[Run] = []
    for column, cell in enumerate(row):
        name = header[column] if column < len(header) else ()
        if not cell and not (name and is_whole):
            continue
        if runs:
            runs.append(Run("\n"))
        if name:
            runs += [*(replace(run, style=run.style | Style.BOLD) for run in name), Run(": ")]
        runs += cell
    return tuple(runs)


def width(text: str) -> int:
    """Columns a text takes: two for East Asian wide characters and emoji, none for marks and joiners."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
