"""Plane geometry on points, rectangles and polygons. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from layers.presentation.scene import EdgeMark, Point, Rect


def length_inside(path: Sequence[Point], box: Rect) -> float:
    """How much of the line `path` runs inside `box`."""
    left, bottom, right, top = box
    total = 0.0
    for (x0, y0), (x1, y1) in pairwise(path):
        is_beside = (x0 < left and x1 < left) or (x0 > right and x1 > right)
        if not (is_beside or (y0 < bottom and y1 < bottom) or (y0 > top and y1 > top)):
            total += _clipped_length((x0, y0), (x1, y1), box)
    return total


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


def crossings(one: EdgeMark, other: EdgeMark) -> int:
    """How often two edges cross. Only what lies where both reach is compared: there are many pairs."""
    a, b = one.reach, other.reach
    common = Rect(max(a.left, b.left), max(a.bottom, b.bottom), min(a.right, b.right), min(a.top, b.top))
    if common.left > common.right or common.bottom > common.top:
        return 0
    near = _segments_near(one.path, common)
    return sum(_cross(p, q, r, s) for r, s in _segments_near(other.path, common) for p, q in near) if near else 0


def _segments_near(path: Sequence[Point], box: Rect) -> list[tuple[Point, Point]]:
    left, bottom, right, top = box
    return [
        (p, q)
        for p, q in pairwise(path)
        if not (
            (p[0] < left and q[0] < left)
            or (p[0] > right and q[0] > right)
            or (p[1] < bottom and q[1] < bottom)
            or (p[1] > top and q[1] > top)
        )
    ]


def _cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    (px, py), (qx, qy), (rx, ry), (sx, sy) = p, q, r, s
    dx, dy, ex, ey = qx - px, qy - py, sx - rx, sy - ry
    return (dx * (ry - py) > dy * (rx - px)) != (dx * (sy - py) > dy * (sx - px)) and (
        (ex * (py - ry) > ey * (px - rx)) != (ex * (qy - ry) > ey * (qx - rx))
    )
