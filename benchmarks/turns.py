"""Durable turns per second through the real engine: dispatcher, mailbox, journal, outbox, courier, the page's log.

In one process and without a socket, so that nothing but the engine and the database is measured. Each turn is accepted,
claimed, journals one model step, says one thing, ends, and its message is delivered into the page's log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.databases import bare_postgres, bare_sqlite, postgres_server
from benchmarks.figures import CONVERSATIONS, Figure, Scale, median
from bot.adapters.web import CHANNEL, WebChannel, own_message
from bot.config import Settings
from bot.dispatcher import Dispatcher
from bot.dispatcher.work import Work
from layers.store import Store, open_store
from layers.transport import Courier, StepKind
from layers.types import Address, Inbound, Person

FLOOR_S = 1.0
"""How long bare commits are counted."""
CAPACITY = int(Settings.model_fields["concurrency"].default)
WHO = Person(id="bench", name="Bench")


def on_sqlite(folder: Path, scale: Scale) -> list[Figure]:
    """One file, synchronous=FULL."""
    urls = [f"sqlite:///{folder / f'{n}.db'}" for n in range(scale.rounds)]
    with bare_sqlite(folder / "floor.db") as commit:
        floor = per_second(commit)
    return [
        Figure(
            key="turns_sqlite_per_s",
            title=f"durable turns on SQLite (FULL), {CONVERSATIONS} conversations",
            value=median([asyncio.run(turns_per_s(url, scale.turns)) for url in urls]),
            unit="/s",
            at_least=400,
            floor=floor,
            floor_of="bare commits of one row; a turn is 4 transactions",
        )
    ]


def on_postgres(folder: Path, scale: Scale) -> list[Figure]:
    """A server of its own on a Unix socket, with its defaults: fsync on."""
    value = floor = None
    with postgres_server() as create:
        if create is not None:
            with bare_postgres(create("floor")) as commit:
                floor = per_second(commit)
            urls = [create(f"round{n}") for n in range(scale.rounds)]
            value = median([asyncio.run(turns_per_s(url, scale.turns)) for url in urls])
    return [
        Figure(
            key="turns_postgres_per_s",
            title=f"durable turns on PostgreSQL, {CONVERSATIONS} conversations",
            value=value,
            unit="/s",
            at_least=150,
            floor=floor,
            floor_of="bare psycopg transactions of one row; a turn is 4",
            note="" if value else "no PostgreSQL on this machine",
        )
    ]


def per_second(commit: Callable[[], None]) -> float:
    """How often it can be done."""
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < FLOOR_S:
        commit()
        count += 1
    return count / (time.perf_counter() - started)


async def answer(work: Work) -> None:
    """Journal one step and say one thing."""

    async def model() -> str:
        return work.turn.inbound.text

    work.say(await work.step(StepKind.MODEL, "model 0", model))


async def turns_per_s(url: str, turns: int) -> float:
    """All offered at once, in equal shares of each conversation; until the last message is in the page's log."""
    store = await open_store(url)
    dispatcher = Dispatcher(store, answer, CAPACITY, lambda tx, inbound, _: own_message(tx, inbound))
    courier = asyncio.create_task(Courier(store, {CHANNEL: WebChannel()}).run())
    await dispatcher.start()
    started = time.perf_counter()
    await asyncio.gather(*(talk(dispatcher, n, turns // CONVERSATIONS) for n in range(CONVERSATIONS)))
    await quiet(store)
    taken = time.perf_counter() - started
    await dispatcher.stop()
    courier.cancel()
    with suppress(asyncio.CancelledError):
        await courier
    await store.close()
    return turns / taken


async def talk(dispatcher: Dispatcher, conversation: int, messages: int) -> None:
    """One conversation's messages, each accepted before the next is sent."""
    address = Address(channel=CHANNEL, conversation=f"c{conversation}")
    for n in range(messages):
        await dispatcher.accept(
            Inbound(address=address, event_id=f"{conversation}.{n}", person=WHO, text=f"message {n}")
        )


async def quiet(store: Store) -> None:
    """Until nothing is to be done or said any more."""
    while True:
        left = await store.fetch_one("transport.counts")
        if left is None or not (left["pending"] or left["running"] or left["unsent"]):
            return
        await asyncio.sleep(0.02)
