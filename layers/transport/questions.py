"""What a button asked back: the person's next message in that conversation is the answer. No turn ever waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from layers.store import Tx
from layers.transport.outbox import carries
from layers.types import Address, Person

ANSWER_WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One that waits for a person's word."""

    about: str
    """`<noun>:<verb>:<id>`, as in a button's value."""
    conversation_id: str
    key: str
    """`Outbound.key` of the message that asks."""
    under: str
    """`Outbound.key` of the message whose button it was."""


def ask_back(tx: Tx, person: Person, question: Question) -> None:
    """From now on the person's next message there is the answer; an older question there is dropped."""
    tx.run(
        "transport.ask_back", conversation_id=question.conversation_id, person=person.id, about=question.about,
        key=question.key, under=question.under, now=tx.now,
    )  # fmt: skip


def asked_back(tx: Tx, address: Address, person: Person) -> Question | None:
    """What waits for a message of this person there: asked there, or in the channel, when it answers in a thread."""
    here = _asked(tx, address.id, person)
    if here is not None or not address.thread:
        return here
    channel = replace(address, thread="").id
    there = _asked(tx, channel, person)
    if there is None:
        return None
    return there if any(carries(tx, channel, root, address.thread) for root in (there.key, there.under)) else None


def end_question(tx: Tx, question: Question, person: Person) -> None:
    """Nothing waits for the person's message any more."""
    tx.run("transport.end_question", conversation_id=question.conversation_id, person=person.id)


def _asked(tx: Tx, conversation_id: str, person: Person) -> Question | None:
    row = tx.one("transport.asked_back", conversation_id=conversation_id, person=person.id)
    if row is None or row["created_at"] + ANSWER_WITHIN_S < tx.now:
        return None
    return Question(about=row["about"], conversation_id=conversation_id, key=row["key"], under=row["under"])
