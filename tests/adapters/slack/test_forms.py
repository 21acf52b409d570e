"""The modal in which parts of a patch are chosen: within Slack's limits whatever files are called, hard to upset."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.ports import Form, Group, Option
from bot.adapters.slack.forms import CALLBACK, filled, modal
from tests.fakes.slack_rules import against_spec
from tests.fakes.slack_views import against_views

TEXTS = st.text(min_size=1, max_size=300)
OPTIONS = st.lists(st.tuples(TEXTS, st.booleans()), min_size=1, max_size=10)


@given(st.lists(st.tuples(TEXTS, OPTIONS), min_size=1, max_size=40), st.integers(0, 9))
def test_any_page_is_within_slacks_limits_and_carries_only_its_key(groups: list[Any], page: int) -> None:
    numbers = iter(range(1, 1000))
    made = tuple(
        Group(title=title, options=tuple(Option(number=next(numbers), text=text, is_on=on) for text, on in options))
        for title, options in groups
    )
    view = modal(Form(key="f-key", request="0123456789abcdef", page=page, pages=10, groups=made))
    assert against_views({"view": view}) == []
    assert view["private_metadata"] == "f-key"


def test_slack_knows_such_a_call(slack_spec: dict[str, Any]) -> None:
    view = modal(Form(key="k", request="ab", page=0, pages=1, groups=()))
    assert against_spec("views.open", {"token": "t", "trigger_id": "1", "view": view}, slack_spec) == []


def submission(values: object, **view: object) -> dict[str, Any]:
    shown = {"id": "V01", "callback_id": CALLBACK, "private_metadata": "f-key", "state": {"values": values}, **view}
    return {"type": "view_submission", "user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T0"}, "view": shown}


def test_what_is_ticked_is_read_with_its_page_and_who_sent_it() -> None:
    options = [{"value": "3"}, {"value": "12"}]
    empty: dict[str, Any] = {"parts": {"selected_options": []}}
    sent = filled(submission({"2.0": {"parts": {"selected_options": options}}, "2.1": empty}))
    assert sent is not None
    assert (sent.key, sent.page, sent.numbers, sent.identity) == ("f-key", 2, {3, 12}, "slack:T1:U1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["0.0", "parts", "selected_options", "value", "x"]), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_no_state_of_a_modal_upsets_the_reader(values: Any) -> None:
    sent = filled(submission(values))
    assert sent is not None
    assert all(isinstance(number, int) for number in sent.numbers)


@pytest.mark.parametrize("body", [{}, {"type": "view_submission"}, {"type": "view_submission", "view": []}])
def test_what_is_no_form_of_ours_is_left_to_others(body: dict[str, Any]) -> None:
    assert filled(body) is None
    assert filled(submission({}, callback_id="bulkhead_ask")) is None
