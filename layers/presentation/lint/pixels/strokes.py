"""Lines and outlines in the pixels: they can be followed from end to end, and the heads are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot

import numpy as np

from layers.presentation.drawing.heads import pieces
from layers.presentation.lint.finding import error
from layers.presentation.lint.pixels.grid import Image, contrast
from layers.presentation.scene import EdgeMark, End, Part, Point, Rect, Scene
from layers.presentation.shapes import outline
from layers.presentation.spec import Line, Shape
from layers.presentation.types import Finding, Repair

STEP = 0.75
"""Points between two places that are looked at."""
LEAST_SEEN = {Line.SOLID: 0.8, Line.THICK: 0.8, Line.DOTTED: 0.3, Line.HIDDEN: 0.0}
"""Share of a line's places that must show ink."""
LEAST_OUTLINE = 0.88
LEAST_HEAD = 0.6
LEAST_LINE_CONTRAST = 1.7
BESIDE = 3.5
"""Points from a line to the ground beside it."""
BARE = (Shape.TEXT,)
LEAST_DASHED = 0.3
SHOWN = (Part.HEAD, Part.NOTE, Part.BAR, Part.CARD, Part.FRAME)
"""Parts whose outline must be seen."""
FOLLOWED = (Part.MESSAGE, Part.LIFELINE, Part.AXIS, Part.DIVIDER, Part.MARKER)
"""Parts that are lines to be followed."""


def judge(image: Image, scene: Scene) -> Iterator[Finding]:
    """Lines, heads, outlines."""
    covers = [text.box.inset(-3) for _, text in scene.texts()] + [node.box.inset(-1) for node in scene.nodes]
    for edge in scene.edges:
        yield from _line(image, edge, covers)
        yield from _heads(image, edge)
    for group in scene.groups:
        share = _outline_share(image, outline(Shape.ROUNDED, group.box))
        if share < LEAST_OUTLINE:
            words, measured = f"the frame {group.id!r} is not where it should be", (share, LEAST_OUTLINE)
            yield error("hidden_group", (group.id,), words, box=group.box, measured=measured, repair=Repair.REDRAW)
    for node in scene.nodes:
        if node.shape in BARE:
            continue
        share = _outline_share(image, outline(node.shape, node.box))
        if share < LEAST_OUTLINE:
            words = f"{node.id!r} is not where it should be, or hidden"
            measured = (share, LEAST_OUTLINE)
            yield error("hidden_node", (node.id,), words, box=node.box, measured=measured, repair=Repair.REDRAW)
    for part in scene.parts:
        if part.part in SHOWN and part.is_closed and len(part.points) > 2 and (part.fill or part.line):
            share = _outline_share(image, part.points)
            if share < LEAST_OUTLINE and part.box.width > 3 and part.box.height > 3:
                words, measured = f"{part.id!r} cannot be seen", (share, LEAST_OUTLINE)
                yield error("hidden_part", (part.id,), words, box=part.box, measured=measured, repair=Repair.REDRAW)
        elif part.part in FOLLOWED and not part.is_closed:
            least = LEAST_DASHED if part.is_dashed else LEAST_SEEN[Line.SOLID]
            if not _is_followed(image, part.points, covers, least):
                words = f"{part.id!r} cannot be followed"
                yield error("faint_line", (part.id,), words, box=part.box, repair=Repair.REDRAW)


def _line(image: Image, edge: EdgeMark, covers: Sequence[Rect]) -> Iterator[Finding]:
    ends = zip(edge.arrows, (edge.curve[0], edge.curve[-1]), edge.tips, strict=True)
    heads = [box for kind, end, tip in ends if tip is not None for box in _hollow(kind, end, tip)]
    free = [(at, way) for at, way in _places(edge.path) if not any(_holds(box, at) for box in (*covers, *heads))]
    if len(free) < 4:
        return
    share = sum(image.is_inked(at) for at, _ in free) / len(free)
    if share < LEAST_SEEN[edge.style]:
        words = f"the edge {edge.name} cannot be followed: {1 - share:.0%} of it is not there"
        measured = (share, LEAST_SEEN[edge.style])
        yield error("faint_line", (edge.name,), words, box=edge.reach, measured=measured, repair=Repair.REDRAW)
        return
    ratios = [_ratio(image, at, way) for at, way in free if image.is_inked(at, slack=0)]
    ratio = float(np.percentile(ratios, 70)) if ratios else 1.0
    if ratio < LEAST_LINE_CONTRAST:
        words, measured = f"the edge {edge.name} is too pale", (ratio, LEAST_LINE_CONTRAST)
        yield error("faint_line", (edge.name,), words, box=edge.reach, measured=measured, repair=Repair.RECOLOUR)


def _hollow(kind: End, end: Point, tip: Point) -> Iterator[Rect]:
    """Around the pieces of a head that show the ground, so that no line is seen in them."""
    for piece in pieces(kind, end, tip)[0]:
        if piece.is_closed and not piece.is_filled:
            xs, ys = [x for x, _ in piece.points], [y for _, y in piece.points]
            yield Rect(min(xs), min(ys), max(xs), max(ys)).inset(-1)


def _ratio(image: Image, at: Point, way: Point) -> float:
    """The line's contrast to the paler of both sides."""
    beside = [(at[0] - way[1] * side, at[1] + way[0] * side) for side in (BESIDE, -BESIDE)]
    here = image.colours[image.at(at)].astype(np.float64)
    return max(contrast(here, image.colours[image.at(point)].astype(np.float64)) for point in beside)


def _heads(image: Image, edge: EdgeMark) -> Iterator[Finding]:
    ends = (edge.curve[0], edge.curve[-1])
    for kind, end, tip in zip(edge.arrows, ends, edge.tips, strict=True):
        if tip is None:
            continue
        drawn, _ = pieces(kind, end, tip)
        strokes = [(*piece.points, piece.points[0]) if piece.is_closed else piece.points for piece in drawn]
        places = [at for stroke in strokes for at, _ in _places(stroke)]
        share = sum(image.is_inked(at) for at in places) / len(places) if places else 1.0
        if share < LEAST_HEAD:
            words, measured = f"an arrowhead of {edge.name} is missing", (share, LEAST_HEAD)
            box = Rect.around(tip, 18, 18)
            yield error(
                "missing_arrowhead", (edge.name,), words, box=box, measured=measured, repair=Repair.REDRAW
            )


def _is_followed(image: Image, path: Sequence[Point], covers: Sequence[Rect], least: float) -> bool:
    free = [at for at, _ in _places(path) if not any(_holds(box, at) for box in covers)]
    return len(free) < 4 or sum(image.is_inked(at) for at in free) / len(free) >= least


def _outline_share(image: Image, polygon: Sequence[Point]) -> float:
    """Share of the outline that is ink, or the border between two grounds."""
    places = list(_places((*polygon, polygon[0])))
    seen = sum(image.is_inked(at) or _borders(image, at, way) for at, way in places)
    return seen / len(places) if places else 1.0


def _borders(image: Image, at: Point, way: Point) -> bool:
    """True when the grounds on both sides differ."""
    one, other = ((at[0] - way[1] * side, at[1] + way[0] * side) for side in (1.5, -1.5))
    return bool(np.abs(image.colours[image.at(one)] - image.colours[image.at(other)]).max() > 3)


def _places(path: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """Places along a line, and which way it runs there."""
    for (x0, y0), (x1, y1) in pairwise(path):
        length = hypot(x1 - x0, y1 - y0)
        if length == 0:
            continue
        way = ((x1 - x0) / length, (y1 - y0) / length)
        for step in range(max(1, round(length / STEP))):
            at = (step + 0.5) * length / max(1, round(length / STEP))
            yield (x0 + way[0] * at, y0 + way[1] * at), way


def _holds(box: Rect, at: Point) -> bool:
    return box.left <= at[0] <= box.right and box.bottom <= at[1] <= box.top
