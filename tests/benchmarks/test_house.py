"""Each benchmark runs in its smallest form and prints what it promises. How fast it was is nobody's business here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.figures import Figure
from benchmarks.house import BENCHMARKS
from tests.conftest import REPO

KEYS = {
    "start": ["start_healthz_s", "start_reply_s"],
    "memory": ["idle_rss_mb", "idle_tree_rss_mb"],
    "replies": ["reply_p50_ms", "reply_p95_ms"],
    "sqlite": ["turns_sqlite_per_s"],
    "postgres": ["turns_postgres_per_s"],
    "diagrams": ["diagram_p50_ms"],
    "models": ["chats_30_last_reply_s", "ping_prompt_kb", "ping_provider_calls"],
}


def test_every_benchmark_has_its_keys_listed_here() -> None:
    assert set(KEYS) == set(BENCHMARKS)


QUICK = ("sqlite", "diagrams")
"""The others take some 15 s each and run in `make soak`."""


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in KEYS])
def test_the_smallest_run_of_a_benchmark_prints_its_keys(name: str) -> None:
    command = [sys.executable, "-m", "benchmarks.house", "--quick", "--json", "--only", name]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert [figure["key"] for figure in figures] == KEYS[name]
    for figure in figures:
        assert figure["value"] is None or figure["value"] > 0, figure
        assert (figure["value"] is None) <= bool(figure["note"]), "what could not be measured says why"
        assert figure["value"] is None or (figure["floor"] > 0 and figure["floor_of"]), figure


def test_a_figure_tells_whether_its_target_is_met() -> None:
    assert Figure(key="k", title="t", value=14.9, unit="ms", at_most=15).is_met
    assert Figure(key="k", title="t", value=399.0, unit="/s", at_least=400).is_met is False
    assert Figure(key="k", title="t", value=None, unit="/s", at_least=400).is_met is None
    assert Figure(key="k", title="t", value=3.0, unit="s").is_met is None
