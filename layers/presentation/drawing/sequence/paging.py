"""Where a sequence is cut into pages: a page repeats the heads of those who act on it, and no others.

Leaving out who is silent makes pages narrower, so that text stays legible at the width of a phone. A cut prefers the
end of a block to its middle; a block that is cut says on the next page that it continues.
"""

from __future__ import annotations

from collections.abc import Sequence

from layers.presentation.drawing.lettering import TALLEST, WIDEST_BODY
from layers.presentation.drawing.sequence.columns import place_columns
from layers.presentation.drawing.sequence.page import draw_page
from layers.presentation.drawing.sequence.rows import Row, rows_of
from layers.presentation.drawing.sheet import MARGIN, Sheet
from layers.presentation.scene import Scene
from layers.presentation.spec import SequenceDiagram

WRAPS = (170.0, 145.0, 124.0, 108.0, 94.0)
WIDEST = WIDEST_BODY - 2 * MARGIN
TALLEST_WHOLE = 1200.0
"""Points; a single page may be this tall before it is cut."""
TALLEST_PAGE = WIDEST_BODY * TALLEST
LOOK_BACK = 0.5
"""A cut may leave this share of a page empty for the sake of a better place."""


def plan_sequence(spec: SequenceDiagram, *, is_paged: bool = True) -> tuple[Scene, ...]:
    """One scene where that is legible or wished for, otherwise a page for each stretch of rows."""
    rows = rows_of(spec)
    everybody = frozenset(one.id for one in spec.participants)
    whole = _sheet(spec, rows, everybody)
    if not is_paged or not rows or _fits(whole, TALLEST_WHOLE):
        return (whole.finish(spec.title),)
    silent = everybody - {name for row in rows for name in row.names}
    sheets = [
        _sheet(spec, rows[start:stop], frozenset() if start else silent) for start, stop in _cuts(spec, rows, silent)
    ]
    title = spec.title or "Sequence"
    return tuple(sheet.finish(title, page=(number, len(sheets))) for number, sheet in enumerate(sheets, 1))


def _sheet(spec: SequenceDiagram, rows: Sequence[Row], also: frozenset[str]) -> Sheet:
    best: Sheet | None = None
    for wrap in WRAPS:
        sheet = draw_page(spec, place_columns(spec, rows, wrap, also), rows)
        if best is None or sheet.reach().width < best.reach().width:
            best = sheet
        if sheet.reach().width <= WIDEST:
            return sheet
    assert best is not None
    return best


def _fits(sheet: Sheet, tallest: float) -> bool:
    reach = sheet.reach()
    return reach.width <= WIDEST and reach.height <= tallest


def _cuts(spec: SequenceDiagram, rows: Sequence[Row], silent: frozenset[str]) -> list[tuple[int, int]]:
    """(first row, row after the last) of each page. Whoever is named nowhere stands on the first."""
    cuts, start = [], 0
    while start < len(rows):
        stop = start + 1
        also = frozenset() if start else silent
        while stop < len(rows) and _fits(_sheet(spec, rows[start : stop + 1], also), TALLEST_PAGE):
            stop += 1
        if stop < len(rows):
            stop = _better(rows, start, stop)
        cuts.append((start, stop))
        start = stop
    return cuts


def _better(rows: Sequence[Row], start: int, stop: int) -> int:
    """The latest cut at the shallowest depth among those that leave the page full enough."""
    first = start + max(1, int((stop - start) * (1 - LOOK_BACK)))
    return min(range(first, stop + 1), key=lambda cut: (_depth(rows, cut), -cut))


def _depth(rows: Sequence[Row], cut: int) -> float:
    """How bad a cut before row `cut` is: the blocks it goes through; the middle of a branch is worse than its edge."""
    row = rows[cut]
    if row.closes:
        return len(row.open) + 2.0
    return len(row.open) - (0.5 if row.divides else 0.0) + (1.0 if rows[cut - 1].opens else 0.0)
