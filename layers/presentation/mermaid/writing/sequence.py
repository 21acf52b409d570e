"""Sequence diagrams as Mermaid."""

from __future__ import annotations

import re

from layers.presentation.mermaid.writing.text import escape, names
from layers.presentation.spec import (
    Activate,
    Block,
    Create,
    Deactivate,
    Destroy,
    Line,
    Message,
    Note,
    Numbering,
    Participant,
    Role,
    SequenceDiagram,
    Step,
    Tip,
)

SAFE = re.compile(
    r"(?!(?:loop|alt|opt|par|par_over|critical|break|rect|else|and|option|links?|properties|details|participant|actor"
    r"|create|destroy|activate|deactivate|note|box|autonumber|title|end|off|over|left|right|as|accTitle|accDescr)(?!\w))"
    r"\w+",
    re.IGNORECASE,
)
ARROWS = {
    Tip.ARROW: "{}>>",
    Tip.NONE: "{}>",
    Tip.CROSS: "{}x",
    Tip.OPEN: "{})",
    Tip.HALF_TOP: "{}|\\",
    Tip.HALF_BOTTOM: "{}|/",
}
REVERSED = {Tip.HALF_TOP: "/|{}", Tip.HALF_BOTTOM: "\\|{}"}
NEXT_BRANCH = {"alt": "else", "par": "and", "critical": "option"}
FORBIDDEN = "#;"
WRAP = re.compile(r":?(?:no)?wrap:", re.IGNORECASE)


def write_sequence(spec: SequenceDiagram) -> list[str]:
    """Boxes and participants, then the steps."""
    ids = names([one.id for one in spec.participants], SAFE, "p")
    known = {one.id: one for one in spec.participants}
    boxed = {member for box in spec.boxes for member in box.members}
    created = {step.participant for step in spec.all_steps() if isinstance(step, Create)} - boxed
    lines = ["sequenceDiagram"]
    declared: set[str] = set()
    for one in spec.participants:
        if one.id in declared or one.id in created:
            continue
        box = next((box for box in spec.boxes if one.id in box.members), None)
        if box is None:
            lines.append(f"  {_participant(one, ids[one.id])}")
            declared.add(one.id)
        else:
            lines.append(f"  box {box.colour or 'transparent'} {_text(box.title)}".rstrip())
            lines += [f"    {_participant(known[member], ids[member])}" for member in box.members]
            lines.append("  end")
            declared |= set(box.members)
    stack: list[tuple[str, Step | str]] = [("  ", step) for step in reversed(spec.steps)]
    while stack:
        indent, step = stack.pop()
        if isinstance(step, str):
            lines.append(indent + step)
        elif isinstance(step, Block):
            stack += reversed(_block(step, indent))
        elif isinstance(step, Create):
            if step.participant in created:
                created.discard(step.participant)
                lines.append(f"{indent}create {_participant(known[step.participant], ids[step.participant])}")
        else:
            lines.append(indent + _step(step, ids))
    return lines


def _participant(one: Participant, id: str) -> str:
    word = "actor" if one.role is Role.ACTOR else "participant"
    type = "" if one.role in (Role.ACTOR, Role.PARTICIPANT) else f'@{{ "type": "{one.role.value}" }}'
    alias = f" as {_text(one.label)}" if one.label and one.label != id else ""
    return f"{word} {id}{type}{alias}"


def _block(block: Block, indent: str) -> list[tuple[str, Step | str]]:
    made: list[tuple[str, Step | str]] = []
    for number, branch in enumerate(block.branches):
        word = NEXT_BRANCH.get(block.type, "") if number else block.type
        colour = block.colour if block.type == "rect" else ""
        if word:
            made.append((indent, " ".join(piece for piece in (word, colour, _text(branch.label)) if piece)))
        made += [(indent + "  ", step) for step in branch.steps]
    return [*made, (indent, "end")]


def _step(step: Step, ids: dict[str, str]) -> str:
    match step:
        case Message():
            return f"{ids[step.source]}{_arrow(step)}{ids[step.target]}: {_text(step.text)}".rstrip()
        case Note():
            place = "over" if step.place == "over" else f"{step.place} of"
            over = step.over if step.place == "over" else step.over[:1]
            return f"note {place} {','.join(ids[one] for one in over)}: {_text(step.text)}".rstrip()
        case Activate() | Deactivate() | Destroy():
            return f"{step.step} {ids[step.participant]}"
        case Numbering():
            if not step.is_on:
                return "autonumber off"
            return "autonumber" if step.start is None else f"autonumber {step.start:g} {step.by:g}"
    return ""


def _arrow(message: Message) -> str:
    shaft = "--" if message.line is Line.DOTTED else "-"
    first, last = message.tips
    if (first, last) == (Tip.ARROW, Tip.ARROW):
        return f"<<{shaft}>>"
    if last is Tip.NONE and first in REVERSED:
        return REVERSED[first].format(shaft)
    return ARROWS[last].format(shaft)


def _text(text: str) -> str:
    return escape(text, forbidden=FORBIDDEN, keywords=WRAP)
