"""The repairs that need no model, mildest first: other candidates of the layout, then long labels made short. Pure.

Titles and labels are placed again, boxes wrapped and grown, directions turned and engines changed by the layout itself:
each rank is another of its candidates. What no phone can show at once it pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layers.presentation.spec import DiagramSpec, Edge, Flowchart, Node
from layers.presentation.types import Finding, Repair

OTHER_CANDIDATES = 2
LONG_NODE, LONG_EDGE = 90, 60
"""Characters above which a label is made short; its whole text goes below the picture."""
HOPELESS = {Repair.FONT}
"""No other drawing of the same spec helps."""
COST = {"error": 1000.0, "warning": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One thing to draw."""

    spec: DiagramSpec
    rank: int
    notes: tuple[str, ...] = ()
    """What the picture no longer says, for below it."""
    by: str = ""
    """What was done, in words; empty for the first attempt."""


def ladder(spec: DiagramSpec, rank: int = 0) -> Iterator[Attempt]:
    """What to draw, one after the other, until a drawing passes."""
    yield Attempt(spec=spec, rank=rank)
    for step in range(1, OTHER_CANDIDATES + 1):
        yield Attempt(spec=spec, rank=rank + step, by="another layout")
    short, notes = abbreviated(spec)
    if notes:
        yield Attempt(spec=short, rank=rank, notes=notes, by="long labels made short")


def is_repairable(findings: Sequence[Finding]) -> bool:
    """True when an error is there that another drawing may not have."""
    return any(finding.severity == "error" and finding.repair not in HOPELESS for finding in findings)


def badness(findings: Sequence[Finding]) -> float:
    """For choosing the least bad."""
    return sum(COST[finding.severity] for finding in findings)


def abbreviated(spec: DiagramSpec) -> tuple[DiagramSpec, tuple[str, ...]]:
    """The spec with long labels cut, and a note with the whole of each."""
    if not isinstance(spec, Flowchart):
        return spec, ()
    notes: list[str] = []

    def node(one: Node) -> Node:
        return one.model_copy(update={"label": _cut(one.label, LONG_NODE, notes)})

    def edge(one: Edge) -> Edge:
        return one.model_copy(update={"label": _cut(one.label, LONG_EDGE, notes)})

    nodes, edges = tuple(map(node, spec.nodes)), tuple(map(edge, spec.edges))
    return spec.model_copy(update={"nodes": nodes, "edges": edges}), tuple(notes)


def _cut(label: str, most: int, notes: list[str]) -> str:
    flat = " ".join(label.split())
    if len(flat) <= most:
        return label
    number = len(notes) + 1
    notes.append(f"[{number}] {flat}")
    head = flat[: most - 20]
    return f"{head.rpartition(' ')[0] or head} … [{number}]"
