"""The figure table on both databases."""

from __future__ import annotations

import pytest

from layers.errors import Refused
from layers.presentation import Finding, KeptFigure, Verdict, figure_by_id, keep_figure, review
from layers.store import Store
from layers.types import Person

ANNA, BEN = Person(id="anna", name="Anna"), Person(id="ben", name="Ben")
VERDICT = Verdict((Finding("tiny_text", "warning", ("A", "B"), "tap to zoom"),), "gpt-vision", "Fine.")
FIGURE = KeptFigure(
    id="f1", conversation_id="web:main", turn_id=7, key="t1", source="flowchart TD\nA", media="ab12", verdict=VERDICT
)


async def test_what_is_kept_comes_back_and_keeping_twice_is_keeping_once(store: Store) -> None:
    await store.run(keep_figure, FIGURE)
    await store.run(keep_figure, FIGURE)
    assert await store.run(figure_by_id, "f1") == FIGURE
    assert await store.run(figure_by_id, "f2") is None


async def test_the_first_review_stands_and_the_second_is_refused(store: Store) -> None:
    await store.run(keep_figure, FIGURE)
    reviewed = await store.run(review, "f1", "approved", ANNA)
    assert (reviewed.review, reviewed.reviewed_by) == ("approved", "anna")
    with pytest.raises(Refused, match="already approved by anna"):
        await store.run(review, "f1", "redone", BEN)
    kept = await store.run(figure_by_id, "f1")
    assert kept
    assert (kept.review, kept.reviewed_by) == ("approved", "anna")


async def test_a_picture_that_does_not_exist_cannot_be_reviewed(store: Store) -> None:
    with pytest.raises(Refused, match="no picture 'f9'"):
        await store.run(review, "f9", "approved", ANNA)
