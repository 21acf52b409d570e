"""Mermaid's `timeline` to `Timeline`, line by line."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Period, Timeline, TimelineSection

HEADER = re.compile(r"timeline(?!\w)(?:[^\S\n]+(?:LR|TD|TB|RL|BT)(?=\s|$))?", re.IGNORECASE)
SEPARATORS = re.compile(r"(?:\s|;|#(?!\w+;)[^\n]*)+")
TITLE = re.compile(r"title\s([^\n]+)", re.IGNORECASE)
SECTION = re.compile(r"section\s([^:\n]+)", re.IGNORECASE)
EVENT = re.compile(r"[^\S\n]*:\s((?:[^:\n]|:(?!\s))+)")
PERIOD = re.compile(r"(?:#\w+;|[^#:\n])++")
MOST = 500


def parse_timeline(cursor: Cursor, meta: Meta) -> Timeline:
    """Read the whole timeline that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    sections: list[tuple[str, list[tuple[str, list[str]]]]] = [("", [])]
    count = 0
    while True:
        cursor.take(SEPARATORS)
        if cursor.is_done:
            break
        count += 1
        if count > MOST:
            cursor.fail(f"at most {MOST} lines in one timeline", "split it into several")
        if found := cursor.take(TITLE):
            meta.title = plain(found.group(1).strip())
        elif meta.take(cursor):
            continue
        elif found := cursor.take(SECTION):
            sections.append((plain(found.group(1).strip()), []))
        elif found := cursor.take(EVENT):
            periods = next((periods for _, periods in reversed(sections) if periods), None)
            if periods is None:
                cursor.fail("a period before its event", "write e.g. 2024 : what happened", at=found.start())
            periods[-1][1].append(plain(found.group(1).strip()))
        elif found := cursor.take(PERIOD):
            sections[-1][1].append((plain(found.group().strip()), []))
        else:
            cursor.fail("a period, `section` or `title`", "put a space after the colon: 2024 : what happened")
    return Timeline(
        title=meta.title,
        alt=meta.alt,
        sections=tuple(
            TimelineSection(
                title=title, periods=tuple(Period(label=label, events=tuple(events)) for label, events in periods)
            )
            for title, periods in sections
            if title or periods
        ),
    )
