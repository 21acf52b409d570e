"""Answers by hand against every kind of clause, and what follows from a broken one."""

from __future__ import annotations

import time

import pytest

from benchmarks.routing.contract_cases import CASES
from layers.routing.contract import (
    Clause,
    Kind,
    confession,
    described,
    escalation,
    extract,
    repair_prompt,
    risk,
    verify,
)

GOOD = [(case.kind, case.args, answer) for case in CASES for answer in case.good]
BAD = [(case.kind, case.args, answer) for case in CASES for answer in case.bad]


@pytest.mark.parametrize(("kind", "args", "answer"), GOOD)
def test_an_answer_that_keeps_a_clause_is_taken(kind: Kind, args: dict[str, object], answer: str) -> None:
    assert verify((Clause(kind=kind, args=args),), answer) == ()


@pytest.mark.parametrize(("kind", "args", "answer"), BAD)
def test_an_answer_that_breaks_a_clause_is_named(kind: Kind, args: dict[str, object], answer: str) -> None:
    (violation,) = verify((Clause(kind=kind, args=args),), answer)
    assert violation.found


def test_every_kind_has_answers_by_hand_or_is_about_tools() -> None:
    assert {case.kind for case in CASES} == set(Kind) - {Kind.TOOL_ARGUMENTS, Kind.TOOL_NEVER}


@pytest.mark.parametrize("case", CASES)
def test_every_clause_can_be_told_and_an_empty_answer_breaks_it(case) -> None:
    clause = Clause(kind=case.kind, args=case.args)
    assert "{" not in described(clause)
    assert verify((clause,), "  ")


@pytest.mark.parametrize("value", ["", "deploy.web"])
def test_a_clause_about_tools_can_be_told(value: str) -> None:
    never = Clause(kind=Kind.TOOL_NEVER, args={"tool": "*" if value else "send", "value": value})
    assert described(never) == ("never touches deploy.web" if value else "never calls send")
    assert "draw" in described(Clause(kind=Kind.TOOL_ARGUMENTS, args={"tool": "draw", "schema": {}}))


def test_the_repair_prompt_names_each_broken_clause_and_what_was_found() -> None:
    broken = verify(extract("At most 3 words, no commas."), "One, two, three, four, five.")
    prompt = repair_prompt(broken)
    assert "less than 4 words (your answer: 5 words)" in prompt
    assert "without commas (your answer: 4 commas)" in prompt
    assert "without commas" in confession(broken)


def test_a_broken_hard_clause_escalates_and_a_soft_one_does_not() -> None:
    hard, soft = extract("No commas."), extract("If possible no commas.")
    assert escalation(verify(hard, "a, b")) == 1.0
    assert 0 < escalation(verify(soft, "a, b")) < 0.5
    assert escalation(()) == 0.0
    assert risk(soft) == 0.0 < risk(hard) < risk(hard * 3) < 1


@pytest.mark.parametrize("piece", ["[", "*a", "* ", "<<a", ".", "_a", "```", "a'", "- a\n", "{\"a\":", "\n"])
def test_a_hostile_answer_is_checked_in_time(piece: str) -> None:
    clauses = tuple(Clause(kind=case.kind, args=case.args) for case in CASES)
    began = time.process_time()
    verify(clauses, piece * (20_000 // len(piece)) + "x")
    assert time.process_time() - began < 10  # seconds; a pattern that runs away takes minutes
