"""A graph in words, one line per edge: the alt text of a page. Pure."""

from __future__ import annotations

from layers.presentation.graph.types import Graph, GraphEdge
from layers.presentation.spec import Line

LONGEST = 1000
"""Characters: what chats take as alt text."""


def words_of(graph: Graph) -> str:
    """Title, groups, edges, and what has no edge; capped."""
    text = "\n".join([*([f"{graph.title}."] if graph.title else []), *lines_of(graph)])
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def lines_of(graph: Graph) -> list[str]:
    """Groups, edges, and what has no edge."""
    names = {node.id: " ".join(node.label.split()) or node.id for node in graph.nodes}
    names |= {group.id: " ".join(group.title.split()) or group.id for group in graph.groups}
    lines = [
        f"{names[group.id]} contains {', '.join(names[node] for node in group.members)}."
        for group in graph.groups
        if group.members
    ]
    shown = [edge for edge in graph.edges if edge.style is not Line.HIDDEN]
    lines += [_edge(edge, names) for edge in shown]
    said = {end for edge in shown for end in (edge.source, edge.target)} | set(graph.home)
    return lines + [names[node.id] for node in graph.nodes if node.id not in said]


def _edge(edge: GraphEdge, names: dict[str, str]) -> str:
    back, forth = (head != "none" for head in edge.arrows)
    arrow = "↔" if back and forth else "→" if forth else "←" if back else "-"
    label = f" ({' '.join(edge.label.split())})" if edge.label else ""
    return f"{names[edge.source]} {arrow} {names[edge.target]}{label}"
