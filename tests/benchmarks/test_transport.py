"""The transport's benchmark: the object has the keys that were promised, and each section runs in its smallest form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.transport.__main__ import KEYS, SECTIONS
from tests.conftest import REPO

SHAPE: dict[str, Any] = {
    "crash_points": ["lost", "doubled", "orphans_max", "points"],
    "sigkill_soak": ["lost", "doubled", "kills"],
    "head_of_line": ["added_p95_ms", "calls_into_closed"],
    "socket_churn": ["unserved", "no_socket"],
    "quarantine": ["calls", "owner_told_s"],
    "spec_violations": None,
    "mention_leaks": None,
    "latency_ms": ["p50", "p95", "slack_ack_p99", "stock_ptb_p50", "stock_bolt_p50"],
    "rss_mb": None,
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.transport", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=110, check=False)


def test_every_key_comes_from_a_section_but_the_sum_of_violations() -> None:
    assert list(KEYS) == list(SHAPE)
    assert set(KEYS) == {*SECTIONS, "spec_violations"}


SLOW = tuple(name for name in SECTIONS if name != "socket_churn")
"""Up to 40 s each; their parts are tested in tests/crash, tests/whole and test_live."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SECTIONS])
def test_the_smallest_run_of_a_section_prints_the_whole_object_with_its_part_filled_in(name: str) -> None:
    done = run("--quick", "--json", "--only", name)
    printed = json.loads(done.stdout)
    assert list(printed) == list(SHAPE), done.stderr
    assert printed["spec_violations"] == 0, done.stderr
    assert {key for key, value in printed.items() if value is not None} <= {name, "spec_violations"}
    if printed[name] is None:
        assert f"{name}: not measured: " in done.stderr
    elif SHAPE[name]:
        assert list(printed[name]) == SHAPE[name]
    else:
        assert printed[name] >= 0


def test_a_section_that_nobody_knows_is_named() -> None:
    done = run("--only", "nothing")
    assert done.returncode == 2
    assert "'nothing'" in done.stderr


@pytest.mark.slow
def test_random_kills_lose_and_double_nothing() -> None:
    done = run("--json", "--only", "soak", "--kills", "20", "--messages", "200")
    assert json.loads(done.stdout)["sigkill_soak"] == {"lost": 0, "doubled": 0, "kills": 20}, done.stderr
