"""The parser against mermaid 11.17.2's own verdicts on diagrams from public repositories."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layers.errors import BadInput
from layers.presentation import DiagramSpec, parse_mermaid


@pytest.fixture(scope="module")
def corpus(shared: Path) -> list[dict[str, Any]]:
    path = shared / "data" / "mermaid" / "corpus.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no Mermaid corpus at {path}")
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def parsed(text: str) -> DiagramSpec | None:
    try:
        return parse_mermaid(text)
    except BadInput:
        return None


def test_valid_flowcharts_are_accepted(corpus: list[dict[str, Any]]) -> None:
    valid = [item for item in corpus if item["kind"] == "flowchart" and item["valid"]]
    refused = [item["source"] for item in valid if parsed(item["text"]) is None]
    assert len(refused) <= 0.01 * len(valid), refused


def test_the_graph_is_the_one_that_mermaid_sees(corpus: list[dict[str, Any]]) -> None:
    compared = [item for item in corpus if item["valid"] and "nodes" in item]
    different = list(_different(compared))
    assert len(different) <= 0.005 * len(compared), different


def _different(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        spec = parsed(item["text"])
        if spec is None:
            continue
        nodes = sorted(node.id for node in spec.nodes)
        edges = sorted([edge.source, edge.target] for edge in spec.edges)
        if (nodes, edges) != (sorted(item["nodes"]), sorted(item["edges"])):
            yield item["source"]


def test_invalid_flowcharts_are_refused(corpus: list[dict[str, Any]]) -> None:
    invalid = [item for item in corpus if item["kind"] == "flowchart" and not item["valid"]]
    assert [item["source"] for item in invalid if parsed(item["text"]) is not None] == []


def test_every_other_kind_is_refused_by_its_name(corpus: list[dict[str, Any]]) -> None:
    for item in corpus:
        if item["kind"] != "flowchart":
            with pytest.raises(BadInput, match="only flowcharts can"):
                parse_mermaid(item["text"])
