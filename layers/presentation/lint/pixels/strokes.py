"""Lines and outlines in the pixels: they can be followed from end to end, and the heads are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from layers.presentation.drawing.heads import pieces
from layers.presentation.lint.finding import error
from layers.presentation.lint.pixels.grid import Image, Mask, Points, contrasts
from layers.presentation.scene import EdgeMark, End, Part, Point, Rect, Scene, TextMark
from layers.presentation.shapes import outline
from layers.presentation.spec import Line, Shape
from layers.presentation.types import Finding, Repair

STEP = 0.75
"""Points between two places that are looked at."""
LEAST_SEEN = {Line.SOLID: 0.8, Line.THICK: 0.8, Line.DOTTED: 0.3, Line.HIDDEN: 0.0}
"""Share of a line's places that must show ink."""
LONGEST_GAP = 3.0
"""Points of a solid line that may be missing in one piece."""
LEAST_OUTLINE = 0.88
LEAST_HEAD = 0.6
LEAST_LINE_CONTRAST = 1.7
LEAST_PLACES = 4
BACKING = 0.3
"""Of a text's size: how far the ground behind it may reach beyond its letters."""
ACROSS = (0, 1, -1, 2, -2)
"""Pixels from the place that was worked out for a line to where it may be."""
UNBROKEN = (Line.SOLID, Line.THICK)
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
    covers = [_backing(text) for _, text in scene.texts()] + [node.box.inset(-1) for node in scene.nodes]
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
    beside = [*covers, *(part.box.inset(-1) for part in scene.parts if part.part is Part.TIP)]  # as `_around_head`
    for part in scene.parts:
        if part.part in SHOWN and part.is_closed and len(part.points) > 2 and (part.fill or part.line):
            share = _outline_share(image, part.points)
            if share < LEAST_OUTLINE and part.box.width > 3 and part.box.height > 3:
                words, measured = f"{part.id!r} cannot be seen", (share, LEAST_OUTLINE)
                yield error("hidden_part", (part.id,), words, box=part.box, measured=measured, repair=Repair.REDRAW)
        elif part.part in FOLLOWED and not part.is_closed:
            least = LEAST_DASHED if part.is_dashed else LEAST_SEEN[Line.SOLID]
            if not _is_followed(image, part.points, beside, least):
                words = f"{part.id!r} cannot be followed"
                yield error("faint_line", (part.id,), words, box=part.box, repair=Repair.REDRAW)


def _backing(text: TextMark) -> Rect:
    """What a text and the ground behind it may cover: the line's height, however low its letters are."""
    left, bottom, right, top = text.box.inset(-3)
    return Rect(left, bottom - text.size * BACKING, right, top + text.size * BACKING)


def _line(image: Image, edge: EdgeMark, covers: Sequence[Rect]) -> Iterator[Finding]:
    ends = zip(edge.arrows, (edge.curve[0], edge.curve[-1]), edge.tips, strict=True)
    heads = [_around_head(kind, end, tip) for kind, end, tip in ends if tip is not None]
    free = _places(edge.path).outside((*covers, *heads))
    if len(free) < LEAST_PLACES:
        return
    seen = image.are_inked(free.at)
    share, gap = float(seen.mean()), _longest_gap(seen) * STEP
    if share < LEAST_SEEN[edge.style] or (edge.style in UNBROKEN and gap > LONGEST_GAP):
        words = f"the edge {edge.name} cannot be followed: {1 - share:.0%} of it is not there"
        measured = (share, LEAST_SEEN[edge.style])
        yield error("faint_line", (edge.name,), words, box=edge.reach, measured=measured, repair=Repair.REDRAW)
        return
    ratios = _ratios(image, free)[seen]
    ratio = float(np.median(ratios)) if len(ratios) else 1.0
    if ratio < LEAST_LINE_CONTRAST:
        words, measured = f"the edge {edge.name} is too pale", (ratio, LEAST_LINE_CONTRAST)
        yield error("faint_line", (edge.name,), words, box=edge.reach, measured=measured, repair=Repair.RECOLOUR)


def _longest_gap(seen: Mask) -> int:
    """The most places in a row that show nothing."""
    return max((len(list(run)) for is_seen, run in groupby(seen.tolist()) if not is_seen), default=0)


def _around_head(kind: End, end: Point, tip: Point) -> Rect:
    """Around a head, whose own ink would pass for the line's, and whose flat inside for a gap."""
    points = [end, tip, *(point for piece in pieces(kind, end, tip)[0] for point in piece.points)]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Rect(min(xs), min(ys), max(xs), max(ys)).inset(-1)


def _ratios(image: Image, places: Places) -> npt.NDArray[np.float64]:
    """The line's contrast to the paler of both sides, where it is strongest: rounding moves it a pixel or two."""
    beside = [image.luminances(places.aside(side)) for side in (BESIDE, -BESIDE)]
    across = [image.luminances(places.aside(side / image.scale)) for side in ACROSS]
    found = [contrasts(here, ground) for here in across for ground in beside]
    strongest: npt.NDArray[np.float64] = np.maximum.reduce(found)
    return strongest


def _heads(image: Image, edge: EdgeMark) -> Iterator[Finding]:
    ends = (edge.curve[0], edge.curve[-1])
    for kind, end, tip in zip(edge.arrows, ends, edge.tips, strict=True):
        if tip is None:
            continue
        drawn, _ = pieces(kind, end, tip)
        strokes = [(*piece.points, piece.points[0]) if piece.is_closed else piece.points for piece in drawn]
        places = [_places(stroke).at for stroke in strokes]
        share = float(image.are_inked(np.concatenate(places)).mean()) if places else 1.0
        if share < LEAST_HEAD:
            words, measured = f"an arrowhead of {edge.name} is missing", (share, LEAST_HEAD)
            box = Rect.around(tip, 18, 18)
            yield error(
                "missing_arrowhead", (edge.name,), words, box=box, measured=measured, repair=Repair.REDRAW
            )


def _is_followed(image: Image, path: Sequence[Point], covers: Sequence[Rect], least: float) -> bool:
    free = _places(path).outside(covers)
    return len(free) < LEAST_PLACES or float(image.are_inked(free.at).mean()) >= least


def _outline_share(image: Image, polygon: Sequence[Point]) -> float:
    """Share of the outline that is ink, or the border between two grounds."""
    places = _places((*polygon, polygon[0]))
    if not len(places):
        return 1.0
    one, other = (image.colours_at(places.aside(side)) for side in (1.5, -1.5))
    borders = np.abs(one - other).max(axis=1) > 3
    return float((image.are_inked(places.at) | borders).mean())


@dataclass(frozen=True, slots=True)
class Places:
    """Places along a line, and which way it runs there: a row of two for each."""

    at: Points
    way: Points

    def __len__(self) -> int:
        return len(self.at)

    def aside(self, by: float) -> Points:
        """The same places `by` points to the left of the line."""
        return self.at + by * np.stack((-self.way[:, 1], self.way[:, 0]), axis=1)

    def outside(self, boxes: Sequence[Rect]) -> Places:
        """Those in none of the boxes."""
        x, y = self.at[:, 0], self.at[:, 1]
        free = np.ones(len(self), dtype=np.bool_)
        for left, bottom, right, top in boxes:
            free &= (x < left) | (x > right) | (y < bottom) | (y > top)
        return Places(self.at[free], self.way[free])


def _places(path: Sequence[Point]) -> Places:
    """Every `STEP` points, from the middle of the first step on."""
    ends = np.asarray(path, dtype=np.float64).reshape(-1, 2)
    along = np.diff(ends, axis=0)
    lengths = np.hypot(along[:, 0], along[:, 1])
    starts, along, lengths = ends[:-1][lengths > 0], along[lengths > 0], lengths[lengths > 0]
    counts = np.maximum(1, np.rint(lengths / STEP)).astype(np.int64)
    piece = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (step + 0.5) / counts[piece]
    way = along / lengths[:, None]
    return Places(starts[piece] + along[piece] * share[:, None], way[piece])
