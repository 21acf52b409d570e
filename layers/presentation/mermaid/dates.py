"""Dates as `dateFormat` describes them (dayjs), and durations. Pure; there is no today here."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

TOKEN = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|Do|DD|D|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|S{1,3}|A|a|ZZ|Z|X|x|.", re.DOTALL
)
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PATTERNS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d\d)",
    "MMMM": r"(?P<month_name>[A-Za-z]{3,9})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d\d)",
    "M": r"(?P<month>\d\d?)",
    "DD": r"(?P<day>\d\d)",
    "D": r"(?P<day>\d\d?)",
    "Do": r"(?P<day>\d\d?)(?:st|nd|rd|th)",
    "dddd": r"[A-Za-z]{6,9}",
    "ddd": r"[A-Za-z]{3}",
    "dd": r"[A-Za-z]{2}",
    "d": r"[0-6]",
    "HH": r"(?P<hour>\d\d)",
    "H": r"(?P<hour>\d\d?)",
    "hh": r"(?P<hour>\d\d)",
    "h": r"(?P<hour>\d\d?)",
    "mm": r"(?P<minute>\d\d)",
    "m": r"(?P<minute>\d\d?)",
    "ss": r"(?P<second>\d\d)",
    "s": r"(?P<second>\d\d?)",
    "SSS": r"(?P<fraction>\d{3})",
    "SS": r"(?P<fraction>\d{2})",
    "S": r"(?P<fraction>\d)",
    "A": r"(?P<half>[AaPp][Mm])",
    "a": r"(?P<half>[AaPp][Mm])",
    "Z": r"(?:[+-]\d\d:?\d\d|Z)",
    "ZZ": r"(?:[+-]\d\d:?\d\d|Z)",
    "X": r"(?P<unix_s>\d{1,11}(?:\.\d{1,3})?)",
    "x": r"(?P<unix_ms>\d{1,14})",
}
LONGEST_FORMAT = 60
LOOSE = (
    re.compile(
        r"(?P<year>\d{3,4})[-/.](?P<month>\d\d?)(?:[-/.](?P<day>\d\d?))?"
        r"(?:[T\s]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,3})\d*)?)?)?\s*(?:Z|[+-]\d\d:?\d\d)?"
    ),
    re.compile(r"(?P<month>\d\d?)[-/](?P<day>\d\d?)[-/](?P<year>\d{4})"),
    re.compile(r"(?:[A-Za-z]{3,9},?\s+)?(?P<month_name>[A-Za-z]{3,9})\.?\s+(?P<day>\d\d?),?\s+(?P<year>\d{4})"),
    re.compile(r"(?:[A-Za-z]{3,9},?\s+)?(?P<day>\d\d?)\s+(?P<month_name>[A-Za-z]{3,9})\.?,?\s+(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})"),
)
"""What a browser reads when the text is not as the format says."""
DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[Mdhmswy])")
UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
START = datetime(2000, 1, 1)
"""What a format leaves open (a day alone, a time alone) counts from here."""


def pattern_of(format: str) -> re.Pattern[str] | None:
    """The pattern for a dayjs format; None for one that cannot be used."""
    seen: set[str] = set()
    made = []
    for found in TOKEN.finditer(format[:LONGEST_FORMAT]):
        token = found.group()
        piece = PATTERNS.get(token, "")
        name = piece.partition("<")[2].partition(">")[0]
        if found.group(1) is not None:
            piece = re.escape(found.group(1))
        elif not piece or name in seen:
            piece = re.escape(token)
        elif name:
            seen.add(name)
        made.append(piece)
    return re.compile("".join(made)) if made and seen else None


def read_date(text: str, pattern: re.Pattern[str] | None) -> datetime | None:
    """The moment that `text` names, first as `pattern` says, then as browsers read it."""
    relaxed = re.compile(pattern.pattern.replace(r"\d\d)", r"\d\d?)")) if pattern else None
    for one in (pattern, relaxed, *LOOSE):
        found = one.fullmatch(text) if one else None
        if found and (moment := _moment(found.groupdict())) is not None:
            return moment
    return None


def _moment(parts: dict[str, str | None]) -> datetime | None:
    number = {name: int(text) for name, text in parts.items() if text and text.isascii() and text.isdigit()}
    try:
        if parts.get("unix_s"):
            return datetime.fromtimestamp(float(parts["unix_s"] or 0), UTC).replace(tzinfo=None)
        if "unix_ms" in number:
            return datetime.fromtimestamp(number["unix_ms"] / 1000, UTC).replace(tzinfo=None)
        if name := parts.get("month_name"):
            number["month"] = next(i for i, month in enumerate(MONTHS, 1) if month.startswith(name.lower()))
        if "short_year" in number:
            number["year"] = number["short_year"] + (2000 if number["short_year"] <= 68 else 1900)
        if half := parts.get("half"):
            number["hour"] = number.get("hour", 0) % 12 + (12 if half.lower() == "pm" else 0)
        day = START.replace(
            year=number.get("year", START.year), month=number.get("month", 1), day=1, hour=number.get("hour", 0) % 24
        )
        day = day.replace(minute=number.get("minute", 0), second=number.get("second", 0))
        day += timedelta(days=number.get("day", 1) - 1 + number.get("hour", 0) // 24)
        return day + timedelta(seconds=float("0." + (parts.get("fraction") or "0")))
    except (ValueError, OverflowError, StopIteration, OSError):
        return None


def add_duration(start: datetime, text: str) -> datetime | None:
    """`start` and a duration like `3d`, `24h`, `0.5w`, `2M`; None when it is none, or ends beyond the calendar."""
    found = DURATION.fullmatch(text)
    if found is None:
        return None
    amount, unit = float(found.group(1)), found.group(2)
    try:
        if unit in UNITS:
            return start + amount * UNITS[unit]
        months = int(amount) if unit == "M" else int(amount * 12)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return start.replace(year=year, month=month + 1, day=min(start.day, last))
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        return None
