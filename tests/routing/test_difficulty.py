"""How much a task needs the strong model: the score is the sum of what it tells, and its file is read as written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.routing.difficulty import (
    MEASURES,
    MOST_CUES,
    View,
    difficulty_of,
    judge,
    learnt,
    measures,
    read_view,
    terms_of,
    view_of,
    words_of,
    written,
)

PLAIN = View(
    measures=tuple((0.0, 1.0, 1.0 if name == "commas" else 0.0) for name in MEASURES),
    terms={"proof": (2.0, 0.5), "a proof": (1.0, 0.25)},
)


def test_the_score_is_the_sum_of_what_is_told_of_it() -> None:
    found = difficulty_of("How many apples are left if 3 of 12 are eaten each day for 2 days?")
    assert found.score == pytest.approx(sum(worth for _, worth in found.parts))
    assert len(found.cues) == MOST_CUES
    assert abs(found.cues[0][1]) == max(abs(worth) for _, worth in found.parts)


def test_words_count_by_their_rarity_in_a_text_of_length_one() -> None:
    assert judge("nothing known", PLAIN).score == 0.0
    assert judge("proof", PLAIN).score == pytest.approx(0.5)
    both = judge("a proof", PLAIN)
    assert both.score == pytest.approx((2.0 * 0.5 + 1.0 * 0.25) / 5**0.5)
    assert dict(both.parts)["a proof"] == pytest.approx(0.25 / 5**0.5)


def test_more_of_a_measure_with_a_positive_weight_is_harder() -> None:
    assert judge("x, y, z", PLAIN).score > judge("x, y", PLAIN).score > judge("x", PLAIN).score


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("Which?\nA. one\nB. two\nC. three\nD. four\nAnswer:", "choice"),
        ("Which?\nA) one\nB) two", "choice"),
        ("Which?\n(A) one\n(B) two", "choice"),
        ("A. Meyer and B. Schmidt came", "open"),
        ("", "open"),
    ],
)
def test_lettered_options_have_weights_of_their_own(text: str, view: str) -> None:
    assert view_of(text) is learnt(view)


def test_a_view_is_read_as_it_was_written() -> None:
    assert read_view(written(PLAIN, ("a comment",))) == PLAIN


@pytest.mark.parametrize("name", ["choice", "open"])
def test_the_shipped_weights_are_whole(name: str) -> None:
    view = learnt(name)
    assert len(view.measures) == len(MEASURES)
    assert all(spread > 0 for _, spread, _ in view.measures)
    assert len(view.terms) > 1_000


@given(st.text(max_size=3000))
def test_any_text_has_a_difficulty_and_the_same_one_twice(text: str) -> None:
    assert difficulty_of(text).score == difficulty_of(text).score  # a NaN would differ from itself


def test_of_a_long_text_the_middle_is_not_read_but_its_length_counts() -> None:
    words = words_of("start " + "x " * 5_000 + "end")
    assert (words[0], words[-1]) == ("start", "end")
    assert len(words) < 2_100
    assert measures("y" * 50_000, words)[0] > measures("y" * 500, words)[0]


def test_pairs_are_of_neighbours() -> None:
    assert terms_of(["a", "b", "c"]) == {"a", "b", "c", "a b", "b c"}
