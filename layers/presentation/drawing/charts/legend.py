"""Names of series: a legend above the plot, or names at the ends of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from layers.presentation.drawing.charts.plot import WIDTH, Plot
from layers.presentation.drawing.lettering import SMALL, block, left
from layers.presentation.drawing.pie import spread
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.scene import Part, PartMark, Point, Rect, Tone
from layers.presentation.shapes import circle, rounded
from layers.presentation.spec import ChartType, Series

SAMPLE = 18.0
NAME_WRAP = 92.0
NAME_GAP = 8.0
MOST_DIRECT = 5
MARK = 3.6
"""Half the width of a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Styled:
    """A series with its looks."""

    series: Series
    number: int
    """From 0; decides colour and the shape of its points."""
    type: ChartType

    @property
    def name(self) -> str:
        """What it is called."""
        return self.series.name or f"series {self.number + 1}"

    @property
    def accent(self) -> int:
        """Colour of the palette."""
        return self.number % 8 + 1

    @property
    def is_dashed(self) -> bool:
        """From the fifth line on colour and points alone tell too little."""
        return self.number >= 4


def point_shape(at: Point, number: int, half: float = MARK) -> tuple[Point, ...]:
    """A shape of its own for each of six series."""
    x, y = at
    match number % 6:
        case 0:
            return tuple(circle(at, half))
        case 1:
            return (x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)
        case 2:
            return (x, y + half * 1.2), (x + half * 1.15, y - half * 0.9), (x - half * 1.15, y - half * 0.9)
        case 3:
            return (x, y + half * 1.3), (x + half * 1.3, y), (x, y - half * 1.3), (x - half * 1.3, y)
        case 4:
            return (x, y - half * 1.2), (x - half * 1.15, y + half * 0.9), (x + half * 1.15, y + half * 0.9)
        case _:
            turns = [pi / 2 + pi * step / 5 for step in range(10)]
            radii = [half * 1.5 if step % 2 == 0 else half * 0.65 for step in range(10)]
            return tuple((x + r * cos(a), y + r * sin(a)) for a, r in zip(turns, radii, strict=True))


def legend(sheet: Sheet, series: Sequence[Styled], y: float) -> float:
    """Samples and names in rows from `y` down; the y below them."""
    x, lowest = 0.0, y
    for one in series:
        text = block(one.name, WIDTH / 2 - SAMPLE, SMALL)
        if text is None:
            continue
        if x and x + SAMPLE + 6 + text.box.width > WIDTH:
            x, y = 0.0, lowest - 4
        middle = y - text.box.height / 2
        sheet.add(*_sample(one, x, middle))
        sheet.add(PartMark(id=f"legend {one.name}", part=Part.LEGEND, text=left(text, x + SAMPLE + 6, middle)))
        x += SAMPLE + 6 + text.box.width + 18
        lowest = min(lowest, y - text.box.height)
    return lowest - 10


def _sample(one: Styled, x: float, y: float) -> list[PartMark]:
    id = f"sample {one.name}"
    if one.type in (ChartType.LINE, ChartType.SCATTER):
        points = point_shape((x + SAMPLE / 2, y), one.number)
        mark = PartMark(id=id, part=Part.LEGEND, points=points, fill=Tone.STRONG, accent=one.accent)
        if one.type is ChartType.SCATTER:
            return [mark]
        line = PartMark(
            id=f"{id} line",
            part=Part.LEGEND,
            points=((x, y), (x + SAMPLE, y)),
            is_closed=False,
            line=Tone.STRONG,
            width=2.0,
            is_dashed=one.is_dashed,
            accent=one.accent,
        )
        return [line, mark]
    box = Rect(x + 3, y - 6, x + SAMPLE - 3, y + 6)
    return [PartMark(id=id, part=Part.LEGEND, points=tuple(rounded(box, 2)), fill=Tone.STRONG, accent=one.accent)]


def direct_room(series: Sequence[Styled]) -> float:
    """What names at the ends of lines need on the right; 0 when a legend is better."""
    if not 2 <= len(series) <= MOST_DIRECT or any(one.type is not ChartType.LINE for one in series):
        return 0.0
    texts = [block(one.name, NAME_WRAP, SMALL, bold=True) for one in series]
    if any(text is None or len(text.lines) > 2 for text in texts):
        return 0.0
    return max(text.box.width for text in texts if text) + NAME_GAP + 4


def direct_names(sheet: Sheet, plot: Plot, ends: Sequence[tuple[Styled, Point]]) -> None:
    """Each name beside the end of its line, moved apart where they would touch, with a hair back to the end."""
    ranked = sorted(ends, key=lambda item: -item[1][1])
    texts = [text for one, _ in ranked if (text := block(one.name, NAME_WRAP, SMALL, bold=True))]
    places = spread([at[1] for _, at in ranked], [text.box.height + 2 for text in texts])
    x = plot.box.right + NAME_GAP
    for (one, at), text, y in zip(ranked, texts, places, strict=True):
        if abs(y - at[1]) > 5 or at[0] < plot.box.right - 12:
            points = ((at[0] + MARK + 1, at[1]), (x - 2, y))
            sheet.add(
                PartMark(
                    id=f"leader {one.name}",
                    part=Part.LEADER,
                    points=points,
                    is_closed=False,
                    line=Tone.HAIR,
                    width=1.0,
                    of=f"line {one.name}",
                )
            )
        sheet.add(PartMark(id=f"name {one.name}", part=Part.LABEL, text=left(text, x, y), of=f"line {one.name}"))
