"""The rules: typed values, exact argv, the table of moves, and who may decide."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.control import Approval, Catalog, Event, Plan, Rules, State, move, plan
from layers.control.kernel import Proof, unproven
from layers.control.manifest import parse_manifest
from layers.control.policy import Act
from layers.control.rules import MOVES, Asker, befores, hopeless, may, refusal, rule, standing, typed
from layers.errors import Refused
from layers.types import AGENT, CLOCK, STRANGER, Person
from tests.control.conftest import GUEST, OWNER, action, rules_of

ASKER = Asker(person="owner")

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
    ended = (State.SUCCEEDED, State.DENIED, State.EXPIRED, State.CANCELLED, State.INVALIDATED, State.SUPERSEDED)
    for state in ended:
        assert not MOVES[state]
        for event in Event:
            with pytest.raises(Refused, match=f"cannot {event.value} an approval that is {state.value}"):
                move(state, event)
    places = dict.fromkeys(Event, 1)
    places |= {Event.SUCCEED: 2, Event.FAIL: 2, Event.LOSE: 2}  # the executor took it, whether or not it said so
    places |= {Event.DENY: 2, Event.CANCEL: 3}  # until the claim; and an unknown outcome can be given up
    assert {event: sum(event in moves for moves in MOVES.values()) for event in Event} == places
    assert befores(Event.RERUN) == (State.UNKNOWN,)
    assert MOVES[State.FAILED].keys() == {Event.RESUME, Event.DROP}  # of a patch: no statement moves anything else


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
@pytest.mark.parametrize("person", [AGENT, CLOCK, STRANGER])
def test_the_agent_and_the_clock_never_decide_even_when_listed(
    note: Plan, catalog: Catalog, event: Event, person: Person
) -> None:
    listed = rules_of(catalog, AGENT, CLOCK, STRANGER)
    assert "may ask, but never decide" in refusal(approval(note), event, person, listed, 10.0)
    assert "none is set" in hopeless(note, ASKER, listed, 10.0)


def test_without_approvers_everything_is_refused(note: Plan, catalog: Catalog) -> None:
    nobody = rules_of(catalog)
    assert "no approver is set" in refusal(approval(note), Event.APPROVE, OWNER, nobody, 10.0)
    assert "none is set" in hopeless(note, ASKER, nobody, 10.0)


def test_without_a_policy_nothing_is_allowed(note: Plan, rules: Rules) -> None:
    none = dataclasses.replace(rules, policy=None)
    for event in (Event.APPROVE, Event.DENY):
        assert "no policy is loaded" in refusal(approval(note), event, OWNER, none, 10.0)
    assert "no policy is loaded" in hopeless(note, ASKER, none, 10.0)
    with pytest.raises(Refused, match="no policy is loaded"):
        may(note, Act.REQUEST, ASKER, none, 10.0)


def test_from_risk_two_on_the_asker_needs_somebody_else_where_there_is_one(risky: Catalog) -> None:
    made = plan(risky, action("test.risky"))
    two = rules_of(risky, OWNER, GUEST)
    assert "needs another person" in refusal(approval(made), Event.APPROVE, OWNER, two, 10.0)
    assert refusal(approval(made), Event.DENY, OWNER, two, 10.0) == ""
    assert hopeless(made, ASKER, two, 10.0) == ""
    ruling = rule(approval(made), Event.APPROVE, GUEST, two, 10.0)
    assert (ruling.allowed, ruling.requires, ruling.is_solo) == (True, frozenset({Proof.NUMBER_MATCH}), False)


def test_an_install_with_one_approver_is_not_locked_out_but_needs_more_proof(risky: Catalog) -> None:
    made = plan(risky, action("test.risky"))
    alone = rule(approval(made), Event.APPROVE, OWNER, rules_of(risky, OWNER), 10.0)
    assert (alone.allowed, alone.is_solo) == (True, True)
    assert alone.requires == {Proof.NUMBER_MATCH, Proof.PASSPHRASE}
    assert "number match, passphrase" in unproven(alone, frozenset())
    assert "passphrase" in unproven(alone, frozenset({Proof.NUMBER_MATCH}))
    assert unproven(alone, alone.requires) == ""
    assert hopeless(made, ASKER, rules_of(risky, OWNER), 10.0) == ""
    twice = dataclasses.replace(rules_of(risky, OWNER), approvers=(OWNER, OWNER))
    assert rule(approval(made), Event.APPROVE, OWNER, twice, 10.0).is_solo
    ended = rule(approval(made), Event.APPROVE, OWNER, rules_of(risky, OWNER, GUEST), 10.0)
    assert (ended.allowed, ended.is_solo) == (False, False)


def test_what_is_frozen_is_neither_asked_for_nor_approved_but_can_be_denied(note: Plan, rules: Rules) -> None:
    frozen = dataclasses.replace(rules, is_frozen=True)
    assert "frozen" in refusal(approval(note), Event.APPROVE, OWNER, frozen, 10.0)
    assert "frozen" in hopeless(note, ASKER, frozen, 10.0)
    assert "frozen" in standing(approval(note, decided_by="owner"), frozen, 10.0)
    assert refusal(approval(note), Event.DENY, OWNER, frozen, 10.0) == ""


def test_a_risk_that_is_not_the_manifests_is_refused(note: Plan, risky: Catalog) -> None:
    rules = rules_of(risky, OWNER)
    lowered = dataclasses.replace(plan(risky, action("test.risky")), risk=1)
    assert "the manifest of test.risky says 2" in refusal(approval(lowered), Event.APPROVE, OWNER, rules, 10.0)
    gone = dataclasses.replace(note, capability="test.gone")
    assert "no capability test.gone" in refusal(approval(gone), Event.APPROVE, OWNER, rules, 10.0)


def test_whoever_approved_must_still_be_allowed_to_when_it_starts(note: Plan, catalog: Catalog) -> None:
    given = approval(note, state=State.APPROVED, decided_by="owner", decided_at=5.0)
    assert standing(given, rules_of(catalog, OWNER), 9.0) == ""
    assert "may no longer approve" in standing(given, rules_of(catalog, GUEST), 9.0)
    outside = rules_of(catalog, OWNER)
    elsewhere = tuple(dataclasses.replace(member, scopes=("deploy",)) for member in outside.people)
    assert "no longer holds" in standing(given, dataclasses.replace(outside, people=elsewhere), 9.0)


def test_a_guest_never_decides_even_when_a_file_calls_them_an_approver(note: Plan, catalog: Catalog) -> None:
    rules = rules_of(catalog, OWNER, GUEST)
    guests = tuple(dataclasses.replace(member, is_external=member.person == GUEST) for member in rules.people)
    mixed = dataclasses.replace(rules, people=guests)
    assert "from outside" in refusal(approval(note), Event.APPROVE, GUEST, mixed, 10.0)
    assert refusal(approval(note), Event.APPROVE, OWNER, mixed, 10.0) == ""


def test_a_plan_that_drifted_can_be_denied_but_not_approved(note: Plan, rules: Rules) -> None:
    changed = approval(dataclasses.replace(note, stdin="evil\n"), digest=note.digest)
    assert "was changed after it was shown" in refusal(changed, Event.APPROVE, OWNER, rules, 10.0)
    assert refusal(changed, Event.DENY, OWNER, rules, 10.0) == ""
    other = dataclasses.replace(rules, manifests={note.capability: "00"})
    assert "manifest of workspace.write-note changed" in refusal(approval(note), Event.APPROVE, OWNER, other, 10.0)
