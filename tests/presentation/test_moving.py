"""`db copy` with the tables of pictures: versions, reviews, questions that wait, cases and canaries move and go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from layers.presentation import (
    Case,
    add_case,
    cases,
    figure_by_id,
    keep_figure,
    next_version,
    review,
)
from layers.presentation.judge import recalls, record
from layers.store import Store, copy_store, open_store
from layers.transport import Question, ask_back, asked_back, end_question
from layers.types import Address
from tests.presentation.test_figures import ANNA, BEN, FIGURE

SECOND = replace(FIGURE, id="f2", version=2, root="f1", media=None, source="flowchart TD\n  A[Größe 🙂] --> B['; --]")
LONG = "Ü" * 2500
HERE = Address(channel="web", conversation="main")


async def told(store: Store) -> object:
    """Everything that is kept of pictures."""
    figures = [await store.run(figure_by_id, id) for id in ("f1", "f2")]
    waiting = [await store.run(asked_back, HERE, person) for person in (ANNA, BEN)]
    return figures, waiting, await cases(store), await store.run(recalls)


async def test_pictures_and_what_people_and_judges_said_of_them_move_and_go_on(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    store = await open_store(sqlite_url)
    await store.run(keep_figure, FIGURE)
    await store.run(keep_figure, SECOND)
    await store.run(review, "f1", "changed", BEN, LONG)
    kept = await store.run(figure_by_id, "f2")
    assert kept
    for person, verb in ((ANNA, "change"), (BEN, "report")):
        key = f"t-{person.id}"
        question = Question(about=f"d:{verb}:{kept.id}", conversation_id=HERE.id, key=key, under=kept.key)
        await store.run(ask_back, person, question)
    case = Case(id="t9", figure_id="f2", conversation_id="web:main", reported_by="anna", comment=LONG)
    await store.run(add_case, case)
    for number in range(7):
        await store.run(record, "sharp", "cut", was_found=number > 0)
    before = await told(store)
    await store.close()
    for source, target in ((sqlite_url, postgres_url), (postgres_url, f"sqlite:///{tmp_path}/back.db")):
        copied = await copy_store(source, target)
        names = ("figure", "question", "lint_case", "judge_canary")
        assert [copied[name] for name in names] == [2, 2, 1, 7]
        moved = await open_store(target)
        assert await told(moved) == before
        await moved.close()
    await goes_on(postgres_url)
    await goes_on(f"sqlite:///{tmp_path}/back.db")


async def goes_on(url: str) -> None:
    """The numbers of new rows begin behind those that came along."""
    store = await open_store(url)
    await store.run(record, "sharp", "cut", was_found=True)
    (sharp,) = await store.run(recalls)
    assert (sharp.asked, sharp.found) == (8, 7)
    kept = await store.run(figure_by_id, "f1")
    assert kept
    assert await store.run(next_version, kept) == 3
    question = await store.run(asked_back, HERE, ANNA)
    assert question
    await store.run(end_question, question, ANNA)
    assert await store.run(asked_back, HERE, ANNA) is None
    assert await store.run(asked_back, HERE, BEN) is not None
    await store.close()
