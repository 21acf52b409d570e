"""Pure: what is too big to draw, what a verdict is called on a card, and a diagram in words."""

from __future__ import annotations

import re

from layers.errors import Refused
from layers.presentation.graph import Graph, graph_of, lines_of
from layers.presentation.limits import refuse_unplannable
from layers.presentation.spec import DiagramSpec, Flowchart, Head, Line, Node
from layers.presentation.types import Verdict
from layers.presentation.words import outline_of

MOST_NODES = 120
DENSE_FROM_NODES = 40
MOST_EDGES_PER_NODE = 2.5
"""Above these dot takes seconds to minutes and nobody can read the picture (reference/presentation.md 1.4)."""
MOST_EDGES = 160
MOST_GROUPS = 40
LONGEST_LABEL = 400
EXAMPLES = {
    "flowchart": "A[Start] --> B[End].",
    "state": "[*] --> Idle.",
    "class": "class Duck.",
    "er": "CUSTOMER ||--o{ ORDER : places.",
    "mindmap": "a line with the root's name.",
}
LONGEST_ALT = 1000
"""Characters."""
NAMED_FINDINGS = 3
MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~!])")


def refuse_undrawable(spec: DiagramSpec) -> None:
    """Say no to what cannot become a legible picture.

    Raises:
        Refused: with the count, the limit and what to do.
    """
    graph = graph_of(spec)
    if graph is not None:
        _refuse_crowded(graph)
    else:
        refuse_unplannable(spec)


def _refuse_crowded(graph: Graph) -> None:
    nodes, edges = len(graph.nodes), len(graph.edges)
    if nodes == 0 and not graph.groups:
        raise Refused(f"The {graph.kind} diagram is empty; write at least one node, e.g. {EXAMPLES[graph.kind]}")
    if nodes > MOST_NODES:
        raise Refused(
            f"The diagram has {nodes} nodes and an album of pictures holds at most {MOST_NODES} legibly: split it into"
            " several, or collapse each group into one node."
        )
    if edges > MOST_EDGES or (nodes > DENSE_FROM_NODES and edges > MOST_EDGES_PER_NODE * nodes):
        most = min(MOST_EDGES, int(MOST_EDGES_PER_NODE * nodes)) if nodes > DENSE_FROM_NODES else MOST_EDGES
        raise Refused(
            f"The diagram has {edges} edges between {nodes} nodes and at most {most} stay legible: leave out edges that"
            " follow from others, or split it into several."
        )
    if len(graph.groups) > MOST_GROUPS:
        raise Refused(
            f"The diagram has {len(graph.groups)} subgraphs, at most {MOST_GROUPS} stay legible: split it into several."
        )
    texts = [(node.id, text) for node in graph.nodes for text in node.texts]
    for name, label in texts + [(edge.name, edge.label) for edge in graph.edges]:
        if len(label) > LONGEST_LABEL:
            raise Refused(
                f"The label of {name[:40]!r} has {len(label)} characters and at most {LONGEST_LABEL} fit: shorten it."
            )


def badge(verdict: Verdict) -> str:
    """What a card says of a picture: one line of markdown."""
    errors = sum(finding.severity == "error" for finding in verdict.findings)
    if not verdict.findings:
        geometry = "✓ geometry checked"
    else:
        named = "; ".join(plain(finding.text) for finding in verdict.findings[:NAMED_FINDINGS])
        more = len(verdict.findings) - NAMED_FINDINGS
        named += f"; and {more} more" if more > 0 else ""
        geometry = f"{'✗ not good enough' if errors else '⚠ checked'}: {named}"
    if verdict.looked_by:
        said = f": {plain(verdict.opinion)}" if verdict.opinion else ""
        read = f" · {verdict.read_back:.0%} read back" if verdict.read_back is not None else ""
        looked = f"{plain(verdict.looked_by)} looked{said}{read}"
    else:
        looked = f"no model looked ({plain(verdict.opinion or 'none configured')})"
    return f"{geometry} · {looked}"


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that markdown would read."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def outline(spec: DiagramSpec) -> str:
    """The diagram in words: what is posted when no picture is good enough, and read aloud."""
    if isinstance(spec, Flowchart):
        return _outline_of_flowchart(spec)
    graph = graph_of(spec)
    if graph is None:
        return outline_of(spec)
    counts = ", ".join(f"{count} {part}" for part, count in spec.counts().items())
    return "\n".join([f"{spec.title or spec.kind.capitalize()}: {counts}.", *lines_of(graph)])


def _outline_of_flowchart(spec: Flowchart) -> str:
    """One line per edge."""
    names = {node.id: _name(node) for node in spec.nodes} | {group.id: group.title or group.id for group in spec.groups}
    lines = [f"{spec.title or 'Flowchart'}: {_count(len(spec.nodes), 'node')}, {_count(len(spec.edges), 'edge')}."]
    lines += [
        f"{names[group.id]} contains {', '.join(names[member] for member in group.members)}."
        for group in spec.groups
        if group.members
    ]
    connected = set()
    for edge in spec.edges:
        connected |= {edge.source, edge.target}
        if edge.style is not Line.HIDDEN:
            label = f" ({' '.join(edge.label.split())})" if edge.label else ""
            lines.append(f"{names[edge.source]} {_arrow(edge.arrows)} {names[edge.target]}{label}")
    lines += [names[node.id] for node in spec.nodes if node.id not in connected]
    return "\n".join(lines)


def alternative(spec: DiagramSpec) -> str:
    """The alt text: what the author says, else the outline; capped."""
    text = spec.alt.strip() or outline(spec)
    return text if len(text) <= LONGEST_ALT else text[: LONGEST_ALT - 1].rstrip() + "…"


def _name(node: Node) -> str:
    return " ".join(node.label.split()) or node.id


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _arrow(arrows: tuple[Head, Head]) -> str:
    back, forth = (head is not Head.NONE for head in arrows)
    return "↔" if back and forth else "→" if forth else "←" if back else "-"
