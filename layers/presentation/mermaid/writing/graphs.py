"""Flowcharts and state diagrams as Mermaid."""

from __future__ import annotations

import re

from layers.presentation.mermaid.shapes import BRACKETS
from layers.presentation.mermaid.writing.text import accent_lines, escape, names, quoted
from layers.presentation.spec import (
    Edge,
    Flowchart,
    Head,
    Line,
    Shape,
    State,
    StateDiagram,
    StateType,
    Transition,
)

SAFE = re.compile(
    r"(?!(?:end|subgraph|style|class|classDef|click|href|linkStyle|direction|default|graph|flowchart|accTitle|accDescr"
    r"|[xo])(?!\w))\w(?:\w|[./-](?=\w))*"
)
SAFE_STATE = re.compile(
    r"(?!(?:state|note|direction|class|classDef|style|click|hide|scale|default|end|accTitle|accDescr)(?!\w))\w+", re.I
)
_BRACKETS = {shape: (bracket.opens, close) for bracket in BRACKETS for close, shape in bracket.closes}
_LEFT = {Head.NONE: "", Head.ARROW: "<", Head.CIRCLE: "o", Head.CROSS: "x"}
_RIGHT = {Head.ARROW: ">", Head.CIRCLE: "o", Head.CROSS: "x"}
_SHAFT = {Line.SOLID: ("--", "-"), Line.THICK: ("==", "="), Line.DOTTED: ("-.-", "")}


def write_flowchart(spec: Flowchart) -> list[str]:
    """Nodes, then subgraphs that name their members, then edges."""
    ids = names([*(node.id for node in spec.nodes), *(group.id for group in spec.groups)], SAFE, "n")
    lines = [f"flowchart {spec.direction.value}"]
    for node in spec.nodes:
        if node.shape in _BRACKETS:
            opens, closes = _BRACKETS[node.shape]
            lines.append(f"  {ids[node.id]}{opens}{quoted(node.label)}{closes}")
        else:
            name = {Shape.DOCUMENT: "doc", Shape.TRIANGLE: "tri", Shape.TEXT: "text"}[node.shape]
            lines.append(f"  {ids[node.id]}@{{ shape: {name}, label: {quoted(node.label)} }}")
    inner: dict[str, list[str]] = {}
    for group in spec.groups:
        inner.setdefault(group.parent, []).append(group.id)
    groups = {group.id: group for group in spec.groups}
    stack: list[tuple[str, bool]] = [(id, False) for id in reversed(inner.get("", []))]
    while stack:
        id, is_over = stack.pop()
        if is_over:
            lines.append("  end")
            continue
        group = groups[id]
        lines.append(f"  subgraph {ids[id]}[{quoted(group.title)}]")
        lines += [f"    direction {group.direction.value}"] if group.direction else []
        lines += [f"    {ids[member]}" for member in group.members]
        stack.append((id, True))
        stack += [(child, False) for child in reversed(inner.get(id, []))]
    lines += [f"  {ids[edge.source]} {_link(edge)} {ids[edge.target]}" for edge in spec.edges]
    return lines + accent_lines({ids[node.id]: node.accent for node in spec.nodes})


def _link(edge: Edge) -> str:
    if edge.style is Line.HIDDEN:
        return "~~~"
    shaft, none = _SHAFT[edge.style]
    link = _LEFT[edge.arrows[0]] + shaft + _RIGHT.get(edge.arrows[1], none)
    return f"{link}|{quoted(edge.label)}|" if edge.label else link


def write_state(spec: StateDiagram) -> list[str]:
    """States in their composites, transitions where their `[*]` belongs, then notes."""
    ids = names([state.id for state in spec.states], SAFE_STATE, "s")
    states = {state.id: state for state in spec.states}
    homes: dict[tuple[str, int], list[State]] = {}
    for state in spec.states:
        homes.setdefault((state.parent, state.region if state.parent else 0), []).append(state)
    moves: dict[tuple[str, int], list[Transition]] = {}
    for transition in spec.transitions:
        ends = (states[transition.source], states[transition.target])
        terminal = next((end for end in ends if _is_terminal(end)), None)
        place = (terminal.parent, terminal.region if terminal.parent else 0) if terminal else ("", 0)
        moves.setdefault(place, []).append(transition)
    lines = ["stateDiagram-v2"]
    if spec.direction.value != "TB":
        lines.append(f"  direction {spec.direction.value}")
    _write_scope("", homes, moves, ids, lines)
    for transition in moves.get(("", 0), []):
        lines.append(f"  {_transition(transition, states, ids)}")
    for note in spec.notes:
        lines.append(f"  note {note.place} of {ids[note.of]} : {escape(note.text)}")
    return lines + accent_lines({ids[state.id]: state.accent for state in spec.states if not _is_terminal(state)})


def _write_scope(
    scope: str,
    homes: dict[tuple[str, int], list[State]],
    moves: dict[tuple[str, int], list[Transition]],
    ids: dict[str, str],
    lines: list[str],
) -> None:
    states = {state.id: state for members in homes.values() for state in members}
    regions = sorted({region for parent, region in (*homes, *moves) if parent == scope})
    for place in range(max(regions, default=0) + 1):
        if place:
            lines.append("  --")
        for state in homes.get((scope, place), []):
            if _is_terminal(state):
                continue
            lines += _state(state, ids[state.id])
            if any(parent == state.id for parent, _ in homes):
                lines.append(f"  state {ids[state.id]} {{")
                lines += [f"  direction {state.direction.value}"] if state.direction else []
                _write_scope(state.id, homes, moves, ids, lines)
                lines.append("  }")
        if scope:
            lines += [f"  {_transition(transition, states, ids)}" for transition in moves.get((scope, place), [])]


def _state(state: State, id: str) -> list[str]:
    if state.type is not StateType.SIMPLE:
        return [f"  state {id} <<{state.type.value}>>"]
    lines = [f"  state {id}"]
    if state.label not in ("", id) or state.details:
        lines = [f"  state {quoted(state.label or id)} as {id}"]
    return lines + [f"  {id} : {escape(detail, forbidden=';')}" for detail in state.details]


def _transition(transition: Transition, states: dict[str, State], ids: dict[str, str]) -> str:
    source, target = (
        "[*]" if _is_terminal(states[end]) else ids[end] for end in (transition.source, transition.target)
    )
    label = f" : {escape(transition.label, forbidden=';')}" if transition.label else ""
    return f"{source} --> {target}{label}"


def _is_terminal(state: State) -> bool:
    return state.type in (StateType.START, StateType.END)
