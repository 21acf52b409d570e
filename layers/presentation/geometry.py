"""Plane geometry on points, rectangles and polygons. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from layers.presentation.scene import Point, Rect


def length_inside(path: Sequence[Point], box: Rect) -> float:
    """How much of the line `path` runs inside `box`."""
    return sum(_clipped_length(start, end, box) for start, end in pairwise(path))


def _clipped_length(start: Point, end: Point, box: Rect) -> float:
    """Liang-Barsky: the length of the segment's part inside `box`."""
    (x0, y0), (x1, y1) = start, end
    if max(x0, x1) < box.left or min(x0, x1) > box.right or max(y0, y1) < box.bottom or min(y0, y1) > box.top:
        return 0.0
    dx, dy = x1 - x0, y1 - y0
    enter, leave = 0.0, 1.0
    for delta, room in ((-dx, x0 - box.left), (dx, box.right - x0), (-dy, y0 - box.bottom), (dy, box.top - y0)):
        if delta == 0:
            if room < 0:
                return 0.0
        elif delta < 0:
            enter = max(enter, room / delta)
        else:
            leave = min(leave, room / delta)
    return max(0.0, leave - enter) * hypot(dx, dy)


def bounds(path: Sequence[Point]) -> Rect:
    """The smallest rectangle around `path`."""
    xs, ys = [x for x, _ in path], [y for _, y in path]
    return Rect(min(xs), min(ys), max(xs), max(ys))


def is_inside(point: Point, polygon: Sequence[Point]) -> bool:
    """True when `point` lies in `polygon` (even-odd)."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in pairwise((*polygon, polygon[0])):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            inside = not inside
    return inside


def distance(point: Point, polygon: Sequence[Point]) -> float:
    """From `point` to the nearest place on the closed outline `polygon`."""
    return min(_to_segment(point, start, end) for start, end in pairwise((*polygon, polygon[0])))


def _to_segment(point: Point, start: Point, end: Point) -> float:
    (px, py), (x0, y0), (x1, y1) = point, start, end
    dx, dy = x1 - x0, y1 - y0
    squared = dx * dx + dy * dy
    t = 0.0 if squared == 0 else max(0.0, min(1.0, ((px - x0) * dx + (py - y0) * dy) / squared))
    return hypot(px - x0 - t * dx, py - y0 - t * dy)


def crossings(one: Sequence[Point], other: Sequence[Point]) -> int:
    """How often two lines cross."""
    a, b = bounds(one), bounds(other)
    if a.left > b.right or b.left > a.right or a.bottom > b.top or b.bottom > a.top:
        return 0
    return sum(_cross(p, q, r, s) for p, q in pairwise(one) for r, s in pairwise(other))


def _cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    return (_side(p, q, r) > 0) != (_side(p, q, s) > 0) and (_side(r, s, p) > 0) != (_side(r, s, q) > 0)


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
