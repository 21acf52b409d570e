"""The graphs of the pages: the overview, where a unit is one box, and a unit with stubs for what lies outside. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from layers.presentation.graph import Graph, GraphEdge, GraphGroup, GraphNode
from layers.presentation.layout.partition import Unit, name_of
from layers.presentation.scene import End, Special
from layers.presentation.spec import Head, Line, Shape

MOST_STUBS = 5
"""Above it what lies outside is shown page by page, not node by node."""
LONGEST_LABEL = 24
NO_PAGE = 0


def overview(graph: Graph, units: Sequence[Unit], numbers: Mapping[Unit, int]) -> Graph:
    """Each unit as one box that names its page; nodes of no unit as they are."""
    home = {node: unit for unit in units for node in unit.nodes}
    ids = {unit: f"page {numbers[unit]}" for unit in units}
    nodes = [
        GraphNode(id=ids[unit], label=f"{unit.title}\n(page {numbers[unit]})", shape=Shape.SUBROUTINE) for unit in units
    ]
    nodes += [node for node in graph.nodes if node.id not in home]
    places = {node.id: ids[home[node.id]] if node.id in home else node.id for node in graph.nodes}
    for group in graph.groups:
        inside = graph.inside[group.id]
        if inside and inside[0] in home:
            places[group.id] = places[inside[0]]
    between = _Bundle()
    for edge in graph.edges:
        source, target = places.get(edge.source), places.get(edge.target)
        if source and target and source != target and edge.style is not Line.HIDDEN:
            between.add(source, target, edge)
    return replace(
        graph,
        kind="mindmap" if graph.kind == "mindmap" else "flowchart",
        title=f"{graph.title or 'Overview'} (1/{len(numbers) + 1})",
        nodes=tuple(nodes),
        edges=between.edges(),
        groups=(),
    )


@dataclass
class _Bundle:
    """Edges that run between the same two boxes, put together."""

    found: dict[tuple[str, str], list[GraphEdge]] = field(default_factory=dict)
    back: set[tuple[str, str]] = field(default_factory=set)

    def add(self, source: str, target: str, edge: GraphEdge) -> None:
        """Put `edge` to those between `source` and `target`, in whichever direction the first one ran."""
        if (target, source) in self.found:
            self.found[target, source].append(edge)
            self.back.add((target, source))
        else:
            self.found.setdefault((source, target), []).append(edge)

    def edges(self) -> tuple[GraphEdge, ...]:
        """One edge for each pair."""
        return tuple(self._edge(pair, edges) for pair, edges in self.found.items())

    def _edge(self, pair: tuple[str, str], edges: list[GraphEdge]) -> GraphEdge:
        label = edges[0].label if len(edges) == 1 else f"{len(edges)} edges"
        back: End = Head.ARROW if pair in self.back else Head.NONE
        arrows = edges[0].arrows if len(edges) == 1 else (back, _forth(edges))
        return GraphEdge(
            source=pair[0],
            target=pair[1],
            label=label if len(label) <= LONGEST_LABEL else "",
            arrows=arrows,
            accent=edges[0].accent,
        )


def _forth(edges: list[GraphEdge]) -> End:
    return Head.ARROW if any(edge.arrows[1] != "none" for edge in edges) else Head.NONE


def section(graph: Graph, unit: Unit, units: Sequence[Unit], numbers: Mapping[Unit, int]) -> Graph:
    """The unit's nodes and groups; what they are connected to outside is a stub that names its page."""
    inside = set(unit.nodes)
    groups = _groups_within(graph, inside)
    kept = inside | {group.id for group in groups}
    stubs = _Stubs(graph, units, numbers, kept)
    edges = []
    for edge in graph.edges:
        if edge.source in kept and edge.target in kept:
            edges.append(edge)
        elif edge.style is not Line.HIDDEN and (edge.source in kept or edge.target in kept):
            edges += stubs.joined(edge)
    own = [node for node in graph.nodes if node.id in inside]
    title = f"{graph.title}: {unit.title}" if graph.title else unit.title
    total = len(numbers) + 1
    return replace(
        graph,
        title=f"{title} ({numbers[unit]}/{total})",
        nodes=(*own, *stubs.nodes.values()),
        edges=tuple(edges),
        groups=groups,
    )


def _groups_within(graph: Graph, inside: set[str]) -> tuple[GraphGroup, ...]:
    """The groups with a node here, cut down to these nodes."""
    here = {group.id for group in graph.groups if inside & set(graph.inside[group.id])}
    return tuple(
        replace(group, members=tuple(node for node in group.members if node in inside))
        for group in graph.groups
        if group.id in here
    )


class _Stubs:
    """The boxes at a page's boundary."""

    def __init__(
        self, graph: Graph, units: Sequence[Unit], numbers: Mapping[Unit, int], kept: set[str]
    ) -> None:
        self._graph = graph
        self._numbers = numbers
        self._kept = kept
        self._home = {node: unit for unit in units for node in unit.nodes}
        self._labels = {node.id: name_of(node) for node in graph.nodes}
        self._labels |= {group.id: group.title or group.id for group in graph.groups}
        self.nodes: dict[str, GraphNode] = {}
        self._joined: set[tuple[str, str, str]] = set()
        outside = {end for edge in graph.edges for end in self._outer(edge)}
        self._is_by_node = len(outside) <= MOST_STUBS

    def _outer(self, edge: GraphEdge) -> tuple[str, ...]:
        if (edge.source in self._kept) == (edge.target in self._kept):
            return ()
        return (edge.target if edge.source in self._kept else edge.source,)

    def joined(self, edge: GraphEdge) -> list[GraphEdge]:
        """`edge` with its outer end at a stub; nothing when the same was said before."""
        (outer,) = self._outer(edge)
        stub = self._stub(outer)
        source, target = (stub, edge.target) if outer == edge.source else (edge.source, stub)
        said = (source, target, edge.label)
        if said in self._joined:
            return []
        self._joined.add(said)
        return [replace(edge, source=source, target=target, is_level=False)]

    def _stub(self, outer: str) -> str:
        page = self._page(outer)
        if self._is_by_node or page == NO_PAGE:
            id, label = f"to {outer}", self._labels[outer]
        else:
            unit = self._unit(outer)
            id, label = f"to page {page}", unit.title if unit else self._labels[outer]
        where = f"page {page}" if page else "page 1"
        self.nodes.setdefault(id, GraphNode(id=id, label=f"{label}\n({where})", shape=Special.STUB))
        return id

    def _unit(self, outer: str) -> Unit | None:
        inside = self._graph.inside.get(outer, (outer,))
        return self._home.get(inside[0]) if inside else None

    def _page(self, outer: str) -> int:
        unit = self._unit(outer)
        return self._numbers[unit] if unit else NO_PAGE
