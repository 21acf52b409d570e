"""The sections `accept` (and `invalid_accepted`, `graph_equal`) and `crashes`: the parsers beside mermaid itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.presentation.corpus import Item, corpus
from benchmarks.presentation.fuzz import fuzz
from benchmarks.presentation.section import Measured, Section, missed
from layers.errors import BadInput
from layers.presentation import DiagramSpec, Flowchart, parse_mermaid

KINDS = {
    "flowchart": "flowchart",
    "sequenceDiagram": "sequence",
    "stateDiagram": "state",
    "classDiagram": "class",
    "erDiagram": "er",
    "gantt": "gantt",
    "pie": "pie",
    "mindmap": "mindmap",
    "timeline": "timeline",
    "xychart": "chart",
}
"""The corpus' name of each kind that is read, and ours."""
REST = ("state", "class", "er", "gantt", "pie", "mindmap")
"""Held to 97 % together."""
INPUTS, FEW_INPUTS = 100_000, 3_000


def accept(folder: Path, is_quick: bool) -> Measured:
    """What is read of what Mermaid reads, what is read that Mermaid refuses, and whether the graph is the same."""
    items = [item for item in corpus() if item["kind"] in KINDS]
    if not items:
        raise FileNotFoundError("no Mermaid corpus under BULKHEAD_SHARED (default ../shared)")
    read, valid, wrongly, invalid = Counter[str](), Counter[str](), 0, 0
    compared = equal = 0
    for item in items:
        spec, kind = parsed(item["text"]), KINDS[item["kind"]]
        if not item["valid"]:
            invalid += 1
            wrongly += spec is not None
            continue
        valid[kind] += 1
        read[kind] += spec is not None
        if "nodes" in item and spec is not None:
            compared += 1
            equal += is_equal(spec, item)
    rates: dict[str, object] = {kind: round(read[kind] / valid[kind], 4) for kind in valid}
    rest = sum(read[kind] for kind in REST) / max(1, sum(valid[kind] for kind in REST))
    invalid_rate, equal_rate = wrongly / max(1, invalid), equal / max(1, compared)
    claims = {
        "flowchart: at least 99 % of the valid ones are read": read["flowchart"] >= 0.99 * valid["flowchart"],
        "sequence: at least 99 % of the valid ones are read": read["sequence"] >= 0.99 * valid["sequence"],
        f"{', '.join(REST)}: at least 97 % of the valid ones are read": rest >= 0.97,
        "at most 5 % of the invalid ones are read": invalid_rate <= 0.05,
        "at least 99.5 % of the flowcharts have the reference's graph": equal_rate >= 0.995,
    }
    printed = {
        "accept": rates,
        "invalid_accepted": round(invalid_rate, 4),
        "graph_equal": round(equal_rate, 4),
    }
    return Measured(printed=printed, misses=missed(claims))


def parsed(text: str) -> DiagramSpec | None:
    """The spec; None where the text is refused."""
    try:
        return parse_mermaid(text)
    except BadInput:
        return None


def is_equal(spec: DiagramSpec, item: Item) -> bool:
    """True when the nodes and the edges (as multisets) are those that Mermaid sees."""
    if not isinstance(spec, Flowchart):
        return False
    nodes = sorted(node.id for node in spec.nodes)
    edges = sorted([edge.source, edge.target] for edge in spec.edges)
    return (nodes, edges) == (sorted(item["nodes"]), sorted(item["edges"]))


def crashes(folder: Path, is_quick: bool) -> Measured:
    """Exceptions that are no refusals, over the corpus and mutations of it."""
    found = fuzz(FEW_INPUTS if is_quick else INPUTS)
    crashed = len(found.crashes)
    for item in corpus():
        try:
            parsed(item["text"])
        except Exception:  # noqa: BLE001  this is what is counted
            crashed += 1
    claims = {
        f"nothing crashes; {(found.crashes or ['the corpus'])[0]} does": crashed == 0,
        f"no input takes more than a second; {(found.slow or ['one'])[0]} does": not found.slow,
    }
    return Measured(printed={"crashes": crashed}, misses=missed(claims))


SECTIONS = {
    "accept": Section(keys=("accept", "invalid_accepted", "graph_equal"), run=accept),
    "crashes": Section(keys=("crashes",), run=crashes),
}
