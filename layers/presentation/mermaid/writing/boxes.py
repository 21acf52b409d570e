"""Class and entity relationship diagrams as Mermaid."""

from __future__ import annotations

import re

from layers.presentation.mermaid.writing.text import accent_lines, escape, names, quoted
from layers.presentation.spec import (
    Attribute,
    Cardinality,
    ClassBox,
    ClassDiagram,
    ErDiagram,
    Line,
    Member,
    Namespace,
    Relation,
    RelationEnd,
)

SAFE_CLASS = re.compile(
    r"(?!(?:class|namespace|note|direction|style|classDef|cssClass|click|link|callback|title|accTitle|accDescr)(?!\w))"
    r"[^\W\d](?:\w|-(?=\w))*"
)
SAFE_SPACE = re.compile(r"[^\W\d]\w*")
SAFE_ENTITY = re.compile(
    r"(?!(?:o|u|to|one|many|zero|only|title|style|class|direction)\b)[^\W\d_](?:\w|-(?=\w))*", re.IGNORECASE
)
SAFE_TYPE = re.compile(r"[A-Za-z_][\w\-\[\]().,]*\??")
LEFT = {
    RelationEnd.NONE: "",
    RelationEnd.EXTENSION: "<|",
    RelationEnd.DEPENDENCY: "<",
    RelationEnd.COMPOSITION: "*",
    RelationEnd.AGGREGATION: "o",
    RelationEnd.LOLLIPOP: "()",
}
RIGHT = LEFT | {RelationEnd.EXTENSION: "|>", RelationEnd.DEPENDENCY: ">"}
FEET = {
    Cardinality.ONE: ("||", "||"),
    Cardinality.ZERO_OR_ONE: ("|o", "o|"),
    Cardinality.ZERO_OR_MORE: ("}o", "o{"),
    Cardinality.ONE_OR_MORE: ("}|", "|{"),
}


def write_class(spec: ClassDiagram) -> list[str]:
    """Classes in their namespaces, then relations and notes."""
    ids = names([box.id for box in spec.classes], SAFE_CLASS, "C")
    boxes = {box.id: box for box in spec.classes}
    lines = ["classDiagram"]
    if spec.direction.value != "TB":
        lines.append(f"  direction {spec.direction.value}")
    inner: dict[str, list[Namespace]] = {}
    for space in spec.namespaces:
        inner.setdefault(space.parent, []).append(space)
    stack: list[Namespace | None] = list(reversed(inner.get("", [])))
    while stack:
        next_space = stack.pop()
        if next_space is None:
            lines.append("  }")
            continue
        own = next_space.id.rpartition(".")[2]
        name = own if SAFE_SPACE.fullmatch(own) else f"N{len(lines)}"
        title = f"[{quoted(next_space.title)}]" if next_space.title not in ("", name) else ""
        lines.append(f"  namespace {name}{title} {{")
        lines += [f"  class {ids[member]}" for member in next_space.members]
        stack.append(None)
        stack += reversed(inner.get(next_space.id, []))
    for box in boxes.values():
        lines += _class(box, ids[box.id])
    lines += [f"  {_relation(relation, ids)}" for relation in spec.relations]
    for note in spec.notes:
        lines.append(f"  note {f'for {ids[note.of]} ' if note.of else ''}{quoted(note.text)}")
    styled = {ids[box.id]: box.accent for box in spec.classes if box.accent}
    return lines + [f"  cssClass {quoted(id)} accent{accent}" for id, accent in styled.items()] + [
        line for line in accent_lines(styled) if "classDef" in line
    ]


def _class(box: ClassBox, id: str) -> list[str]:
    label = f"[{quoted(box.label)}]" if box.label != id else ""
    members = [f"    <<{escape(one, forbidden='<>{}')}>>" for one in box.annotations]
    members += [f"    {_member(one)}" for one in (*box.attributes, *box.methods)]
    return [f"  class {id}{label} {{", *members, "  }"] if members else [f"  class {id}{label}"]


def _member(member: Member) -> str:
    return escape(member.text, forbidden="{}~") + ("*" if member.is_abstract else "$" if member.is_static else "")


def _relation(relation: Relation, ids: dict[str, str]) -> str:
    line = "--" if relation.line is Line.SOLID else ".."
    first, second = (f" {quoted(text)}" if text else "" for text in relation.cardinalities)
    arrow = LEFT[relation.ends[0]] + line + RIGHT[relation.ends[1]]
    label = f" : {escape(relation.label, forbidden=';')}" if relation.label else ""
    return f"{ids[relation.source]}{first} {arrow}{second} {ids[relation.target]}{label}"


def write_er(spec: ErDiagram) -> list[str]:
    """Entities with their rows, then relationships."""
    ids = names([entity.id for entity in spec.entities], SAFE_ENTITY, "E")
    lines = ["erDiagram"]
    if spec.direction.value != "TB":
        lines.append(f"  direction {spec.direction.value}")
    for entity in spec.entities:
        id = ids[entity.id]
        label = f'["{_plain_name(entity.label)}"]' if entity.label not in ("", id) else ""
        rows = [f"    {_row(row)}" for row in entity.attributes]
        lines += [f"  {id}{label} {{", *rows, "  }"] if rows else [f"  {id}{label}"]
    for one in spec.relationships:
        left, right = FEET[one.cardinalities[0]][0], FEET[one.cardinalities[1]][1]
        line = "--" if one.is_identifying else ".."
        label = quoted(one.label) if one.label else '""'
        lines.append(f"  {ids[one.source]} {left}{line}{right} {ids[one.target]} : {label}")
    return lines + accent_lines({ids[entity.id]: entity.accent for entity in spec.entities})


def _plain_name(text: str) -> str:
    return escape(text, forbidden='"%\\')


def _row(row: Attribute) -> str:
    type, name = (
        word if SAFE_TYPE.fullmatch(word) else "`" + (escape(word, forbidden="`") or " ") + "`"
        for word in (row.type, row.name)
    )
    keys = f" {', '.join(row.keys)}" if row.keys else ""
    return f"{type} {name}{keys}" + (f" {quoted(row.comment)}" if row.comment else "")
