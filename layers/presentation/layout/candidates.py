"""Which ways of laying a graph out are tried, in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from layers.presentation.graph import Graph
from layers.presentation.layout.engine import Routing
from layers.presentation.spec import Direction


class Engine(StrEnum):
    """Who places the boxes."""

    DOT = "dot"
    GRAPHLAY = "graphlay"
    BUILTIN = "builtin"
    TREE = "tree"


WIDE, NORMAL, TIGHT = 180.0, 120.0, 92.0
"""Points at which a label is broken."""
MANY_EDGES, TOO_MANY_EDGES = 60, 100
"""Above them a candidate takes long, so fewer are tried."""
TURNED = {
    Direction.DOWN: Direction.RIGHT,
    Direction.UP: Direction.LEFT,
    Direction.RIGHT: Direction.DOWN,
    Direction.LEFT: Direction.UP,
}
RIGHT_ANGLED_KINDS = ("class", "er")
"""Kinds that are usually seen with right-angled lines; such a candidate comes first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to lay the drawing out."""

    direction: Direction
    wrap: float = NORMAL
    engine: Engine = Engine.DOT
    routing: Routing = Routing.CURVED
    is_tight: bool = False
    """Smaller gaps."""
    is_narrow: bool = False
    """What is too wide for a phone in one rank is spread over several."""
    low: frozenset[str] = frozenset()
    """Ids of the groups that have their title at the bottom."""
    roomy: frozenset[str] = frozenset()
    """Ids of the groups that are wide enough for an edge to pass beside the title."""


def candidates_for(graph: Graph) -> tuple[Candidate, ...]:
    """What to try, best guess first."""
    ahead, turned = graph.direction, TURNED[graph.direction]
    if graph.kind == "mindmap":
        return _for_tree()
    tried = [
        Candidate(ahead),
        Candidate(turned),
        Candidate(ahead, WIDE),
        Candidate(ahead, TIGHT, is_tight=True),
        Candidate(turned, TIGHT, is_tight=True),
        Candidate(turned, WIDE),
        Candidate(Direction.DOWN, TIGHT, is_tight=True, is_narrow=True),
        Candidate(ahead, routing=Routing.STRAIGHT),
    ]
    square = [
        Candidate(ahead, engine=Engine.GRAPHLAY, routing=Routing.RIGHT_ANGLED),
        Candidate(turned, TIGHT, engine=Engine.GRAPHLAY, routing=Routing.RIGHT_ANGLED, is_tight=True),
    ]
    if graph.style == "right_angled":
        further = [replace(square[0], direction=turned), replace(square[0], wrap=TIGHT, is_tight=True)]
        tried = [*square, *further, *tried]
    elif graph.style != "curved":
        tried = [square[0], *tried, square[1]] if graph.kind in RIGHT_ANGLED_KINDS else [*tried, *square]
    if len(graph.edges) > TOO_MANY_EDGES:
        return tuple(tried[:1])
    if len(graph.edges) > MANY_EDGES:
        return tuple(tried[:4])
    return tuple(tried)


def _for_tree() -> tuple[Candidate, ...]:
    return tuple(
        Candidate(direction, wrap, engine=Engine.TREE)
        for wrap in (NORMAL, TIGHT)
        for direction in (Direction.LEFT, Direction.RIGHT, Direction.DOWN)
    )

