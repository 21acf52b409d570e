"""The pure side of pacing: no window ever sees more than a bucket's burst and its rate allow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.transport.buckets import Bucket, Deed, admit, buckets_of, budget_of, warmed
from layers.transport.policy import DAY_S, DEFAULTS, Policy
from layers.types import Address, Outbound, OutboundKind

NOW = 1_800_000_000.0


def outbound(channel: str, conversation: str, kind: OutboundKind = OutboundKind.MESSAGE) -> Outbound:
    return Outbound(address=Address(channel=channel, conversation=conversation), key="k", text="t", kind=kind)


def paced(channel: str, conversation: str, deed: Deed, kind: OutboundKind = OutboundKind.MESSAGE) -> dict[str, Bucket]:
    found = buckets_of(DEFAULTS[channel], outbound(channel, conversation, kind), deed)
    return {bucket.name: bucket for bucket in found if bucket.burst}


def drawn(bucket: Bucket, gaps: list[float]) -> list[float]:
    """When something was let through, of tries that are `gaps` seconds apart."""
    tat, now, times = 0.0, NOW, []
    for gap in gaps:
        now += gap
        is_free, at = admit(tat, now, bucket)
        if is_free:
            tat = at
            times.append(now)
        else:
            assert at > now
    return times


@given(
    st.integers(1, 30),
    st.floats(0.01, 100),
    st.lists(st.floats(0, 50), min_size=1, max_size=120),
)
def test_no_window_sees_more_than_burst_and_rate_allow(burst: int, interval_s: float, gaps: list[float]) -> None:
    bucket = Bucket(name="b", interval_s=interval_s, burst=burst)
    times = drawn(bucket, gaps)
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + (times[last] - start) / interval_s + 1e-3


@given(st.integers(1, 30), st.floats(0.01, 100), st.integers(1, 60))
def test_whoever_comes_again_when_told_is_let_through(burst: int, interval_s: float, tries: int) -> None:
    bucket, tat, now = Bucket(name="b", interval_s=interval_s, burst=burst), 0.0, NOW
    for _ in range(tries):
        is_free, at = admit(tat, now, bucket)
        if not is_free:
            now = at
            is_free, at = admit(tat, now, bucket)
        assert is_free
        tat = at


@given(st.integers(1, 500), st.lists(st.floats(0, DAY_S / 4), min_size=1, max_size=300))
def test_a_budget_per_day_is_never_exceeded_on_any_day(budget: int, gaps: list[float]) -> None:
    times = drawn(budget_of("b", budget), gaps)
    for start in times:
        assert sum(start <= at < start + DAY_S for at in times) <= budget


def test_a_new_mail_account_begins_with_twenty_and_has_everything_after_two_weeks() -> None:
    policy = DEFAULTS["mail"]
    day = next(bucket for bucket in buckets_of(policy, outbound("mail", "a@b.c"), Deed.PLACE) if bucket.is_wide)
    allowed = [warmed(day, n * DAY_S).burst + DAY_S / warmed(day, n * DAY_S).interval_s for n in range(16)]
    assert allowed[0] == pytest.approx(20)
    assert allowed[14] == allowed[15] == pytest.approx(policy.daily)
    assert allowed == sorted(allowed)


def test_a_telegram_group_gets_at_most_twenty_in_a_minute() -> None:
    group = paced("telegram", "-1001", Deed.PLACE)["telegram:chat:-1001"]
    assert len(drawn(group, [0.1] * 600)) <= 20
    private = paced("telegram", "77", Deed.PLACE)["telegram:chat:77"]
    assert (private.burst, private.interval_s) == (3, 1.0)


def test_a_slack_placeholder_is_posted_only_where_its_edit_is_let_through() -> None:
    assert set(paced("slack", "T1/C2", Deed.PLACE)) == {
        "slack:chat.postMessage:C2",
        "slack:T1:chat.postMessage",
        "slack:T1:chat.update",
    }
    assert set(paced("slack", "T1/C2", Deed.EDIT)) == {"slack:T1:chat.update"}
    assert "slack:T1:chat.update" not in paced("slack", "T1/C2", Deed.PLACE, OutboundKind.WORKING)


@pytest.mark.parametrize(
    ("channel", "conversation", "name"),
    [
        ("telegram", "5", "telegram:chat:5"),
        ("telegram", "5", "telegram"),
        ("slack", "T1/C2", "slack:chat.postMessage:C2"),
        ("slack", "T1/C2", "slack:chat.update:C2"),
        ("slack", "T1/C2", "slack:chat.update"),
    ],
)
def test_a_row_knows_every_name_by_which_an_adapter_may_close_its_bucket(
    channel: str, conversation: str, name: str
) -> None:
    found = buckets_of(DEFAULTS[channel], outbound(channel, conversation), Deed.PLACE)
    assert name in {bucket.name for bucket in found}


def test_the_operator_can_widen_the_pace_and_a_channel_without_a_provider_has_none() -> None:
    twice = replace(DEFAULTS["telegram"], pace_factor=2.0)
    found = {bucket.name: bucket for bucket in buckets_of(twice, outbound("telegram", "5"), Deed.PLACE)}
    assert found["telegram:chat:5"].interval_s == 0.5
    assert [bucket.burst for bucket in buckets_of(Policy(), outbound("web", "main"), Deed.PLACE)] == [0]
