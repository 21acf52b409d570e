"""Which axes a chart has and how it is turned: its spec in, a scene out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log2

from layers.presentation.drawing.charts.heat import plan_heat
from layers.presentation.drawing.charts.legend import Styled, direct_names, direct_room, legend
from layers.presentation.drawing.charts.marks import bar_values, bars, line, points, stacks
from layers.presentation.drawing.charts.plot import (
    HEIGHT,
    LABEL_GAP,
    ROW_HEIGHT,
    ROW_WRAP,
    WIDTH,
    Plot,
    Scale,
    axis_title,
    category_axis,
    category_texts,
    number_axis,
    scale,
    tick_texts,
    value_axis,
)
from layers.presentation.drawing.lettering import SMALL, block
from layers.presentation.drawing.scales import number_ticks
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.scene import Rect, Scene, TextMark
from layers.presentation.spec import Chart, ChartType, Series

BARS = (ChartType.BAR, ChartType.STACKED_BAR, ChartType.HISTOGRAM)
MOST_VALUED = 14
"""Bars of one series that have their numbers written."""
MOST_BINS = 20


def plan_chart(spec: Chart) -> tuple[Scene, ...]:
    """One scene."""
    series = [
        Styled(series=one, number=number, type=one.type or spec.type) for number, one in enumerate(spec.series)
    ]
    match spec.type:
        case ChartType.HEAT_MAP:
            sheet = plan_heat(spec, series)
        case ChartType.HISTOGRAM:
            sheet = _histogram(spec, series)
        case _ if _has_categories(spec):
            sheet = _categories(spec, series)
        case _:
            sheet = _numbers(spec, series)
    return (sheet.finish(spec.title),)


def _has_categories(spec: Chart) -> bool:
    return bool(spec.x.categories) or any((one.type or spec.type) in BARS for one in spec.series)


def _known(series: Sequence[Styled]) -> list[float]:
    return [value for one in series for value in one.series.values if value is not None]


def _categories(spec: Chart, series: list[Styled]) -> Sheet:
    """Bars and lines over names."""
    count = max([len(spec.x.categories), *(len(one.series.values) for one in series)], default=0) or 1
    names = _names(spec, count)
    columns = [one for one in series if one.type in BARS]
    lines = [one for one in series if one.type not in BARS]
    values = _scale_of(spec, series, columns)
    sheet = Sheet()
    room = 0.0 if columns else direct_room(lines)
    low_edge = _label_room(values)
    slot = (WIDTH - low_edge - room) / count
    texts = category_texts(names, slot - 4)
    is_swapped = spec.is_horizontal or (texts is None and bool(columns) and not lines)
    y = _above(sheet, series, spec.x.title if is_swapped else spec.y.title, is_named=bool(room))
    if is_swapped:
        rows = [block(name, ROW_WRAP, SMALL) for name in names]
        plot = _rows_plot(rows, values, y, len(columns) if spec.type is ChartType.BAR else 1)
        texts = rows
        if spec.type is ChartType.BAR and len(columns) == 1:
            room = 36.0
            plot = Plot(box=Rect(*plot.box[:2], plot.box.right - room, plot.box.top), values=values, is_swapped=True)
    else:
        plot = Plot(box=Rect(low_edge, y - HEIGHT, WIDTH - room, y), values=values)
        texts = texts if texts is not None else [block(name, 80.0, SMALL, most_lines=2) for name in names]
    value_axis(sheet, plot)
    if spec.type is ChartType.STACKED_BAR:
        stacks(sheet, plot, columns, count)
    elif columns:
        bars(sheet, plot, columns, count)
    _lines(sheet, plot, lines, lambda number: (number + 0.5) / count, is_named=bool(room) and not columns)
    if spec.type is ChartType.BAR and len(series) == 1 and columns and count <= MOST_VALUED:
        bar_values(sheet, plot, columns[0], count)
    category_axis(sheet, plot, texts)
    _below(sheet, spec.y.title if is_swapped else spec.x.title, plot)
    return sheet


def _label_room(values: Scale) -> float:
    """What the labels of the values need on the left."""
    return max((text.box.width for text in tick_texts(values)), default=0.0) + LABEL_GAP


def _names(spec: Chart, count: int) -> list[str]:
    given = [*spec.x.categories]
    return given + [str(number) for number in range(len(given) + 1, count + 1)]


def _scale_of(spec: Chart, series: Sequence[Styled], columns: Sequence[Styled]) -> Scale:
    values = _known(series)
    if spec.type is ChartType.STACKED_BAR:
        count = max((len(one.series.values) for one in columns), default=0)
        for number in range(count):
            column = [one.series.values[number] or 0.0 for one in columns if number < len(one.series.values)]
            values += [sum(value for value in column if value > 0), sum(value for value in column if value < 0)]
    return scale(values, low=spec.y.low, high=spec.y.high, from_zero=bool(columns))


def _above(sheet: Sheet, series: Sequence[Styled], title: str, *, is_named: bool) -> float:
    """Legend and the title of the axis that runs up; the y of the plot's top."""
    y = 0.0
    if len(series) > 1 and not is_named and any(one.series.name for one in series):
        y = legend(sheet, series, y)
    if not title and len(series) == 1:
        title = series[0].series.name
    return axis_title(sheet, title, 0.0, y) - 12


def _below(sheet: Sheet, title: str, plot: Plot) -> None:
    """The other axis's title, under whatever is there."""
    if title.strip():
        axis_title(sheet, title, plot.box.right, sheet.reach().bottom - 4, is_right=True)


def _rows_plot(rows: Sequence[TextMark | None], values: Scale, top: float, bars_each: int) -> Plot:
    edge = max((text.box.width for text in rows if text), default=0.0) + LABEL_GAP
    edge = max(edge, tick_texts(values)[0].box.width / 2)
    tallest = max((text.box.height for text in rows if text), default=0.0)
    height = max(ROW_HEIGHT, tallest + 6, 13.0 * bars_each + 8) * len(rows)
    last = tick_texts(values)[-1].box.width / 2
    return Plot(box=Rect(edge, top - height, WIDTH - last, top), values=values, is_swapped=True)


def _lines(
    sheet: Sheet, plot: Plot, lines: Sequence[Styled], place: Callable[[int], float], *, is_named: bool
) -> None:
    ends = [(one, end) for one in lines if (end := line(sheet, plot, one, place))]
    if is_named:
        direct_names(sheet, plot, ends)


def _numbers(spec: Chart, series: list[Styled]) -> Sheet:
    """Lines and points over an axis of numbers."""
    values = scale(_known(series), low=spec.y.low, high=spec.y.high, from_zero=False)
    sheet = Sheet()
    room = 0.0 if spec.type is ChartType.SCATTER else direct_room(series)
    y = _above(sheet, series, spec.y.title, is_named=bool(room))
    places = {one.number: _places(spec, one.series) for one in series}
    wide = scale(
        [at for known in places.values() for at in known],
        low=spec.x.low,
        high=spec.x.high,
        from_zero=False,
        most=8,
    )
    edge = max(_label_room(values), tick_texts(wide)[0].box.width / 2)
    end = tick_texts(wide)[-1].box.width / 2
    plot = Plot(box=Rect(edge, y - HEIGHT, WIDTH - max(room, end), y), values=values)
    value_axis(sheet, plot)
    number_axis(sheet, plot, wide)
    ends = []
    for one in series:

        def place(number: int, known: tuple[float, ...] = places[one.number]) -> float:
            return wide.share(known[number])

        if one.type is ChartType.SCATTER:
            points(sheet, plot, one, place)
        elif (at := line(sheet, plot, one, place)) is not None:
            ends.append((one, at))
    if room:
        direct_names(sheet, plot, ends)
    _below(sheet, spec.x.title, plot)
    return sheet


def _places(spec: Chart, series: Series) -> tuple[float, ...]:
    """x of each value; without any they are spread evenly."""
    if series.at:
        return series.at
    count = len(series.values)
    low = spec.x.low if spec.x.low is not None else 1.0
    high = spec.x.high if spec.x.high is not None else low + count - 1
    return tuple(low + (high - low) * number / max(1, count - 1) for number in range(count))


def _histogram(spec: Chart, series: list[Styled]) -> Sheet:
    """Raw values counted into round bins."""
    known = _known(series)
    edges = bin_edges(known, spec.bins)
    counted = [
        Styled(
            series=Series(name=one.series.name, values=counts(one.series.values, edges)),
            number=one.number,
            type=ChartType.BAR,
        )
        for one in series
    ]
    values = scale(_known(counted), low=spec.y.low, high=spec.y.high, from_zero=True)
    sheet = Sheet()
    y = _above(sheet, series, spec.y.title, is_named=False)
    wide = Scale(low=edges[0], high=edges[-1], ticks=edges)
    edge = max(_label_room(values), tick_texts(wide)[0].box.width / 2)
    end = tick_texts(wide)[-1].box.width / 2
    plot = Plot(box=Rect(edge, y - HEIGHT, WIDTH - end, y), values=values)
    value_axis(sheet, plot)
    bars(sheet, plot, counted, len(edges) - 1, filled=0.98 if len(counted) == 1 else 0.9)
    number_axis(sheet, plot, wide)
    _below(sheet, spec.x.title, plot)
    return sheet


def bin_edges(values: Sequence[float], bins: int | None) -> tuple[float, ...]:
    """The edges of the bins: `bins` equal ones, else round ones, about as many as Sturges says."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    if bins:
        return tuple(low + (high - low) * number / bins for number in range(bins + 1))
    wished = min(MOST_BINS, ceil(log2(max(1, len(values)))) + 1)
    return number_ticks(low, high, wished + 2)


def counts(values: Sequence[float | None], edges: Sequence[float]) -> tuple[float, ...]:
    """How many lie in each bin; the last one has its upper edge."""
    found = [0.0] * (len(edges) - 1)
    for value in values:
        if value is not None:
            place = next((n for n, edge in enumerate(edges[1:]) if value < edge), len(found) - 1)
            found[place] += 1
    return tuple(found)
