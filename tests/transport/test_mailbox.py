"""One turn at a time per conversation, in order, once, whoever dies."""

from __future__ import annotations

import asyncio
import random

import pytest

from layers.errors import LeaseLost
from layers.store import Store, open_store
from layers.transport import (
    Line,
    Step,
    StepKind,
    StepState,
    accept,
    claim,
    finish,
    give_back,
    put_step,
    reap,
    steps,
)
from layers.types import Address, Inbound, Outbound, Person, Turn

HERE = Address(channel="web", conversation="main")
ANN = Person(id="ann", name="Ann")


def said(text: str, event_id: str = "", address: Address = HERE) -> Inbound:
    return Inbound(address=address, event_id=event_id or text, person=ANN, text=text)


def reply(text: str, address: Address = HERE) -> Outbound:
    return Outbound(address=address, key=text, text=text)


async def test_an_event_that_comes_twice_is_one(store: Store) -> None:
    first = await store.run(accept, said("hello", "e1"))
    again = await store.run(accept, said("hello", "e1"))
    assert first.is_new
    assert not again.is_new
    assert again.inbox_id == first.inbox_id
    assert again.turn is None


async def test_the_same_words_in_two_events_are_two(store: Store) -> None:
    first = await store.run(accept, said("yes", "e1"))
    second = await store.run(accept, said("yes", "e2"))
    assert first.inbox_id != second.inbox_id


async def test_an_idle_conversation_begins_at_once_and_a_busy_one_waits_its_turn(store: Store) -> None:
    first = await store.run(accept, said("one"))
    second = await store.run(accept, said("two"))
    assert first.turn is not None
    assert second.turn is None
    assert await store.run(claim, 10) == []
    following = await store.run(finish, first.turn, [reply("1")])
    assert following is not None
    assert following.inbound.text == "two"
    assert await store.run(finish, following, [reply("2")]) is None


async def test_without_room_the_conversation_waits_for_whoever_has(store: Store) -> None:
    accepted = await store.run(accept, said("one"), False)
    assert accepted.turn is None
    turns = await store.run(claim, 10)
    assert [turn.inbound.text for turn in turns] == ["one"]


async def test_a_stale_epoch_may_not_write(store: Store) -> None:
    accepted = await store.run(accept, said("one"))
    assert accepted.turn is not None
    await store.run(give_back, accepted.turn)
    (again,) = await store.run(claim, 1)
    assert again.id == accepted.turn.id
    assert again.attempt == 2
    with pytest.raises(LeaseLost):
        await store.run(finish, accepted.turn, [reply("stale")])
    with pytest.raises(LeaseLost):
        await store.run(put_step, accepted.turn, Step(n=0, kind=StepKind.MODEL, name="m", state=StepState.DONE))
    assert await store.run(finish, again, [reply("fresh")]) is None
    rows = await store.run(lambda tx: tx.all("transport.due_deliveries", now=tx.now, limit=10, elsewhere=""))
    assert [row["dedupe"] for row in rows] == [f"t{again.id}.0"]


async def test_the_journal_survives_and_the_transcript_grows(store: Store) -> None:
    accepted = await store.run(accept, said("one"))
    turn = accepted.turn
    assert turn is not None
    started = Step(n=0, kind=StepKind.EFFECT, name="run", state=StepState.STARTED)
    await store.run(put_step, turn, started)
    assert await store.run(steps, turn) == [started]
    done = Step(n=0, kind=StepKind.EFFECT, name="run", state=StepState.DONE, body="{}")
    await store.run(put_step, turn, done)
    assert await store.run(steps, turn) == [done]
    await store.run(finish, turn, [], [Line(role="user", content="one"), Line(role="assistant", content="1")], "{}")
    rows = await store.fetch_all("transport.last_lines", conversation_id=HERE.id, limit=10)
    assert [row["content"] for row in rows] == ["1", "one"]
    route = await store.fetch_one("transport.last_route", conversation_id=HERE.id)
    assert route is not None
    assert route["id"] == turn.id


async def test_what_a_dead_worker_had_begins_again(database_url: str) -> None:
    dead = await open_store(database_url)
    accepted = await dead.run(accept, said("one"))
    assert accepted.turn is not None
    await dead.close()
    heir = await open_store(database_url)
    await asyncio.sleep(0.1)
    assert await heir.run(reap) == 1
    (turn,) = await heir.run(claim, 5)
    assert turn.attempt == 2
    assert turn.inbound == accepted.turn.inbound
    await heir.close()


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_accepts_and_finishes_loses_nothing_and_keeps_each_conversation_in_order(
    store: Store, seed: int
) -> None:
    """Forty messages to five conversations, accepted and worked on by racing tasks, some given back in the middle."""
    dice = random.Random(seed)
    done: dict[str, list[str]] = {}
    events = [(f"c{n % 5}", str(n)) for n in range(40)]

    async def work(turn):  # type: ignore[no-untyped-def]
        while turn is not None:
            await asyncio.sleep(dice.random() * 0.003)
            if dice.random() < 0.15:
                await store.run(give_back, turn)
                return
            text, where = turn.inbound.text, turn.inbound.address
            following = await store.run(finish, turn, [reply(text, where)])
            done.setdefault(where.conversation, []).append(text)
            turn = following

    async def offer(conversation: str, text: str) -> None:
        address = Address(channel="web", conversation=conversation)
        accepted = await store.run(accept, said(text, text, address), dice.random() < 0.7)
        await work(accepted.turn)

    for start in range(0, 40, 5):  # within a conversation the provider's order is kept; across them all races
        await asyncio.gather(*(offer(*event) for event in events[start : start + 5]))
    while turns := await store.run(claim, 10):
        await asyncio.gather(*(work(turn) for turn in turns))
    assert {name: [int(text) for text in texts] for name, texts in done.items()} == {
        f"c{n}": list(range(n, 40, 5)) for n in range(5)
    }
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    assert (counts["running"], counts["pending"], counts["unsent"]) == (0, 0, 40)


def spread(store: Store, turns: list[Turn]) -> list[tuple[Store, Turn]]:
    return [(store, turn) for turn in turns]


async def test_three_replicas_on_postgresql_work_each_event_once(postgres_url: str) -> None:
    replicas = [await open_store(postgres_url) for _ in range(3)]
    worked: list[str] = []

    async def work(store: Store, turn) -> None:  # type: ignore[no-untyped-def]
        while turn is not None:
            await asyncio.sleep(0.001)
            text = turn.inbound.text
            turn = await store.run(finish, turn, [])
            worked.append(text)

    async def offer(n: int) -> None:
        address = Address(channel="web", conversation=f"c{n % 4}")
        for store in random.sample(replicas, 2):  # the provider delivers to two replicas
            accepted = await store.run(accept, said(str(n), str(n), address), n % 3 > 0)
            await work(store, accepted.turn)

    await asyncio.gather(*(offer(n) for n in range(40)))
    claimed = True
    while claimed:
        batches = [await store.run(claim, 3) for store in replicas]
        await asyncio.gather(*(work(*pair) for pair in zip(replicas, batches, strict=True) for pair in spread(*pair)))
        claimed = any(batches)
    assert sorted(worked, key=int) == [str(n) for n in range(40)]
    for store in replicas:
        await store.close()
