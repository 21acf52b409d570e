"""The benchmark of the instruction contract keeps its promises, and its comparison counts as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.routing.contract import SECTIONS, Row, Score, count
from benchmarks.routing.fit import data
from layers.routing.contract import Kind, extract

LABELLED = frozenset(kind.value for kind in Kind)


def score(prompt: str, *wanted: tuple[str, dict[str, object]]) -> Score:
    found = Score()
    count(Row(key=1, prompt=prompt, wanted=wanted), extract(prompt), LABELLED, found)
    return found


def test_a_constraint_is_right_extra_or_absent() -> None:
    found = score("No commas, and answer in French.", (Kind.NO_COMMA, {}), (Kind.TITLE, {}))
    assert (found.right, found.extra, found.absent, found.same_arguments) == (1, 1, 1, 1)


def test_an_exact_number_stands_for_both_limits_or_for_one_of_them() -> None:
    limits = [
        (Kind.SENTENCES, {"relation": "at least", "num_sentences": 1}),
        (Kind.SENTENCES, {"relation": "less than", "num_sentences": 2}),
    ]
    both, one = score("Explain it in one sentence.", *limits), score("Explain it in one sentence.", limits[1])
    assert (both.right, both.extra, both.absent) == (2, 0, 0)
    assert (one.right, one.extra, one.same_arguments) == (1, 0, 1)


def test_the_section_meets_its_targets_but_for_its_times(tmp_path: Path) -> None:
    if not (data() / "ifeval-prompts.jsonl").is_file():
        pytest.skip("the prompts are not there; set BULKHEAD_SHARED")
    measured = SECTIONS["contract"].run(tmp_path, True)
    assert tuple(measured.printed) == SECTIONS["contract"].keys
    assert [miss for miss in measured.misses if " us, over " not in miss] == []
