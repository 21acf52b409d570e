"""The contract of an answer: standing rules, what people said before, this message, tools and schema, in one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from layers.routing.contract.extracting import MANY, extract
from layers.routing.contract.reading import read
from layers.routing.contract.tools import argument_clauses, prohibitions
from layers.routing.contract.types import Clause, Kind, Relation
from layers.routing.types import ToolSpec

TAKEN_BACK = re.compile(
    r"\b(?:forget|drop|ignore|cancel|lift|remove|stop) (?:\w+ ){0,3}?"
    r"(?:rules?|instructions?|limits?|constraints?|restrictions?|requirement)\b"
    r"|\b(?:need|have to|must) (?:\w+ ){0,3}?no longer\b"
    r"|\bno longer (?:need|necessary|required|appl\w+|hold\w*|have to)\b"
    r"|\b(?:may|can|use|write|do|run|call) (?:\w+ ){0,4}?again\b"
    r"|\byou (?:may|can) (?:now )?(?:use|write|say|run|call)\b"
)
ALL = re.compile(
    r"\b(?:all|every|any|the|those|these|my|previous) (?:\w+ )?"
    r"(?:rules|instructions|constraints|restrictions|limits)\b"
)
TOPICS: tuple[tuple[re.Pattern[str], frozenset[Kind]], ...] = tuple(
    (re.compile(pattern), frozenset(kinds))
    for pattern, kinds in (
        (r"\bcommas?\b", {Kind.NO_COMMA}),
        (r"\b(?:capital|upper ?case|lower ?case|caps)\b", {Kind.LOWERCASE, Kind.UPPERCASE, Kind.CAPITAL_WORDS}),
        (r"\bjson\b", {Kind.JSON, Kind.JSON_SCHEMA}),
        (r"\b(?:bullets?|bullet points?)\b", {Kind.BULLETS, Kind.WITHOUT}),
        (r"\b(?:emojis?|markdown|tables?|links?)\b", {Kind.WITHOUT}),
        (r"\b(?:length|longer?|short|limit)\b", {Kind.WORDS, Kind.SENTENCES, Kind.CHARACTERS, Kind.PARAGRAPHS}),
        (r"\b(?:language|english|german|french|spanish|italian)\b", {Kind.LANGUAGE}),
        (r"\b(?:quotes|quotation)\b", {Kind.QUOTATION}),
        (r"\bwords?\b", {Kind.FORBIDDEN}),
    )
)
NEGATED = re.compile(r"\b(?:never|without|not|no(?! longer))\b|n't\b")
MAY_LAST = re.compile(
    r"from now on|every|always|never|going forward|henceforth|until i say|for the rest|in this|\b(?:in|of) (?:all|any)|"
    r"again|no longer|forget|drop|ignore|cancel|lift|remove|stop|\byou (?:may|can)\b",
    re.IGNORECASE,
)
"""One of these is in every message that makes a standing demand or takes one back."""
NUMBER_OF = {
    Kind.WORDS: "num_words",
    Kind.SENTENCES: "num_sentences",
    Kind.CHARACTERS: "num_characters",
    Kind.LINES: "num_lines",
}
RIVALS = frozenset({Kind.LANGUAGE, Kind.LOWERCASE, Kind.UPPERCASE})
"""Of these only one can hold: both cases imply English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that an answer must hold to."""

    clauses: tuple[Clause, ...]
    unchecked: tuple[str, ...] = ()
    """Standing rules of which no clause could be made: the model is told them, and nothing checks them."""

    @property
    def is_hard(self) -> bool:
        """Whether the answer is to be held back until it was checked."""
        return any(clause.is_hard for clause in self.clauses)


def contract_of(
    said: Sequence[str],
    *,
    rules: Sequence[str] = (),
    tools: Sequence[ToolSpec] = (),
    schema: Mapping[str, object] | None = None,
) -> Contract:
    """The contract of the answer to the last of `said`.

    Args:
        said: what people said in the conversation, oldest first; of all but the last only standing demands hold.
        rules: the standing rules of the conversation, oldest first. Nothing said in the chat takes one back, and what
            contradicts one is not held to.
        tools: what the model may call.
        schema: JSON Schema of the answer, where one is asked for.
    """
    held: list[Clause] = []
    for n, text in enumerate(said):
        is_last = n == len(said) - 1
        if not is_last and not MAY_LAST.search(text):
            continue  # most of what was said before holds for nothing any more, and need not be read
        gone = taken_back(text)
        held = [clause for clause in held if not gone(clause)]
        new = [*extract(text), *prohibitions(text, tools)]
        held = merged(held, [clause for clause in new if is_last or clause.is_standing])
    ruled: list[Clause] = []
    unchecked = []
    for rule in rules:
        own = [replace(clause, is_standing=True) for clause in (*extract(rule), *prohibitions(rule, tools))]
        ruled = merged(ruled, own)
        if not own:
            unchecked.append(rule)
    clauses = [*ruled, *(clause for clause in held if not any(clashes(clause, rule) for rule in ruled))]
    if schema is not None:
        clauses.append(Clause(kind=Kind.JSON_SCHEMA, args={"schema": schema}))
    return Contract(clauses=(*clauses, *argument_clauses(tools)), unchecked=tuple(unchecked))


def merged(held: Sequence[Clause], new: Iterable[Clause]) -> list[Clause]:
    """The clauses after `new` ones were said: the later of two that cannot both hold replaces the earlier."""
    result = list(held)
    for clause in new:
        result = [earlier for earlier in result if not excludes(clause, earlier)]
        result.append(clause)
    return result


def excludes(later: Clause, earlier: Clause) -> bool:
    """Whether the later clause takes the earlier one's place."""
    if later.kind in NUMBER_OF and later.kind is earlier.kind:
        return later.args.get("relation") == earlier.args.get("relation") or clashes(later, earlier)
    return clashes(later, earlier)


def clashes(one: Clause, other: Clause) -> bool:
    """Whether two clauses cannot both be held to, or say the same."""
    if one.kind is not other.kind:
        return one.kind in RIVALS and other.kind in RIVALS
    if one.kind in NUMBER_OF:
        (least, most), (other_least, other_most) = span(one), span(other)
        return max(least, other_least) > min(most, other_most) or dict(one.args) == dict(other.args)
    return one.kind not in MANY or dict(one.args) == dict(other.args)


def span(clause: Clause) -> tuple[float, float]:
    """The least and the greatest number that a clause allows."""
    number = clause.args.get(NUMBER_OF[clause.kind], 0)
    n = number if isinstance(number, int) else 0
    match Relation(str(clause.args.get("relation", Relation.AT_LEAST))):
        case Relation.AT_LEAST:
            return n, inf
        case Relation.LESS_THAN:
            return -inf, n - 1
        case Relation.EXACTLY:
            return n, n


def taken_back(text: str) -> Callable[[Clause], bool]:
    """Whether `text` takes a clause back: `you can use commas again`, `forget all those rules`."""
    kinds: set[Kind] = set()
    said = []
    for sentence in read(text).sentences:
        if not TAKEN_BACK.search(sentence.low) or NEGATED.search(sentence.low):
            continue
        if ALL.search(sentence.low) and "rule" in sentence.low:
            return lambda _clause: True
        said.append(sentence.low)
        for pattern, topic in TOPICS:
            if pattern.search(sentence.low):
                kinds |= topic

    def is_gone(clause: Clause) -> bool:
        if clause.kind is Kind.TOOL_NEVER:
            name = str(clause.args.get("value") or clause.args.get("tool"))
            return any(name in low for low in said)
        return clause.kind in kinds

    return is_gone
