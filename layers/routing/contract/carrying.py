"""The contract of an answer: standing rules, what people said before, this message, tools and schema, in one value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from layers.routing.contract.extracting import MANY, extract
from layers.routing.contract.reading import read
from layers.routing.contract.tools import argument_clauses, prohibitions
from layers.routing.contract.types import Clause, Kind
from layers.routing.types import ToolSpec

TAKEN_BACK = re.compile(
    r"\b(?:forget|drop|ignore|cancel|lift|remove|stop) (?:\w+ ){0,3}?(?:rules?|instructions?|limits?|"
    r"constraints?|restrictions?|requirement)\b"
    r"|\b(?:no longer|not any ?more|again)\b|\b(?:you )?(?:may|can) (?:now )?(?:use|write|say)\b"
)
ALL = re.compile(
    r"\b(?:all|every|any|the|those|these|my|previous) (?:\w+ )?(?:rules|instructions|constraints|restrictions|"
    r"limits)\b"
)
TOPICS: tuple[tuple[re.Pattern[str], frozenset[Kind]], ...] = tuple(
    (re.compile(pattern), frozenset(kinds))
    for pattern, kinds in (
        (r"\bcommas?\b", {Kind.NO_COMMA}),
        (r"\b(?:capital|upper ?case|lower ?case|caps)\b", {Kind.LOWERCASE, Kind.UPPERCASE, Kind.CAPITAL_WORDS}),
        (r"\bjson\b", {Kind.JSON, Kind.JSON_SCHEMA}),
        (r"\b(?:bullets?|bullet points?)\b", {Kind.BULLETS, Kind.WITHOUT}),
        (r"\b(?:emojis?|markdown|tables?|links?)\b", {Kind.WITHOUT}),
        (
            r"\b(?:length|long|longer|short|word limit|limit)\b",
            {Kind.WORDS, Kind.SENTENCES, Kind.CHARACTERS, Kind.PARAGRAPHS}),
        (r"\b(?:language|english|german|french|spanish|italian)\b", {Kind.LANGUAGE}),
        (r"\b(?:quotes|quotation)\b", {Kind.QUOTATION}),
        (r"\bwords?\b", {Kind.FORBIDDEN}),
    )
)
RIVALS = ({Kind.LOWERCASE, Kind.UPPERCASE}, {Kind.LANGUAGE, Kind.LOWERCASE, Kind.UPPERCASE})
"""Of these only the last one said can hold; both cases imply English."""


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
        rules: the standing rules of the conversation, oldest first. Nothing said in the chat takes one back.
        tools: what the model may call.
        schema: JSON Schema of the answer, where one is asked for.
    """
    held: list[Clause] = []
    for n, text in enumerate(said):
        held = [clause for clause in held if clause.kind not in taken_back(text)]
        is_last = n == len(said) - 1
        new = [*extract(text), *prohibitions(text, tools)]
        held = merged(held, [clause for clause in new if is_last or clause.is_standing])
    ruled: list[Clause] = []
    unchecked = []
    for rule in rules:
        own = [replace(clause, is_standing=True) for clause in (*extract(rule), *prohibitions(rule, tools))]
        ruled = merged(ruled, own)
        if not own:
            unchecked.append(rule)
    clauses = merged(ruled, held)
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
    if later == earlier:
        return True
    if later.kind is not earlier.kind:
        return any(later.kind in rivals and earlier.kind in rivals for rivals in RIVALS)
    if later.kind not in MANY:
        return True
    if later.kind in (Kind.WORDS, Kind.SENTENCES, Kind.CHARACTERS, Kind.LINES):
        return earlier.is_standing or later.args.get("relation") == earlier.args.get("relation")
    return dict(later.args) == dict(earlier.args)


def taken_back(text: str) -> frozenset[Kind]:
    """The kinds of clauses that `text` takes back: `you can use commas again`, `forget all those rules`."""
    kinds: set[Kind] = set()
    for sentence in read(text).sentences:
        if not TAKEN_BACK.search(sentence.low) or re.search(r"\bnever|don't|do not\b", sentence.low):
            continue
        if ALL.search(sentence.low) and "rule" in sentence.low:
            return frozenset(Kind)
        for pattern, topic in TOPICS:
            if pattern.search(sentence.low):
                kinds |= topic
    return frozenset(kinds)
