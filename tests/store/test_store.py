"""The store contract, the same on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from layers.errors import Misconfigured, Refused, Unavailable
from layers.store import Store, Tx, open_store

REGISTER = "store.register"


def register(tx: Tx, name: str) -> float:
    tx.run(REGISTER, id=name, host="h", pid=1, now=tx.now)
    return tx.now


async def names(store: Store) -> list[str]:
    return sorted(row["id"] for row in await store.fetch_all("store.workers"))


async def test_what_run_returned_is_there_to_read(store: Store) -> None:
    await store.run(register, "a")
    assert await names(store) == ["a"]


async def test_a_body_that_raises_writes_nothing_and_its_neighbours_do(store: Store) -> None:
    def fail(tx: Tx) -> None:
        register(tx, "lost")
        raise Refused("no")

    bodies = [store.run(register, "a"), store.run(fail), store.run(register, "b")]
    results = await asyncio.gather(*bodies, return_exceptions=True)
    assert isinstance(results[1], Refused)
    assert await names(store) == ["a", "b"]


async def test_a_hundred_bodies_at_once_all_land(store: Store) -> None:
    await asyncio.gather(*(store.run(register, f"w{n:03}") for n in range(100)))
    assert len(await names(store)) == 100


async def test_the_row_count_of_a_change_is_told(store: Store) -> None:
    await store.run(register, "a")
    assert await store.run(lambda tx: tx.run("store.beat", id="a", now=tx.now)) == 1
    assert await store.run(lambda tx: tx.run("store.beat", id="nobody", now=tx.now)) == 0


async def test_the_clock_is_near_and_stands_still_within_a_transaction(store: Store) -> None:
    def twice(tx: Tx) -> tuple[float, float]:
        return tx.now, tx.now

    import time

    first, second = await store.run(twice)
    assert first == second
    assert abs(first - time.time()) < 60


async def test_a_wake_reaches_subscribers_after_the_commit_only(store: Store) -> None:
    woken = asyncio.Event()
    unsubscribe = store.subscribe("page", woken.set)

    def fail(tx: Tx) -> None:
        tx.wake("page")
        raise Refused("no")

    with pytest.raises(Refused):
        await store.run(fail)
    await asyncio.sleep(0.05)
    assert not woken.is_set()
    await store.run(lambda tx: tx.wake("page"))
    await asyncio.wait_for(woken.wait(), 2)
    woken.clear()
    unsubscribe()
    await store.run(lambda tx: tx.wake("page"))
    await asyncio.sleep(0.05)
    assert not woken.is_set()


async def test_only_a_worker_that_runs_no_more_is_gone(store: Store) -> None:
    assert await store.run(lambda tx: tx.is_gone("host:1:never-was"))
    assert not await store.run(lambda tx: tx.is_gone(tx.worker))


async def test_an_unknown_statement_is_named(store: Store) -> None:
    with pytest.raises(Misconfigured, match=r"store\.nonsense"):
        await store.run(lambda tx: tx.one("store.nonsense"))


async def test_opening_again_finds_what_was_written(database_url: str) -> None:
    first = await open_store(database_url)
    await first.run(register, "a")
    await first.close()
    second = await open_store(database_url)
    assert await names(second) == ["a"]
    await second.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/a.db")
    await store.close()
    with pytest.raises(Unavailable, match="stopping"):
        await store.run(register, "a")


async def test_a_second_process_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store = await open_store(url)
    with pytest.raises(Misconfigured, match=r"in use by process \d+"):
        await open_store(url)
    await store.close()


async def test_a_database_of_a_newer_release_is_left_alone(database_url: str) -> None:
    await (await open_store(database_url)).close()
    change = "UPDATE alembic_version SET version_num = '9999'"
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            connection.execute(change)
        connection.close()
    else:
        import psycopg

        with psycopg.connect(database_url) as postgres:
            postgres.execute(change)
    with pytest.raises(Misconfigured, match="newer than this Bulkhead"):
        await open_store(database_url)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database, a text" * 100)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}/a.db")


async def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(Misconfigured, match="must begin with"):
        await open_store("mysql://user@host/db")


async def test_a_wake_crosses_processes_on_postgresql(postgres_url: str) -> None:
    one, two = await open_store(postgres_url), await open_store(postgres_url)
    woken = asyncio.Event()
    two.subscribe("page", woken.set)
    await one.run(lambda tx: tx.wake("page"))
    await asyncio.wait_for(woken.wait(), 5)
    assert not await two.run(lambda tx: tx.is_gone(one.worker))
    gone = one.worker
    await one.close()
    await asyncio.sleep(0.1)
    assert await two.run(lambda tx: tx.is_gone(gone))
    await two.close()


async def test_replicas_that_start_together_migrate_once(postgres_url: str) -> None:
    program = f"import asyncio; from layers.store import upgrade_store; asyncio.run(upgrade_store({postgres_url!r}))"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    store = await open_store(postgres_url)
    await store.run(register, "a")
    await store.close()
