"""The rules: typed values, exact argv, the table of moves, and who may decide."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.control import Approval, Catalog, Event, Plan, Rules, State, move, plan
from layers.control.manifest import parse_manifest
from layers.control.rules import MOVES, before, hopeless, refusal, typed
from layers.errors import Refused
from layers.types import AGENT, CLOCK
from tests.control.conftest import GUEST, OWNER, action

EVERYTHING = """
id = "test.types"
title = "Types"
description = "One of each."
scope = "test"
risk = 1
argv = ["echo", "{text}", "{count}", "{kind}", "{file}", "{dry}", "--level={count}"]
[parameters]
text = {type = "string", pattern = "[a-z-]+", max_length = 10}
count = {type = "integer", minimum = -5, maximum = 9}
kind = {type = "enum", values = ["red", "blue"]}
file = {type = "path-in-workspace"}
dry = {type = "boolean", default = true}
"""
GOOD = {"text": "abc", "count": "3", "kind": "red", "file": "a/./b.txt"}
MANIFEST = parse_manifest(EVERYTHING, "test.types.toml")


@pytest.fixture
def typed_catalog(home: Path, workspace: Path) -> Catalog:
    (home / "capabilities" / "test.types.toml").write_text(EVERYTHING)
    return Catalog.load(home / "capabilities", workspace)


def test_values_get_their_types_and_slots_become_single_items(typed_catalog: Catalog, workspace: Path) -> None:
    made = plan(typed_catalog, action("test.types", **GOOD))
    assert made.parameters == {"text": "abc", "count": 3, "kind": "red", "file": "a/b.txt", "dry": True}
    assert made.argv == ("/usr/bin/echo", "abc", "3", "red", f"{workspace}/a/b.txt", "true", "--level=3")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "ABC"),
        ("text", "abcdefghijk"),
        ("text", "a\x00b"),
        ("text", ""),
        ("text", "abc\n"),
        ("count", "3.5"),
        ("count", "10"),
        ("count", "٣"),
        ("count", "9" * 5000),
        ("kind", "green"),
        ("file", "/etc/passwd"),
        ("file", "../x"),
        ("file", "a/../../x"),
        ("file", "a\nb"),
        ("file", ""),
        ("dry", "maybe"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_was_expected(name: str, value: str) -> None:
    with pytest.raises(Refused, match=f"{name}=.* is refused; it must be ") as caught:
        typed(MANIFEST, {**GOOD, name: value})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_unknown_names_get_the_nearest_ones(catalog: Catalog) -> None:
    with pytest.raises(Refused, match=r"did you mean workspace\.make"):
        plan(catalog, action("workspace.mkae"))
    with pytest.raises(Refused, match=r"no parameter 'traget'; did you mean target\?"):
        plan(catalog, action("workspace.make", traget="all"))
    with pytest.raises(Refused, match=r"needs target=\.\.\.: text"):
        plan(catalog, action("workspace.make"))


@pytest.mark.parametrize("value", ["-rf", "--help"])
def test_a_value_cannot_become_an_option(typed_catalog: Catalog, value: str) -> None:
    with pytest.raises(Refused, match="must not begin with '-'"):
        plan(typed_catalog, action("test.types", **{**GOOD, "text": value}))
    with pytest.raises(Refused, match="must not begin with '-'"):
        plan(typed_catalog, action("test.types", **{**GOOD, "count": "-5"}))


def test_a_value_that_looks_like_a_slot_or_a_shell_stays_text(catalog: Catalog) -> None:
    made = plan(catalog, action("workspace.write-note", name="n", text="{name} $(id) `id` ; rm -rf /"))
    assert made.stdin == "{name} $(id) `id` ; rm -rf /\n"


def test_make_variables_cannot_be_smuggled_as_a_target(catalog: Catalog) -> None:
    with pytest.raises(Refused):
        plan(catalog, action("workspace.make", target="SHELL=/bin/evil"))


@given(text=st.text(min_size=1, max_size=200))
def test_any_plan_survives_its_own_canonical_form(text: str) -> None:
    made = Plan(
        capability="a.b",
        version=1,
        title=text,
        parameters={"x": text, "n": 1, "b": True},
        argv=("/bin/x", text),
        stdin=text,
        cwd="/",
        scope="s",
        risk=1,
        timeout_s=1,
        output_cap_bytes=1,
        manifest_digest="",
    )
    again = Plan.parse(made.canonical)
    assert again == made
    assert again.digest == made.digest
    assert dataclasses.replace(made, stdin=text + " ").digest != made.digest


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"argv": 1}', "null"])
def test_what_is_not_a_plan_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="stored plan"):
        Plan.parse(text)


def test_final_states_have_no_moves_and_every_event_has_one_place() -> None:
    for state in (State.SUCCEEDED, State.FAILED, State.DENIED, State.EXPIRED, State.CANCELLED, State.INVALIDATED):
        assert not MOVES[state]
        for event in Event:
            with pytest.raises(Refused, match=f"cannot {event.value} an approval that is {state.value}"):
                move(state, event)
    ends = {Event.SUCCEED, Event.FAIL, Event.LOSE}  # of a run that the executor took, whether or not it said so
    assert all(sum(event in moves for moves in MOVES.values()) == (2 if event in ends else 1) for event in Event)
    assert before(Event.RERUN) is State.UNKNOWN


def approval(plan: Plan, **changes: object) -> Approval:
    values = {
        "id": "ab12",
        "conversation_id": "web:main",
        "turn_id": 1,
        "plan": plan,
        "digest": plan.digest,
        "requested_by": "owner",
        "reason": "",
        "state": State.PENDING,
        "created_at": 0.0,
        "expires_at": 3600.0,
    }
    return Approval(**{**values, **changes})  # type: ignore[arg-type]


def test_only_an_approver_decides_and_the_sentence_names_who_can(note: Plan, rules: Rules) -> None:
    asked = approval(note)
    assert refusal(asked, Event.APPROVE, OWNER, rules, 10.0) == ""
    assert refusal(asked, Event.APPROVE, GUEST, rules, 10.0) == "Gus Guest may not decide this; Olga Owner can"
    assert "expired at 1970-01-01 01:00:00 UTC" in refusal(asked, Event.APPROVE, OWNER, rules, 3600.0)


@pytest.mark.parametrize("event", [Event.APPROVE, Event.DENY])
@pytest.mark.parametrize("person", [AGENT, CLOCK])
def test_the_agent_and_the_clock_never_decide_even_when_listed(
    note: Plan, rules: Rules, event: Event, person: object
) -> None:
    listed = Rules(approvers=(AGENT, CLOCK), manifests=rules.manifests)
    assert "may ask, but never decide" in refusal(approval(note), event, person, listed, 10.0)  # type: ignore[arg-type]
    assert "none is set" in hopeless(note, OWNER, listed)


def test_without_approvers_everything_is_refused(note: Plan, rules: Rules) -> None:
    nobody = Rules(approvers=(), manifests=rules.manifests)
    assert "no approver is set" in refusal(approval(note), Event.APPROVE, OWNER, nobody, 10.0)
    assert "none is set" in hopeless(note, OWNER, nobody)


def test_from_risk_two_on_the_asker_needs_somebody_else(note: Plan, rules: Rules) -> None:
    risky = dataclasses.replace(note, risk=2)
    assert "needs another person" in refusal(approval(risky), Event.APPROVE, OWNER, rules, 10.0)
    assert refusal(approval(risky), Event.DENY, OWNER, rules, 10.0) == ""
    assert "needs an approver other than" in hopeless(risky, OWNER, rules)
    two = Rules(approvers=(OWNER, GUEST), manifests=rules.manifests)
    assert hopeless(risky, OWNER, two) == ""
    assert refusal(approval(risky), Event.APPROVE, GUEST, two, 10.0) == ""


def test_a_plan_that_drifted_can_be_denied_but_not_approved(note: Plan, rules: Rules) -> None:
    changed = approval(dataclasses.replace(note, stdin="evil\n"), digest=note.digest)
    assert "was changed after it was shown" in refusal(changed, Event.APPROVE, OWNER, rules, 10.0)
    assert refusal(changed, Event.DENY, OWNER, rules, 10.0) == ""
    other = Rules(approvers=(OWNER,), manifests={note.capability: "00"})
    assert "manifest of workspace.write-note changed" in refusal(approval(note), Event.APPROVE, OWNER, other, 10.0)
