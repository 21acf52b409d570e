"""Clauses about tools: what a call's arguments must look like, and what is never to be called. No model, no effect.

Text and declared tools in, clauses out; clauses and the calls that a model wants in, violations out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from layers.routing.contract.extracting import STANDING
from layers.routing.contract.reading import Sentence, read
from layers.routing.contract.schema import faults
from layers.routing.contract.types import Clause, Kind, Violation
from layers.routing.types import ToolCall, ToolSpec

NEVER = re.compile(
    r"\b(?:never|do not|don't|must not|mustn't|should not|shouldn't|may not|cannot|can't|not allowed to)\b"
)
CONDITION = re.compile(r"\b(?:unless|until|without (?:asking|my|a|telling|approval|permission)|except|before)\b")
"""A prohibition with a condition is a person's to judge: control asks, and nothing is refused here."""
EXPLICIT = re.compile(r"(?:use|using|call|calling|run|running|invoke|the|touch)\s+(?:the\s+)?$")
ACTS_ON = re.compile(
    r"\b(?:run|use|call|touch|invoke|execute|start|request|ask for|deploy|change|edit|restart|delete)\s+"
    r"(?:(?:the|any|anything|capability|capabilities|in|of|under)\s+)*[`\"']?$"
)
"""What stands before an id that is acted on: `run deploy.web`, not `use commas in main.py`."""
DOTTED = re.compile(r"(?<![\w./])[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+(?:\.\*)?(?![\w/])")
WORD = re.compile(r"[a-z]{3,}")
STOP = frozenset(["the", "and", "for", "with", "that", "this", "from", "into", "than", "other", "not", "one", "all"])
ANY_OBJECT = frozenset(
    (
        *("any", "anything", "anyone", "anybody", "file", "files", "message", "messages", "mail", "mails", "code"),
        *("picture", "pictures", "diagram", "diagrams", "patch", "patches"),
    )
)
EVERY_TOOL = "*"


def argument_clauses(tools: Iterable[ToolSpec]) -> tuple[Clause, ...]:
    """One clause for each tool: its arguments are as its schema says."""
    return tuple(
        Clause(kind=Kind.TOOL_ARGUMENTS, args={"tool": tool.name, "schema": tool.parameters}, is_standing=True)
        for tool in tools
    )


def prohibitions(text: str, tools: Sequence[ToolSpec]) -> tuple[Clause, ...]:
    """What `text` forbids to call: a declared tool (`never send messages`) or a dotted id (`do not run deploy.web`)."""
    found: dict[tuple[str, str], Clause] = {}
    for sentence in read(text).sentences:
        match = NEVER.search(sentence.low)
        if not match or CONDITION.search(sentence.low):
            continue
        is_standing = STANDING.search(sentence.low) is not None
        for tool, value in _forbidden(sentence, match.end(), tools):
            args = {"tool": tool, "value": value}
            found.setdefault((tool, value), Clause(kind=Kind.TOOL_NEVER, args=args, is_standing=is_standing))
    return tuple(found.values())


def _forbidden(sentence: Sentence, start: int, tools: Sequence[ToolSpec]) -> Iterable[tuple[str, str]]:
    low = sentence.low[start:]
    dotted = list(DOTTED.finditer(low))
    if any(ACTS_ON.search(low[: match.start()]) for match in dotted):
        yield from ((EVERY_TOOL, match[0].removesuffix(".*")) for match in dotted)
        return
    for tool in tools:
        name = re.search(rf"[`\"']?\b{re.escape(tool.name.lower())}(?:s|ing)?\b[`\"']?(?P<tool> tool)?", low)
        if name and _is_meant(tool, low, name):
            yield tool.name, ""


def _is_meant(tool: ToolSpec, low: str, name: re.Match[str]) -> bool:
    """Whether a word is the tool and not the verb: `never send messages`, not `do not send me to sleep`."""
    if name["tool"] or name[0][0] in "`\"'" or EXPLICIT.search(low[: name.start()]):
        return True
    about = frozenset(WORD.findall(tool.description.lower())) - STOP
    after = WORD.findall(low[name.end() :])[:3]
    is_near = len(WORD.findall(low[: name.start()])) <= 2
    known = about | ANY_OBJECT
    return is_near and (not after or any(word in known or word.rstrip("s") in known for word in after))


def refused(clauses: Iterable[Clause], calls: Sequence[ToolCall]) -> tuple[Violation, ...]:
    """The clauses about tools that `calls` break. None of these calls may be made."""
    found = []
    for clause in clauses:
        for call in calls:
            instead = ""
            if clause.kind is Kind.TOOL_ARGUMENTS and clause.args.get("tool") == call.name:
                schema = clause.args.get("schema")
                instead = "; ".join(faults(call.arguments, schema)) if isinstance(schema, Mapping) else ""
            elif clause.kind is Kind.TOOL_NEVER and _is_forbidden(clause, call):
                instead = f"calls {call.name}"
            if instead:
                found.append(Violation(clause=clause, found=instead))
                break
    return tuple(found)


def _is_forbidden(clause: Clause, call: ToolCall) -> bool:
    tool, value = clause.args.get("tool"), str(clause.args.get("value", ""))
    if tool not in (EVERY_TOOL, call.name):
        return False
    return not value or any(text == value or text.startswith(f"{value}.") for text in _texts(call.arguments))


def _texts(value: object) -> Iterable[str]:
    """Every text in a call's arguments."""
    if isinstance(value, str):
        yield value.strip().lower()
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, Sequence):
        for member in value:
            yield from _texts(member)
