"""kill -9 at every named point, on SQLite: nothing lost, nothing doubled, no approved effect twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.failpoint import Point
from tests.crash.scenario import CASES, FIRST, Case, run
from tests.fakes import model_server

REMOTE = {Point.PLACE_BEFORE, Point.PLACE_AFTER, Point.PLACED_AFTER_COMMIT}
"""The page is inside the database: nothing is placed there. tests/transport/test_crash.py visits these."""


def test_the_sweep_visits_every_named_point() -> None:
    assert {case.point for case in FIRST} == set(Point) - REMOTE


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with model_server.running() as server:
        yield server.base_url


@pytest.mark.parametrize("case", FIRST, ids=str)
def test_a_server_killed_on_sqlite_carries_on(case: Case, tmp_path: Path, model_url: str) -> None:
    run(case, tmp_path, "", model_url)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case not in FIRST], ids=str)
def test_a_server_killed_on_sqlite_carries_on_in_every_other_scenario(
    case: Case, tmp_path: Path, model_url: str
) -> None:
    run(case, tmp_path, "", model_url)
