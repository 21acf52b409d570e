"""The gantt chart: its spec in, one scene or several pages out. Names stand left, time runs to the right.

How far a task is, is said by more than colour: what is done has a tick, what is critical a thick red rim, what is
active is filled. A legend names those that occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from layers.presentation.drawing import lettering
from layers.presentation.drawing.lettering import BODY, HEADING, SMALL, block, centred, left
from layers.presentation.drawing.scales import date_ticks
from layers.presentation.drawing.sheet import MARGIN, Sheet
from layers.presentation.scene import Part, PartMark, Point, Rect, Scene, TextMark, Tone
from layers.presentation.shapes import rounded
from layers.presentation.spec import Gantt, Task

BLEED = 6.0
"""How far a row's ground reaches beyond its texts."""
WIDTH = lettering.WIDEST_SMALL - 2 * MARGIN - 2 * BLEED
NAME_WRAP = 140.0
NAME_GAP = 12.0
BAR_HEIGHT = 16.0
ROW_PAD = 4.0
LEAST_BAR = 3.0
MILESTONE = 8.0
"""Half its width."""
TALLEST = lettering.WIDEST_SMALL * lettering.TALLEST
TICK_GAP = 12.0
DONE = "✓"
INSET = 0.03
"""Share of the time span left free on both sides, so that nothing sticks to the edge."""
STATES = ("done", "active", "critical", "to do")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One row of the chart: a section's heading or a task."""

    section: int
    height: float
    name: TextMark | None
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class _Clock:
    """Time to x."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where `at` is."""
        return self.left + (at - self.start) / (self.end - self.start) * (self.right - self.left)


def plan_gantt(spec: Gantt, *, is_paged: bool = True) -> tuple[Scene, ...]:
    """A page for as many rows as a phone shows at once; each repeats the axis and its section's heading."""
    lines = _lines(spec)
    clock = _clock(spec, lines)
    pages = _pages(lines) if is_paged else [lines]
    return tuple(
        _page(spec, page, clock).finish(spec.title, page=(number, len(pages))) for number, page in enumerate(pages, 1)
    )


def _lines(spec: Gantt) -> list[_Line]:
    lines = []
    for number, section in enumerate(spec.sections):
        heading = block(section.title, WIDTH - 16, BODY, bold=True)
        if heading:
            lines.append(_Line(section=number, height=heading.box.height + 10, name=heading))
        for task in section.tasks:
            if not task.is_marker:
                name = block(task.label, NAME_WRAP, BODY)
                height = max(name.box.height if name else 0.0, BAR_HEIGHT) + 2 * ROW_PAD
                lines.append(_Line(section=number, height=height, name=name, task=task))
    return lines


def _clock(spec: Gantt, lines: Sequence[_Line]) -> _Clock:
    tasks = spec.tasks()
    start = min((task.start for task in tasks), default=datetime(2000, 1, 1))
    end = max((task.end for task in tasks), default=start)
    span = max(end - start, timedelta(minutes=1)) if end > start else timedelta(days=2)
    try:
        start, end = start - span * INSET, max(end, start + span) + span * INSET
    except OverflowError:
        end = max(end, start + timedelta(hours=1)) if start < datetime.max - DAY else end
        start = min(start, end - timedelta(hours=1))
    names = max((line.name.box.width for line in lines if line.name and line.task), default=0.0)
    return _Clock(start, end, names + NAME_GAP, WIDTH + BLEED - MILESTONE)


DAY = timedelta(days=1)


def _pages(lines: list[_Line]) -> list[list[_Line]]:
    """Cut where a page is full; a section's heading comes again on the next page, and never stands alone."""
    room = TALLEST - 150.0
    pages: list[list[_Line]] = [[]]
    heading: _Line | None = None
    for number, line in enumerate(lines):
        if line.task is None or (heading and heading.section != line.section):
            heading = line if line.task is None else None
        following = lines[number + 1].height if line.task is None and number + 1 < len(lines) else 0.0
        if pages[-1] and sum(one.height for one in pages[-1]) + line.height + following > room:
            pages.append([heading] if heading and heading is not line else [])
        pages[-1].append(line)
    return pages


def _page(spec: Gantt, lines: Sequence[_Line], clock: _Clock) -> Sheet:
    sheet = Sheet()
    height = sum(line.height for line in lines)
    ticks = _axis(spec, clock)
    head = max((text.box.height for _, text in ticks), default=0.0) + 6
    y = -head
    for line in lines:
        sheet.add(_band(line, y))
        y -= line.height
    for x, text in ticks:
        word = " ".join(text.lines)
        points = ((x, -head), (x, -head - height))
        grid = PartMark(id=f"grid {word}", part=Part.GRID, points=points, is_closed=False, line=Tone.HAIR, width=0.9)
        mark = centred(text, (x, -head + 3 + text.box.height / 2))
        sheet.add(grid, PartMark(id=f"tick {word}", part=Part.TICK, text=mark, ink=Tone.MUTED))
    axis = ((clock.left, -head), (clock.right, -head))
    sheet.add(PartMark(id="axis", part=Part.AXIS, points=axis, is_closed=False, line=Tone.LINE, width=1.0))
    lowest = _markers(sheet, spec, clock, (-head, -head - height))
    y = -head
    for line in lines:
        middle = y - line.height / 2
        if line.task is None and line.name:
            name = left(line.name, 0.0, middle)
            id = f"section {' '.join(line.name.lines)}"
            sheet.add(PartMark(id=id, part=Part.CAPTION, text=name, backing=Tone.DEEP_BAND))
        elif line.task:
            sheet.add(*_task(line, line.task, clock, middle))
        y -= line.height
    _legend(sheet, [line.task for line in lines if line.task], lowest - 14)
    return sheet


def _axis(spec: Gantt, clock: _Clock) -> list[tuple[float, TextMark]]:
    """Labels that lie apart from each other and inside the chart."""

    def marks(ticks: Sequence[tuple[datetime, str]]) -> list[tuple[float, TextMark]]:
        found = [(clock.x(at), block(word, 400, SMALL)) for at, word in ticks]
        return [(x, text) for x, text in found if text]

    def fits(ticks: Sequence[tuple[datetime, str]]) -> bool:
        boxes = [(x - text.box.width / 2, x + text.box.width / 2) for x, text in marks(ticks)]
        return all(one[1] + TICK_GAP <= other[0] for one, other in pairwise(boxes)) and all(
            low >= 0 and high <= clock.right + BLEED for low, high in boxes
        )

    return marks(date_ticks(clock.start, clock.end, spec.axis_format, fits))


def _band(line: _Line, y: float) -> PartMark:
    box = Rect(-BLEED, y - line.height, WIDTH + BLEED, y)
    tone = Tone.DEEP_BAND if line.task is None else Tone.BAND if line.section % 2 == 0 else Tone.PAPER
    return PartMark(id=f"band at {-y:.1f}", part=Part.BAND, points=_corners(box), fill=tone)


def _task(line: _Line, task: Task, clock: _Clock, y: float) -> list[PartMark]:
    parts = []
    if line.name:
        parts.append(PartMark(id=f"name {task.id}", part=Part.LABEL, text=left(line.name, 0.0, y), of=task.id))
    start, end = clock.x(task.start), clock.x(task.end)
    if task.is_milestone:
        return [*parts, _milestone(task, (start + end) / 2, y)]
    box = Rect(start, y - BAR_HEIGHT / 2, max(end, start + LEAST_BAR), y + BAR_HEIGHT / 2)
    parts.append(_bar(task, box))
    tick = block(DONE, 40, SMALL, bold=True)
    if task.is_done and tick and box.width >= tick.box.width + 6:
        parts.append(PartMark(id=f"done {task.id}", part=Part.LABEL, text=centred(tick, box.centre), of=task.id))
    return parts


def _bar(task: Task, box: Rect) -> PartMark:
    fill, rim = (Tone.STRONG, Tone.STRONG) if task.is_active else (Tone.SOFT, Tone.RIM)
    return PartMark(
        id=task.id,
        part=Part.BAR,
        points=tuple(rounded(box, 3)),
        fill=Tone.DEEP_BAND if task.is_done else fill,
        line=Tone.ALERT if task.is_critical else Tone.LINE if task.is_done else rim,
        width=2.4 if task.is_critical else 1.1,
        accent=1,
        of=task.id,
    )


def _milestone(task: Task, x: float, y: float) -> PartMark:
    return PartMark(
        id=task.id,
        part=Part.MILESTONE,
        points=((x, y + MILESTONE), (x + MILESTONE, y), (x, y - MILESTONE), (x - MILESTONE, y)),
        fill=Tone.DEEP_BAND if task.is_done else Tone.STRONG,
        line=Tone.ALERT if task.is_critical else Tone.LINE if task.is_done else Tone.STRONG,
        width=2.2 if task.is_critical else 1.1,
        accent=2,
        of=task.id,
    )


def _markers(sheet: Sheet, spec: Gantt, clock: _Clock, span: tuple[float, float]) -> float:
    """Lines across all rows with their names below, stepped where they would touch; the y below the names."""
    top, bottom = span
    taken: list[Rect] = []
    for task in (task for task in spec.tasks() if task.is_marker):
        x = clock.x(task.start + (task.end - task.start) / 2)
        points = ((x, top), (x, bottom - 3))
        sheet.add(
            PartMark(
                id=task.id,
                part=Part.MARKER,
                points=points,
                is_closed=False,
                line=Tone.ALERT,
                width=1.4,
                is_dashed=True,
                of=task.id,
            )
        )
        text = block(task.label, NAME_WRAP, SMALL)
        if text:
            half = text.box.width / 2
            box = Rect.around((min(max(x, half), WIDTH - half), bottom - 5 - text.box.height / 2), *_size(text))
            while any(box.inset(-3).shared_area(other) for other in taken):
                box = box.moved(0, -6)
            taken.append(box)
            name = PartMark(
                id=f"name {task.id}", part=Part.LABEL, text=centred(text, box.centre), ink=Tone.ALERT, of=task.id
            )
            sheet.add(name)
    return min([bottom, *(box.bottom for box in taken)])


def _size(text: TextMark) -> tuple[float, float]:
    return text.box.width, text.box.height


def _state(task: Task) -> set[str]:
    found = {"done"} if task.is_done else {"active"} if task.is_active else set[str]()
    if task.is_critical:
        found.add("critical")
    return (found or {"to do"}) if not task.is_milestone else {*found, "milestone"}


def _legend(sheet: Sheet, tasks: Sequence[Task], y: float) -> None:
    """Samples of what occurs, when there is more than plain bars."""
    used = set[str]().union(*(_state(task) for task in tasks)) if tasks else set[str]()
    if used <= {"to do"}:
        return
    x = 0.0
    for state in [state for state in (*STATES, "milestone") if state in used]:
        text = block(state, 200, SMALL)
        if text is None:
            continue
        if x + 34 + text.box.width > WIDTH:
            x, y = 0.0, y - HEADING - 8
        at = datetime(2000, 1, 1)
        sample = Task(
            id=f"legend {state}",
            label=state,
            start=at,
            end=at,
            is_done=state == "done",
            is_active=state == "active",
            is_critical=state == "critical",
        )
        mark = _milestone(sample, x + 12, y) if state == "milestone" else _bar(sample, Rect(x, y - 6, x + 24, y + 6))
        name = PartMark(id=f"legend name {state}", part=Part.LEGEND, text=left(text, x + 30, y), ink=Tone.MUTED)
        sheet.add(_as_legend(mark), name)
        tick = block(DONE, 40, SMALL, bold=True) if state == "done" else None
        if tick:
            sheet.add(PartMark(id="legend tick", part=Part.LEGEND, text=centred(tick, (x + 12, y))))
        x += 30 + text.box.width + 18


def _as_legend(mark: PartMark) -> PartMark:
    return PartMark(
        id=mark.id,
        part=Part.LEGEND,
        points=mark.points,
        fill=mark.fill,
        line=mark.line,
        width=mark.width,
        accent=mark.accent,
    )


def _corners(box: Rect) -> tuple[Point, ...]:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)
