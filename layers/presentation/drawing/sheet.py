"""A sheet on which parts are put: marks in, a `Scene` with margins and a heading out.

Whoever plans on it counts y downwards from 0 into the negative; `finish` moves everything on to the paper.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from layers.presentation.drawing import lettering
from layers.presentation.drawing.lettering import block, centred
from layers.presentation.scene import PartMark, Rect, Scene, TextMark

MARGIN = 16.0
HEADING_GAP = 14.0
LEAST_WIDTH = 300.0
MOST_ASPECT = 3.0
"""Flatter drawings get paper above and below."""
DUST = 1e-6


class Sheet:
    """Collects parts."""

    def __init__(self) -> None:
        self.parts: list[PartMark] = []

    def add(self, *parts: PartMark) -> None:
        """On top of what is there."""
        self.parts += parts

    def reach(self) -> Rect:
        """Around everything so far, lines and heads with their width."""
        boxes = [part.box for part in self.parts if part.points]
        boxes += [part.text.box for part in self.parts if part.text]
        return _around(boxes)

    def finish(self, title: str, *, page: tuple[int, int] = (1, 1)) -> Scene:
        """Everything on paper, the heading above. `page` is (number, of how many)."""
        reach = self.reach()
        inner = max(reach.width, LEAST_WIDTH - 2 * MARGIN)
        count = f" ({page[0]} of {page[1]})" if page[1] > 1 else ""
        heading = block(title.strip() + count, inner, lettering.TITLE, bold=True)
        room = heading.box.height + HEADING_GAP if heading else 0.0
        width = float(ceil(inner + 2 * MARGIN - DUST))  # whole points are whole pixels
        needed = reach.height + room + 2 * MARGIN
        height = float(ceil(max(needed, width / MOST_ASPECT) - DUST))
        dx = (width - reach.width) / 2 - reach.left
        dy = height - MARGIN - room - (height - needed) / 2 - reach.top
        if heading:
            heading = centred(heading, (width / 2, height - MARGIN - (height - needed) / 2 - heading.box.height / 2))
        return Scene(width, height, title=heading, parts=tuple(moved(part, dx, dy) for part in self.parts))


def moved(part: PartMark, dx: float, dy: float) -> PartMark:
    """The same part elsewhere."""
    return replace(
        part,
        points=tuple((x + dx, y + dy) for x, y in part.points),
        text=None if part.text is None else _moved(part.text, dx, dy),
    )


def _moved(text: TextMark, dx: float, dy: float) -> TextMark:
    return replace(text, box=text.box.moved(dx, dy))


def _around(boxes: list[Rect]) -> Rect:
    if not boxes:
        return Rect(0, 0, 0, 0)
    return Rect(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )
