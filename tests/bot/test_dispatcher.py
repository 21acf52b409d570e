"""A turn whose end the database does not take goes on once it can, and says what it had to say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.dispatcher import Dispatcher, engine
from bot.dispatcher.work import Work
from layers.store import Store, Tx, open_store
from layers.transport import shown
from layers.types import Address, Inbound, Person

OWNER = Person(id="owner", name="Owner")
LONG = "a long answer " * 40_000


def limit(tx: Tx, pages: int) -> None:
    """Let the file have that many pages at most, as a full disk would."""
    tx._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]


async def answer_of(store: Store, turn_id: int) -> str:
    message = await store.run(shown, "web:main", f"t{turn_id}")
    return message.text if message else ""


async def test_an_end_that_could_not_be_written_is_not_replaced_by_an_apology(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_S", 0.05)
    store = await open_store(f"sqlite:///{tmp_path / 'bulkhead.db'}")
    tries = 0

    async def handle(work: Work) -> None:
        nonlocal tries
        tries += 1
        work.say(LONG)

    dispatcher = Dispatcher(store, handle, capacity=4)
    await dispatcher.start()
    try:
        await store.run(limit, 1)  # SQLite reads it as: not a page more than there are
        address = Address(channel="web", conversation="main")
        turn_id = await dispatcher.accept(Inbound(address=address, event_id="1", person=OWNER, text="hello"))
        await asyncio.sleep(0.5)
        assert await answer_of(store, turn_id) == ""
        assert tries > 1
        await store.run(limit, 1_000_000)
        async with asyncio.timeout(10):
            while not (said := await answer_of(store, turn_id)):
                await asyncio.sleep(0.02)
        assert said == LONG
    finally:
        await dispatcher.stop()
        await store.close()
