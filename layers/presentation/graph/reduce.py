"""Each kind of graph reduced to nodes, edges and groups. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from layers.presentation.graph.types import Cell, Graph, GraphEdge, GraphGroup, GraphNode, Row
from layers.presentation.scene import Outline, Special
from layers.presentation.spec import (
    Attribute,
    ClassBox,
    ClassDiagram,
    DiagramSpec,
    Entity,
    ErDiagram,
    Flowchart,
    Head,
    Line,
    Member,
    Mindmap,
    MindShape,
    Shape,
    State,
    StateDiagram,
    StateType,
)

STATES: dict[StateType, Outline] = {
    StateType.SIMPLE: Shape.ROUNDED,
    StateType.START: Special.START,
    StateType.END: Special.END,
    StateType.CHOICE: Special.CHOICE,
    StateType.FORK: Special.BAR,
    StateType.JOIN: Special.BAR,
}
IDEAS: dict[MindShape, Outline] = {
    MindShape.PLAIN: Special.IDEA,
    MindShape.SQUARE: Shape.RECT,
    MindShape.ROUNDED: Shape.ROUNDED,
    MindShape.CIRCLE: Shape.CIRCLE,
    MindShape.BANG: Special.BANG,
    MindShape.CLOUD: Special.CLOUD,
    MindShape.HEXAGON: Shape.HEXAGON,
}
ACCENTS = 8
"""Colours of the palette; the branches of a mindmap take them in turn."""


def graph_of(spec: DiagramSpec) -> Graph | None:
    """The graph that `spec` is drawn as; None when it is none."""
    graph = _reduced(spec)
    return replace(graph, style=spec.style) if graph and spec.style else graph


def _reduced(spec: DiagramSpec) -> Graph | None:
    match spec:
        case Flowchart():
            return _flowchart(spec)
        case StateDiagram():
            return _state(spec)
        case ClassDiagram():
            return _class(spec)
        case ErDiagram():
            return _er(spec)
        case Mindmap():
            return _mindmap(spec)
        case _:
            return None


def _flowchart(spec: Flowchart) -> Graph:
    return Graph(
        title=spec.title,
        direction=spec.direction,
        nodes=tuple(
            GraphNode(id=node.id, label=node.label, shape=node.shape, accent=node.accent) for node in spec.nodes
        ),
        edges=tuple(
            GraphEdge(
                source=edge.source, target=edge.target, label=edge.label, style=edge.style, arrows=edge.arrows
            )
            for edge in spec.edges
        ),
        groups=tuple(
            GraphGroup(id=group.id, title=group.title, members=group.members, parent=group.parent)
            for group in spec.groups
        ),
    )


def _state(spec: StateDiagram) -> Graph:
    around = {state.parent for state in spec.states if state.parent}
    regions = {id: sorted({one.region for one in spec.states if one.parent == id}) for id in around}
    notes = tuple(f"note {number}" for number in range(1, len(spec.notes) + 1))
    homes: dict[str, list[str]] = {}
    for state in spec.states:
        if state.id not in around and state.parent:
            homes.setdefault(_region(state, regions), []).append(state.id)
    parents = {state.id: state for state in spec.states}
    for id, note in zip(notes, spec.notes, strict=True):
        if note.of not in around and parents[note.of].parent:
            homes.setdefault(_region(parents[note.of], regions), []).append(id)
    groups = [
        GraphGroup(
            id=state.id,
            title="\n".join((state.label or state.id, *state.details)),
            members=tuple(homes.get(state.id, ())),
            parent=_region(state, regions),
            is_state=True,
        )
        for state in spec.states
        if state.id in around
    ]
    groups += [
        GraphGroup(id=f"{id}/{number}", members=tuple(homes.get(f"{id}/{number}", ())), parent=id, is_region=True)
        for id, numbers in regions.items()
        if len(numbers) > 1
        for number in numbers
    ]
    nodes = [_state_node(state) for state in spec.states if state.id not in around]
    nodes += [
        GraphNode(id=id, label=note.text, shape=Special.NOTE) for id, note in zip(notes, spec.notes, strict=True)
    ]
    edges = [GraphEdge(source=one.source, target=one.target, label=one.label) for one in spec.transitions]
    edges += [
        _note_edge(*((id, note.of) if note.place == "left" else (note.of, id)), is_level=note.of not in around)
        for id, note in zip(notes, spec.notes, strict=True)
    ]
    return Graph(
        kind=spec.kind,
        title=spec.title,
        direction=spec.direction,
        nodes=tuple(nodes),
        edges=tuple(edges),
        groups=tuple(groups),
    )


def _region(state: State, regions: dict[str, list[int]]) -> str:
    """The group that `state` lies in: its parent, or the parent's region where there are several."""
    return f"{state.parent}/{state.region}" if len(regions.get(state.parent, ())) > 1 else state.parent


def _state_node(state: State) -> GraphNode:
    if state.type is StateType.SIMPLE and state.details:
        rows: tuple[Row, ...] = tuple((Cell(text=line),) for line in state.details)
        return GraphNode(
            id=state.id,
            label=state.label or state.id,
            shape=Special.CARD,
            accent=state.accent,
            compartments=(rows,),
        )
    label = (state.label or state.id) if state.type is StateType.SIMPLE else ""
    return GraphNode(id=state.id, label=label, shape=STATES[state.type], accent=state.accent)


def _note_edge(source: str, target: str, *, is_level: bool) -> GraphEdge:
    return GraphEdge(
        source=source, target=target, style=Line.DOTTED, arrows=(Head.NONE, Head.NONE), is_level=is_level
    )


def _class(spec: ClassDiagram) -> Graph:
    notes = tuple(f"note {number}" for number in range(1, len(spec.notes) + 1))
    nodes = [_card(one) for one in spec.classes]
    nodes += [
        GraphNode(id=id, label=note.text, shape=Special.NOTE) for id, note in zip(notes, spec.notes, strict=True)
    ]
    edges = [
        GraphEdge(
            source=one.source,
            target=one.target,
            label=one.label,
            style=one.line,
            arrows=one.ends,
            end_labels=one.cardinalities,
        )
        for one in spec.relations
    ]
    edges += [
        _note_edge(id, note.of, is_level=True) for id, note in zip(notes, spec.notes, strict=True) if note.of
    ]
    homes = {member: space.id for space in spec.namespaces for member in space.members}
    beside = [(id, homes.get(note.of, "")) for id, note in zip(notes, spec.notes, strict=True)]
    groups = tuple(
        GraphGroup(
            id=space.id,
            title=space.title or space.id,
            members=(*space.members, *(id for id, home in beside if home == space.id)),
            parent=space.parent,
        )
        for space in spec.namespaces
    )
    return Graph(
        kind=spec.kind,
        title=spec.title,
        direction=spec.direction,
        nodes=tuple(nodes),
        edges=tuple(edges),
        groups=groups,
    )


def _card(one: ClassBox) -> GraphNode:
    filled = bool(one.attributes or one.methods)
    return GraphNode(
        id=one.id,
        label=one.label,
        shape=Special.CARD,
        accent=one.accent,
        kicker=" ".join(f"«{word}»" for word in one.annotations),
        compartments=(_members(one.attributes), _members(one.methods)) if filled else (),
    )


def _members(members: tuple[Member, ...]) -> tuple[Row, ...]:
    return tuple(
        (Cell(text=member.text, is_italic=member.is_abstract, is_underlined=member.is_static),) for member in members
    )


def _er(spec: ErDiagram) -> Graph:
    return Graph(
        kind=spec.kind,
        title=spec.title,
        direction=spec.direction,
        nodes=tuple(_entity(one) for one in spec.entities),
        edges=tuple(
            GraphEdge(
                source=one.source,
                target=one.target,
                label=one.label,
                style=Line.SOLID if one.is_identifying else Line.DOTTED,
                arrows=one.cardinalities,
            )
            for one in spec.relationships
        ),
    )


def _entity(one: Entity) -> GraphNode:
    columns = [
        any(attribute.type for attribute in one.attributes),
        True,
        any(attribute.keys for attribute in one.attributes),
        any(attribute.comment for attribute in one.attributes),
    ]
    rows = tuple(
        tuple(cell for cell, is_used in zip(_attribute(attribute), columns, strict=True) if is_used)
        for attribute in one.attributes
    )
    return GraphNode(
        id=one.id,
        label=one.label,
        shape=Special.CARD,
        accent=one.accent,
        compartments=(rows,) if rows else (),
    )


def _attribute(attribute: Attribute) -> Row:
    return (
        Cell(text=attribute.type, is_muted=True),
        Cell(text=attribute.name),
        Cell(text=", ".join(attribute.keys)),
        Cell(text=attribute.comment, is_muted=True),
    )


def _mindmap(spec: Mindmap) -> Graph:
    branch = dict(_branches(spec))
    return Graph(
        kind=spec.kind,
        title=spec.title,
        nodes=tuple(
            GraphNode(
                id=idea.id, label=idea.label, shape=IDEAS[idea.shape], accent=idea.accent or branch[idea.id]
            )
            for idea in spec.ideas
        ),
        edges=tuple(
            GraphEdge(
                source=idea.parent,
                target=idea.id,
                arrows=(Head.NONE, Head.NONE),
                accent=branch[idea.id],
            )
            for idea in spec.ideas
            if idea.parent
        ),
    )


def _branches(spec: Mindmap) -> Iterator[tuple[str, int]]:
    """Each idea with the colour of its branch; the root has none."""
    branch: dict[str, int] = {}
    count = 0
    for idea in spec.ideas:
        if not idea.parent:
            branch[idea.id] = 0
        elif branch[idea.parent]:
            branch[idea.id] = branch[idea.parent]
        else:
            branch[idea.id] = count % ACCENTS + 1
            count += 1
        yield idea.id, branch[idea.id]
