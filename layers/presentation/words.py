"""The kinds that are no graph, in words: a spec in, an outline out for whoever cannot see the picture. Pure.

Every line is one fact in the order in which the picture shows it: who says what, which task runs when, how big a share
is. Charts begin with their range, because a list of numbers alone tells no shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from layers.presentation.scene import Part, Scene
from layers.presentation.spec import (
    Block,
    Chart,
    ChartType,
    Create,
    Destroy,
    DiagramSpec,
    Gantt,
    Line,
    Message,
    Note,
    Pie,
    SequenceDiagram,
    Series,
    Step,
    Task,
    Timeline,
)

MOST_NUMBERS = 24
"""Of a series; a longer one is told by its ends and its extremes."""
CHART_NAMES = {
    ChartType.LINE: "Line chart",
    ChartType.BAR: "Bar chart",
    ChartType.STACKED_BAR: "Stacked bar chart",
    ChartType.SCATTER: "Scatter chart",
    ChartType.HISTOGRAM: "Histogram",
    ChartType.HEAT_MAP: "Heat map",
}
SECOND_BRANCH = {"alt": "else", "par": "and", "critical": "option"}
"""What a further branch of a block begins with, as Mermaid writes it."""
READ = (Part.HEAD, Part.LABEL, Part.NOTE, Part.CARD, Part.CAPTION, Part.BAND)
"""Parts whose texts say what is on a page."""


def outline_of(spec: DiagramSpec) -> str:
    """The lines; empty for a kind that is a graph."""
    return "\n".join(_lines(spec))


def _lines(spec: DiagramSpec) -> Iterator[str]:
    match spec:
        case SequenceDiagram():
            yield from _sequence(spec)
        case Gantt():
            yield from _gantt(spec)
        case Pie():
            yield from _pie(spec)
        case Timeline():
            yield from _timeline(spec)
        case Chart():
            yield from _chart(spec)


def page_in_words(scene: Scene) -> str:
    """What one of several pages says, text by text."""
    title = [" ".join(scene.title.lines)] if scene.title else []
    texts = [" ".join(part.text.lines) for part in scene.parts if part.text and part.part in READ]
    return "\n".join([*title, *texts])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


# --- sequence ---------------------------------------------------------------------------------------------------------


def _sequence(spec: SequenceDiagram) -> Iterator[str]:
    names = {one.id: _flat(one.label) or one.id for one in spec.participants}
    messages = sum(isinstance(step, Message) for step in spec.all_steps())
    who = ", ".join(names.values())
    yield f"{_flat(spec.title) or 'Sequence'}: {_count(messages, 'message')} between {who or 'nobody'}."
    for box in spec.boxes:
        yield f"{_flat(box.title) or 'A box'} contains {', '.join(names[member] for member in box.members)}."
    yield from _steps(spec.steps, names, 0)


def _steps(steps: Sequence[Step], names: dict[str, str], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for step in steps:
        match step:
            case Message():
                arrow = "⇢" if step.line is Line.DOTTED else "→"
                text = f": {_flat(step.text)}" if step.text.strip() else ""
                yield f"{indent}{names[step.source]} {arrow} {names[step.target]}{text}"
            case Note():
                yield f"{indent}Note, {', '.join(names[id] for id in step.over)}: {_flat(step.text)}"
            case Create():
                yield f"{indent}{names[step.participant]} is created"
            case Destroy():
                yield f"{indent}{names[step.participant]} ends"
            case Block() if step.type == "rect":
                for branch in step.branches:
                    yield from _steps(branch.steps, names, depth)
            case Block():
                for number, branch in enumerate(step.branches):
                    word = SECOND_BRANCH.get(step.type, "else") if number else step.type
                    yield f"{indent}{word} {_flat(branch.label)}".rstrip() + ":"
                    yield from _steps(branch.steps, names, depth + 1)


# --- gantt, pie, timeline ---------------------------------------------------------------------------------------------


def _gantt(spec: Gantt) -> Iterator[str]:
    tasks = spec.tasks()
    span = f", {_date(min(t.start for t in tasks))} to {_date(max(t.end for t in tasks))}" if tasks else ""
    yield f"{_flat(spec.title) or 'Gantt chart'}: {_count(len(tasks), 'task')}{span}."
    for section in spec.sections:
        if section.title.strip():
            yield f"{_flat(section.title)}:"
        for task in section.tasks:
            yield _task(task)


def _task(task: Task) -> str:
    marks = [
        word
        for word, is_so in (
            ("done", task.is_done),
            ("active", task.is_active),
            ("critical", task.is_critical),
            ("milestone", task.is_milestone),
            ("marker", task.is_marker),
        )
        if is_so
    ]
    if task.is_milestone or task.is_marker:
        when = _date(task.start + (task.end - task.start) / 2)
    else:
        when = f"{_date(task.start)} to {_date(task.end)}"
    return f"{_flat(task.label) or task.id}: {when}" + (f" ({', '.join(marks)})" if marks else "")


def _date(at: datetime) -> str:
    at = at - timedelta(microseconds=at.microsecond)
    return at.isoformat(" ").removesuffix(":00").removesuffix(" 00:00")


def _pie(spec: Pie) -> Iterator[str]:
    total = sum(one.value for one in spec.slices)
    yield f"{_flat(spec.title) or 'Pie chart'}: {_count(len(spec.slices), 'share')}."
    for one in sorted(spec.slices, key=lambda one: -one.value):
        share = f"{100 * one.value / total:.1f} %" if total else "0 %"
        yield f"{_flat(one.label)}: {share}" + (f" ({one.value:g})" if spec.shows_values else "")


def _timeline(spec: Timeline) -> Iterator[str]:
    periods = sum(len(section.periods) for section in spec.sections)
    yield f"{_flat(spec.title) or 'Timeline'}: {_count(periods, 'period')}."
    for section in spec.sections:
        if section.title.strip():
            yield f"{_flat(section.title)}:"
        for period in section.periods:
            events = "; ".join(_flat(event) for event in period.events)
            yield f"{_flat(period.label)}: {events}" if events else _flat(period.label)


# --- charts -----------------------------------------------------------------------------------------------------------


def _chart(spec: Chart) -> Iterator[str]:
    name = CHART_NAMES[spec.type]
    yield f"{_flat(spec.title) or name}" + (f" ({name.lower()})" if spec.title.strip() else "") + f": {_axes(spec)}."
    for number, series in enumerate(spec.series, 1):
        label = _flat(series.name) or (f"Series {number}" if len(spec.series) > 1 else "Values")
        yield f"{label}: {_numbers(spec, series)}"


def _axes(spec: Chart) -> str:
    ways = ((spec.x.title, "across"), (spec.y.title, "up"))
    titles = [f"{_flat(title)} {way}" for title, way in ways if title.strip()]
    return ", ".join([*titles, f"{len(spec.series)} series"])


def _numbers(spec: Chart, series: Series) -> str:
    known = [(place, value) for place, value in enumerate(series.values) if value is not None]
    if not known:
        return "no values"
    values = [value for _, value in known]
    if spec.type is ChartType.HISTOGRAM or len(known) > MOST_NUMBERS:
        low, high = min(values), max(values)
        ends = "" if spec.type is ChartType.HISTOGRAM else f", from {values[0]:g} at first to {values[-1]:g} at last"
        return f"{_count(len(values), 'value')} between {low:g} and {high:g}{ends}"
    return ", ".join(f"{_place(spec, series, place)}{value:g}" for place, value in known)


def _place(spec: Chart, series: Series, place: int) -> str:
    if place < len(spec.x.categories):
        return f"{_flat(spec.x.categories[place])} "
    return f"{series.at[place]:g} → " if series.at else ""
