"""What comes back by itself. Takes cron text and a time zone, gives due inbox rows; also runs the housekeeping.

APScheduler's CronTrigger calculates on the wall clock (here: always in UTC, where no hour is missing or doubled), and
this file maps the wall clock to instants. CronTrigger's own mapping returns times that lie in the past throughout an
hour that is repeated in autumn (seen with 3.11.3), which would fire a schedule without end. The rules are those
of cron(8): a fixed time that is skipped in spring fires when the clock jumps, one that is repeated fires once, and
schedules whose minute or hour begins with `*` follow the real passing of time. Weekdays count as in crontab(5), 0 and 7
being Sunday (APScheduler counts from Monday), and where day and weekday are both restricted either suffices.

APScheduler's job store is never shared: schedules live in our table and fire by compare-and-swap, once per fleet.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import re
import zoneinfo
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from layers.errors import BadInput, Refused
from layers.store import Row, Tx
from layers.types import Address, Inbound, InboundKind, Person

log = logging.getLogger(__name__)

MOST_PER_CONVERSATION = 50
"""Schedules. One conversation is one person or one team; more than this is a loop that got away."""
MOST_MISSED = 100
"""Counting stops here: a schedule for every minute misses half a million in a year, and nobody needs the figure."""
MOST_AT_ONCE = 50
"""Schedules fired in one transaction; the rest follow at the next tick."""

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


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One row of the schedule table."""

    id: int
    conversation_id: str
    cron: str
    timezone: str
    text: str
    next_fire: float
    """Epoch seconds."""
    created_by: str
    """`Person.id`."""
    is_enabled: bool = True
    """False once its cron text or its zone was no longer understood."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A schedule that has just become an inbox row."""

    id: int
    conversation_id: str
    text: str
    created_by: str
    due_at: float
    """When it should have fired. Epoch seconds."""
    fired_at: float
    """When it did."""
    missed: int
    """Further firings that were skipped because nothing ran; `MOST_MISSED` means that many or more."""
    timezone: str


def add(tx: Tx, conversation: str, cron: str, timezone: str, text: str, created_by: str) -> Scheduled:
    """Keep a schedule. One turn at a time per conversation, so the count needs no lock.

    Raises:
        BadInput: see `next_fire`.
        Refused: the conversation has `MOST_PER_CONVERSATION` already.
    """
    due = next_fire(cron, timezone, tx.now)
    if len(tx.all("bot.schedules", conversation_id=conversation)) >= MOST_PER_CONVERSATION:
        raise Refused(
            f"This conversation has {MOST_PER_CONVERSATION} schedules, which is the limit; "
            "remove one with `/schedule remove <number>` first."
        )
    values = {"conversation_id": conversation, "cron": cron, "timezone": timezone, "text": text}
    row = tx.one("bot.schedule_add", **values, next_fire=due, created_by=created_by, now=tx.now)
    assert row is not None  # an INSERT ... RETURNING that did not raise returns its row
    return Scheduled(row["id"], conversation, cron, timezone, text, due, created_by)


def remove(tx: Tx, number: int, conversation: str) -> None:
    """Forget a schedule of this conversation.

    Raises:
        Refused: it has none of that number.
    """
    if tx.run("bot.schedule_remove", id=number, conversation_id=conversation) == 0:
        others = ", ".join(str(entry.id) for entry in listing(tx, conversation))
        has = f"there are {others}" if others else "there are none"
        raise Refused(f"This conversation has no schedule {number}; {has} (`/schedule` lists them).")


def listing(tx: Tx, conversation: str) -> list[Scheduled]:
    """The schedules of a conversation, oldest first."""
    return [_scheduled(row) for row in tx.all("bot.schedules", conversation_id=conversation)]


def fire_due(tx: Tx, accept: Callable[[Tx, Inbound], object]) -> list[Fired]:
    """Turn every due schedule into an inbox row through `accept`, in this transaction, once per fleet.

    After a pause (the server was off) each fires once, however often it should have; `note` tells of the rest.
    """
    fired = []
    for entry in map(_scheduled, tx.all("bot.schedules_due", now=tx.now, few=MOST_AT_ONCE)):
        try:
            following, missed = next_fire(entry.cron, entry.timezone, tx.now), _missed(entry, tx.now)
        except BadInput:  # it was understood when it was added: the zone left the machine's database
            log.error("schedule.disabled", extra={"schedule": entry.id, "cron": entry.cron, "timezone": entry.timezone})
            tx.run("bot.schedule_disable", id=entry.id, seen=entry.next_fire)
            continue
        if tx.run("bot.schedule_fire", id=entry.id, seen=entry.next_fire, next_fire=following) == 0:
            continue  # another process fired it
        accept(tx, _inbound(entry))
        origin = (entry.id, entry.conversation_id, entry.text, entry.created_by)
        fired.append(Fired(*origin, entry.next_fire, tx.now, missed, entry.timezone))
    return fired


def note(fired: Fired) -> str:
    """What to tell people of a firing that came late; empty when it was on time (within two minutes)."""
    if fired.missed == 0 and fired.fired_at - fired.due_at < 120:
        return ""
    text = f"Schedule {fired.id} was due {_told(fired.due_at, fired.timezone)}, when nothing ran, and runs now."
    if fired.missed == 0:
        return text
    many = f"{fired.missed} or more" if fired.missed >= MOST_MISSED else str(fired.missed)
    return f"{text} {many} further firing{'' if fired.missed == 1 else 's'} since then will not be made up for."


def line(entry: Scheduled) -> str:
    """One schedule as a line of markdown."""
    when = f"next {_told(entry.next_fire, entry.timezone)}" if entry.is_enabled else "stopped: its time zone is unknown"
    return f"**{entry.id}** `{entry.cron}` {entry.timezone}: {entry.text} ({when})"


def hold_role(tx: Tx, role: str, owner: str, seconds: float) -> int | None:
    """Take or keep a role that one process of the fleet has at a time; its epoch, or None while another holds it."""
    held = {"name": role, "owner": owner, "until": tx.now + seconds, "now": tx.now}
    row = tx.one("bot.role_hold", **held)
    if row is None:
        other = tx.one("bot.role_owner", name=role)
        if other is not None and tx.is_gone(other["owner"]):  # it died with the role: nobody waits for it to run out
            release_role(tx, role, other["owner"])
            row = tx.one("bot.role_hold", **held)
    return None if row is None else int(row["epoch"])


def release_role(tx: Tx, role: str, owner: str) -> None:
    """Give a role back at once, so that nobody waits for it to run out."""
    tx.run("bot.role_release", name=role, owner=owner)


@dataclass(frozen=True, slots=True)
class Job:
    """Housekeeping that comes back."""

    name: str
    every_s: float
    """Seconds from start to start; the first run comes after as many."""
    run: Callable[[], Awaitable[object]]


class Clock:
    """The housekeeping of one process, each job at most once at a time. A failure is logged and stops nothing."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = tuple(jobs)
        self._running: set[asyncio.Task[object]] = set()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Start, from inside the event loop."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # else one line per run
        for job in self._jobs:
            self._scheduler.add_job(self._guarded, "interval", (job,), seconds=job.every_s, id=job.name)
        self._scheduler.start()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Start no more jobs; let those under way end, and cancel them after `grace_s` seconds."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        self._scheduler.shutdown(wait=False)

    async def _guarded(self, job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None  # a coroutine that APScheduler runs is a task
        self._running.add(task)
        try:
            await job.run()
        except Exception:  # whatever it is, the next run may do better, and the other jobs must go on
            log.exception("clock.failed", extra={"job": job.name})
        finally:
            self._running.discard(task)


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


def _missed(entry: Scheduled, now: float) -> int:
    count, due = 0, entry.next_fire
    while count < MOST_MISSED and (due := next_fire(entry.cron, entry.timezone, due)) <= now:
        count += 1
    return count


def _inbound(entry: Scheduled) -> Inbound:
    return Inbound(
        address=Address.parse(entry.conversation_id),
        event_id=f"schedule:{entry.id}:{entry.next_fire:.0f}",
        person=Person(id=entry.created_by, name=entry.created_by),
        kind=InboundKind.SCHEDULE,
        text=entry.text,
        subject=str(entry.id),
    )


def _scheduled(row: Row) -> Scheduled:
    names = ("id", "conversation_id", "cron", "timezone", "text", "next_fire", "created_by")
    return Scheduled(**{name: row[name] for name in names}, is_enabled=row["enabled"] == 1)


def _told(epoch_s: float, timezone: str) -> str:
    try:
        zone: ZoneInfo | None = _zone(timezone)
    except BadInput:
        zone = ZoneInfo("UTC")
    return datetime.fromtimestamp(epoch_s, zone).strftime("%a %d %b %Y %H:%M %Z")
