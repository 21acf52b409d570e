"""A few points of the sweep over the providers; the benchmark `transport --only crash_points` visits them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.failpoint import Point
from tests.crash.providers import DROPPED, KILLED, Case, Sweep
from tests.fakes import model_server
from tests.fakes.nursery import nursery

CASES = (
    Case(point=Point.ACCEPT_BEFORE_COMMIT, surface="telegram", way=KILLED),
    Case(point=Point.ACCEPT_AFTER_COMMIT, surface="slack", way=KILLED),
    Case(point=Point.DELIVER_AFTER, surface="telegram", way=KILLED),
    Case(point=Point.DELIVER_AFTER, surface="slack", way=KILLED),
    Case(point=Point.FINISH_AFTER_COMMIT, surface="telegram", way=DROPPED),
    Case(point=Point.FINISH_AFTER_COMMIT, surface="slack", way=DROPPED),
    Case(point=Point.DECISION_AFTER_COMMIT, surface="telegram", way=KILLED),
    Case(point=Point.DECISION_AFTER_COMMIT, surface="slack", way=DROPPED),
    Case(point=Point.ACCEPT_AFTER_COMMIT, surface="page", way=DROPPED),
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Sweep]:
    with nursery() as opened, model_server.running() as model:
        folder = tmp_path_factory.mktemp("sweep")
        prepared = Sweep(nursery=opened, folder=folder, shared=shared, model_url=model.base_url)
        prepared.prepare()
        yield prepared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_at_the_provider_nothing_is_lost_or_doubled(case: Case, sweep: Sweep) -> None:
    found = sweep.run(case)
    assert found.was_reached, f"{case} was never reached"
    assert (found.lost, found.doubled) == (0, 0)
    assert found.orphans <= 1
    assert found.violations == ()
