"""Lines of straight pieces as `Route`s: corners are rounded, ends stop before their heads. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from layers.presentation.layout.engine import Route
from layers.presentation.scene import Point, Rect

CORNER = 7.0
"""Points of line that a rounded corner takes from each of its pieces."""
SAME = 0.01


def rounded(points: Sequence[Point], head_lengths: tuple[float, float], label: Point | None = None) -> Route:
    """The route along `points`, which run from tip to tip."""
    line = _without_repeats(points)
    tips = (line[0] if head_lengths[0] else None, line[-1] if head_lengths[1] else None)
    line[0] = _shortened(line[0], line[1], head_lengths[0])
    line[-1] = _shortened(line[-1], line[-2], head_lengths[1])
    curve = [line[0]]
    for before, corner, after in zip(line, line[1:], line[2:], strict=False):
        start, end = _towards(corner, before, CORNER), _towards(corner, after, CORNER)
        curve += [*_straight(curve[-1], start), _between(start, corner), _between(end, corner), end]
    curve += _straight(curve[-1], line[-1])
    return Route(tuple(curve), tips, label)


def loop(box: Rect, out: float, head_lengths: tuple[float, float]) -> Route:
    """From the right side and back to it."""
    x, y = box.right, box.centre[1]
    half = min(9.0, box.height / 4)
    return rounded([(x, y + half), (x + out + 10, y + half), (x + out + 10, y - half), (x, y - half)], head_lengths)


def outside(points: Sequence[Point], box: Rect) -> list[Point]:
    """The line from where it last leaves `box`; as it is when it begins outside."""
    for number in range(len(points) - 1, 0, -1):
        (x0, y0), (x1, y1) = points[number - 1], points[number]
        if _is_within((x0, y0), box) and not _is_within((x1, y1), box):
            shares = [1.0]
            shares += [(side - x0) / (x1 - x0) for side in (box.left, box.right) if x1 != x0]
            shares += [(side - y0) / (y1 - y0) for side in (box.bottom, box.top) if y1 != y0]
            share = min(share for share in shares if share >= 0)
            return [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share), *points[number:]]
    return list(points)


def _is_within(point: Point, box: Rect) -> bool:
    return box.left - SAME < point[0] < box.right + SAME and box.bottom - SAME < point[1] < box.top + SAME


def _without_repeats(points: Sequence[Point]) -> list[Point]:
    line = [points[0]]
    line += [at for before, at in pairwise(points) if _distance(before, at) > SAME]
    return line if len(line) > 1 else [points[0], (points[0][0], points[0][1] - SAME)]


def _shortened(end: Point, neighbour: Point, by: float) -> Point:
    """The end moved towards its neighbour, as far as leaves something of the piece."""
    room = _distance(end, neighbour)
    share = min(by, room * 0.9) / room if room > SAME else 0.0
    return end[0] + (neighbour[0] - end[0]) * share, end[1] + (neighbour[1] - end[1]) * share


def _towards(start: Point, end: Point, by: float) -> Point:
    """`by` points from `start` towards `end`, half way at most."""
    room = _distance(start, end)
    share = min(0.5, by / room) if room > SAME else 0.0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _straight(start: Point, end: Point) -> list[Point]:
    """Control points of a Bezier that is straight, without its first."""
    third = (end[0] - start[0]) / 3, (end[1] - start[1]) / 3
    return [(start[0] + third[0], start[1] + third[1]), (end[0] - third[0], end[1] - third[1]), end]


def _between(end: Point, corner: Point) -> Point:
    return (end[0] + 2 * corner[0]) / 3, (end[1] + 2 * corner[1]) / 3


def _distance(a: Point, b: Point) -> float:
    return hypot(b[0] - a[0], b[1] - a[1])
