"""kill -9 at the same points, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.failpoint import Point
from tests.crash.scenario import CASES, Case, run
from tests.fakes import model_server


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with model_server.running() as server:
        yield server.base_url


QUICK = {Point.ACCEPT_AFTER_COMMIT, Point.DECISION_AFTER_COMMIT, Point.EFFECT_RUNNING, Point.PATCH_COMMITTED}


@pytest.mark.parametrize("case", [case for case in CASES if case.point in QUICK], ids=str)
def test_a_server_killed_on_postgresql_carries_on(
    case: Case, tmp_path: Path, model_url: str, postgres_url: str
) -> None:
    run(case, tmp_path, postgres_url, model_url)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.point not in QUICK], ids=str)
def test_a_server_killed_on_postgresql_carries_on_at_every_other_point(
    case: Case, tmp_path: Path, model_url: str, postgres_url: str
) -> None:
    run(case, tmp_path, postgres_url, model_url)
