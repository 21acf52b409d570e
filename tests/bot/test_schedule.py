"""Schedules: what cron text means on real clocks, and firing once per fleet."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import schedule
from bot.schedule import Clock, Fired, Job, next_fire
from layers.errors import BadInput, Refused
from layers.store import Store, Tx
from layers.types import Inbound, InboundKind, Person

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def firings(cron: str, after: str, count: int, zone: str = BERLIN) -> list[str]:
    """The next firings as local time with offset."""
    instant, told = at(after, zone), []
    for _ in range(count):
        instant = next_fire(cron, zone, instant)
        told.append(datetime.fromtimestamp(instant, ZoneInfo(zone)).strftime("%m-%d %H:%M %z"))
    return told


# 2026-11-22 is a Sunday
@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        ("0", ["11-22", "11-29"]),
        ("7", ["11-22", "11-29"]),
        ("sun", ["11-22", "11-29"]),
        ("1", ["11-23", "11-30"]),
        ("MON", ["11-23", "11-30"]),
        ("1-5", ["11-23", "11-24", "11-25", "11-26", "11-27", "11-30"]),
        ("mon-fri", ["11-23", "11-24", "11-25", "11-26", "11-27", "11-30"]),
        ("5-7", ["11-22", "11-27", "11-28", "11-29"]),
        ("sat-sun", ["11-22", "11-28", "11-29"]),
        ("*/2", ["11-22", "11-24", "11-26", "11-28", "11-29"]),
        ("1,3", ["11-23", "11-25", "11-30"]),
        ("0-7", ["11-22", "11-23"]),
        ("2/2", ["11-24", "11-26", "11-28", "12-01"]),
    ],
)
def test_weekdays_count_as_in_crontab_where_sunday_is_0_or_7_alike(weekday: str, expected: list[str]) -> None:
    told = firings(f"0 9 * * {weekday}", "2026-11-22 00:00", len(expected))
    assert [day[:5] for day in told] == expected
    assert {day[6:] for day in told} == {"09:00 +0100"}


def test_a_restricted_day_or_a_restricted_weekday_suffices_as_in_crontab() -> None:
    # the 1st and the 15th, and every Friday
    told = firings("30 4 1,15 * 5", "2026-11-01 05:00", 5)
    assert [day[:5] for day in told] == ["11-06", "11-13", "11-15", "11-20", "11-27"]


def test_a_day_that_begins_with_a_star_must_hold_together_with_the_weekday() -> None:
    told = firings("0 0 */2 * mon", "2026-11-01 00:00", 3)
    assert [day[:5] for day in told] == ["11-09", "11-23", "12-07"]  # Mondays on odd days


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # Berlin: 2026-03-29 02:00 -> 03:00
        ("30 2 * * *", "2026-03-28 12:00", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
        ("0 * * * *", "2026-03-29 00:30", ["03-29 01:00 +0100", "03-29 03:00 +0200", "03-29 04:00 +0200"]),
        ("*/30 2 * * *", "2026-03-28 12:00", ["03-30 02:00 +0200", "03-30 02:30 +0200"]),
        # Berlin: 2026-10-25 03:00 -> 02:00
        ("30 2 * * *", "2026-10-24 12:00", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        ("0 9 * * *", "2026-10-24 12:00", ["10-25 09:00 +0100", "10-26 09:00 +0100"]),
        (
            "0 * * * *",
            "2026-10-25 00:30",
            ["10-25 01:00 +0200", "10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100"],
        ),
        (
            "*/30 2 * * *",
            "2026-10-24 12:00",
            ["10-25 02:00 +0200", "10-25 02:30 +0200", "10-25 02:00 +0100", "10-25 02:30 +0100", "10-26 02:00 +0100"],
        ),
    ],
)
def test_when_the_clocks_change_a_schedule_does_what_cron_does(cron: str, after: str, expected: list[str]) -> None:
    assert firings(cron, after, len(expected)) == expected


def test_a_jump_of_half_an_hour_is_understood() -> None:
    # Lord Howe Island: 2026-10-04 02:00 -> 02:30
    told = firings("15 2 * * *", "2026-10-03 12:00", 2, zone="Australia/Lord_Howe")
    assert told == ["10-04 02:30 +1100", "10-05 02:15 +1100"]


def test_a_fixed_time_in_the_repeated_hour_does_not_fire_again_in_its_second_pass() -> None:
    second_pass = at("2026-10-25 02:10", fold=1)
    assert next_fire("30 2 * * *", BERLIN, second_pass) == at("2026-10-26 02:30")


@given(
    after=st.floats(min_value=0, max_value=4e9),
    zone=st.sampled_from([BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    cron=st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "0 */3 * * *", "15 1,2,3 * * sun", "0 0 1 * *"]),
)
def test_the_next_firing_is_always_later_than_asked(after: float, zone: str, cron: str) -> None:
    following = next_fire(cron, zone, after)
    assert following > after
    assert following % 60 == 0


@given(start=st.integers(min_value=int(at("2026-10-24 20:00")), max_value=int(at("2026-10-25 08:00"))))
def test_every_minute_means_every_minute_also_in_the_repeated_hour(start: int) -> None:
    assert next_fire("* * * * *", BERLIN, start) == start - start % 60 + 60


def test_leap_day_is_found_and_31_february_refused() -> None:
    assert firings("0 0 29 2 *", "2026-03-01 00:00", 1, zone="UTC") == ["02-29 00:00 +0000"]
    with pytest.raises(BadInput, match="never fires"):
        next_fire("0 0 31 2 *", "UTC", 0)


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("61 * * * *", "The minute '61'"),
        ("0 24 * * *", "The hour '24'"),
        ("0 0 32 * *", "The day of the month '32'"),
        ("0 0 * 13 *", "The month '13'"),
        ("0 0 * * 8", "The weekday '8'"),
        ("0 0 * * monday", "The weekday 'monday'"),
        ("*/0 * * * *", "The minute '*/0'"),
        ("5-1 * * * *", "The minute '5-1'"),
        ("x * * * *", "The minute 'x'"),
        ("0 9 * *", "needs 5 fields and has 4"),
        ("", "needs 5 fields and has 0"),
        ("0 0 9 * * mon", "needs 5 fields and has 6"),
        ("@reboot", "needs 5 fields and has 1"),
    ],
)
def test_a_bad_cron_text_is_refused_with_its_bad_field(cron: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        next_fire(cron, BERLIN, 0)
    assert told in str(caught.value)
    assert caught.value.expected


@given(st.text(alphabet="0123456789*/,-?LW#@ monfriat", max_size=24))
def test_any_text_either_fires_or_is_refused_in_a_sentence(cron: str) -> None:
    try:
        told = str(next_fire(cron, "UTC", 1.79e9))
    except BadInput as refused:
        told = str(refused)
    assert told.endswith((".", ".0"))


@pytest.mark.parametrize(
    ("zone", "nearest"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Europe", "Europe/"),
        ("../../etc/passwd", "use a name such as"),
        ("", "use a name such as"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_the_nearest(zone: str, nearest: str) -> None:
    with pytest.raises(BadInput, match="is not a time zone") as caught:
        next_fire("0 9 * * *", zone, 0)
    assert nearest in str(caught.value)


def test_nicknames_are_understood() -> None:
    assert firings("@daily", "2026-11-22 10:00", 1) == ["11-23 00:00 +0100"]


# --- the table ---------------------------------------------------------------------------------------------------


class Inbox:
    """What `fire_due` is given to accept with: a unique key, as in the inbox."""

    def __init__(self) -> None:
        self.rows: dict[str, Inbound] = {}

    def accept(self, tx: Tx, inbound: Inbound) -> None:
        assert inbound.event_id not in self.rows, "fired twice"
        self.rows[inbound.event_id] = inbound


async def add(store: Store, cron: str = "0 9 * * *", text: str = "/status", conversation: str = "web:main") -> int:
    entry = await store.run(schedule.add, conversation, cron, BERLIN, text, "owner")
    return entry.id


def backdate(tx: Tx, id: int, by_s: float) -> float:
    """Act as if the schedule had been due `by_s` seconds ago, through the statement that fires it."""
    [entry] = [entry for entry in schedule.listing(tx, "web:main") if entry.id == id]
    due = tx.now - by_s
    assert tx.run("bot.schedule_fire", id=id, seen=entry.next_fire, next_fire=due) == 1
    return due


async def test_a_schedule_is_added_listed_and_removed(store: Store) -> None:
    first, second = await add(store), await add(store, text="buy milk")
    listed = await store.run(schedule.listing, "web:main")
    assert [(entry.id, entry.text, entry.created_by) for entry in listed] == [
        (first, "/status", "owner"),
        (second, "buy milk", "owner"),
    ]
    assert schedule.line(listed[0]).startswith(f"**{first}** `0 9 * * *` Europe/Berlin: /status (next ")
    await store.run(schedule.remove, first, "web:main")
    assert [entry.id for entry in await store.run(schedule.listing, "web:main")] == [second]


async def test_a_schedule_of_another_conversation_cannot_be_removed(store: Store) -> None:
    mine = await add(store)
    theirs = await add(store, conversation="web:other")
    with pytest.raises(Refused, match=f"has no schedule {theirs}; there are {mine}"):
        await store.run(schedule.remove, theirs, "web:main")
    assert await store.run(schedule.listing, "web:other")


async def test_a_bad_schedule_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(BadInput):
        await add(store, cron="0 25 * * *")
    assert await store.run(schedule.listing, "web:main") == []


async def test_the_51st_schedule_of_a_conversation_is_refused(store: Store) -> None:
    for _ in range(schedule.MOST_PER_CONVERSATION):
        await add(store)
    with pytest.raises(Refused, match="50 schedules"):
        await add(store)
    await add(store, conversation="web:other")


async def test_a_due_schedule_becomes_one_inbound_event(store: Store) -> None:
    id, inbox = await add(store), Inbox()
    assert await store.run(schedule.fire_due, inbox.accept) == []
    due = await store.run(backdate, id, 30.0)
    [fired] = await store.run(schedule.fire_due, inbox.accept)
    assert (fired.id, fired.conversation_id, fired.text, fired.created_by) == (id, "web:main", "/status", "owner")
    assert (fired.due_at, fired.missed, schedule.note(fired)) == (due, 0, "")
    [(key, inbound)] = inbox.rows.items()
    assert key == f"schedule:{id}:{due:.0f}"
    assert (inbound.kind, inbound.person, inbound.subject) == (
        InboundKind.SCHEDULE,
        Person(id="owner", name="owner"),
        str(id),
    )
    assert (inbound.address.id, inbound.text) == ("web:main", "/status")
    assert await store.run(schedule.fire_due, inbox.accept) == []


async def test_what_the_server_slept_through_fires_once_and_is_told(store: Store) -> None:
    id, inbox = await add(store, cron="0 * * * *"), Inbox()
    await store.run(backdate, id, 5 * 3600.0)
    [fired] = await store.run(schedule.fire_due, inbox.accept)
    assert fired.missed == 5
    assert "5 further firings since then will not be made up for" in schedule.note(fired)
    assert await store.run(schedule.fire_due, inbox.accept) == []
    [entry] = await store.run(schedule.listing, "web:main")
    assert 0 < entry.next_fire - fired.fired_at <= 3600


async def test_a_year_of_missed_minutes_is_not_counted_out(store: Store) -> None:
    id, inbox = await add(store, cron="* * * * *"), Inbox()
    await store.run(backdate, id, 365 * 86400.0)
    [fired] = await store.run(schedule.fire_due, inbox.accept)
    assert fired.missed == schedule.MOST_MISSED
    assert "100 or more further firings" in schedule.note(fired)


async def test_a_schedule_whose_zone_is_gone_stops_and_holds_up_no_other(store: Store) -> None:
    values = {"conversation_id": "web:main", "cron": "0 9 * * *", "timezone": "Mars/Olympus", "text": "x"}

    def plant(tx: Tx) -> None:
        tx.one("bot.schedule_add", **values, next_fire=tx.now - 10, created_by="owner", now=tx.now)

    await store.run(plant)
    good, inbox = await add(store), Inbox()
    await store.run(backdate, good, 5.0)
    assert [fired.id for fired in await store.run(schedule.fire_due, inbox.accept)] == [good]
    [gone, _] = await store.run(schedule.listing, "web:main")
    assert not gone.is_enabled
    assert "stopped" in schedule.line(gone)


async def test_many_workers_firing_at_once_fire_each_schedule_once(store: Store) -> None:
    ids = [await add(store, text=f"n{n}") for n in range(10)]
    for id in ids:
        await store.run(backdate, id, 20.0)
    inbox = Inbox()
    rounds = await asyncio.gather(*(store.run(schedule.fire_due, inbox.accept) for _ in range(8)))
    assert sorted(fired.id for each in rounds for fired in each) == ids
    assert len(inbox.rows) == len(ids)


async def test_when_accepting_fails_the_schedule_stays_due(store: Store) -> None:
    id, inbox = await add(store), Inbox()
    await store.run(backdate, id, 10.0)

    def refuse(tx: Tx, inbound: Inbound) -> None:
        raise Refused("no")

    with pytest.raises(Refused):
        await store.run(schedule.fire_due, refuse)
    assert [fired.id for fired in await store.run(schedule.fire_due, inbox.accept)] == [id]


def test_a_late_firing_is_told_even_if_none_was_missed() -> None:
    fired = Fired(3, "web:main", "x", "owner", at("2026-11-22 09:00"), at("2026-11-22 12:00"), 0, BERLIN)
    assert schedule.note(fired) == ("Schedule 3 was due Sun 22 Nov 2026 09:00 CET, when nothing ran, and runs now.")


# --- the clock ---------------------------------------------------------------------------------------------------


async def test_a_job_that_fails_is_logged_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    runs, enough = [], asyncio.Event()

    async def broken() -> None:
        runs.append("broken")
        raise RuntimeError("disk full")

    async def sound() -> None:
        runs.append("sound")
        if runs.count("broken") >= 2 and runs.count("sound") >= 2:
            enough.set()

    clock = Clock([Job("broken", 0.02, broken), Job("sound", 0.02, sound)])
    clock.start()
    await asyncio.wait_for(enough.wait(), 20)
    await clock.stop()
    failures = [record for record in caplog.records if record.message == "clock.failed"]
    assert len(failures) >= 2
    assert failures[0].levelno == logging.ERROR
    assert failures[0].job == "broken"  # type: ignore[attr-defined]


async def test_a_job_never_runs_beside_itself_and_stopping_waits_for_it() -> None:
    running = most = ended = 0
    begun = asyncio.Event()

    async def slow() -> None:
        nonlocal running, most, ended
        running += 1
        most = max(most, running)
        begun.set()
        await asyncio.sleep(0.2)
        running -= 1
        ended += 1

    clock = Clock([Job("slow", 0.02, slow)])
    clock.start()
    await asyncio.wait_for(begun.wait(), 20)
    await clock.stop()
    assert (most, running) == (1, 0)
    seen = ended
    await asyncio.sleep(0.1)
    assert ended == seen


async def test_a_job_that_does_not_end_is_cancelled_when_stopping() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    clock = Clock([Job("endless", 0.02, endless)])
    clock.start()
    await asyncio.wait_for(begun.wait(), 20)
    await clock.stop(grace_s=0.05)
    await asyncio.wait_for(cancelled.wait(), 5)
