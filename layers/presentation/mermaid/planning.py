"""When the tasks of a gantt chart begin and end: dates, durations, `after`, `until`, days that do not count."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.dates import DAYS, START, add_duration, pattern_of, read_date

REFERENCE = re.compile(r"(after|until)\s+([\w\- ]+)")
NAME = re.compile(r"(?!after\b)[A-Za-z_][\w-]*")
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOST_ROUNDS = 10
"""As often as Mermaid tries to settle tasks that refer to each other."""
MOST_DAYS = 5000
"""Days that are looked at one by one for being excluded."""


@dataclass(slots=True)
class Calendar:
    """How dates are read, and which days count."""

    format: str = "YYYY-MM-DD"
    excludes: set[str] = field(default_factory=set)
    includes: set[str] = field(default_factory=set)
    weekend: int = 5
    """The first of its two days; Monday is 0."""
    is_inclusive: bool = False
    """An end date is itself a day of the task."""

    def is_off(self, day: datetime) -> bool:
        """True when the day does not count."""
        name, date = DAYS[day.weekday()], day.strftime("%Y-%m-%d")
        if date in self.includes:
            return False
        is_weekend = day.weekday() in (self.weekend, (self.weekend + 1) % 7)
        return ("weekends" in self.excludes and is_weekend) or name in self.excludes or date in self.excludes


@dataclass(slots=True)
class RawTask:
    """A task as it was written, and when it turns out to be."""

    id: str
    label: str
    start: str
    end: str
    tags: frozenset[str]
    at: int
    has_id: bool = False
    """The author gave it one."""
    begins: datetime = START
    ends: datetime = START
    is_settled: bool = False


def settle(cursor: Cursor, tasks: list[RawTask], calendar: Calendar) -> None:
    """Give every task its dates.

    Raises:
        BadInput: a date that cannot be read.
    """
    pattern = pattern_of(calendar.format)
    for task in tasks:
        _name_what_has_no_date(cursor, task, pattern, tasks)
    known = {task.id: task for task in tasks}
    for round in range(MOST_ROUNDS):
        previous: RawTask | None = None
        for task in tasks:
            if not task.is_settled:
                _settle(cursor, task, previous, known, (calendar, pattern, round == MOST_ROUNDS - 1))
            previous = task
        if all(task.is_settled for task in tasks):
            return


def _name_what_has_no_date(
    cursor: Cursor, task: RawTask, pattern: re.Pattern[str] | None, tasks: list[RawTask]
) -> None:
    """`Name :id, 3d` gives an id and no date, though Mermaid takes the id for a date that it cannot read."""
    if not task.has_id and NAME.fullmatch(task.start) and read_date(task.start, pattern) is None:
        if any(other.id == task.start for other in tasks):
            return
        cursor.tolerate(f"{task.start[:40]!r} is no date; it was read as the id of {task.label[:40]!r}", at=task.at)
        task.id, task.start = task.start, ""


def _settle(
    cursor: Cursor,
    task: RawTask,
    previous: RawTask | None,
    known: dict[str, RawTask],
    how: tuple[Calendar, re.Pattern[str] | None, bool],
) -> None:
    begins = _begin(cursor, task, previous, known, how[1:])
    if begins is None:
        return
    ends = _end(cursor, task, begins, known, how)
    if ends is None:
        return
    if ends < begins:
        cursor.tolerate(f"the task {task.label[:40]!r} ends before it starts; it is shown at its start", at=task.at)
        ends = begins
    task.begins, task.ends, task.is_settled = begins, ends, True


def _begin(
    cursor: Cursor,
    task: RawTask,
    previous: RawTask | None,
    known: dict[str, RawTask],
    how: tuple[re.Pattern[str] | None, bool],
) -> datetime | None:
    pattern, is_last = how
    if not task.start:
        if previous is None:
            cursor.tolerate(f"the first task {task.label[:40]!r} has no start; it begins {START:%Y-%m-%d}", at=task.at)
            return START
        return previous.ends if previous.is_settled or is_last else None
    found = REFERENCE.fullmatch(task.start)
    if found and found.group(1) == "after":
        named = [known[id] for id in found.group(2).split() if id in known and known[id] is not task]
        if named and all(one.is_settled for one in named):
            return max(one.ends for one in named)
        if named and not is_last:
            return None
        earlier = previous.ends if previous and previous.is_settled else START
        told = f"{task.start[:40]!r} names no task that is there; {task.label[:40]!r} begins {earlier:%Y-%m-%d}"
        cursor.tolerate(told, at=task.at)
        return earlier
    moment = read_date(task.start, pattern)
    if moment is None:
        cursor.fail(
            f"a date for the start of {task.label[:24]!r}, not {task.start[:24]!r}",
            "write it as dateFormat says (YYYY-MM-DD when it says nothing), or after and the id of a task",
            at=task.at,
        )
    return moment


def _end(
    cursor: Cursor,
    task: RawTask,
    begins: datetime,
    known: dict[str, RawTask],
    how: tuple[Calendar, re.Pattern[str] | None, bool],
) -> datetime | None:
    calendar, pattern, is_last = how
    found = REFERENCE.fullmatch(task.end)
    if found and found.group(1) == "until":
        named = [known[id] for id in found.group(2).split() if id in known and known[id] is not task]
        if named and all(one.is_settled for one in named):
            return min(one.begins for one in named)
        if named and not is_last:
            return None
        cursor.tolerate(f"{task.end!r} names no task that is there; {task.label[:40]!r} has no length", at=task.at)
        return begins
    lasts = add_duration(begins, task.end)
    strict = pattern.fullmatch(task.end) if pattern else None
    moment = read_date(task.end, pattern) if strict or (lasts is None and ISO_DAY.match(task.end)) else None
    if moment is not None:
        return moment + timedelta(days=1) if calendar.is_inclusive and moment.year < datetime.max.year else moment
    if lasts is None:
        if task.end and not task.tags & {"milestone", "vert"}:
            told = f"{task.end[:40]!r} is no date and no duration; {task.label[:40]!r} has no length"
            cursor.tolerate(told, at=task.at)
        return begins
    return _stretched(begins, lasts, calendar) if calendar.excludes else lasts


def _stretched(begins: datetime, ends: datetime, calendar: Calendar) -> datetime:
    """The end after each day off has pushed it on by a day."""
    day = begins + timedelta(days=1)
    for _ in range(MOST_DAYS):
        if day > ends or ends.year >= datetime.max.year:
            break
        if calendar.is_off(day):
            ends += timedelta(days=1)
        day += timedelta(days=1)
    return ends
