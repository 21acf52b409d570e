"""Two dispatchers on one PostgreSQL, with their connections cut at random: nothing lost, nothing answered twice."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest

from bot.dispatcher import Dispatcher
from bot.dispatcher.work import Work
from layers.errors import Unavailable
from layers.store import Store, Tx, open_store
from layers.transport import Channels, Courier, StepKind
from layers.types import Address, Inbound, Outbound, Person
from tests.dispatcher.test_engine import until_quiet

ANN = Person(id="ann", name="Ann")
CONVERSATIONS, MESSAGES = 5, 6
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < %s
"""


class Provider:
    """Takes what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    async def place(self, outbound: Outbound) -> str:
        return outbound.key

    async def edit(self, reference: str, outbound: Outbound) -> str:
        self.got.append((outbound.address.conversation, outbound.text))
        return reference


class Replica:
    """One process of a fleet, as far as one event loop can be one."""

    def __init__(self, store: Store, channels: Channels, dice: random.Random) -> None:
        self.store = store
        self.dice = dice
        self.counted: list[str] = []
        self.dispatcher = Dispatcher(store, self.handle, 4)
        self.courier = asyncio.create_task(Courier(store, channels).run())

    async def handle(self, work: Work) -> None:
        """A model's step, then an effect that counts in the database, then the answer."""
        text = await work.step(StepKind.MODEL, "model", self.think)
        await work.step_in("effect", self.count)
        work.say(f"{work.turn.inbound.text}: {text}")

    async def think(self) -> str:
        await asyncio.sleep(self.dice.random() * 0.05)
        return "ok"

    def count(self, tx: Tx) -> str:
        """Exactly once per turn in the table, however often this runs."""
        tx.run("bot.schedule_add", **COUNTED, next_fire=9e9, created_by="ann", now=tx.now)
        return ""

    async def stop(self) -> None:
        await self.dispatcher.stop()
        self.courier.cancel()
        await asyncio.gather(self.courier, return_exceptions=True)
        await self.store.close()


COUNTED = {"conversation_id": "count", "cron": "0 0 * * *", "timezone": "UTC", "text": "x"}


async def cut(url: str, dice: random.Random, until: asyncio.Event) -> int:
    """Whatever an administrator, a fail-over or a bad network does, many times a second."""
    times = 0
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not until.is_set():
            await asyncio.sleep(0.02 + dice.random() * 0.08)
            times += len(await (await connection.execute(CUT, (0.3,))).fetchall())
    return times


async def offer(replicas: list[Replica], conversation: str, n: int) -> None:
    """As a provider does: until it is acknowledged, to whichever replica answers; sometimes twice."""
    address = Address(channel="far", conversation=conversation)
    inbound = Inbound(address=address, event_id=f"{conversation}/{n}", person=ANN, text=str(n))
    dice = replicas[0].dice
    delivered = 0
    while delivered < 1 + (dice.random() < 0.3):
        try:
            await dice.choice(replicas).dispatcher.accept(inbound)
            delivered += 1
        except Unavailable:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", range(2))
async def test_cut_connections_lose_no_message_and_double_no_effect(postgres_url: str, seed: int) -> None:
    dice = random.Random(seed)
    provider = Provider()
    replicas = [Replica(await open_store(postgres_url), {"far": provider}, dice) for _ in range(2)]
    for replica in replicas:
        await replica.dispatcher.start()
    calm = asyncio.Event()
    cutting = asyncio.create_task(cut(postgres_url, dice, calm))

    async def person(conversation: str) -> None:
        for n in range(MESSAGES):
            await offer(replicas, conversation, n)
            await asyncio.sleep(dice.random() * 0.1)

    await asyncio.gather(*(person(f"c{n}") for n in range(CONVERSATIONS)))
    calm.set()
    assert await cutting > 10
    await until_quiet(replicas[0].store, 40)
    store = replicas[0].store
    for _ in range(400):
        counts = await store.fetch_one("transport.counts")
        assert counts is not None
        if counts["unsent"] == 0:
            break
        await asyncio.sleep(0.05)
    assert (counts["unsent"], counts["failed"]) == (0, 0)
    effects = await store.run(lambda tx: len(tx.all("bot.schedules", conversation_id="count")))
    assert effects == CONVERSATIONS * MESSAGES
    wanted = {(f"c{c}", f"{n}: ok") for c in range(CONVERSATIONS) for n in range(MESSAGES)}
    assert set(provider.got) == wanted
    for c in range(CONVERSATIONS):  # a provider's reply may come twice after a crash, but never out of order
        order = list(dict.fromkeys(text for name, text in provider.got if name == f"c{c}"))
        assert order == [f"{n}: ok" for n in range(MESSAGES)]
    for replica in replicas:
        await replica.stop()
