"""The clauses of one request. Text in, clauses out; no model, and less than 300 us for what people type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from layers.routing.contract import counting, form, wording
from layers.routing.contract.reading import Sentence, read
from layers.routing.contract.rule import Rule
from layers.routing.contract.types import Clause, Kind

RULES: tuple[Rule, ...] = (*counting.RULES, *wording.RULES, *form.RULES)
QUESTION = re.compile(r"\s*(?:and |but |so )?(?:why|how(?! (?:would|can|could) you)|does|did|do|is|are|was|were)\b")
ADDRESSED = re.compile(r"\byour\b|\bplease\b")
REPORT = re.compile(
    r"\b(?:i|we|he|she|they|who|users?|people|customers?)\s+(?:\w+\s+)?(?:can't|cannot|can not|don't|do not|"
    r"does not|doesn't|didn't|did not|never|won't|couldn't|could not)\b(?! (?:want|like|need|wish))"
)
"""Somebody tells what they cannot or do not do: that forbids nothing."""
PROHIBITIONS = frozenset({Kind.FORBIDDEN, Kind.NO_COMMA, Kind.LETTERS, Kind.WITHOUT, Kind.LOWERCASE})
SOFT = re.compile(
    r"\b(?:if (?:you can|possible)|ideally|preferably|prefer(?:red)?|try to|where possible|when possible|"
    r"would be (?:nice|great)|feel free|optional(?:ly)?)\b|\b(?:around|roughly|approximately) (?=\d|a )"
)
STANDING = re.compile(
    r"\b(?:from now on|in every (?:answer|reply|response|message)|for the rest of|in (?:all|any) (?:of )?(?:your )?"
    r"(?:future )?(?:answers|replies|responses|messages)|every (?:answer|reply|"
    r"response) (?:should|must)|until i say|going forward|henceforth)\b|"
    r"^(?:please )?(?:always|never|in this (?:chat|thread|conversation|channel))\b|"
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
    rules = [rule for rule in RULES if rule.is_needed(low)]
    for sentence in request.sentences:
        own: list[Clause] = []
        for rule in rules:
            if rule.is_needed(sentence.low):
                own.extend(rule.read(sentence, request))
        if own and not is_question(sentence):
            is_soft, is_standing = SOFT.search(sentence.low) is not None, STANDING.search(sentence.low) is not None
            if is_soft or is_standing:
                own = [replace(each, is_hard=not is_soft, is_standing=is_standing) for each in own]
            if REPORT.search(sentence.low):
                own = [each for each in own if each.kind not in PROHIBITIONS]
            found.extend(own)
    return tuple(settled(found))


def is_question(sentence: Sentence) -> bool:
    """Whether a sentence asks about something instead of demanding it: `Why are there no commas?`."""
    return (
        sentence.raw.rstrip().endswith("?")
        and QUESTION.match(sentence.low) is not None
        and ADDRESSED.search(sentence.low) is None
    )


def settled(clauses: Iterable[Clause]) -> Iterable[Clause]:
    """Without what was said twice."""
    seen: set[object] = set()
    for clause in clauses:
        key = (clause.kind, repr(sorted(clause.args.items()))) if clause.kind in MANY else clause.kind
        if key not in seen:
            seen.add(key)
            yield clause
