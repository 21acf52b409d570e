"""kill -9 at every step of an approved run: never twice, never silently lost. The whole matrix is in the benchmark."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.control.crashing import KINDS, STEPS, cell

CELLS = [(step, kind) for step in STEPS for kind in KINDS]
SAMPLE = random.Random(20).sample(CELLS, 3)
"""Eight more, each with its name, are among the attacks (G1 to G8)."""

assert len(STEPS) >= 25


@pytest.mark.parametrize(("step", "kind"), SAMPLE)
def test_a_run_killed_at_a_step_happens_once_or_is_told(step: str, kind: str, tmp_path: Path) -> None:
    verdict = cell(tmp_path / "home", f"sqlite:///{tmp_path / 'b.db'}", kind, step)
    assert verdict.is_killed, "nobody came by that step"
    assert not verdict.is_duplicate, verdict
    assert not verdict.is_lost, verdict
    assert verdict.is_chain_whole


@pytest.mark.parametrize(("step", "kind"), random.Random(21).sample(CELLS, 2))
def test_a_run_killed_at_a_step_on_postgresql_happens_once_or_is_told(
    step: str, kind: str, tmp_path: Path, postgres_url: str
) -> None:
    verdict = cell(tmp_path / "home", postgres_url, kind, step)
    assert verdict.is_killed, "nobody came by that step"
    assert not verdict.is_duplicate, verdict
    assert not verdict.is_lost, verdict
