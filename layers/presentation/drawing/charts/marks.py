"""What stands in a plot: bars, stacks, lines, points. Series and a plot in, parts on a sheet out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layers.presentation.drawing.charts.legend import MARK, Styled, point_shape
from layers.presentation.drawing.charts.plot import Plot
from layers.presentation.drawing.lettering import SMALL, block, centred, left, right
from layers.presentation.drawing.scales import number_words
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.scene import Part, PartMark, Point, Rect, TextMark, Tone

FILLED = 0.72
"""Share of a category's place that bars take."""
MOST_MARKED = 30
"""Longer lines have no points."""
POINT_SMALL = 2.8
MANY_POINTS = 150


def bars(sheet: Sheet, plot: Plot, series: Sequence[Styled], count: int, *, filled: float = FILLED) -> None:
    """Side by side within each category, from zero."""
    margin = (1 - filled) / 2
    for side, one in enumerate(series):
        for number, value in enumerate(one.series.values[:count]):
            if value is None:
                continue
            first = (number + margin + filled * side / len(series)) / count
            last = (number + margin + filled * (side + 1) / len(series)) / count
            sheet.add(_bar(one, number, plot.bar(first, last, 0.0, value), value))


def _bar(one: Styled, number: int, points: tuple[Point, ...], value: float) -> PartMark:
    return PartMark(
        id=f"bar {one.name} {number + 1}",
        part=Part.BAR,
        points=points,
        fill=Tone.STRONG,
        line=Tone.PAPER,
        width=0.8,
        accent=one.accent,
        of=one.name,
        value=value,
    )


def bar_values(sheet: Sheet, plot: Plot, one: Styled, count: int) -> None:
    """The numbers at the ends of the bars of one series, when all of them fit."""
    shown = [(number, value) for number, value in enumerate(one.series.values[:count]) if value is not None]
    words = number_words([value for _, value in shown])
    texts = [text for word in words if (text := block(word, 200, SMALL))]
    if not plot.is_swapped and any(text.box.width + 4 > plot.box.width / count for text in texts):
        return
    for (number, value), text in zip(shown, texts, strict=True):
        x, y = plot.at((number + 0.5) / count, value)
        mark = _beside(plot, text, x, y, is_negative=value < 0)
        id = f"value {one.name} {number + 1}"
        sheet.add(PartMark(id=id, part=Part.LABEL, text=mark, of=f"bar {one.name} {number + 1}", backing=Tone.PAPER))


def _beside(plot: Plot, text: TextMark, x: float, y: float, *, is_negative: bool) -> TextMark:
    if plot.is_swapped:
        return right(text, x - 4, y) if is_negative else left(text, x + 4, y)
    away = text.box.height / 2 + 2.5
    return centred(text, (x, y - away if is_negative else y + away))


def stacks(sheet: Sheet, plot: Plot, series: Sequence[Styled], count: int) -> None:
    """On top of each other; what is negative grows the other way. Numbers inside where there is room."""
    ups, downs = [0.0] * count, [0.0] * count
    for one in series:
        words = iter(number_words([value for value in one.series.values[:count] if value is not None]))
        for number, value in enumerate(one.series.values[:count]):
            if value is None:
                continue
            pile = ups if value >= 0 else downs
            base, pile[number] = pile[number], pile[number] + value
            first, last = (number + (1 - FILLED) / 2) / count, (number + (1 + FILLED) / 2) / count
            part = _bar(one, number, plot.bar(first, last, base, base + value), value)
            sheet.add(part)
            text = block(next(words), 200, SMALL)
            if text and part.box.inset(2).width >= text.box.width and part.box.inset(1).height >= text.box.height:
                mark = centred(text, part.box.centre)
                id = f"value {one.name} {number + 1}"
                sheet.add(
                    PartMark(id=id, part=Part.LABEL, text=mark, ink=Tone.ON_STRONG, accent=one.accent, of=part.id)
                )


def line(sheet: Sheet, plot: Plot, one: Styled, place: Callable[[int], float]) -> Point | None:
    """One line, broken at gaps; where it ends."""
    runs: list[list[tuple[Point, float]]] = [[]]
    for number, value in enumerate(one.series.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((plot.at(place(number), value), value))
    runs = [run for run in runs if run]
    for number, run in enumerate(runs, 1):
        if len(run) > 1:
            sheet.add(
                PartMark(
                    id=f"line {one.name}" + (f" {number}" if number > 1 else ""),
                    part=Part.CURVE,
                    points=tuple(at for at, _ in run),
                    is_closed=False,
                    line=Tone.STRONG,
                    width=2.2,
                    is_dashed=one.is_dashed,
                    accent=one.accent,
                    of=one.name,
                )
            )
    known = [item for run in runs for item in run]
    if len(known) <= MOST_MARKED:
        for number, (at, value) in enumerate(known, 1):
            sheet.add(_point(one, number, at, value, MARK))
    else:
        for number, run in enumerate(runs, 1):
            if len(run) == 1:
                sheet.add(_point(one, number, run[0][0], run[0][1], MARK))
    return known[-1][0] if known else None


def points(sheet: Sheet, plot: Plot, one: Styled, place: Callable[[int], float]) -> None:
    """A scatter."""
    known = [(number, value) for number, value in enumerate(one.series.values) if value is not None]
    half = POINT_SMALL if len(known) > MANY_POINTS else MARK
    for number, value in known:
        sheet.add(_point(one, number + 1, plot.at(place(number), value), value, half))


def _point(one: Styled, number: int, at: Point, value: float, half: float) -> PartMark:
    return PartMark(
        id=f"point {one.name} {number}",
        part=Part.POINT,
        points=point_shape(at, one.number, half),
        fill=Tone.STRONG,
        line=Tone.PAPER,
        width=0.7,
        accent=one.accent,
        of=one.name,
        value=value,
    )


def corners(box: Rect) -> tuple[Point, ...]:
    """A rectangle as a polygon."""
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)
