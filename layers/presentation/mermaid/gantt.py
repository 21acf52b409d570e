"""Mermaid's `gantt` to `Gantt`: lines first, then the dates, which may refer to tasks further down."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.mermaid.planning import Calendar, RawTask, settle
from layers.presentation.nearest import nearest
from layers.presentation.spec import Gantt, GanttSection, Task

HEADER = re.compile(r"gantt(?!\w)[^\S\n]*")
SEPARATORS = re.compile(r"(?:\s|%%[^\n]*)+")
SETTING = re.compile(
    r"(dateFormat|axisFormat|tickInterval|includes|excludes|todayMarker|weekday|weekend|title|section|accDescription)"
    r"\s[^\S\n]*([^\n]*)",
    re.IGNORECASE,
)
FLAG = re.compile(r"(inclusiveEndDates|topAxis)\b[^\S\n]*", re.IGNORECASE)
CLICK = re.compile(r"click[^\S\n]+[^\n]*", re.IGNORECASE)
TASK = re.compile(r"((?:#\w+;|[^:\n])++):([^\n]+)")
TAGS = ("active", "done", "crit", "milestone", "vert")
MOST = 500
KEYWORDS = ("dateFormat", "axisFormat", "tickInterval", "excludes", "includes", "todayMarker", "title", "section")


@dataclass(slots=True)
class _Section:
    title: str
    tasks: list[RawTask] = field(default_factory=list)


def parse_gantt(cursor: Cursor, meta: Meta) -> Gantt:
    """Read the whole chart that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    return _Parser(cursor, meta).parse()


class _Parser:
    def __init__(self, cursor: Cursor, meta: Meta) -> None:
        self.cursor = cursor
        self.meta = meta
        self.calendar = Calendar()
        self.sections = [_Section("")]
        self.raw: list[RawTask] = []
        self.axis_format = ""
        self.nameless = 0

    def parse(self) -> Gantt:
        cursor = self.cursor
        while True:
            cursor.take(SEPARATORS)
            if cursor.is_done:
                break
            if cursor.starts_with(";"):
                cursor.at += 1
            elif self.meta.take(cursor) or cursor.take(CLICK):
                continue
            elif found := cursor.take(SETTING):
                self._set(found.group(1).lower(), found.group(2).strip(), found.start(2))
            elif found := cursor.take(FLAG):
                self.calendar.is_inclusive |= found.group(1).lower() == "inclusiveenddates"
            elif found := cursor.take(TASK):
                self._task(found.group(1).strip(), found.group(2), found.start(2))
            else:
                self._fail_line()
        settle(cursor, self.raw, self.calendar)
        extra = {"axis_format": self.axis_format} if self.axis_format else {}
        return Gantt(
            title=self.meta.title,
            alt=self.meta.alt,
            sections=tuple(
                GanttSection(title=section.title, tasks=tuple(_task(raw) for raw in section.tasks))
                for section in self.sections
                if section.title or section.tasks
            ),
            **extra,
        )

    def _set(self, name: str, text: str, at: int) -> None:
        calendar = self.calendar
        if name == "dateformat":
            calendar.format = text.partition("#")[0].strip()
        elif name == "axisformat":
            self.axis_format = text.partition("#")[0].strip()
        elif name == "excludes":
            calendar.excludes |= set(re.split(r"[\s,]+", text.lower())) - {""}
        elif name == "includes":
            calendar.includes |= set(re.split(r"[\s,]+", text.lower())) - {""}
        elif name == "weekend":
            calendar.weekend = 4 if text.lower() == "friday" else 5
        elif name == "title":
            self.meta.title = plain(text)
        elif name == "section":
            self.sections.append(_Section(plain(text.partition(":")[0].strip())))
        elif name == "accdescription":
            self.meta.alt = plain(text)

    def _task(self, label: str, data: str, at: int) -> None:
        if len(self.raw) >= MOST:
            self.cursor.fail(f"at most {MOST} tasks in one chart", "split it into several", at=at)
        fields = [one.strip() for one in data.split(",")]
        tags: set[str] = set()
        while fields and fields[0].lower() in TAGS:
            tags.add(fields.pop(0).lower())
        if len(fields) > 3:
            self.cursor.tolerate(f"the task {label[:40]!r} has {len(fields)} fields; the last three count", at=at)
            fields = [fields[0], *fields[-2:]]
        id = fields.pop(0) if len(fields) == 3 else ""
        raw = RawTask(
            id=self._free(id),
            label=plain(label),
            start=fields[0] if len(fields) == 2 else "",
            end=fields[-1] if fields else "",
            tags=frozenset(tags),
            at=at,
            has_id=bool(id),
        )
        self.raw.append(raw)
        self.sections[-1].tasks.append(raw)

    def _free(self, id: str) -> str:
        taken = {raw.id for raw in self.raw}
        if not id:
            self.nameless += 1
            id = f"task{self.nameless}"
        name, number = id, 2
        while name in taken:
            name, number = f"{id} ({number})", number + 1
        return name

    def _fail_line(self) -> None:
        line = self.cursor.rest_of_line().strip()
        word = line.split()[0] if line.split() else ""
        meant = nearest(word, KEYWORDS)
        if meant and meant.lower() != word.lower():
            self.cursor.fail("a task or a setting", f"did you mean {meant}?")
        if meant:
            self.cursor.fail(f"a value after {meant}", f"write e.g. {meant} …")
        self.cursor.fail("`:` after the name of the task", "a task is written Name :id, 2024-01-01, 3d")


def _task(raw: RawTask) -> Task:
    return Task(
        id=raw.id,
        label=raw.label,
        start=raw.begins,
        end=raw.ends,
        is_done="done" in raw.tags,
        is_active="active" in raw.tags,
        is_critical="crit" in raw.tags,
        is_milestone="milestone" in raw.tags,
        is_marker="vert" in raw.tags,
    )
