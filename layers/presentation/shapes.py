"""The outlines of the shapes as polygons: what is drawn, where text must stay, how big a box a label needs. Pure."""

from __future__ import annotations

from math import cos, hypot, pi, sin

from layers.presentation.scene import Outline, Point, Rect, Special
from layers.presentation.spec import Shape

CORNER = 6.0
PAD_X, PAD_Y = 15.0, 10.0
LEAST_WIDTH, LEAST_HEIGHT = 54.0, 38.0
SLANT = 0.32
"""How far slanted sides lean, as a share of the height."""
LID = 6.0
"""Half the height of a cylinder's lid, and of a document's wave."""
RIB = 7.0
"""From a subroutine's side to its inner line."""
GAP = 4.0
"""Between the rings of a double circle."""
FOLD = 10.0
"""Side of a note's folded corner."""
BUMPS, SPIKES = 11, 14
BUMP_DEPTH, SPIKE_DEPTH = 0.12, 0.2
"""How far a cloud's and a bang's outline goes in, as a share of the radius."""


def box_size(shape: Shape, text_width: float, text_height: float) -> tuple[float, float]:
    """Width and height of the box in which `shape` holds a text of this size."""
    width, height = max(text_width + 2 * PAD_X, LEAST_WIDTH), max(text_height + 2 * PAD_Y, LEAST_HEIGHT)
    match shape:
        case Shape.DIAMOND:
            return max(1.5 * text_width + 30, 80), max(2.3 * text_height + 24, 60)
        case Shape.CIRCLE | Shape.DOUBLE_CIRCLE:
            ring = 2 * GAP if shape is Shape.DOUBLE_CIRCLE else 0
            side = max(hypot(text_width, text_height) + 14, LEAST_HEIGHT) + ring
            return side, side
        case Shape.ELLIPSE:
            return max(1.42 * text_width + 16, LEAST_WIDTH), max(1.42 * text_height + 12, LEAST_HEIGHT)
        case Shape.TRIANGLE:
            return 2 * text_width + 40, 2 * text_height + 24
        case Shape.STADIUM | Shape.HEXAGON | Shape.FLAG:
            return width + height * 0.3, height
        case Shape.LEAN_LEFT | Shape.LEAN_RIGHT | Shape.TRAPEZOID | Shape.TRAPEZOID_TOP:
            return width + 2 * SLANT * height, height
        case Shape.SUBROUTINE:
            return width + 2 * RIB, height
        case Shape.CYLINDER:
            return width, height + 3 * LID
        case Shape.DOCUMENT:
            return width, height + 2 * LID
        case Shape.TEXT:
            return text_width + 12, text_height + 10
        case _:
            return width, height


def text_centre(shape: Outline, box: Rect) -> Point:
    """Where the middle of the label goes."""
    x, y = box.centre
    match shape:
        case Shape.CYLINDER:
            return x, y - LID
        case Shape.DOCUMENT:
            return x, y + LID
        case Shape.TRIANGLE:
            return x, box.bottom + box.height * 0.3
        case Shape.FLAG:
            return x + box.height * 0.12, y
        case _:
            return x, y


def outline(shape: Outline, box: Rect) -> list[Point]:
    """The closed polygon of `shape` in `box`."""
    left, bottom, right, top = box
    x, y = box.centre
    lean = SLANT * box.height
    match shape:
        case Shape.DIAMOND | Special.CHOICE:
            return [(x, top), (right, y), (x, bottom), (left, y)]
        case Special.NOTE | Special.BAR | Special.IDEA | Special.CLOUD | Special.BANG:
            return _special(shape, box)
        case Shape.CIRCLE | Shape.DOUBLE_CIRCLE | Shape.ELLIPSE | Special.START | Special.END:
            return _arc((x, y), (box.width / 2, box.height / 2), (0, 2 * pi), 48)[:-1]
        case Shape.STADIUM:
            return _rounded(box, box.height / 2)
        case Shape.ROUNDED:
            return _rounded(box, min(14, box.height / 2))
        case Shape.HEXAGON:
            return _hexagon(box)
        case Shape.LEAN_RIGHT:
            return [(left + lean, top), (right, top), (right - lean, bottom), (left, bottom)]
        case Shape.LEAN_LEFT:
            return [(left, top), (right - lean, top), (right, bottom), (left + lean, bottom)]
        case Shape.TRAPEZOID:
            return [(left + lean, top), (right - lean, top), (right, bottom), (left, bottom)]
        case Shape.TRAPEZOID_TOP:
            return [(left, top), (right, top), (right - lean, bottom), (left + lean, bottom)]
        case Shape.FLAG:
            return [(left, top), (right, top), (right, bottom), (left, bottom), (left + 0.28 * box.height, y)]
        case Shape.TRIANGLE:
            return [(x, top), (right, bottom), (left, bottom)]
        case Shape.CYLINDER:
            upper = _arc((x, top - LID), (box.width / 2, LID), (pi, 0), 24)
            return upper + _arc((x, bottom + LID), (box.width / 2, LID), (0, -pi), 24)
        case Shape.DOCUMENT:
            return [(left, top), (right, top), *_wave(box)]
        case _:
            return _rounded(box, CORNER)


def _special(shape: Outline, box: Rect) -> list[Point]:
    """Outlines of state diagrams, notes and mindmaps."""
    left, bottom, right, top = box
    match shape:
        case Special.NOTE:
            fold = min(FOLD, box.width / 3, box.height / 3)
            return [(left, top), (right - fold, top), (right, top - fold), (right, bottom), (left, bottom)]
        case Special.BAR:
            return _rounded(box, min(box.width, box.height) / 2)
        case Special.IDEA:
            return _rounded(box, min(10, box.height / 2))
        case Special.CLOUD:
            return _wavy(box, BUMPS)
        case Special.BANG:
            return _spiky(box, SPIKES)
        case _:
            return rounded(box, CORNER)


def details(shape: Outline, box: Rect) -> list[list[Point]]:
    """Open lines drawn inside the outline."""
    x, y = box.centre
    if shape is Shape.SUBROUTINE:
        return [[(side, box.bottom), (side, box.top)] for side in (box.left + RIB, box.right - RIB)]
    if shape is Shape.CYLINDER:
        return [_arc((x, box.top - LID), (box.width / 2, LID), (-pi, 0), 24)]
    if shape is Shape.DOUBLE_CIRCLE:
        return [_arc((x, y), (box.width / 2 - GAP, box.height / 2 - GAP), (0, 2 * pi), 48)]
    if shape is Special.NOTE:
        fold = min(FOLD, box.width / 3, box.height / 3)
        corner = (box.right - fold, box.top - fold)
        return [[(box.right - fold, box.top), corner, (box.right, box.top - fold)]]
    return []


def _hexagon(box: Rect) -> list[Point]:
    left, bottom, right, top = box
    cut, y = 0.28 * box.height, box.centre[1]
    return [(left + cut, top), (right - cut, top), (right, y), (right - cut, bottom), (left + cut, bottom), (left, y)]


def _arc(centre: Point, radii: Point, span: tuple[float, float], steps: int) -> list[Point]:
    """Points along an ellipse, from the first angle of `span` to the second."""
    (x, y), (rx, ry), (start, end) = centre, radii, span
    angles = [start + (end - start) * step / steps for step in range(steps + 1)]
    return [(x + rx * cos(angle), y + ry * sin(angle)) for angle in angles]


def _wavy(box: Rect, bumps: int) -> list[Point]:
    """An ellipse of round bumps."""
    (x, y), steps = box.centre, bumps * 10
    angles = [2 * pi * step / steps for step in range(steps)]
    radii = [1 - BUMP_DEPTH * (1 - abs(sin(angle * bumps / 2))) for angle in angles]
    return [
        (x + radius * cos(angle) * box.width / 2, y + radius * sin(angle) * box.height / 2)
        for angle, radius in zip(angles, radii, strict=True)
    ]


def _spiky(box: Rect, spikes: int) -> list[Point]:
    """An ellipse of points."""
    x, y = box.centre
    angles = [pi * step / spikes for step in range(2 * spikes)]
    radii = [1 - SPIKE_DEPTH * (step % 2) for step in range(2 * spikes)]
    return [
        (x + radius * cos(angle) * box.width / 2, y + radius * sin(angle) * box.height / 2)
        for angle, radius in zip(angles, radii, strict=True)
    ]


def rounded(box: Rect, radius: float) -> list[Point]:
    """A rectangle with round corners."""
    return _rounded(box, min(radius, box.width / 2, box.height / 2))


def circle(centre: Point, radius: float) -> list[Point]:
    """A circle as a polygon."""
    return _arc(centre, (radius, radius), (0, 2 * pi), 32)[:-1]


def _rounded(box: Rect, radius: float) -> list[Point]:
    left, bottom, right, top = box
    return [
        *_arc((right - radius, top - radius), (radius, radius), (pi / 2, 0), 8),
        *_arc((right - radius, bottom + radius), (radius, radius), (0, -pi / 2), 8),
        *_arc((left + radius, bottom + radius), (radius, radius), (-pi / 2, -pi), 8),
        *_arc((left + radius, top - radius), (radius, radius), (pi, pi / 2), 8),
    ]


def _wave(box: Rect) -> list[Point]:
    steps = 24
    return [
        (box.right - box.width * step / steps, box.bottom + LID - LID * sin(2 * pi * step / steps))
        for step in range(steps + 1)
    ]
