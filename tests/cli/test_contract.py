"""`bulkhead contract`: what a request demands, as a process of its own; in a batch errors are data."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.command import bulkhead


def test_a_batch_gives_clauses_violations_and_a_measure(tmp_path: Path) -> None:
    lines = [
        {"prompt": "At least 5 words and no commas.", "answer": "Hi, there"},
        {"prompt": "At least 5 words and no commas."},
        {"prompt": "hello", "answer": "Hi, there"},
        {"prompt": "Who wrote Emma?", "answer": "I'm sorry, I cannot help with that."},
        {"prompt": "Ann has 3 apples and buys 4. How many has she?", "answer": "3 + 4 = 7. She has 7."},
        {"prompt": "Ann has 3 apples and buys 4. How many has she?", "answer": "Perhaps 3 + 4 = 9, so about 11.5."},
        ["no object"],
        {"prompt": "hello", "answer": 3},
    ]
    stdin = "\n".join([*map(json.dumps, lines), "{"])
    done = bulkhead("contract", "--batch", "-", "--json", home=tmp_path, stdin=stdin)
    assert done.returncode == 0
    broken, forecast, nothing, refuses, right, doubtful, *wrong = map(json.loads, done.stdout.splitlines())
    assert broken["clauses"] == [
        {"type": "length_constraints:number_words", "args": {"relation": "at least", "num_words": 5}, "hard": True},
        {"type": "punctuation:no_comma", "args": {}, "hard": True},
    ]
    assert [each["found"] for each in broken["violations"]] == ["2 words", "1 commas"]
    assert broken["escalate"] == 1.0
    assert 0 < forecast["escalate"] < 1
    assert (nothing["clauses"], nothing["escalate"]) == ([], 0.0)
    assert refuses["escalate"] > 0.5
    assert 0 < right["escalate"] < doubtful["escalate"] < 1
    assert [line["ok"] for line in wrong] == [False, False, False]


def test_an_added_rule_says_what_of_it_is_checked(tmp_path: Path) -> None:
    added = bulkhead("ask", "/rules add no commas", home=tmp_path)
    assert "(rule 1; checked: without commas)" in added.stdout


def test_one_request_is_told_in_words_and_a_broken_answer_fails(tmp_path: Path) -> None:
    answer = tmp_path / "answer.txt"
    answer.write_text("Hi, there", "utf-8")
    done = bulkhead("contract", "No commas, please.", "--answer", str(answer), home=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        ["hard  without commas", "BROKEN  without commas: 1 commas"],
    )
