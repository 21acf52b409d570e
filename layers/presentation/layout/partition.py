"""Which nodes of a large graph share a page: groups stay whole where they can, else those that hang together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from layers.presentation.graph import Graph, GraphNode

MOST_UNITS = 9
"""One page is the overview, and an album holds ten."""
NODES_PER_UNIT = 10
MOST_LOOSE = 4
"""So many nodes without a group stand on the overview itself."""
LONGEST_TITLE = 40


@dataclass(frozen=True, slots=True)
class Unit:
    """The nodes of one page."""

    title: str
    nodes: tuple[str, ...]
    """Ids in the order of the graph."""
    group: str = ""
    """Id of the group that it is all of; empty when it is none."""


def units_of(graph: Graph) -> list[Unit]:
    """A unit for each group at the top and, for many nodes without one, units of those that hang together."""
    if graph.kind == "mindmap":
        return _branches(graph)
    tops = [group for group in graph.groups if not group.parent and graph.inside[group.id]]
    order = {node.id: number for number, node in enumerate(graph.nodes)}
    units = [
        Unit(group.title or group.id, tuple(sorted(graph.inside[group.id], key=order.__getitem__)), group.id)
        for group in tops
    ]
    inside = {node for unit in units for node in unit.nodes}
    loose = [node.id for node in graph.nodes if node.id not in inside]
    if len(loose) > MOST_LOOSE or not units:
        units += [named(graph, nodes) for nodes in clustered(graph, [(node,) for node in loose], NODES_PER_UNIT)]
    if len(units) > MOST_UNITS:
        units = _merged(graph, units)
    return units


def split(graph: Graph, unit: Unit) -> list[Unit]:
    """The unit in two or more parts: by the groups in it, else by what hangs together. Itself when it is one node."""
    if len(unit.nodes) < 2:
        return [unit]
    inside = set(unit.nodes)
    parts = [group for group in graph.groups if group.parent == unit.group and set(graph.inside[group.id]) < inside]
    atoms = [tuple(node for node in unit.nodes if node in graph.inside[group.id]) for group in parts]
    atoms = [atom for atom in atoms if atom]
    grouped = {node for atom in atoms for node in atom}
    atoms += [(node,) for node in unit.nodes if node not in grouped]
    if len(atoms) < 2:
        atoms = [(node,) for node in unit.nodes]
    most = max(-(-len(unit.nodes) // 2), max(len(atom) for atom in atoms))
    found = clustered(graph, atoms, most)
    if len(found) < 2:
        half = -(-len(unit.nodes) // 2)
        found = [unit.nodes[:half], unit.nodes[half:]]
    if not unit.group:
        return [named(graph, nodes) for nodes in found]
    titles = [f"{unit.title} ({number}/{len(found)})" for number in range(1, len(found) + 1)]
    return [Unit(title, nodes) for title, nodes in zip(titles, found, strict=True)]


def clustered(graph: Graph, atoms: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """The atoms joined to clusters of at most `most` nodes: first those with the most edges between them.

    Small clusters that nothing connects are put together at the end, as many as fit. In the order of the graph.
    """
    order = {node.id: number for number, node in enumerate(graph.nodes)}
    clusters = [list(atom) for atom in atoms]
    while pair := _closest(graph, clusters, most):
        one, other = pair
        clusters[one] += clusters.pop(other)
    while pair := _closest(graph, clusters, most + most // 3, smallest=most // 3):  # no page for a node or two
        one, other = pair
        clusters[one] += clusters.pop(other)
    clusters = _filled(clusters, most)
    clusters = [sorted(cluster, key=order.__getitem__) for cluster in clusters]
    return [tuple(cluster) for cluster in sorted(clusters, key=lambda cluster: order[cluster[0]])]


def _closest(
    graph: Graph, clusters: list[list[str]], most: int, smallest: int | None = None
) -> tuple[int, int] | None:
    """The two clusters with the most edges between them for their size, one of them no larger than `smallest`."""
    home = {node: number for number, cluster in enumerate(clusters) for node in cluster}
    between: Counter[tuple[int, int]] = Counter()
    for edge in graph.edges:
        one, other = home.get(edge.source), home.get(edge.target)
        if one is not None and other is not None and one != other:
            between[min(one, other), max(one, other)] += 1
    sizes = [len(cluster) for cluster in clusters]
    fitting = [pair for pair in between if sizes[pair[0]] + sizes[pair[1]] <= most]
    if smallest is not None:
        fitting = [pair for pair in fitting if min(sizes[pair[0]], sizes[pair[1]]) <= smallest]

    def closeness(pair: tuple[int, int]) -> tuple[float, int, int, int]:
        one, other = pair
        return between[pair] / (sizes[one] * sizes[other]) ** 0.5, -sizes[one] - sizes[other], -one, -other

    return max(fitting, key=closeness, default=None)


def _filled(clusters: list[list[str]], most: int) -> list[list[str]]:
    """Clusters put together first-fit: what stands alone needs no page of its own."""
    small = [cluster for cluster in clusters if len(cluster) <= most // 3]
    full = [cluster for cluster in clusters if len(cluster) > most // 3]
    bins: list[list[str]] = []
    for cluster in small:
        fitting = next((one for one in bins if len(one) + len(cluster) <= most), None)
        if fitting is None:
            bins.append(list(cluster))
        else:
            fitting += cluster
    return [*full, *bins]


def _merged(graph: Graph, units: list[Unit]) -> list[Unit]:
    """Fewer units: neighbours share a page."""
    by_first = {unit.nodes[0]: unit for unit in units}
    total = sum(len(unit.nodes) for unit in units)
    most = max(NODES_PER_UNIT, -(-total // MOST_UNITS))
    found = clustered(graph, [unit.nodes for unit in units], most)
    while len(found) > MOST_UNITS:
        one, other = sorted(found, key=len)[:2]
        found = [nodes for nodes in found if nodes not in (one, other)] + [one + other]
    merged = []
    order = {node.id: number for number, node in enumerate(graph.nodes)}
    for nodes in sorted(found, key=lambda nodes: order[nodes[0]]):
        parts = [by_first[node] for node in nodes if node in by_first]
        merged.append(parts[0] if len(parts) == 1 else Unit(_shortened(", ".join(one.title for one in parts)), nodes))
    return merged


def _branches(graph: Graph) -> list[Unit]:
    """Of a mindmap: each branch that leaves the root."""
    root = graph.nodes[0].id if graph.nodes else ""
    top = {root: ""}
    found: dict[str, list[str]] = {}
    for edge in graph.edges:  # parents come before their children
        top[edge.target] = edge.target if edge.source == root else top[edge.source]
        found.setdefault(top[edge.target], []).append(edge.target)
    labels = {node.id: node for node in graph.nodes}
    return [Unit(name_of(labels[branch]), tuple(nodes)) for branch, nodes in found.items() if len(nodes) > 1]


def named(graph: Graph, nodes: tuple[str, ...]) -> Unit:
    """A unit called after the node that most edges touch there."""
    here = [edge for edge in graph.edges if edge.source in nodes and edge.target in nodes]
    touching = Counter(end for edge in here for end in (edge.source, edge.target))
    order = {node: number for number, node in enumerate(nodes)}
    first = max(nodes, key=lambda node: (touching[node], -order[node]))
    label = name_of(next(node for node in graph.nodes if node.id == first))
    return Unit(f"{label} and {len(nodes) - 1} more" if len(nodes) > 1 else label, nodes)


def name_of(node: GraphNode) -> str:
    """What a title calls a node."""
    return _shortened(" ".join(node.label.split()) or node.id)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1].rstrip() + "…"
