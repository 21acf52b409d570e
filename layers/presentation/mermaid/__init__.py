"""Mermaid text to `Flowchart`. Pure; the only thing it raises is `BadInput`.

Front matter, comments, directives and a markdown fence are blanked out in place, so that lines and columns in an
error are those of what the person wrote.
"""

from __future__ import annotations

import re
from typing import NoReturn

from layers.errors import BadInput
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.flowchart import HEADER, parse_flowchart
from layers.presentation.mermaid.labels import plain
from layers.presentation.spec import Flowchart

LONGEST_TEXT = 100_000
"""Characters."""
FENCE = re.compile(r"^[^\S\n]*(?:```|~~~)[^\n]*$", re.MULTILINE)
FRONT_MATTER = re.compile(r"\s*^([^\S\n]*)---[^\S\n]*\n(.*?)^\1---[^\S\n]*(?:\n|$)", re.DOTALL | re.MULTILINE)
UNEVEN_FRONT_MATTER = re.compile(r"[^\S\n]*---[^\S\n]*\n.*?^[^\S\n]*---[^\S\n]*\n\s*", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"^[^\S\n]*title:[^\S\n]*(.+?)[^\S\n]*$", re.MULTILINE)
COMMENT = re.compile(r"^[^\S\n]*%%(?!\{)[^\n]*$", re.MULTILINE)
HTML_ATTRIBUTE = re.compile(r"<[a-zA-Z]\w*(?:\s[^<>]*)>")
UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
FIRST_WORD = re.compile(r"[\w-]+")
OTHER_KINDS = {
    "sequenceDiagram": "sequence",
    "classDiagram": "class",
    "classDiagram-v2": "class",
    "stateDiagram": "state",
    "stateDiagram-v2": "state",
    "erDiagram": "entity relationship",
    "gantt": "gantt",
    "pie": "pie",
    "mindmap": "mindmap",
    "timeline": "timeline",
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
    "xychart": "XY",
    "xychart-beta": "XY",
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


def parse_mermaid(text: str) -> Flowchart:
    """The flowchart that `text` describes.

    Raises:
        BadInput: with line, column, what was expected and the nearest fix; also for other kinds of Mermaid diagram.
    """
    if len(text) > LONGEST_TEXT:
        raise BadInput(
            f"The diagram has {len(text):,} characters; at most {LONGEST_TEXT:,} are read: split it into several.",
            expected=f"at most {LONGEST_TEXT:,} characters",
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", " ")
    text = UNREADABLE.sub("\ufffd", text)
    text = FENCE.sub(_blank, text)
    title = ""
    if front := FRONT_MATTER.match(text):
        found = TITLE.search(front.group(2))
        title = plain(found.group(1).strip("\"'")) if found else ""
        text = _blank(front) + text[front.end() :]
    text = _without_directives(text)
    text = COMMENT.sub(_blank, text)
    text = HTML_ATTRIBUTE.sub(lambda tag: tag.group().replace('"', "'"), text)
    cursor = Cursor(text)
    cursor.skip_space()
    if not cursor.peek(HEADER):
        _refuse_kind(cursor)
    return parse_flowchart(cursor, title)


def _without_directives(text: str) -> str:
    """Blank `%%{ ... }%%`. Not by a pattern: without its end each start would scan to the end of the text."""
    at = 0
    while (start := text.find("%%{", at)) >= 0 and (end := text.find("}%%", start)) >= 0:
        at = end + 3
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:at]) + text[at:]
    return text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _refuse_kind(cursor: Cursor) -> NoReturn:
    start = cursor.at
    if cursor.take(UNEVEN_FRONT_MATTER) and cursor.peek(HEADER):
        cursor.fail("front matter between two lines ---", "indent both lines --- equally", at=start)
    word = found.group() if (found := cursor.peek(FIRST_WORD)) else ""
    kind = OTHER_KINDS.get(word)
    if kind is None:
        cursor.fail("`flowchart TD` or `graph LR` as the first line", "the supported kind is the flowchart")
    line = cursor.text.count("\n", 0, cursor.at) + 1
    raise BadInput(
        f"Mermaid's {kind} diagrams ({word!r}) cannot be drawn yet; only flowcharts can (first line: flowchart TD).",
        line=line,
        column=1,
        expected="flowchart",
    )
