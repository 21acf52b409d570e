"""Ink that nothing in the scene accounts for: a line nobody asked for, a letter outside its text, dirt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw

from layers.presentation.drawing.heads import pieces
from layers.presentation.drawing.pen import BRANCH_WIDTH, LINE_WIDTHS
from layers.presentation.lint.finding import error
from layers.presentation.lint.pixels.grid import Image, grown
from layers.presentation.scene import EdgeMark, GroupMark, NodeMark, PartMark, Point, Rect, Scene
from layers.presentation.shapes import details, outline
from layers.presentation.spec import Shape
from layers.presentation.types import Finding, Repair

AROUND = 5.0
"""Points of width that a drawn line accounts for: its own, its shadow, and what antialiasing adds."""
AROUND_LINE = 2.4
"""Points of width that antialiasing, and a curve that is no polygon, add to an edge."""
AROUND_HEAD = 2.0
"""Points around what sits at the end of a line."""
AROUND_TEXT = 3.0
MOST_STRAY = 24
"""Pixels."""


def judge(image: Image, scene: Scene) -> Iterator[Finding]:
    """One finding, around all the ink that is too much."""
    stray = image.ink & ~grown(_accounted(image, scene), 1)
    count = int(stray.sum())
    if count > MOST_STRAY:
        rows, columns = np.nonzero(stray)
        scale = image.scale
        box = Rect(
            columns.min() / scale,
            (image.height - rows.max()) / scale,
            columns.max() / scale,
            (image.height - rows.min()) / scale,
        )
        words = "something is in the picture that belongs to nothing that was asked for"
        yield error("stray_ink", (), words, box=box, measured=(count, MOST_STRAY), repair=Repair.REDRAW)


class _Brush:
    """Marks in points on a mask of pixels."""

    def __init__(self, image: Image) -> None:
        self.mask = Pictures.new("1", (image.width, image.height))
        self._pen = ImageDraw.Draw(self.mask)
        self._image = image

    def line(self, points: Sequence[Point], width: float = AROUND, *, closed: bool = False) -> None:
        """Along a line."""
        path = [self._at(point) for point in ((*points, points[0]) if closed else points)]
        self._pen.line(path, fill=1, width=max(1, round(width * self._image.scale)), joint="curve")

    def box(self, box: Rect) -> None:
        """A whole rectangle."""
        left, top = self._at((box.left, box.top))
        right, bottom = self._at((box.right, box.bottom))
        if right >= left and bottom >= top:
            self._pen.rectangle((left, top, right, bottom), fill=1)

    def _at(self, point: Point) -> tuple[float, float]:
        return point[0] * self._image.scale, self._image.height - point[1] * self._image.scale


def _accounted(image: Image, scene: Scene) -> npt.NDArray[np.bool_]:
    brush = _Brush(image)
    for group in scene.groups:
        _group(brush, group)
    for node in scene.nodes:
        _node(brush, node)
    for edge in scene.edges:
        _edge(brush, edge)
    for part in scene.parts:
        _part(brush, part)
    for _, text in scene.texts():
        brush.box(text.box.inset(-AROUND_TEXT))
    return np.asarray(brush.mask, dtype=np.bool_)


def _group(brush: _Brush, group: GroupMark) -> None:
    brush.line(outline(Shape.ROUNDED, group.box), closed=True)
    for divider in group.dividers:
        brush.line(divider)
    if group.is_state and group.text:
        y = group.text.box.bottom - 4
        brush.line(((group.box.left, y), (group.box.right, y)), AROUND * 2)


def _node(brush: _Brush, node: NodeMark) -> None:
    if node.shape is not Shape.TEXT:
        brush.line(outline(node.shape, node.box), AROUND, closed=True)
        if node.box.width < 30 or node.box.height < 30:  # start, end, bar, choice: all outline
            brush.box(node.box.inset(-2))
    for detail in details(node.shape, node.box):
        brush.line(detail)
    for rule in node.rules:
        brush.line(rule)


def _edge(brush: _Brush, edge: EdgeMark) -> None:
    width = BRANCH_WIDTH if edge.accent else LINE_WIDTHS[edge.style]
    brush.line(edge.path, width + AROUND_LINE)
    for kind, end, tip in zip(edge.arrows, (edge.curve[0], edge.curve[-1]), edge.tips, strict=True):
        points = [point for piece in pieces(kind, end, tip)[0] for point in piece.points] if tip else []
        if points:  # what is between the strokes is too narrow to be seen as ground
            xs, ys = [x for x, _ in points], [y for _, y in points]
            brush.box(Rect(min(xs), min(ys), max(xs), max(ys)).inset(-AROUND_HEAD))


def _part(brush: _Brush, part: PartMark) -> None:
    if part.points:
        brush.line(part.points, AROUND + part.width, closed=part.is_closed)
    if part.points and (part.box.width < 24 and part.box.height < 24):
        brush.box(part.box.inset(-2))
    if part.text and part.text.lines:
        brush.box(part.text.box.inset(-AROUND_TEXT))
