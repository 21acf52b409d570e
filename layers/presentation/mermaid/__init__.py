"""Mermaid text to a `DiagramSpec`. Pure; the only thing it raises is `BadInput`.

Front matter, comments, directives and a markdown fence are blanked out in place, so that lines and columns in an
error are those of what the person wrote. What was read although Mermaid would not take it is a `Fix`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from pydantic import ValidationError

from layers.errors import BadInput
from layers.presentation.mermaid import classes, er, flowchart, gantt, mindmap, pie, sequence, state, timeline, xychart
from layers.presentation.mermaid.cursor import Cursor, Fix
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.look import style_in, theme_in
from layers.presentation.mermaid.meta import Meta
from layers.presentation.nearest import nearest
from layers.presentation.spec import DiagramSpec, read_spec

NAMED_FIXES = 3
LONGEST_TEXT = 100_000
"""Characters."""
FENCE = re.compile(r"^[^\S\n]*(?:```|~~~)[^\n]*$", re.MULTILINE)
FRONT_MATTER = re.compile(r"\s*^([^\S\n]*)---[^\S\n]*\n(.*?)^\1---[^\S\n]*(?:\n|$)", re.DOTALL | re.MULTILINE)
UNEVEN_FRONT_MATTER = re.compile(r"[^\S\n]*---[^\S\n]*\n.*?^[^\S\n]*---[^\S\n]*\n\s*", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"^[^\S\n]*title:[^\S\n]*([\"']?)(.+?)\1[^\S\n]*$", re.MULTILINE)
COMMENT = re.compile(r"^[^\S\n]*%%(?!\{)[^\n]*$", re.MULTILINE)
HTML_TAG = re.compile(r"<\w+\s[^<>]*>")
ATTRIBUTE = re.compile(r"=\"([^\"]*)\"")
UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
JSON = re.compile(r"\s*(?:```\w*[^\S\n]*\n\s*)?\{")
FIRST_WORD = re.compile(r"[\w-]+")
PARSERS: tuple[tuple[re.Pattern[str], Callable[[Cursor, Meta], DiagramSpec]], ...] = (
    (flowchart.HEADER, flowchart.parse_flowchart),
    (sequence.HEADER, sequence.parse_sequence),
    (re.compile(r"classDiagram(?:-v2)?(?![\w-])"), classes.parse_class),
    (state.HEADER, state.parse_state),
    (er.HEADER, er.parse_er),
    (gantt.HEADER, gantt.parse_gantt),
    (pie.HEADER, pie.parse_pie),
    (mindmap.HEADER, mindmap.parse_mindmap),
    (timeline.HEADER, timeline.parse_timeline),
    (xychart.HEADER, xychart.parse_xychart),
)
HEADERS = {
    "flowchart": "flowchart TD",
    "sequence": "sequenceDiagram",
    "class": "classDiagram",
    "state": "stateDiagram-v2",
    "entity relationship": "erDiagram",
    "gantt": "gantt",
    "pie": "pie",
    "mindmap": "mindmap",
    "timeline": "timeline",
    "XY chart": "xychart-beta",
}
"""What is read, and its first line."""
OTHER_KINDS = {
    "journey": "journey",
    "gitGraph": "git graph",
    "quadrantChart": "quadrant",
    "requirementDiagram": "requirement",
    "requirement": "requirement",
    "C4Context": "C4",
    "C4Container": "C4",
    "C4Component": "C4",
    "C4Dynamic": "C4",
    "C4Deployment": "C4",
    "sankey": "sankey",
    "sankey-beta": "sankey",
    "block": "block",
    "block-beta": "block",
    "packet": "packet",
    "packet-beta": "packet",
    "kanban": "kanban",
    "architecture": "architecture",
    "architecture-beta": "architecture",
    "radar": "radar",
    "radar-beta": "radar",
    "treemap": "treemap",
    "treemap-beta": "treemap",
    "treeView-beta": "tree",
    "venn-beta": "Venn",
    "wardley-beta": "Wardley",
    "ishikawa-beta": "Ishikawa",
    "ishikawa": "Ishikawa",
    "eventmodeling": "event modeling",
    "zenuml": "ZenUML",
    "info": "info",
}
"""The first word of Mermaid's other kinds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says."""

    spec: DiagramSpec
    fixes: tuple[Fix, ...] = ()
    """What was read although Mermaid would not take it, or would take it otherwise."""

    def notes(self) -> tuple[str, ...]:
        """The first fixes as sentences, and how many more there are."""
        told = [f"Line {fix.line}: {fix.text}." for fix in self.fixes[:NAMED_FIXES]]
        more = len(self.fixes) - len(told)
        return (*told, f"{more} more lines were read like that.") if more > 0 else tuple(told)


def parse_mermaid(text: str) -> DiagramSpec:
    """The diagram that `text` describes.

    Raises:
        BadInput: with line, column, what was expected and the nearest fix; also for kinds that are not supported.
    """
    return read_mermaid(text).spec


def read_mermaid(text: str) -> Reading:
    """The diagram that `text` describes, and what was tolerated in it.

    Raises:
        BadInput: as `parse_mermaid`.
    """
    cursor, meta = _prepared(text)
    parse = next((parse for header, parse in PARSERS if cursor.peek(header)), None)
    if parse is None:
        _refuse_kind(cursor)
    try:
        spec = parse(cursor, meta)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        sentence = f"The diagram contradicts itself: {reason}."
        raise BadInput(sentence, expected="a diagram without contradictions") from None
    if meta.theme or meta.style:
        spec = spec.model_copy(update={"theme": meta.theme, "style": meta.style})
    return Reading(spec, tuple(cursor.fixes))


def read_source(text: str) -> Reading:
    """The diagram that `text` describes: Mermaid, or the JSON of a spec, each with or without a markdown fence.

    Raises:
        BadInput: with line and column where there is a place, and the nearest fix.
    """
    return Reading(read_spec(text)) if JSON.match(text) else read_mermaid(text)


def begins_a_diagram(text: str) -> bool:
    """True when `text` has several lines and begins as a diagram does, so that its mistakes are worth telling."""
    if "\n" not in text.strip() or len(text) > LONGEST_TEXT:
        return False
    if JSON.match(text):
        return True
    cursor, _ = _prepared(text)
    return any(cursor.peek(header) for header, _ in PARSERS)


def _prepared(text: str) -> tuple[Cursor, Meta]:
    """A cursor at the diagram's first word, and what the front matter said."""
    if len(text) > LONGEST_TEXT:
        raise BadInput(
            f"The diagram has {len(text):,} characters; at most {LONGEST_TEXT:,} are read: split it into several.",
            expected=f"at most {LONGEST_TEXT:,} characters",
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", " ")
    text = UNREADABLE.sub("\ufffd", text)
    text = FENCE.sub(_blank, text)
    meta, said = Meta(), ""
    if front := FRONT_MATTER.match(text):
        said = front.group(2)
        found = TITLE.search(said)
        meta.title = plain(found.group(2)) if found else ""
        text = _blank(front) + text[front.end() :]
    text, directives = _without_directives(text)
    meta.theme, meta.style = theme_in(said + directives), style_in(said + directives)
    text = COMMENT.sub(_blank, text)
    text = HTML_TAG.sub(lambda tag: ATTRIBUTE.sub(r"='\1'", tag.group()), text)
    cursor = Cursor(text)
    cursor.skip_space()
    return cursor, meta


def _without_directives(text: str) -> tuple[str, str]:
    """`%%{ ... }%%` blanked, and what stood there, a line each.

    Not by a pattern: without its end each start would scan to the end of the text.
    """
    at, said = 0, ""
    while (start := text.find("%%{", at)) >= 0 and (end := text.find("}%%", start)) >= 0:
        at = end + 3
        said += "\n" + text[start:at]
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:at]) + text[at:]
    return text, said


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _refuse_kind(cursor: Cursor) -> NoReturn:
    start = cursor.at
    if cursor.take(UNEVEN_FRONT_MATTER) and any(cursor.peek(header) for header, _ in PARSERS):
        cursor.fail("front matter between two lines ---", "indent both lines --- equally", at=start)
    word = found.group() if (found := cursor.peek(FIRST_WORD)) else ""
    kind = OTHER_KINDS.get(word)
    supported = ", ".join(HEADERS)
    if kind is None:
        meant = nearest(word, [first.split()[0] for first in (*HEADERS.values(), "graph")]) if word else ""
        fix = f"did you mean {meant}?" if meant and meant != word else f"the supported kinds are {supported}"
        cursor.fail("the kind of diagram, like `flowchart TD` or `sequenceDiagram`, as the first line", fix)
    line, column = cursor.place()
    raise BadInput(
        f"Mermaid's {kind} diagrams ({word!r}) cannot be drawn yet; these can: {supported}.",
        line=line,
        column=column,
        expected=f"one of {supported}",
    )
