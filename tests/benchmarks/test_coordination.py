"""What the benchmark of coordination counts is what happened; and a little of it is run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.coordination import editor
from benchmarks.coordination.__main__ import sections
from benchmarks.coordination.hostile import fuzzed
from benchmarks.coordination.stress import Word, cycles, judge
from benchmarks.coordination.writer import LISTS, appending
from layers.coordination import Snapshot
from tests.fakes.environment import REPO, environment

FIRST, SECOND, *REST = LISTS


def word(*files: str, began: float = 0.0, acked: float | None = 1.0) -> Word:
    return Word(files=files, began=began, acked=acked)


def lists(**lines: str) -> dict[str, list[str]]:
    found = {name: ["start"] for name in LISTS}
    found |= {f"{name}.txt": ["start", *text.split()] for name, text in lines.items()}
    return found


def test_words_that_are_lost_torn_or_doubled_are_counted() -> None:
    words = {
        "fine": word(FIRST, SECOND),
        "lost": word(FIRST),
        "torn": word(FIRST, SECOND),
        "twice": word(SECOND),
        "killed": word(FIRST, SECOND, acked=None),
        "half": word(FIRST, SECOND, acked=None),
    }
    told = judge(words, lists(list0="fine half", list1="fine torn twice twice"))
    assert {name: told[name] for name in ("acked", "lost", "torn", "doubled")} == {
        "acked": 4, "lost": 2, "torn": 2, "doubled": 1,
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


def test_a_word_is_appended_after_the_last_three_lines() -> None:
    snapshot = Snapshot(commit="1" * 40, entries={}, contents={"f": b"a\nb\nc\nd\n", "g": b"start\n"})
    assert appending(snapshot, "f", "w") == "--- a/f\n+++ b/f\n@@ -2,3 +2,4 @@\n b\n c\n d\n+w\n"
    assert appending(snapshot, "g", "w") == "--- a/g\n+++ b/g\n@@ -1,1 +1,2 @@\n start\n+w\n"


def test_the_same_seed_makes_the_same_patches() -> None:
    made = [[fuzzed(rng) for _ in range(200)] for rng in (random.Random(1), random.Random(1))]
    assert made[0] == made[1]
    assert len(set(made[0])) > 150


@pytest.mark.slow
def test_a_little_of_every_section_finds_nothing_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.coordination", "--json", "--quick", "--operations", "16"]
    ran = subprocess.run(
        [*command, "--only", "stress,merges"], cwd=REPO, env=environment(PYTHONPATH=str(REPO)),
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    printed = json.loads(ran.stdout)
    assert set(printed) == {key for name in ("stress", "merges") for key in sections()[name].keys}
    zeros = ("lost", "torn", "doubled", "editor_lost", "stuck", "cycles")
    assert {name: printed["stress"][name] for name in zeros} == dict.fromkeys(zeros, 0), ran.stderr
    assert printed["queue_inversions"] == 0
    assert printed["stress"]["acked"] >= 14
