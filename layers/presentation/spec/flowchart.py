"""The flowchart: nodes, edges, groups. The other graphs reduce to the same three."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import (
    DiagramSpec,
    Direction,
    Line,
    Value,
    refuse_cycles,
    refuse_repeated,
)


class Shape(StrEnum):
    """The outlines the renderer can draw. Mermaid's other names are mapped to the nearest of these."""

    RECT = "rect"
    ROUNDED = "rounded"
    STADIUM = "stadium"
    SUBROUTINE = "subroutine"
    CYLINDER = "cylinder"
    CIRCLE = "circle"
    DOUBLE_CIRCLE = "double_circle"
    ELLIPSE = "ellipse"
    DIAMOND = "diamond"
    HEXAGON = "hexagon"
    LEAN_RIGHT = "lean_right"
    LEAN_LEFT = "lean_left"
    TRAPEZOID = "trapezoid"
    TRAPEZOID_TOP = "trapezoid_top"
    FLAG = "flag"
    DOCUMENT = "document"
    TRIANGLE = "triangle"
    TEXT = "text"


class Head(StrEnum):
    """What sits at an edge's end."""

    NONE = "none"
    ARROW = "arrow"
    CIRCLE = "circle"
    CROSS = "cross"


class Node(Value):
    """One box."""

    id: str
    label: str
    """Plain text; line breaks are the author's own."""
    shape: Shape = Shape.RECT
    accent: int = Field(default=0, ge=0, le=8)
    """Colour of the palette; 0 is none. Mermaid's classes get 1, 2, ... in the order of their first use."""


class Edge(Value):
    """One line. Its ends are ids of nodes or of groups."""

    source: str
    target: str
    label: str = ""
    style: Line = Line.SOLID
    arrows: tuple[Head, Head] = (Head.NONE, Head.ARROW)
    """At the source, at the target."""


class Group(Value):
    """A frame around nodes and other groups."""

    id: str
    title: str = ""
    members: tuple[str, ...] = ()
    """Ids of the nodes directly inside; a node has at most one group."""
    parent: str = ""
    """Id of the group around this one; empty at the top."""
    direction: Direction | None = None
    """What the author asked for inside this group; kept, not yet obeyed."""


class Flowchart(DiagramSpec):
    """Boxes and arrows."""

    kind: Literal["flowchart"] = "flowchart"
    direction: Direction = Direction.DOWN
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Flowchart:
        nodes = {node.id for node in self.nodes}
        groups = {group.id: group.parent for group in self.groups}
        refuse_repeated("id", [*(node.id for node in self.nodes), *(group.id for group in self.groups)])
        refuse_repeated("group member", [member for group in self.groups for member in group.members])
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in nodes and end not in groups:
                    raise ValueError(
                        f"edge {edge.source!r} to {edge.target!r} names {end!r}, which is no node and no group"
                    )
        for group in self.groups:
            strangers = [member for member in group.members if member not in nodes]
            if strangers:
                raise ValueError(f"group {group.id!r} has the member {strangers[0]!r}, which is no node")
        refuse_cycles("group", groups)
        return self
