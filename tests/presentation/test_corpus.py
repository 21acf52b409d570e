"""The parsers against mermaid 11.17.2's own verdicts on diagrams from public repositories."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.presentation.accept import KINDS, REST, is_equal, parsed
from benchmarks.presentation.corpus import Item, corpus
from benchmarks.presentation.fuzz import fuzz
from layers.errors import BadInput
from layers.presentation import Chart, Flowchart, parse_mermaid, to_mermaid


@pytest.fixture(scope="module")
def items(shared: Path) -> list[Item]:
    found = corpus()
    if not found:
        pytest.skip(f"no Mermaid corpus under {shared}")
    return found


def test_valid_diagrams_are_accepted(items: list[Item]) -> None:
    valid, refused = Counter[str](), Counter[str]()
    for item in items:
        if item["valid"] and (kind := KINDS.get(item["kind"])):
            valid[kind] += 1
            refused[kind] += parsed(item["text"]) is None
    assert refused["flowchart"] <= 0.01 * valid["flowchart"]
    assert refused["sequence"] <= 0.01 * valid["sequence"]
    assert sum(refused[kind] for kind in REST) <= 0.03 * sum(valid[kind] for kind in REST)


def test_the_graph_is_the_one_that_mermaid_sees(items: list[Item]) -> None:
    compared = [(item, spec) for item in items if item["valid"] and "nodes" in item and (spec := parsed(item["text"]))]
    different = [item["source"] for item, spec in compared if not is_equal(spec, item)]
    assert len(different) <= 0.005 * len(compared), different


def test_invalid_diagrams_are_refused(items: list[Item]) -> None:
    invalid = [item for item in items if item["kind"] in KINDS and not item["valid"]]
    accepted = [item["source"] for item in invalid if parsed(item["text"]) is not None]
    assert len(accepted) <= 0.05 * len(invalid), accepted


def test_every_other_kind_is_refused_by_its_name(items: list[Item]) -> None:
    for item in items:
        if item["kind"] not in KINDS:
            with pytest.raises(BadInput, match="these can: flowchart, sequence"):
                parse_mermaid(item["text"])


def test_what_is_written_back_is_the_same_diagram(items: list[Item]) -> None:
    for item in items:
        spec = parsed(item["text"]) if item["valid"] else None
        if spec is None:
            continue
        again = parse_mermaid(to_mermaid(spec))
        assert again.counts() == spec.counts(), item["source"]
        assert parse_mermaid(to_mermaid(again)) == again, item["source"]
        if isinstance(spec, Flowchart) and isinstance(again, Flowchart):
            assert [node.label for node in again.nodes] == [node.label for node in spec.nodes], item["source"]
        if isinstance(spec, Chart):
            assert again == spec


def test_a_broken_diagram_is_refused_and_never_crashes_the_parser() -> None:
    found = fuzz(1500, seed=5)
    assert (found.crashes, found.slow) == ([], [])
    assert 0 < found.accepted < found.inputs
