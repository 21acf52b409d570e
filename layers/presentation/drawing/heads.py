"""What sits at the end of a line, as polygons and strokes around its tip. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin

from layers.presentation.scene import End, Point
from layers.presentation.spec import Cardinality, Head, RelationEnd, Tip

ARROW_LENGTH, ARROW_HALF = 9.0, 3.75
FOOT, FOOT_HALF = 11.0, 6.0
RING = 4.0


@dataclass(frozen=True, slots=True)
class Piece:
    """One stroke of a head."""

    points: tuple[Point, ...]
    is_closed: bool
    is_filled: bool = False
    """With the line's colour; a closed piece that is not filled shows the ground."""


def pieces(kind: End | Tip, end: Point, tip: Point) -> tuple[list[Piece], Point]:
    """What to draw for `kind` where a line that ends at `end` touches at `tip`, and where the line itself must stop."""
    if kind not in SHAPES:
        return [], tip
    drawn, stop = SHAPES[kind]
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length

    def place(at: Point) -> Point:
        back, aside = at
        return tip[0] - ux * back - uy * aside, tip[1] - uy * back + ux * aside

    placed = [Piece(tuple(place(at) for at in piece.points), piece.is_closed, piece.is_filled) for piece in drawn]
    return placed, place((stop, 0.0))


def reach(kind: End | Tip) -> float:
    """How far the head reaches back from the tip."""
    drawn, _ = SHAPES.get(kind, ([], 0.0))
    return max((back for piece in drawn for back, _ in piece.points), default=0.0)


def _ring(back: float, radius: float) -> Piece:
    angles = [2 * pi * step / 24 for step in range(24)]
    return Piece(tuple((back + radius * cos(angle), radius * sin(angle)) for angle in angles), is_closed=True)


def _bar(back: float) -> Piece:
    return Piece(((back, -5.0), (back, 5.0)), is_closed=False)


def _stroke(*points: Point) -> Piece:
    return Piece(points, is_closed=False)


def _diamond(*, is_filled: bool) -> Piece:
    return Piece(((0, 0), (8, 4.6), (16, 0), (8, -4.6)), is_closed=True, is_filled=is_filled)


_CROW = [_stroke((0, -FOOT_HALF), (FOOT, 0), (0, FOOT_HALF))]
_CROSS = [_stroke((1.6, -3.6), (8.4, 3.6)), _stroke((1.6, 3.6), (8.4, -3.6))]
_ARROW = [Piece(((0, 0), (ARROW_LENGTH, ARROW_HALF), (ARROW_LENGTH, -ARROW_HALF)), is_closed=True, is_filled=True)]
_OPEN = [_stroke((8.5, 4.6), (0, 0), (8.5, -4.6))]

SHAPES: dict[End | Tip, tuple[list[Piece], float]] = {
    Head.ARROW: (_ARROW, ARROW_LENGTH / 2),
    Head.CIRCLE: ([_ring(3.6, 3.6)], 7.2),
    Head.CROSS: (_CROSS, 0.0),
    RelationEnd.EXTENSION: ([Piece(((0, 0), (12, 6.6), (12, -6.6)), is_closed=True)], 12.0),
    RelationEnd.COMPOSITION: ([_diamond(is_filled=True)], 16.0),
    RelationEnd.AGGREGATION: ([_diamond(is_filled=False)], 16.0),
    RelationEnd.DEPENDENCY: (_OPEN, 0.0),
    RelationEnd.LOLLIPOP: ([_ring(5.0, 5.0)], 10.0),
    Cardinality.ONE: ([_bar(6.0), _bar(10.5)], 0.0),
    Cardinality.ZERO_OR_ONE: ([_bar(6.0), _ring(9.0 + RING, RING)], 0.0),
    Cardinality.ONE_OR_MORE: ([*_CROW, _bar(FOOT + 3.0)], 0.0),
    Cardinality.ZERO_OR_MORE: ([*_CROW, _ring(FOOT + RING, RING)], 0.0),
    Tip.ARROW: (_ARROW, ARROW_LENGTH / 2),
    Tip.OPEN: (_OPEN, 0.0),
    Tip.CROSS: (_CROSS, 0.0),
    Tip.HALF_TOP: ([Piece(((0, 0), (ARROW_LENGTH, 0), (ARROW_LENGTH, 4.6)), is_closed=True, is_filled=True)], 0.0),
    Tip.HALF_BOTTOM: ([Piece(((0, 0), (ARROW_LENGTH, 0), (ARROW_LENGTH, -4.6)), is_closed=True, is_filled=True)], 0.0),
}
"""Strokes as (distance back from the tip, distance aside), and how far from the tip the line ends.

Enumerations of strings with equal values are equal keys: `Head.ARROW` and `Tip.ARROW` have one look on purpose.
"""
