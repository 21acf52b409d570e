"""What follows from broken clauses: one prompt that names them, and how much speaks for a stronger model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layers.routing.contract.types import Clause, Violation
from layers.routing.contract.verifying import described

HELD_BY_A_STRONG_MODEL = 0.84
"""Of IFEval's constraints GPT-4 kept so many: 76.9 % of prompts with 1.54 constraints each, 0.769 ** (1 / 1.54)."""
SOFT_WEIGHT, SOFT_MOST = 0.2, 0.5


def repair_prompt(violations: Sequence[Violation]) -> str:
    """What the model is told once: which clauses it broke and how, and to write the whole answer again."""
    broken = "\n".join(f"- {described(each.clause)} (your answer: {each.found})" for each in violations)
    return (
        "Your answer does not hold to what was asked. Broken:\n"
        f"{broken}\n"
        "Write the whole answer again so that it holds to these and to everything else that was asked. Give only the "
        "answer, without a word about this correction."
    )


def confession(violations: Sequence[Violation]) -> str:
    """What people are told beside an answer that still fails."""
    broken = "; ".join(f"{described(each.clause)} ({each.found})" for each in violations)
    return f"This answer does not hold to everything that was asked: {broken}."


def escalation(violations: Sequence[Violation]) -> float:
    """0 to 1: how much speaks for another model. A broken hard clause is enough."""
    if any(each.clause.is_hard for each in violations):
        return 1.0
    return min(SOFT_MOST, SOFT_WEIGHT * len(violations))


def risk(clauses: Iterable[Clause]) -> float:
    """0 to 1, before there is an answer: how often a strong model would break one of the hard clauses."""
    return 1.0 - HELD_BY_A_STRONG_MODEL ** sum(clause.is_hard for clause in clauses)
