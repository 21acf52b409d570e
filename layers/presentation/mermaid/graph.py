"""What a flowchart's text has said so far; becomes a `Flowchart` at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from layers.presentation.mermaid.accents import Accents
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.meta import Meta
from layers.presentation.mermaid.shapes import NAMED
from layers.presentation.spec import Direction, Edge, Flowchart, Group, Head, Line, Node, Shape

CLASS_STATEMENT = re.compile(r"class[^\S\n]+([^\s,]+(?:[^\S\n]*,[^\S\n]*[^\s,]+)*)[^\S\n]+(\w+)")
STYLE_STATEMENT = re.compile(r"style[^\S\n]+(\S+)[^\S\n]+(.*)", re.DOTALL)
MOST_NODES = 500
MOST_EDGES = 1000
MOST_FRAMES = 200
"""Far above what can be drawn legibly (rules.MOST_NODES); here to answer quickly."""


@dataclass(slots=True)
class Frame:
    """A subgraph while it is open, and after."""

    id: str
    title: str
    parent: str
    mentioned: dict[str, None] = field(default_factory=dict)
    """Ids in order of mention; who belongs is settled when the frame closes, as Mermaid does."""
    members: tuple[str, ...] = ()
    direction: Direction | None = None


class Graph:
    """Collects nodes, edges and groups; `at` is where the text stands, for errors."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.edge_ids: set[str] = set()
        self.frames: dict[str, Frame] = {}
        self.open: list[Frame] = []
        self.claimed: set[str] = set()
        self.accents = Accents()
        self.painted: dict[str, int] = {}

    def mention(self, id: str) -> None:
        """The node `id` occurs here."""
        if id not in self.nodes:
            if len(self.nodes) >= MOST_NODES:
                self.cursor.fail(
                    f"at most {MOST_NODES} nodes in one diagram",
                    "no picture of so many can be read: split it into several diagrams",
                )
            self.nodes[id] = Node(id=id, label=id)
        if self.open:
            self.open[-1].mentioned.setdefault(id)

    def describe(self, id: str, *, label: str | None = None, shape: Shape | None = None) -> None:
        """Give the node `id` a label, a shape, or both."""
        old = self.nodes.get(id)
        if old is None:  # the id of an edge
            return
        self.nodes[id] = Node(
            id=id, label=old.label if label is None else label, shape=old.shape if shape is None else shape
        )

    def style(self, text: str) -> None:
        """`class A,B name` or `style A fill:...`; other styling has no accent."""
        if found := CLASS_STATEMENT.match(text):
            self.paint(found.group(1), self.accents.of(found.group(2)))
        elif found := STYLE_STATEMENT.match(text):
            id = found.group(1)
            self.paint(id, self.accents.of_style(found.group(2)))
            if id not in self.edge_ids and id not in self.nodes and len(self.nodes) < MOST_NODES:
                self.nodes[id] = Node(id=id, label=id)  # as Mermaid does: a style makes a node, outside all subgraphs

    def paint(self, ids: str, accent: int) -> None:
        """`class A,B name` and its like; the ids may be those of nodes that come later."""
        for id in ids.split(","):
            if accent and id.strip():
                self.painted[id.strip()] = accent

    def describe_by_name(self, id: str, fields: dict[str, str], at: int) -> None:
        """Apply `A@{ shape: ..., label: ... }`, where `at` is the place of the `@`."""
        name = fields.get("shape")
        if name is not None and name not in NAMED:
            self.cursor.fail(
                "a shape that Mermaid knows", f"use rect, rounded, diam, cyl or stadium, not {name!r}", at=at
            )
        self.describe(id, label=fields.get("label"), shape=None if name is None else NAMED[name])

    def connect(self, sources: list[str], targets: list[str], edge: Edge) -> None:
        """Draw `edge` from each source to each target."""
        if len(self.edges) + len(sources) * len(targets) > MOST_EDGES:
            self.cursor.fail(
                f"at most {MOST_EDGES} edges in one diagram",
                "no picture of so many can be read: split it into several diagrams",
            )
        for id in (*sources, *targets):
            self.mention(id)
        self.edges += [
            Edge(source=source, target=target, label=edge.label, style=edge.style, arrows=edge.arrows)
            for source in sources
            for target in targets
        ]

    def open_frame(self, id: str, title: str) -> None:
        """A `subgraph` starts. Without an id, or with one already taken, it gets a name of its own."""
        if len(self.frames) >= MOST_FRAMES:
            self.cursor.fail(f"at most {MOST_FRAMES} subgraphs in one diagram", "split it into several diagrams")
        unique = id if id and id not in self.frames else f"subgraph {len(self.frames) + 1}"
        while unique in self.frames:
            unique += "'"
        frame = Frame(id=unique, title=title, parent=self.open[-1].id if self.open else "")
        self.frames[unique] = frame
        self.open.append(frame)

    def close_frame(self) -> None:
        """The `end` of the innermost subgraph: it keeps the nodes that no earlier one has."""
        frame = self.open.pop()
        frame.members = tuple(id for id in frame.mentioned if id not in self.claimed)
        self.claimed.update(frame.members)

    def finish(self, meta: Meta, direction: Direction) -> Flowchart:
        """The spec. A node named like a subgraph is that subgraph."""
        for frame in self.frames.values():
            for inner in frame.members:
                if inner in self.frames and not self.frames[inner].parent and not self._is_around(inner, frame):
                    self.frames[inner].parent = frame.id
        return Flowchart(
            title=meta.title,
            alt=meta.alt,
            direction=direction,
            nodes=tuple(
                node.model_copy(update={"accent": self.painted.get(node.id, 0)})
                for node in self.nodes.values()
                if node.id not in self.frames
            ),
            edges=tuple(self.edges),
            groups=tuple(
                Group(
                    id=frame.id,
                    title=frame.title,
                    members=tuple(id for id in frame.members if id not in self.frames),
                    parent=frame.parent,
                    direction=frame.direction,
                )
                for frame in self.frames.values()
            ),
        )

    def _is_around(self, id: str, frame: Frame) -> bool:
        while frame.id != id:
            if not frame.parent:
                return False
            frame = self.frames[frame.parent]
        return True


def edge_of(label: str, style: Line, arrows: tuple[Head, Head]) -> Edge:
    """An edge whose ends are not known yet."""
    return Edge(source="", target="", label=label, style=style, arrows=arrows)
