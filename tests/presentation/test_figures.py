"""The figure table on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layers.errors import Refused
from layers.presentation import (
    Case,
    Finding,
    KeptFigure,
    Verdict,
    add_case,
    cases,
    figure_by_id,
    keep_figure,
    next_version,
    review,
)
from layers.presentation.judge import recalls, record
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
    assert await store.run(figure_by_id, "f1") == replace(FIGURE, root="f1")
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


async def test_versions_share_their_root_and_count_on(store: Store) -> None:
    await store.run(keep_figure, FIGURE)
    first = await store.run(figure_by_id, "f1")
    assert first
    assert await store.run(next_version, first) == 2
    await store.run(keep_figure, replace(FIGURE, id="f2", version=2, root="f1"))
    assert await store.run(next_version, first) == 3


async def test_a_requested_change_is_kept_with_who_and_when(store: Store) -> None:
    await store.run(keep_figure, FIGURE)
    kept = await store.run(review, "f1", "changed", BEN, "larger boxes")
    assert (kept.review, kept.reviewed_by, kept.comment) == ("changed", "ben", "larger boxes")
    assert kept.reviewed_at


async def test_a_reported_problem_is_a_case_with_its_source_and_what_the_lint_found(store: Store) -> None:
    await store.run(keep_figure, FIGURE)
    case = Case(id="c1", figure_id="f1", conversation_id="web:main", reported_by="anna", comment="an arrow is hidden")
    await store.run(add_case, case)
    await store.run(add_case, case)
    (found,) = await cases(store)
    assert (found.comment, found.source, found.rules, found.media) == (
        "an arrow is hidden",
        FIGURE.source,
        ("tiny_text",),
        "ab12",
    )


async def test_a_judge_is_demoted_by_its_last_canaries_only(store: Store) -> None:
    for number in range(60):
        await store.run(record, "blind", "cut", was_found=number < 20)
        await store.run(record, "sharp", "cut", was_found=number >= 20)
    await store.run(record, "new", "cut", was_found=False)
    found = {one.model: one for one in await store.run(recalls)}
    assert (found["blind"].share, found["blind"].is_demoted) == (0.0, True)
    assert (found["sharp"].share, found["sharp"].is_demoted) == (1.0, False)
    assert not found["new"].is_demoted
