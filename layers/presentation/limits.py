"""What is too much for a legible picture of a kind that is no graph: a spec in, a refusal out. Pure.

Paging makes long sequences, gantt charts and timelines legible; ten pages are what an album takes. What stands in one
picture is limited by its width: bars need their row, slices their name.
"""

from __future__ import annotations

from collections.abc import Iterator

from layers.errors import Refused
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
    Step,
    Timeline,
)

MOST_PARTICIPANTS, MOST_STEPS, DEEPEST = 24, 200, 6
MOST_TASKS, MOST_SLICES, MOST_EVENTS = 150, 40, 120
MOST_SERIES, MOST_PLACES, MOST_POINTS, MOST_ROWS = 12, 60, 1500, 40
LONGEST_TEXT, LONGEST_NAME = 600, 120
"""Characters of a message, note or event, and of a name that stands at an axis, a bar or a lifeline."""
FURTHEST = 1e15
"""Numbers beyond it, either way, lose their digits on any axis."""


def refuse_unplannable(spec: DiagramSpec) -> None:
    """Say no to what cannot become a legible picture.

    Raises:
        Refused: with the count, the limit and what to do.
    """
    match spec:
        case SequenceDiagram():
            _sequence(spec)
        case Gantt():
            _gantt(spec)
        case Pie():
            _nothing("pie", len(spec.slices), 'a slice, e.g. "Dogs" : 5')
            _most(len(spec.slices), MOST_SLICES, "slices", "put the small ones together")
            _names("slice", (one.label for one in spec.slices))
            _sizes(one.value for one in spec.slices)
        case Timeline():
            _timeline(spec)
        case Chart():
            _chart(spec)
    _length("title", spec.title, LONGEST_NAME * 2)


def _most(count: int, limit: int, noun: str, remedy: str) -> None:
    if count > limit:
        raise Refused(f"The diagram has {count} {noun} and at most {limit} stay legible: {remedy}.")


def _nothing(kind: str, count: int, example: str) -> None:
    if not count:
        raise Refused(f"The {kind} is empty; write at least {example}.")


def _length(noun: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise Refused(f"The {noun} {text[:40]!r}... has {len(text)} characters and at most {limit} fit: shorten it.")


def _names(noun: str, names: Iterator[str]) -> None:
    for name in names:
        _length(noun, name, LONGEST_NAME)


def _sizes(values: Iterator[float | None]) -> None:
    for value in values:
        if value is not None and abs(value) > FURTHEST:
            raise Refused(f"The number {value:g} is beyond {FURTHEST:g}: give it in a larger unit.")


def _sequence(spec: SequenceDiagram) -> None:
    _nothing("sequence diagram", len(spec.participants), "one message, e.g. A->>B: hello")
    _most(len(spec.participants), MOST_PARTICIPANTS, "participants", "show one part of the conversation at a time")
    _most(sum(1 for _ in spec.all_steps()), MOST_STEPS, "steps", "split it into several")
    _names("participant", (one.label for one in spec.participants))
    _names("box", (box.title for box in spec.boxes))
    stack: list[tuple[Step, int]] = [(step, 0) for step in spec.steps]
    while stack:
        step, depth = stack.pop()
        if isinstance(step, Message | Note):
            _length(step.step, step.text, LONGEST_TEXT)
        elif isinstance(step, Block):
            if depth >= DEEPEST:
                raise Refused(f"Blocks lie in each other more than {DEEPEST} deep: take some out.")
            for branch in step.branches:
                _length("block", branch.label, LONGEST_NAME * 2)
                stack += [(inner, depth + 1) for inner in branch.steps]


def _gantt(spec: Gantt) -> None:
    tasks = spec.tasks()
    _nothing("gantt chart", len(tasks), "one task, e.g. Design : 2026-01-05, 3d")
    _most(len(tasks), MOST_TASKS, "tasks", "split it into several")
    _names("task", (task.label for task in tasks))
    _names("section", (section.title for section in spec.sections))


def _timeline(spec: Timeline) -> None:
    periods = [period for section in spec.sections for period in section.periods]
    titles = [section.title for section in spec.sections if section.title.strip()]
    _nothing("timeline", len(periods) + len(titles), "one period, e.g. 2026 : something happened")
    _most(sum(len(period.events) for period in periods) + len(periods), MOST_EVENTS, "entries", "split it into several")
    _names("section", iter(titles))
    _names("period", (period.label for period in periods))
    for period in periods:
        for event in period.events:
            _length("event", event, LONGEST_TEXT)


def _chart(spec: Chart) -> None:
    _nothing("chart", len(spec.series), "one series, e.g. bar [1, 2, 3]")
    is_heat = spec.type is ChartType.HEAT_MAP
    limit, remedy = (MOST_ROWS, "leave some out") if is_heat else (MOST_SERIES, "show fewer at a time")
    _most(len(spec.series), limit, "series", remedy)
    places = max(len(spec.x.categories), *(len(one.values) for one in spec.series))
    if spec.x.categories or spec.type in (ChartType.BAR, ChartType.STACKED_BAR, ChartType.HEAT_MAP):
        _most(places, MOST_PLACES, "categories", "put some together")
    else:
        _most(sum(len(one.values) for one in spec.series), MOST_POINTS, "numbers", "thin them out")
    _names("series", (one.name for one in spec.series))
    _names("category", iter(spec.x.categories))
    _names("axis", iter((spec.x.title, spec.y.title)))
    for one in spec.series:
        _sizes(iter((*one.values, *one.at)))
    _sizes(iter((spec.x.low, spec.x.high, spec.y.low, spec.y.high)))
