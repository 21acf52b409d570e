"""`contract`: the clauses in a request and whether an answer keeps them; one request, or a file of them. No model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

from bot.cli.batch import objects, read
from bot.config import Settings
from layers.errors import Misconfigured
from layers.routing import Violation, contract_of, described, doubt, escalation, risk, verify

BLANK: Mapping[str, object] = {"clauses": [], "violations": [], "escalate": 0.0}


async def contract(parsed: argparse.Namespace, _settings: Settings) -> int:
    """What a text demands; 1 when an answer breaks a hard clause."""
    if parsed.batch:
        for item, error in objects(parsed.batch):
            told = told_of(item) if error is None else {"ok": False, "error": error, **BLANK}
            sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        return 0
    if parsed.text is None:
        raise Misconfigured("contract needs a text, `-` for standard input, or --batch FILE.jsonl")
    text = read("-") if parsed.text == "-" else parsed.text
    answer = read(parsed.answer) if parsed.answer else None
    clauses = contract_of([text]).clauses
    broken = verify(clauses, answer) if answer is not None else ()
    if parsed.json:
        sys.stdout.write(json.dumps(judged(text, answer)) + "\n")
    else:
        lines = [f"{'hard' if clause.is_hard else 'soft'}  {described(clause)}" for clause in clauses]
        lines += [f"BROKEN  {described(each.clause)}: {each.found}" for each in broken]
        sys.stdout.write("\n".join(lines or ["nothing that can be checked is demanded"]) + "\n")
    return 1 if any(each.clause.is_hard for each in broken) else 0


def told_of(item: object) -> dict[str, object]:
    """One line of a batch; what is wrong with it is said in its place."""
    prompt = item.get("prompt", item.get("text")) if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(prompt, str):
        return {"ok": False, "error": 'the line has no string under "prompt"', **BLANK}
    answer = item.get("answer")
    if answer is not None and not isinstance(answer, str):
        return {"ok": False, "error": '"answer" is not a string', **BLANK}
    return judged(prompt, answer)


def judged(prompt: str, answer: str | None) -> dict[str, object]:
    """The clauses of a request, and what an answer does to them. Without an answer `escalate` is a forecast."""
    clauses = contract_of([prompt]).clauses
    broken = verify(clauses, answer) if answer is not None else ()
    return {
        "ok": True,
        "error": None,
        "clauses": [clause.as_json() for clause in clauses],
        "violations": [each.as_json() for each in broken],
        "escalate": round(risk(clauses) if answer is None else doubtful(prompt, answer, broken), 3),
    }


def doubtful(prompt: str, answer: str, broken: Sequence[Violation]) -> float:
    """0 to 1: how much speaks for another model; 0 where nothing in the answer could be measured or found wrong."""
    found = doubt(prompt, answer, broken=escalation(broken))
    return found.score if found.signals or found.flaws else 0.0
