"""The real dispatcher on the real store, with small handlers: nothing lost, nothing doubled, nothing stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import pytest

from bot.dispatcher import Dispatcher, engine
from bot.dispatcher.work import Work
from layers.errors import LeaseLost, NotWritten, Refused
from layers.store import Store, Tx, open_store
from layers.transport import StepKind, accept, claim, give_back
from layers.transport.taking import take_due
from layers.types import Address, Inbound, Outbound, OutboundKind, Person

ANN = Person(id="ann", name="Ann")


def said(text: str, conversation: str = "main") -> Inbound:
    address = Address(channel="web", conversation=conversation)
    return Inbound(address=address, event_id=f"{conversation}/{text}", person=ANN, text=text)


@asynccontextmanager
async def working(
    store: Store, handler: Callable[[Work], Awaitable[None]], capacity: int = 8
) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(store, handler, capacity)
    await dispatcher.start()
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


class Page:
    """A channel inside the database, which remembers."""

    def __init__(self) -> None:
        self.shown: list[Outbound] = []

    def render(self, outbound: Outbound) -> str:
        return ""

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        self.shown.append(outbound)
        return dedupe


PAGES: WeakKeyDictionary[Store, Page] = WeakKeyDictionary()


async def answers(store: Store, inbox_id: int) -> list[Outbound]:
    """What was said to one event: all messages whose key begins with its turn's."""
    page = PAGES.setdefault(store, Page())
    await store.run(take_due, {"web": page}, 1000)
    return [one for one in page.shown if one.key.partition(".")[0] == f"t{inbox_id}"]


async def until_quiet(store: Store, seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.02)):
        counts = await store.fetch_one("transport.counts")
        assert counts is not None
        if counts["running"] == counts["pending"] == 0:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"still busy: {dict(counts)}")


async def echo(work: Work) -> None:
    work.say(work.turn.inbound.text)


async def test_what_comes_while_a_turn_runs_is_answered_after_it_in_order(store: Store) -> None:
    order: list[str] = []

    async def slowly(work: Work) -> None:
        await asyncio.sleep(0.02)
        order.append(work.turn.inbound.text)
        work.say("ok")

    async with working(store, slowly) as dispatcher:
        ids = [await dispatcher.accept(said(str(n))) for n in range(6)]
        await until_quiet(store)
    assert order == [str(n) for n in range(6)]
    for id in ids:
        assert len(await answers(store, id)) == 1


async def test_more_conversations_than_room_are_all_answered(store: Store) -> None:
    most = 0

    async def count(work: Work) -> None:
        nonlocal most
        most = max(most, dispatcher.running)
        await asyncio.sleep(0.01)
        work.say("ok")

    async with working(store, count, capacity=3) as dispatcher:
        await asyncio.gather(*(dispatcher.accept(said("hello", f"c{n}")) for n in range(40)))
        await until_quiet(store)
    assert most <= 6  # a claim and an accept at the same moment


async def test_a_refusal_is_said_as_it_stands_and_what_was_to_be_said_before_it_is_not(store: Store) -> None:
    async def refuse(work: Work) -> None:
        work.say("half an answer")
        raise Refused("no such thing; try another")

    async with working(store, refuse) as dispatcher:
        id = await dispatcher.accept(said("x"))
        await until_quiet(store)
    (answer,) = await answers(store, id)
    assert (answer.text, answer.kind, answer.key) == ("no such thing; try another", OutboundKind.ERROR, f"t{id}")


async def test_a_mistake_of_ours_is_told_without_its_details_and_the_next_message_is_answered(store: Store) -> None:
    async def fail(work: Work) -> None:
        if work.turn.inbound.text == "bad":
            raise ZeroDivisionError("secret detail")
        work.say("fine")

    async with working(store, fail) as dispatcher:
        bad, good = await dispatcher.accept(said("bad")), await dispatcher.accept(said("good"))
        await until_quiet(store)
    (answer,) = await answers(store, bad)
    assert "ZeroDivisionError" in answer.text
    assert "secret" not in answer.text
    assert [one.text for one in await answers(store, good)] == ["fine"]


async def test_a_refusal_in_the_transaction_that_ends_the_turn_is_said(store: Store) -> None:
    async def late(work: Work) -> None:
        def entry(tx: Tx) -> str:
            raise Refused("too late; ask again")

        work.say("not this")
        work.answer(entry)

    async with working(store, late) as dispatcher:
        id = await dispatcher.accept(said("x"))
        await until_quiet(store)
    assert [one.text for one in await answers(store, id)] == ["too late; ask again"]


async def test_a_turn_whose_apology_cannot_be_written_either_still_ends(store: Store) -> None:
    async def broken(work: Work) -> None:
        raise Refused("half a pair: \ud800")  # no database takes it

    async with working(store, broken) as dispatcher:
        await dispatcher.accept(said("x"))
        await dispatcher.accept(said("y"))
        await until_quiet(store)


async def test_a_turn_that_took_the_process_down_five_times_is_not_tried_a_sixth(store: Store) -> None:
    accepted = await store.run(accept, said("bomb"))
    turn = accepted.turn
    for _ in range(engine.MAX_ATTEMPTS):
        assert turn is not None
        await store.run(give_back, turn)
        (turn,) = await store.run(claim, 1)
    await store.run(give_back, turn)
    seen: list[str] = []

    async def handler(work: Work) -> None:
        seen.append(work.turn.inbound.text)
        work.say("ok")

    async with working(store, handler) as dispatcher:
        await until_quiet(store)
        await dispatcher.accept(said("next"))
        await until_quiet(store)
    assert seen == ["next"]
    (answer,) = await answers(store, accepted.inbox_id)
    assert "will not try again" in answer.text


async def test_a_turn_that_does_not_end_before_the_stop_is_given_back_with_its_journal(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "GRACE_S", 0.1)
    runs: list[int] = []

    async def two_steps(work: Work) -> None:
        async def first() -> str:
            runs.append(work.turn.attempt)
            return "once"

        text = await work.step(StepKind.MODEL, "first", first)
        async with work.working("Working on it"):
            await asyncio.sleep(30 if work.turn.attempt == 1 else 0)
        work.say(text)

    async with working(store, two_steps) as dispatcher:
        id = await dispatcher.accept(said("x"))
        while not runs:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.4)  # the placeholder is up
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    assert (counts["running"], counts["pending"]) == (0, 1)
    async with working(store, two_steps):
        await until_quiet(store)
    assert runs == [1]  # the journal had it
    assert [(one.text, one.key) for one in await answers(store, id)] == [
        ("Working on it", f"t{id}"),
        ("once", f"t{id}"),
    ]


async def test_a_turn_whose_conversation_was_taken_away_says_nothing(store: Store) -> None:
    stolen = asyncio.Event()

    async def handler(work: Work) -> None:
        if work.turn.attempt == 1:
            await stolen.wait()
            with pytest.raises(LeaseLost):
                await work.step(StepKind.MODEL, "late", lambda: asyncio.sleep(0, "x"))
            raise LeaseLost("gone")
        work.say("by the heir")

    async with working(store, handler) as dispatcher:
        id = await dispatcher.accept(said("x"))
        await asyncio.sleep(0.05)
        (turn,) = dispatcher._tasks.values()
        await store.run(give_back, turn)  # as a reaper who thinks we are dead
        await asyncio.sleep(0.05)
        stolen.set()
        await until_quiet(store)
    assert [one.text for one in await answers(store, id)] == ["by the heir"]


async def test_a_caller_who_leaves_does_not_take_the_turn_along(store: Store) -> None:
    async with working(store, echo) as dispatcher:
        leaving = asyncio.create_task(dispatcher.accept(said("x")))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0.2)
        await until_quiet(store)
        id = await dispatcher.accept(said("x"))  # delivered again
    assert [one.text for one in await answers(store, id)] == ["x"]


async def test_what_a_lost_answer_left_owned_is_found_and_worked_on(store: Store) -> None:
    """As after a connection that broke in the commit of a claim: the row says it is ours, and nobody works on it."""
    async with working(store, echo):
        accepted = await store.run(accept, said("x"))
        assert accepted.turn is not None
        await until_quiet(store)
    assert [one.text for one in await answers(store, accepted.inbox_id)] == ["x"]


async def test_a_database_that_is_away_for_a_moment_costs_neither_the_answer_nor_the_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_S", 0.05)
    failures = ["", "", ""]

    class Flaky:
        """The real store, whose next few transactions fail as a full disk makes them fail."""

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        async def run(self, fn, *args, **kwargs):  # type: ignore[no-untyped-def]
            if failures and getattr(fn, "__name__", "") == "_finish":
                failures.pop()
                raise NotWritten("the database could not write (database or disk is full); nothing was changed")
            return await store.run(fn, *args, **kwargs)

    async with working(Flaky(), echo) as dispatcher:  # type: ignore[arg-type]
        id = await dispatcher.accept(said("precious"))
        await until_quiet(store)
    assert [one.text for one in await answers(store, id)] == ["precious"]


async def test_an_event_that_nobody_can_read_holds_up_nobody(database_url: str) -> None:
    store = await open_store(database_url)
    accepted = await store.run(accept, said("x"), False)
    await store.run(accept, said("y"), False)
    await store.close()
    damage(database_url, accepted.inbox_id)
    store = await open_store(database_url)
    async with working(store, echo) as dispatcher:
        id = await dispatcher.accept(said("z"))
        await until_quiet(store)
    assert [one.text for one in await answers(store, id)] == ["z"]
    await store.close()


def damage(url: str, inbox_id: int) -> None:
    """As a newer release that was taken back may leave it."""
    import sqlite3

    import psycopg

    sql = f'UPDATE inbox SET payload = \'{{"kind": "dream"}}\' WHERE id = {inbox_id}'
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            file.execute(sql)
        file.close()
        return
    with psycopg.connect(url) as server:
        server.execute(sql)  # type: ignore[call-overload]


async def test_a_step_that_is_a_transaction_happens_once_even_if_its_body_runs_again(store: Store) -> None:
    counted: list[int] = []

    async def handler(work: Work) -> None:
        def body(tx: Tx) -> str:
            counted.append(1)
            return str(len(counted))

        first = await work.step_in("count", body)
        work._next_step -= 1
        work._journal.clear()  # as if the answer of the first commit had been lost
        work.say(first + await work.step_in("count", body))

    async with working(store, handler) as dispatcher:
        id = await dispatcher.accept(said("x"))
        await until_quiet(store)
    assert [one.text for one in await answers(store, id)] == ["11"]
