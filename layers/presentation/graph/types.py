"""The nouns of a graph that can be laid out. Frozen values; ids are those of the spec where it has some."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from layers.presentation.scene import End, Outline
from layers.presentation.spec import Direction, Head, Line, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A text in a row of a card."""

    text: str
    is_italic: bool = False
    is_underlined: bool = False
    is_muted: bool = False


Row = tuple[Cell, ...]
"""One line of a compartment, cell by cell from left to right; rows of one compartment share their columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """One box."""

    id: str
    label: str
    """Plain text; line breaks are the author's own."""
    shape: Outline = Shape.RECT
    accent: int = 0
    """Colour of the palette; 0 is that of the shape."""
    kicker: str = ""
    """A line above the label of a card, e.g. `«interface»`."""
    compartments: tuple[tuple[Row, ...], ...] = ()
    """Of a card, from top to bottom; an empty one is drawn as an empty strip."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that can be read in it, label first."""
        cells = (cell.text for rows in self.compartments for row in rows for cell in row)
        return tuple(text for text in (self.label, self.kicker, *cells) if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """One line. Its ends are ids of nodes or of groups."""

    source: str
    target: str
    label: str = ""
    style: Line = Line.SOLID
    arrows: tuple[End, End] = (Head.NONE, Head.ARROW)
    """At the source, at the target."""
    end_labels: tuple[str, str] = ("", "")
    accent: int = 0
    is_level: bool = False
    """Its ends stand side by side: a note and what it is about."""

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphGroup:
    """A frame around nodes and other groups."""

    id: str
    title: str = ""
    members: tuple[str, ...] = ()
    """Ids of the nodes directly inside."""
    parent: str = ""
    """Id of the group around this one; empty at the top."""
    is_state: bool = False
    """A composite state."""
    is_region: bool = False
    """One of the concurrent regions of its parent: no frame of its own, a dashed line to the next."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What is laid out."""

    kind: str = "flowchart"
    title: str = ""
    direction: Direction = Direction.DOWN
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    groups: tuple[GraphGroup, ...] = ()
    style: str = ""
    """`DiagramSpec.style`."""

    @cached_property
    def group(self) -> dict[str, GraphGroup]:
        """Every group by its id."""
        return {group.id: group for group in self.groups}

    @cached_property
    def inside(self) -> dict[str, tuple[str, ...]]:
        """Ids of all nodes in a group, at any depth, by the group's id."""
        found: dict[str, list[str]] = {group.id: [] for group in self.groups}
        for group in self.groups:
            around, seen = group.id, set[str]()
            while around in found and around not in seen:
                seen.add(around)
                found[around] += group.members
                around = self.group[around].parent
        return {id: tuple(nodes) for id, nodes in found.items()}

    @cached_property
    def home(self) -> dict[str, str]:
        """The group that a node lies directly in, by the node's id; a node without a group is not in it."""
        return {member: group.id for group in self.groups for member in group.members}
