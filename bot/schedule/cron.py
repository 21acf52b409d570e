"""Cron text and a time zone, to the next instant at which it fires.

APScheduler's CronTrigger calculates on the wall clock (here: always in UTC, where no hour is missing or doubled), and
this file maps the wall clock to instants. CronTrigger's own mapping returns times that lie in the past throughout an
hour that is repeated in autumn (seen with 3.11.3), which would fire a schedule without end. The rules are those
of cron(8): a fixed time that is skipped in spring fires when the clock jumps, one that is repeated fires once, and
schedules whose minute or hour begins with `*` follow the real passing of time. Weekdays count as in crontab(5), 0 and 7
being Sunday (APScheduler counts from Monday), and where day and weekday are both restricted either suffices.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from layers.errors import BadInput

FIELDS = (
    ("minute", "minute", "0-59, for example 0, */15 or 0,30"),
    ("hour", "hour", "0-23, for example 9, 9-17 or */2"),
    ("day", "day of the month", "1-31 or last, for example 1 or 1,15"),
    ("month", "month", "1-12 or jan-dec, for example jan or 3-5"),
    ("day_of_week", "weekday", "0-7 (0 and 7 are Sunday) or sun-sat, for example mon or mon-fri"),
)
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * sun",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_RANGE = re.compile(r"(?:\*|(?P<first>[0-7]|[a-z]{3})(?:-(?P<last>[0-7]|[a-z]{3}))?)(?:/(?P<step>[1-9]\d?))?")
MINUTE = timedelta(minutes=1)


def next_fire(cron: str, timezone: str, after: float) -> float:
    """The first instant later than `after` at which `cron` fires on the clocks of `timezone`. Epoch seconds.

    Raises:
        BadInput: the cron text or the zone is not understood, or the time never comes (31 February).
    """
    plan, zone = _plan(cron), _zone(timezone)
    wall = datetime.fromtimestamp(after, zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
    if plan.follows_time:
        return _next_running(plan, zone, after)
    while True:
        wall = plan.first_at(wall + MINUTE)
        instant = _instant(wall, zone)
        if instant > after:
            return instant


def told(epoch_s: float, timezone: str) -> str:
    """That instant on the clocks of `timezone`, for people; in UTC where the zone is unknown. Epoch seconds."""
    try:
        zone: ZoneInfo | None = _zone(timezone)
    except BadInput:
        zone = ZoneInfo("UTC")
    return datetime.fromtimestamp(epoch_s, zone).strftime("%a %d %b %Y %H:%M %Z")


@dataclass(frozen=True, slots=True)
class _Plan:
    """A cron text, understood. Times are naive: the wall clock."""

    text: str
    triggers: tuple[CronTrigger, ...]
    follows_time: bool

    def first_at(self, wall: datetime) -> datetime:
        """The first firing at or after `wall`."""
        found = [trigger.get_next_fire_time(None, wall.replace(tzinfo=UTC)) for trigger in self.triggers]
        times: list[datetime] = [time.replace(tzinfo=None) for time in found if time is not None]
        if not times:
            raise BadInput(f"The schedule {self.text!r} never fires: no month has such a day.", expected=FIELDS[2][2])
        return min(times)


@lru_cache(maxsize=256)
def _plan(cron: str) -> _Plan:
    parts = NICKNAMES.get(cron.strip().lower(), cron).split()
    if len(parts) != len(FIELDS):
        raise BadInput(
            f"The schedule {cron[:80]!r} needs 5 fields and has {len(parts)}: minute, hour, day of the month, month, "
            "weekday; for example `0 9 * * mon`.",
            expected="5 fields",
        )
    values = {key: part.lower() for (key, _, _), part in zip(FIELDS, parts, strict=True)}
    for key, name, allowed in FIELDS:
        try:
            values[key] = _weekdays(values[key]) if key == "day_of_week" else values[key]
            CronTrigger(**{key: values[key]}, timezone=UTC)
        except ValueError:
            bad = parts[[field[0] for field in FIELDS].index(key)]
            text = f"The {name} {bad[:40]!r} in the schedule {cron[:80]!r} is not understood; it takes {allowed}."
            raise BadInput(text, expected=allowed) from None
    either = [values]
    if not parts[2].startswith("*") and not parts[4].startswith("*"):
        either = [values | {"day_of_week": "*"}, values | {"day": "*"}]
    triggers = tuple(CronTrigger(**each, timezone=UTC) for each in either)
    return _Plan(cron, triggers, parts[0].startswith("*") or parts[1].startswith("*"))


def _weekdays(field: str) -> str:
    """A crontab weekday field in names, which mean the same to APScheduler."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.split(","):
        found = _WEEKDAY_RANGE.fullmatch(part)
        if found is None:
            raise ValueError(part)
        first = _weekday(found["first"]) if found["first"] else 0
        last = _weekday(found["last"]) if found["last"] else 6 if part[0] == "*" or found["step"] else first
        days.update(day % 7 for day in range(first, last + (7 if last < first else 0) + 1, int(found["step"] or 1)))
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _weekday(text: str) -> int:
    return int(text) if text.isdecimal() else WEEKDAYS.index(text)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # unknown, `../x`, a folder such as `Europe`
        pass
    names = {name.lower(): name for name in sorted(zoneinfo.available_timezones())}
    cities = {name.rpartition("/")[2]: full for name, full in names.items() if "/" in name}
    asked = timezone[:40].lower().replace(" ", "_")
    near = [cities[city] for city in difflib.get_close_matches(asked.rpartition("/")[2], cities, n=1, cutoff=0.8)]
    near += [names[name] for name in difflib.get_close_matches(asked, names, n=2, cutoff=0.7)]
    hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "use a name such as Europe/Berlin or UTC."
    raise BadInput(f"{timezone[:40]!r} is not a time zone; {hint}", expected="a time zone such as Europe/Berlin")


def _instant(wall: datetime, zone: ZoneInfo) -> float:
    """When the clocks of `zone` show `wall`: the first time if twice, the moment of the jump if never."""
    before, behind = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if datetime.fromtimestamp(before, zone).replace(tzinfo=None, fold=0) == wall:
        return before
    return _jump(zone, behind, before)


def _jump(zone: ZoneInfo, early: float, late: float) -> float:
    """The instant between two, to the second, from which `zone` has another offset than at `early`."""
    offset = datetime.fromtimestamp(early, zone).utcoffset()
    low, high = int(early), int(late)
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return float(high)


def _next_running(plan: _Plan, zone: ZoneInfo, after: float) -> float:
    """The next firing of a schedule that follows the real passing of time, one stretch of constant offset at a time."""
    start = after - after % 60 + 60
    while True:
        wall = datetime.fromtimestamp(start, zone).replace(tzinfo=None, fold=0)
        found = plan.first_at(wall)
        instant = start + (found - wall).total_seconds()
        if datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0) == found:
            return instant
        start = _jump(zone, start, instant)
