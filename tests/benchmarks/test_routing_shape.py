"""The figures of routing: curves of rankings whose result is known, and fits that find what was put in."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.routing.curve import apgr, cpt, curve, shuffled
from benchmarks.routing.fit import Row, learn, learn_signals
from benchmarks.routing.prompts import by_prompt, by_subject
from benchmarks.routing.shape import LABELLED, Labelled, scored, sources, unescaped
from layers.routing import Shape, difficulty_of
from layers.routing.difficulty import judge
from layers.routing.signals import FORMAT

GAINS = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_a_perfect_ranking_and_its_reverse() -> None:
    best = np.arange(8.0, 0.0, -1.0)
    assert apgr(best, GAINS) == pytest.approx(0.875)
    assert apgr(-best, GAINS) == pytest.approx(0.125)
    assert cpt(best, GAINS, 0.5) == pytest.approx(1 / 8)
    assert cpt(best, GAINS, 1.0) == pytest.approx(2 / 8)


def test_equal_scores_are_not_ranked_by_their_place_in_the_file() -> None:
    gains = np.array([1.0] * 300 + [0.0] * 700)
    assert curve(np.zeros(1000), gains, draws=20).apgr == pytest.approx(0.5, abs=0.05)


def test_calls_dealt_at_random_recover_their_share() -> None:
    gains = np.array([1.0] * 300 + [0.0] * 700)
    mean, low, high = shuffled(gains, 0.2)
    assert low < mean < high
    assert mean == pytest.approx(0.2, abs=0.01)


def rows() -> list[Row]:
    generator = np.random.default_rng(0)
    made = []
    for number in range(200):
        is_hard = bool(generator.random() < 0.5)
        word = "lemma" if is_hard else "colour"
        answer = "So 2 + 2 = 5, perhaps." if is_hard else "So 2 + 2 = 4.\n#### 4"
        made.append(
            Row(
                prompt=f"What is the {word} number {number}?",
                weak=not is_hard,
                strong=True,
                subject=f"s{number % 7}",
                weak_answer=answer,
            )
        )
    return made


def test_a_fit_finds_the_word_that_makes_a_row_hard() -> None:
    view = learn(rows())
    assert view.terms["lemma"][1] > 0 > view.terms["colour"][1]
    assert judge("What is the lemma?", view).score > judge("What is the colour?", view).score


def test_a_fit_of_signals_finds_the_wrong_sum_and_can_do_without_a_measure() -> None:
    weights = learn_signals(rows(), without=(FORMAT,))
    assert weights.measures["a sum is wrong"][2] > 0
    assert weights.measures[FORMAT][2] == 0


def test_equal_prompts_and_subjects_share_a_fold() -> None:
    twice = rows() + rows()
    folds = by_prompt(twice)
    assert (folds[:200] == folds[200:]).all()
    fold_of = {row.subject: fold for row, fold in zip(twice, by_subject(twice), strict=True)}
    assert all(fold_of[row.subject] == fold for row, fold in zip(twice, by_subject(twice), strict=True))


def test_each_source_weighs_the_same_in_the_shape_score() -> None:
    shapes = {"big": Shape.CODE, "small": Shape.CHEAP}
    given = {"big": Counter({Shape.CODE: 90, Shape.CHEAP: 10}), "small": Counter({Shape.CHEAP: 1})}
    f1, costly = scored(shapes, given)
    assert costly == pytest.approx(0.1)
    assert f1 == pytest.approx((2 * 0.9 / 1.9 + 2 * 1.0 / 2.1) / 4)


def test_the_labelled_prompts_can_be_read() -> None:
    found = [row for row in sources() if isinstance(row, Labelled)]
    assert len(found) > 150
    assert {row.shape for row in found} == {Shape.CHEAP, Shape.CODE, Shape.DEPTH, Shape.OBEDIENCE}
    assert all(line.count("\t") == 2 for line in LABELLED.read_text("utf-8").splitlines() if not line.startswith("#"))
    assert unescaped("a\\nb \\\\n") == "a\nb \\n"


def test_the_shipped_weights_rank_a_hard_question_above_an_easy_one() -> None:
    hard = "Let G be a non-abelian group of order 21. How many elements of order 3 are there?\nA. 7\nB. 14\nC. 2\nD. 6"
    easy = "What is the capital of France?\nA. Paris\nB. Rome\nC. Bonn\nD. Oslo"
    assert difficulty_of(hard).score > difficulty_of(easy).score
