"""The benchmark of policies and plans keeps its promises on a small scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.control.policy import SECTIONS


@pytest.mark.parametrize("name", ["oracle_mismatches", "seeded_policy_errors", "plan_fidelity"])
def test_a_section_finds_nothing_wrong_on_a_small_scale(name: str, tmp_path: Path) -> None:
    measured = SECTIONS[name].run(tmp_path, True)
    assert tuple(measured.printed) == SECTIONS[name].keys
    assert measured.misses == ()
