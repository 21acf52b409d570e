"""The clauses of one request. Text in, clauses out; no model, and less than 300 us for what people type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from layers.routing.contract import counting, form, wording
from layers.routing.contract.reading import read
from layers.routing.contract.rule import Rule
from layers.routing.contract.types import Clause, Kind

RULES: tuple[Rule, ...] = (*counting.RULES, *wording.RULES, *form.RULES)
SOFT = re.compile(
    r"\b(?:if (?:you can|possible)|ideally|preferably|prefer(?:red)?|try to|where possible|when possible|"
    r"around|roughly|"
    r"approximately|would be (?:nice|great)|feel free|optional(?:ly)?)\b"
)
STANDING = re.compile(
    r"\b(?:from now on|in every (?:answer|reply|response|message)|for the rest of|in (?:all|any) (?:of )?(?:your )?"
    r"(?:future )?(?:answers|replies|responses|messages)|in this (?:chat|thread|conversation|channel)|"
    r"every (?:answer|reply|"
    r"response) (?:should|must)|until i say|going forward|henceforth)\b|^(?:please )?(?:always|never)\b|"
    r"\byou (?:should|must) (?:always|never)\b"
)
MANY = frozenset({Kind.KEYWORDS, Kind.FORBIDDEN, Kind.FREQUENCY, Kind.LETTERS, Kind.WORDS, Kind.SENTENCES})
MANY |= {Kind.WITHOUT, Kind.CAPITAL_WORDS, Kind.CHARACTERS, Kind.LINES, Kind.TOOL_NEVER, Kind.TOOL_ARGUMENTS}
MANY |= {Kind.JSON_SCHEMA}
"""Kinds of which a request may hold several; of the others the first one counts."""


def extract(text: str) -> tuple[Clause, ...]:
    """What `text` demands of its answer."""
    request = read(text)
    found: list[Clause] = []
    low = request.low
    rules = [rule for rule in RULES if any(word in low for word in rule.needs)]
    for sentence in request.sentences:
        own: list[Clause] = []
        for rule in rules:
            if any(word in sentence.low for word in rule.needs):
                own.extend(rule.read(sentence, request))
        if own:
            is_soft, is_standing = SOFT.search(sentence.low) is not None, STANDING.search(sentence.low) is not None
            if is_soft or is_standing:
                own = [replace(each, is_hard=not is_soft, is_standing=is_standing) for each in own]
            found.extend(own)
    return tuple(settled(found))


def settled(clauses: Iterable[Clause]) -> Iterable[Clause]:
    """Without what was said twice."""
    seen: set[object] = set()
    for clause in clauses:
        key = (clause.kind, repr(sorted(clause.args.items()))) if clause.kind in MANY else clause.kind
        if key not in seen:
            seen.add(key)
            yield clause
