"""What a provider's rules say to one message: tables, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.transport.policy import (
    DEFAULTS,
    JITTER_S,
    Decision,
    Facts,
    Origin,
    Policy,
    Verdict,
    decide,
    jitter_s,
    quiet_until,
)
from layers.types import Address, OutboundKind, Urgency

NIGHT = Policy(quiet=(time(22), time(7)), zone=ZoneInfo("Europe/Berlin"))


def facts(**changes: object) -> Facts:
    usual = Facts(
        address=Address(channel="mail", conversation="anna@example.org"),
        kind=OutboundKind.MESSAGE,
        urgency=Urgency.NORMAL,
        origin=Origin.AGENT,
        is_visible=False,
        is_contact=True,
        is_repeat=False,
        is_first_try=False,
        row=1,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def verdict(policy: Policy, said: Facts, now: float = 0.0) -> Verdict:
    return decide(policy, said, now).verdict


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-07-01T23:30", "2026-07-02T07:00"),
        ("2026-07-02T06:59", "2026-07-02T07:00"),
        ("2026-03-28T23:00", "2026-03-29T07:00"),  # the clocks go forward that night
        ("2026-10-24T23:00", "2026-10-25T07:00"),
    ],
)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(now: str, until: str) -> None:
    assert quiet_until(NIGHT, at(now)) == at(until)


@pytest.mark.parametrize("now", ["2026-07-01T21:59", "2026-07-01T07:00", "2026-07-01T12:00"])
def test_outside_of_quiet_hours_nothing_waits(now: str) -> None:
    assert quiet_until(NIGHT, at(now)) == 0.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Verdict.WAIT),
        ({"urgency": Urgency.LOW}, Verdict.WAIT),
        ({"urgency": Urgency.HIGH}, Verdict.GO),
        ({"origin": Origin.REPLY}, Verdict.GO),
        ({"origin": Origin.HOUSE}, Verdict.GO),
        ({"kind": OutboundKind.CARD}, Verdict.GO),
        ({"is_visible": True}, Verdict.GO),
    ],
)
def test_at_night_only_waits_what_nobody_asked_for(changes: dict[str, object], expected: Verdict) -> None:
    assert verdict(NIGHT, facts(**changes), at("2026-07-01T23:30")) is expected


@pytest.mark.parametrize(
    ("policy", "changes", "expected"),
    [
        (Policy(is_contact_needed=True), {"is_contact": False}, Verdict.REFUSE),
        (Policy(is_contact_needed=True), {"is_contact": False, "origin": Origin.REPLY}, Verdict.GO),
        (Policy(is_contact_needed=True), {"is_contact": False, "origin": Origin.HOUSE}, Verdict.GO),
        (Policy(is_reply_only=True), {}, Verdict.REFUSE),
        (Policy(is_reply_only=True), {"origin": Origin.REPLY}, Verdict.GO),
        (Policy(allow=("*@example.org",), provider="mail"), {}, Verdict.GO),
        (Policy(allow=("*@EXAMPLE.org",), provider="mail"), {}, Verdict.GO),
        (Policy(allow=("bob@*",)), {}, Verdict.REFUSE),
        (Policy(allow=("bob@*",)), {"origin": Origin.REPLY}, Verdict.REFUSE),
        (Policy(), {"is_repeat": True}, Verdict.DROP),
        (Policy(), {"is_repeat": True, "origin": Origin.REPLY}, Verdict.GO),
        (Policy(), {"is_repeat": True, "origin": Origin.REPLY, "kind": OutboundKind.WORKING}, Verdict.DROP),
        (Policy(shows_progress=False), {"kind": OutboundKind.WORKING}, Verdict.DROP),
    ],
)
def test_the_rules_are_a_table(policy: Policy, changes: dict[str, object], expected: Verdict) -> None:
    assert verdict(policy, facts(**changes)) is expected


def test_only_what_a_person_would_type_is_typed() -> None:
    policy = replace(Policy(), has_jitter=True)
    first = decide(policy, facts(is_first_try=True), 100.0)
    assert first.verdict is Verdict.WAIT
    assert JITTER_S[0] <= first.until - 100.0 <= JITTER_S[1]
    for changes in ({"kind": OutboundKind.CARD}, {"origin": Origin.HOUSE}, {"is_first_try": False}):
        assert decide(policy, facts(**{"is_first_try": True, **changes}), 100.0) == Decision(verdict=Verdict.GO)


@given(st.integers(1, 2**62))
def test_typing_takes_half_a_second_to_three(row: int) -> None:
    assert JITTER_S[0] <= jitter_s(row) <= JITTER_S[1]
    assert jitter_s(row) == jitter_s(row)


def test_only_mail_is_slowed_down_by_default() -> None:
    assert {channel for channel, policy in DEFAULTS.items() if policy.has_jitter} == {"mail"}
    assert all(policy.is_contact_needed for policy in DEFAULTS.values())
    assert datetime.fromtimestamp(0, DEFAULTS["mail"].zone) == datetime(1970, 1, 1, tzinfo=UTC)
