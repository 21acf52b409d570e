"""The gantt chart: bars on a time axis, in sections."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import NaiveDatetime, model_validator

from layers.presentation.spec.base import DiagramSpec, Value, refuse_repeated


class Task(Value):
    """One bar of a gantt chart."""

    id: str
    label: str
    start: NaiveDatetime
    """Wall clock of the project's own calendar; it has no time zone."""
    end: NaiveDatetime
    """Exclusive. A milestone sits in the middle between start and end."""
    is_done: bool = False
    is_active: bool = False
    is_critical: bool = False
    is_milestone: bool = False
    """A diamond instead of a bar."""
    is_marker: bool = False
    """A line across all rows instead of a bar (`vert`)."""


class GanttSection(Value):
    """Rows under one heading; the heading may be empty."""

    title: str = ""
    tasks: tuple[Task, ...] = ()


class Gantt(DiagramSpec):
    """What happens when. All dates are settled: nothing refers to another task."""

    kind: Literal["gantt"] = "gantt"
    sections: tuple[GanttSection, ...] = ()
    axis_format: str = "%Y-%m-%d"
    """strftime."""

    def tasks(self) -> list[Task]:
        """Every task from top to bottom."""
        return [task for section in self.sections for task in section.tasks]

    @model_validator(mode="after")
    def _is_consistent(self) -> Gantt:
        refuse_repeated("task", [task.id for task in self.tasks()])
        for task in self.tasks():
            if task.end < task.start:
                raise ValueError(f"the task {task.id!r} ends {_day(task.end)}, before it starts {_day(task.start)}")
        return self


def _day(at: datetime) -> str:
    return at.isoformat(" ", "minutes").removesuffix(" 00:00")
