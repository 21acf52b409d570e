"""What the benchmark of coordination counts is what happened; and a little of it is run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.coordination import editor
from benchmarks.coordination.__main__ import sections
from benchmarks.coordination.assistant import STEPS
from benchmarks.coordination.hostile import fuzzed
from benchmarks.coordination.policies import POLICIES
from benchmarks.coordination.policies import run as run_policy
from benchmarks.coordination.stress import Word, committed, cycles, judge, make_job, read_logs
from benchmarks.coordination.writer import SHARED, WORDS_PER_ROUND, appending, lists_of
from layers.coordination import Snapshot
from tests.fakes.environment import REPO, environment

LISTS = lists_of(0)
FIRST, SECOND, *REST = LISTS


def word(*files: str, patch: str = "", began: float = 0.0, acked: float | None = 1.0) -> Word:
    return Word(patch=patch or f"{files}{began}{acked}", files=files, began=began, acked=acked)


def lists(**lines: str) -> dict[str, list[str]]:
    found = {name: ["start"] for name in LISTS}
    found |= {f"round0/{name}.txt": ["start", *text.split()] for name, text in lines.items()}
    return found


def test_words_that_are_lost_torn_or_doubled_are_counted() -> None:
    words = {
        "fine": word(FIRST, SECOND, patch="1"),
        "lost": word(FIRST, patch="2"),
        "torn": word(FIRST, SECOND, patch="3"),
        "twice": word(SECOND, patch="4"),
        "killed": word(FIRST, SECOND, patch="5", acked=None),
        "half": word(FIRST, SECOND, patch="6", acked=None),
        "there": word(FIRST, patch="7", acked=None),
        "away": word(SECOND, patch="7", acked=None),
    }
    told = judge(words, lists(list0="fine half there", list1="fine torn twice twice"))
    assert {name: told[name] for name in ("acked", "patches", "lost", "torn", "doubled")} == {
        "acked": 4, "patches": 4, "lost": 2, "torn": 3, "doubled": 1,
    }  # fmt: skip


def test_an_order_that_nobody_could_have_seen_is_a_cycle() -> None:
    words = {"a": word(FIRST, SECOND), "b": word(FIRST, SECOND)}
    assert cycles(words, lists(list0="a b", list1="a b").values()) == 0
    assert cycles(words, lists(list0="a b", list1="b a").values()) == 2
    late = {"a": word(FIRST, began=5.0, acked=6.0), "b": word(FIRST, began=1.0, acked=2.0)}
    assert cycles(late, lists(list0="a b").values()) == 1


def test_a_save_counts_as_lost_when_its_editor_never_saw_it_again_and_nobody_kept_it(tmp_path: Path) -> None:
    saves = [("start", "one"), ("one", "two"), ("agent", "three"), ("other", "four")]
    log = tmp_path / "editor.log"
    log.write_text("".join(json.dumps({"saw": saw, "saved": saved}) + "\n" for saw, saved in saves))
    assert editor.lost(log, "four", set()) == 2
    assert editor.lost(log, "four", {"two"}) == 1
    assert editor.lost(log, "four", {"two", "three"}) == 0
    assert editor.lost(log, "fourw1", {"two", "three"}) == 0


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_alone_with_its_files_loses_nothing(name: str, tmp_path: Path) -> None:
    job = replace(make_job(tmp_path, "", 20, 1), writers=1, kill_rate=0.0)
    run_policy(POLICIES[name], job, 1)
    told = judge(read_logs(job.logs), {name: (job.root / name).read_text().split() for name in job.files})
    assert told["acked"] >= 20
    assert {name: told[name] for name in ("lost", "torn", "doubled", "cycles")} == {
        "lost": 0, "torn": 0, "doubled": 0, "cycles": 0,
    }  # fmt: skip


def test_words_move_on_to_new_files_after_a_round(tmp_path: Path) -> None:
    job = make_job(tmp_path, "", WORDS_PER_ROUND + 1, 1)
    assert job.files == (*lists_of(0), *lists_of(1))
    rng = random.Random(1)
    assert not set(job.choose(rng)) - {*lists_of(0), SHARED}
    job.acked.value = WORDS_PER_ROUND
    assert {file for _ in range(50) for file in job.choose(rng)} == {*lists_of(1), SHARED}
    assert set(committed(job)) == set(job.files)


def test_words_are_appended_after_the_last_three_lines() -> None:
    snapshot = Snapshot(commit="1" * 40, entries={}, contents={"f": b"a\nb\nc\nd\n", "g": b"start\n"})
    assert appending(snapshot, "f", ["w", "x"]) == "--- a/f\n+++ b/f\n@@ -2,3 +2,5 @@\n b\n c\n d\n+w\n+x\n"
    assert appending(snapshot, "g", ["w"]) == "--- a/g\n+++ b/g\n@@ -1,1 +1,2 @@\n start\n+w\n"


def test_the_same_seed_makes_the_same_patches() -> None:
    made = [[fuzzed(rng) for _ in range(200)] for rng in (random.Random(1), random.Random(1))]
    assert made[0] == made[1]
    assert len(set(made[0])) > 150


@pytest.mark.slow
def test_a_little_of_every_section_finds_nothing_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.coordination", "--json", "--quick", "--operations", "16"]
    ran = subprocess.run(
        [*command, "--only", "stress,merges,mcp"], cwd=REPO, env=environment(PYTHONPATH=str(REPO)),
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    printed = json.loads(ran.stdout)
    assert set(printed) == {key for name in ("stress", "merges", "mcp") for key in sections()[name].keys}
    zeros = ("lost", "torn", "doubled", "editor_lost", "stuck", "cycles")
    assert {name: printed["stress"][name] for name in zeros} == dict.fromkeys(zeros, 0), ran.stderr
    assert all(printed["mcp"][way][step] for way in ("stdio", "http") for step in STEPS)
    assert printed["queue_inversions"] == 0
    assert printed["stress"]["acked"] >= 14
