"""Rules of the kinds that are no graph: sequence, gantt, pie, timeline, charts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from layers.presentation.geometry import distance, is_inside, length_inside
from layers.presentation.lint.fidelity import letters, of_mark
from layers.presentation.lint.finding import error, warning
from layers.presentation.lint.texts import OVERFLOW, STRUCK, corners
from layers.presentation.scene import Part, PartMark, Point, Rect, Scene
from layers.presentation.spec import (
    Block,
    Chart,
    ChartType,
    DiagramSpec,
    Gantt,
    Message,
    Note,
    Pie,
    SequenceDiagram,
    Timeline,
)
from layers.presentation.types import Finding, Repair

PartRule = Callable[[Scene, DiagramSpec], Iterator[Finding]]
STRIKING = {Part.MESSAGE, Part.LIFELINE, Part.AXIS, Part.CURVE, Part.DIVIDER, Part.MARKER, Part.LEADER, Part.TIP}
"""Lines that make a text hard to read where they run through it."""
DATA = {Part.BAR, Part.SLICE, Part.CURVE, Part.POINT, Part.CELL, Part.MILESTONE}
SOLID = {Part.HEAD, Part.NOTE, Part.CARD}
"""Parts that must not lie on each other."""
COVERED = 24.0
"""Square points of data under a legend."""
OFF_SCALE, LEAST_OFF = 0.03, 1.5
"""A bar's length may differ from its number by this share, or this many points."""
MOST_SLICES, MOST_SERIES = 12, 8
"""More than the palette has colours that can be told apart."""
FLAT = 1e-9


def text_leaves_part(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """A text sticks out of the part that must hold it."""
    for part in scene.parts:
        if not (part.holds_text and part.text and part.text.lines and len(part.points) > 2):
            continue
        outside = [spot for spot in corners(part.text.box.inset(OVERFLOW)) if not is_inside(spot, part.points)]
        over = max((distance(spot, part.points) + OVERFLOW for spot in outside), default=0.0)
        if over > OVERFLOW * 2:
            words = f"the text of {part.id!r} sticks out of it"
            measured = (over, OVERFLOW)
            yield error(
                "text_overflow", (part.id,), words, box=part.text.box, measured=measured, repair=Repair.GROW_BOX
            )


def line_on_text(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """A line runs over a text, or behind one that has no ground of its own."""
    lines = [(n, part) for n, part in enumerate(scene.parts) if part.part in STRIKING and len(part.points) > 1]
    for at, owner in enumerate(scene.parts):
        if not (owner.text and owner.text.lines):
            continue
        box = owner.text.box.inset(1)
        for n, line in lines:
            if line is owner or not (n > at or (owner.backing is None and owner.fill is None)):
                continue
            path = (*line.points, line.points[0]) if line.is_closed else line.points
            if (struck := length_inside(path, box)) > STRUCK:
                yield warning(
                    "line_on_text",
                    (line.id, owner.id),
                    f"{line.id!r} runs through the text of {owner.id!r}",
                    box=owner.text.box,
                    measured=(struck, STRUCK),
                    repair=Repair.MOVE_LABEL,
                )


def solid_overlap(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """Two boxes of text lie on each other, or a note on a message's text."""
    solid = [part for part in scene.parts if part.part in SOLID and part.text and part.is_closed and part.points]
    for number, one in enumerate(solid):
        for other in solid[number + 1 :]:
            if one.of and one.of == other.of and one.part is Part.HEAD:
                continue
            shared = one.box.inset(0.5).shared_area(other.box.inset(0.5))
            if shared > 0:
                words = f"{one.id!r} and {other.id!r} lie on each other"
                yield error("node_overlap", (one.id, other.id), words, box=other.box, measured=(shared, 0.0))


def legend_on_data(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """The legend hides data."""
    data = [part for part in scene.parts if part.part in DATA]
    for legend in (part for part in scene.parts if part.part is Part.LEGEND):
        box = legend.box if legend.text is None else _around(legend.box, legend.text.box)
        for part in data:
            covered = _covered(part, box)
            if covered > COVERED:
                yield warning(
                    "legend_on_data",
                    (legend.id, part.id),
                    f"the legend {legend.id!r} lies on {part.id!r}",
                    box=box,
                    measured=(covered, COVERED),
                    repair=Repair.MOVE_LABEL,
                )
                break


def _covered(part: PartMark, box: Rect) -> float:
    if part.is_closed:
        return box.shared_area(part.box) if part.part is not Part.SLICE else _polygon_share(part, box)
    return length_inside(part.points, box) * max(part.width, 2.0)


def _polygon_share(part: PartMark, box: Rect) -> float:
    return box.width * box.height if is_inside(box.centre, part.points) else 0.0


def _around(one: Rect, other: Rect) -> Rect:
    return Rect(
        min(one.left, other.left), min(one.bottom, other.bottom), max(one.right, other.right), max(one.top, other.top)
    )


def bar_baseline(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """Bars whose lengths are not in the proportion of their numbers: an axis that does not begin at zero."""
    if not isinstance(spec, Chart) or spec.type not in (ChartType.BAR, ChartType.STACKED_BAR, ChartType.HISTOGRAM):
        return
    bars = [part for part in scene.parts if part.part is Part.BAR and part.value]
    if not bars:
        return
    is_level = any(
        part.part in (Part.GRID, Part.AXIS) and part.value is not None and part.box.width < part.box.height
        for part in scene.parts
    )
    longest = max(bars, key=lambda part: _length(part, is_level=is_level))
    scale = _length(longest, is_level=is_level) / abs(longest.value or 1.0)
    for bar in bars:
        wanted, drawn = abs(bar.value or 0.0) * scale, _length(bar, is_level=is_level)
        if abs(wanted - drawn) > max(LEAST_OFF, OFF_SCALE * wanted):
            words = f"{bar.id!r} is {drawn:.0f} long and its number asks for {wanted:.0f}: the axis must begin at zero"
            yield error("bar_baseline", (bar.id,), words, box=bar.box, measured=(drawn, wanted), repair=Repair.REDRAW)


def _length(part: PartMark, *, is_level: bool) -> float:
    """Along the values' axis, whose grid lines carry numbers; the drawing may turn a chart that was not asked to."""
    return part.box.width if is_level else part.box.height


def slice_share(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """A slice whose area is not its share."""
    slices = [part for part in scene.parts if part.part is Part.SLICE and part.value]
    if not isinstance(spec, Pie) or len(slices) < 2:
        return
    areas = {part.id: area(part.points) for part in slices}
    whole, total = sum(areas.values()), sum(part.value or 0.0 for part in slices)
    for part in slices:
        drawn, wanted = areas[part.id] / max(whole, FLAT), (part.value or 0.0) / total
        if abs(drawn - wanted) > 0.02:
            words = f"{part.id!r} has {drawn:.0%} of the pie and {wanted:.0%} of the numbers"
            yield error("chart_value", (part.id,), words, box=part.box, measured=(drawn, wanted), repair=Repair.REDRAW)


def area(points: Sequence[Point]) -> float:
    """Of a polygon."""
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise((*points, *points[:1])))) / 2


def chart_value(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """A number of the spec that no part stands for."""
    wanted: Counter[float] = Counter()
    if isinstance(spec, Pie):
        wanted.update(one.value for one in spec.slices if one.value)
    elif isinstance(spec, Chart) and spec.type is not ChartType.HISTOGRAM:
        wanted.update(value for series in spec.series for value in series.values if value is not None)
    shown = Counter(part.value for part in scene.parts if part.part in DATA and part.value is not None)
    if shown:
        for value in wanted - shown:
            yield error("chart_value", (), f"the number {value:g} is not in the picture", repair=Repair.REDRAW)


def too_many(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """More slices or series than there are colours to tell them apart."""
    if isinstance(spec, Pie) and (count := len(spec.slices)) > MOST_SLICES:
        words = f"the pie has {count} slices; group the small ones, or use bars"
        yield warning("too_many_categories", (), words, measured=(count, MOST_SLICES), repair=Repair.RESPEC)
    if isinstance(spec, Chart) and spec.type is not ChartType.HEAT_MAP and (count := len(spec.series)) > MOST_SERIES:
        words = f"the chart has {count} series and {MOST_SERIES} colours can be told apart"
        yield warning("too_many_categories", (), words, measured=(count, MOST_SERIES), repair=Repair.RESPEC)


def colour_only(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """Series, or slices, that nothing names: only their colour tells them apart."""
    names: list[str] = []
    if isinstance(spec, Chart) and len(spec.series) > 1:
        names = [series.name for series in spec.series if series.name]
    elif isinstance(spec, Pie):
        names = [one.label for one in spec.slices if one.value]
    shown = [of_mark(text) for _, text in scene.texts()]
    for name in names:
        if not any(letters(name) in text for text in shown):
            words = f"nothing in the picture names {name!r}; only its colour tells it apart"
            yield error("colour_only", (name,), words, repair=Repair.REDRAW)


def extra_message(scene: Scene, spec: DiagramSpec) -> Iterator[Finding]:
    """A message in the picture that nobody sent, or one that runs the other way."""
    if not isinstance(spec, SequenceDiagram):
        return
    asked = Counter(f"{step.source}->{step.target}" for step in spec.all_steps() if isinstance(step, Message))
    shown = Counter(part.of for part in scene.parts if part.part is Part.MESSAGE and part.of)
    for name in shown - asked:
        yield error("extra_edge", (name,), f"the message {name} was not asked for", repair=Repair.REDRAW)


def missing_text(scenes: Sequence[Scene], spec: DiagramSpec) -> Iterator[Finding]:
    """A word of the spec that no page shows. Over all pages together; a title may be repeated or left to one."""
    shown = [of_mark(text) for scene in scenes for _, text in scene.texts()]
    for text in dict.fromkeys(words_of(spec)):
        if not any(letters(text) in one for one in shown):
            short = " ".join(text.split())[:60]
            words = f"{short!r} is not in the picture as asked for"
            yield error("text_fidelity", (short,), words, repair=Repair.REDRAW)


def words_of(spec: DiagramSpec) -> Iterator[str]:
    """Every text that a reader must find."""
    yield from (text for text in (spec.title, *_inner(spec)) if letters(text))


def _inner(spec: DiagramSpec) -> Iterator[str]:
    match spec:
        case SequenceDiagram():
            yield from (one.label for one in spec.participants)
            yield from (box.title for box in spec.boxes)
            for step in spec.all_steps():
                if isinstance(step, Message | Note):
                    yield step.text
                elif isinstance(step, Block) and step.type != "rect":
                    yield from (branch.label for branch in step.branches)
        case Gantt():
            yield from (section.title for section in spec.sections)
            yield from (task.label for task in spec.tasks())
        case Timeline():
            for section in spec.sections:
                yield section.title
                for period in section.periods:
                    yield from (period.label, *period.events)
        case Pie():
            yield from (one.label for one in spec.slices if one.value)
        case Chart():
            yield from (spec.x.title, spec.y.title)


RULES: tuple[PartRule, ...] = (
    extra_message,
    chart_value,
    colour_only,
    slice_share,
    bar_baseline,
    text_leaves_part,
    solid_overlap,
    line_on_text,
    legend_on_data,
    too_many,
)
