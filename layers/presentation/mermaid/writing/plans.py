"""Gantt charts, pies, mindmaps, timelines and charts as Mermaid."""

from __future__ import annotations

import re

from layers.errors import Refused
from layers.presentation.mermaid.writing.text import escape, names, quoted
from layers.presentation.spec import Chart, ChartType, Gantt, Mindmap, MindShape, Pie, Task, Timeline

SAFE = re.compile(r"(?!(?:active|done|crit|milestone|vert|after|until)\b)\w+", re.IGNORECASE)
SAFE_IDEA = re.compile(r"(?!mindmap\b)\w(?:[\w -]*\w)?")
SETTINGS = re.compile(
    r"(?:dateFormat|axisFormat|tickInterval|includes|excludes|todayMarker|weekday|weekend|title|section|accDescription"
    r"|inclusiveEndDates|topAxis|click|accTitle|accDescr)\b",
    re.IGNORECASE,
)
IDEAS = {
    MindShape.SQUARE: ("[", "]"),
    MindShape.ROUNDED: ("(", ")"),
    MindShape.CIRCLE: ("((", "))"),
    MindShape.BANG: ("))", "(("),
    MindShape.CLOUD: (")", "("),
    MindShape.HEXAGON: ("{{", "}}"),
}
TAGS = (
    ("is_critical", "crit"),
    ("is_done", "done"),
    ("is_active", "active"),
    ("is_milestone", "milestone"),
    ("is_marker", "vert"),
)


def write_gantt(spec: Gantt) -> list[str]:
    """Every task with its dates."""
    ids = names([task.id for task in spec.tasks()], SAFE, "t")
    is_fine = any(at.microsecond for task in spec.tasks() for at in (task.start, task.end))
    lines = ["gantt", f"  dateFormat YYYY-MM-DD HH:mm:ss{'.SSS' if is_fine else ''}"]
    lines += [f"  axisFormat {spec.axis_format}"]
    for section in spec.sections:
        if section.title:
            lines.append(f"  section {escape(section.title, forbidden=':')}")
        lines += [f"  {_task(task, ids[task.id], is_fine=is_fine)}" for task in section.tasks]
    return lines


def _task(task: Task, id: str, *, is_fine: bool) -> str:
    dates = [
        at.isoformat(" ", "milliseconds" if is_fine else "seconds").rjust(23 if is_fine else 19, "0")
        for at in (task.start, task.end)
    ]
    tags = [tag for name, tag in TAGS if getattr(task, name)]
    label = escape(task.label, forbidden=":;#", keywords=SETTINGS) or "#8203;"
    return f"{label} :{', '.join([*tags, id, *dates])}"


def write_pie(spec: Pie) -> list[str]:
    """A line for each slice."""
    lines = ["pie showData" if spec.shows_values else "pie"]
    labels = [escape(one.label, forbidden='"\\') for one in spec.slices]
    return lines + [f'  "{label}" : {_number(one.value)}' for label, one in zip(labels, spec.slices, strict=True)]


def _number(value: float) -> str:
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def write_mindmap(spec: Mindmap) -> list[str]:
    """A line for each idea, indented below its parent."""
    depth = {"": 0}
    inner: dict[str, list[int]] = {}
    for number, idea in enumerate(spec.ideas):
        depth[idea.id] = depth[idea.parent] + 1
        inner.setdefault(idea.parent, []).append(number)
    ids = names([idea.id for idea in spec.ideas], SAFE_IDEA, "i")
    lines = ["mindmap"]
    stack = list(reversed(inner.get("", [])))
    while stack:
        idea = spec.ideas[stack.pop()]
        opens, closes = IDEAS.get(idea.shape, ("", ""))
        label = quoted(idea.label) if opens else escape(idea.label, forbidden="()[]{}:") or "#8203;"
        lines.append("  " * depth[idea.id] + (f"{ids[idea.id]}{opens}{label}{closes}" if opens else label))
        stack += reversed(inner.get(idea.id, []))
    return lines


def write_timeline(spec: Timeline) -> list[str]:
    """A line for each period with its events."""
    lines = ["timeline"]
    for section in spec.sections:
        if section.title:
            lines.append(f"  section {escape(section.title, forbidden=':')}")
        for period in section.periods:
            label = escape(period.label, forbidden=":#;", keywords=SETTINGS) or "#8203;"
            events = [f" : {escape(event, forbidden=':')}" for event in period.events]
            lines.append(f"    {label}{''.join(events)}")
    return lines


def write_chart(spec: Chart) -> list[str]:
    """Lines and bars; Mermaid has no other charts.

    Raises:
        Refused: another type, gaps, or values at places of their own.
    """
    values = [series.values for series in spec.series]
    if spec.type not in (ChartType.LINE, ChartType.BAR) or any(series.at for series in spec.series):
        raise Refused(f"Mermaid has no {spec.type.value.replace('_', ' ')} chart; take the JSON of the spec instead.")
    if any(value is None for row in values for value in row):
        raise Refused("Mermaid's charts have no gaps; take the JSON of the spec instead.")
    lines = ["xychart-beta horizontal" if spec.is_horizontal else "xychart-beta"]
    for name, axis in (("x-axis", spec.x), ("y-axis", spec.y)):
        parts = [quoted(axis.title)] if axis.title else []
        if axis.categories:
            parts.append(f"[{', '.join(quoted(one) for one in axis.categories)}]")
        elif axis.low is not None and axis.high is not None:
            parts.append(f"{_number(axis.low)} --> {_number(axis.high)}")
        lines += [f"  {name} {' '.join(parts)}"] if parts else []
    for series in spec.series:
        title = f" {quoted(series.name)}" if series.name else ""
        numbers = ", ".join(_number(value or 0.0) for value in series.values)
        lines.append(f"  {(series.type or spec.type).value}{title} [{numbers}]")
    return lines
