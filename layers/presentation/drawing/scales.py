"""Round numbers and round dates for axes, and how they are written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil, floor, isfinite, log10

LONGEST_DATE = 24
"""Characters of a date on an axis; a format may ask for any number."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_TICKS = 200
MONTHS, DAYS = "months", "days"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY: tuple[timedelta | int, ...] = (
    *(timedelta(seconds=n) for n in (1, 5, 15, 30)),
    *(n * MINUTE for n in (1, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14)),
    *(1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24000),
)
"""Between two ticks of time; plain numbers are months."""


def number_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """At most `most` round numbers, the first at or below `low`, the last at or above `high`."""
    span = high - low
    if not isfinite(span) or span <= 0:
        return (low,)
    rough = span / max(1, most - 1)
    power = 10.0 ** floor(log10(rough))
    for step in (step * scale for scale in (power, power * 10) for step in STEPS):
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first + 1 <= max(2, most):
            return tuple(_clean(step * number) for number in range(first, last + 1))
    return (low, high)


def _clean(value: float) -> float:
    """Without the dust of binary fractions."""
    return float(f"{value:.12g}")


def number_words(values: Sequence[float]) -> tuple[str, ...]:
    """How these numbers are written beside each other: one unit and one number of decimals for all."""
    biggest = max((abs(value) for value in values), default=0.0)
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if biggest >= unit:
            return tuple(_signed(value / unit) + (letter if value else "") for value in values)
    return tuple(_signed(value) for value in values)


def _signed(value: float) -> str:
    if value and abs(value) < 1e-4:
        return f"{value:.2e}".replace("-", "−")
    text = f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e7 else f"{value:.4g}"
    return ("0" if text in ("-0", "") else text).replace("-", "−")


def percent(share: float) -> str:
    """A share in words, never a rounded lie at the ends."""
    value = 100 * share
    if 0 < value < 0.1:
        return "<0.1 %"
    return f"{value:.1f} %" if value < 9.95 and round(value, 1) != round(value) else f"{value:.0f} %"


def date_ticks(
    start: datetime, end: datetime, pattern: str, fits: Callable[[Sequence[tuple[datetime, str]]], bool]
) -> tuple[tuple[datetime, str], ...]:
    """The densest round dates with labels that `fits` accepts; all labels differ."""
    for spelled in (pattern, own_pattern(start, end)):
        for every in EVERY:
            if _count(start, end, every) > MOST_TICKS:
                continue
            ticks = tuple((at, date_words(at, spelled)) for at in _dates(start, end, every))
            words = [word for _, word in ticks]
            if len(ticks) >= 2 and len(set(words)) == len(words) and all(words) and fits(ticks):
                return ticks
    only = date_words(start, own_pattern(start, end))
    return ((start, only),) if fits(((start, only),)) else ()


def own_pattern(start: datetime, end: datetime) -> str:
    """A format that suits the span, where the author's repeats itself."""
    span = end - start
    return "%H:%M" if span < 2 * DAY else "%d %b" if span < 300 * DAY else "%b %Y" if span < 3000 * DAY else "%Y"


def date_words(at: datetime, pattern: str) -> str:
    """The date as the author's format says, as far as it can be followed."""
    try:
        text = at.strftime(pattern)
    except (ValueError, UnicodeError):
        text = at.date().isoformat()
    return " ".join(text.split())[:LONGEST_DATE]


def _count(start: datetime, end: datetime, every: timedelta | int) -> float:
    return (end - start) / every if isinstance(every, timedelta) else (end - start).days / (30.4 * every)


def _dates(start: datetime, end: datetime, every: timedelta | int) -> Iterator[datetime]:
    """Round dates from `start` on; weeks begin on Monday."""
    if isinstance(every, timedelta):
        origin = datetime(1, 1, 1)  # a Monday
        at = origin + ceil((start - origin) / every) * every
        while at <= end:
            yield at
            try:
                at += every
            except OverflowError:
                return
    else:
        month = ceil((start.year * 12 + start.month - 1 + (start.day > 1)) / every) * every
        while month // 12 <= 9999:
            at = datetime(max(1, month // 12), month % 12 + 1, 1)
            if at > end:
                return
            if at >= start:
                yield at
            month += every
