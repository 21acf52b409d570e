"""What a button asked back waits for one person's next message in one place, and not for ever."""

from __future__ import annotations

from dataclasses import replace

from layers.store import Store, Tx
from layers.transport import Question, ask_back, asked_back, end_question
from layers.transport.questions import ANSWER_WITHIN_S
from layers.types import Address, Person

ANNA, BEN = Person(id="anna", name="Anna"), Person(id="ben", name="Ben")
HERE = Address(channel="web", conversation="main")
QUESTION = Question(about="d:change:f1", conversation_id=HERE.id, key="t2", under="t1")


class Later:
    """A transaction of another hour."""

    def __init__(self, tx: Tx, by_s: float) -> None:
        self._tx = tx
        self.now = tx.now + by_s

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)


async def test_a_question_waits_for_its_person_in_its_place_only(store: Store) -> None:
    await store.run(ask_back, ANNA, QUESTION)
    assert await store.run(asked_back, HERE, ANNA) == QUESTION
    assert await store.run(asked_back, HERE, BEN) is None
    assert await store.run(asked_back, replace(HERE, conversation="other"), ANNA) is None
    assert await store.run(asked_back, replace(HERE, thread="somewhere"), ANNA) is None
    await store.run(end_question, QUESTION, ANNA)
    assert await store.run(asked_back, HERE, ANNA) is None


async def test_a_newer_question_takes_the_place_of_an_older_one(store: Store) -> None:
    newer = replace(QUESTION, about="a:deny:1", key="t3")
    await store.run(ask_back, ANNA, QUESTION)
    await store.run(ask_back, ANNA, newer)
    assert await store.run(asked_back, HERE, ANNA) == newer


async def test_a_question_is_forgotten_after_an_hour(store: Store) -> None:
    await store.run(ask_back, ANNA, QUESTION)

    def asked(tx: Tx, by_s: float) -> Question | None:
        return asked_back(Later(tx, by_s), HERE, ANNA)  # type: ignore[arg-type]

    assert await store.run(asked, ANSWER_WITHIN_S - 60) == QUESTION
    assert await store.run(asked, ANSWER_WITHIN_S + 60) is None
