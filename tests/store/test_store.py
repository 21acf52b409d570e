"""The store contract, the same on both databases."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from layers.errors import Misconfigured, Refused, Unavailable
from layers.store import Store, Tx, copy_store, open_store, read_store
from layers.store.sqlite import Job, SqliteStore
from layers.transport import accept, claim, reap
from layers.types import Address, Inbound, Person

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


async def test_a_full_disk_fails_what_is_written_and_nothing_after_it(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/a.db")
    assert isinstance(store, SqliteStore)
    full = store._connection.execute("PRAGMA max_page_count=1").fetchone()["max_page_count"]
    assert full > 1  # never below what is there: the next page is refused as a full disk refuses it
    many = [store.run(register, f"{n}-{'x' * 3000}") for n in range(20)]
    results = await asyncio.gather(*many, return_exceptions=True)
    assert any(isinstance(result, Unavailable) for result in results)
    assert all(isinstance(result, Unavailable | float) for result in results)
    store._connection.execute("PRAGMA max_page_count=1000000")
    await store.run(register, "after")
    assert "after" in await names(store)
    await store.close()


async def test_a_body_that_ends_the_thread_does_not_end_the_writer(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/a.db")

    def leave(tx: Tx) -> None:
        tx.run("store.beat", id="a", now=tx.now)
        raise SystemExit(3)

    def tear_down(tx: Tx) -> None:
        store._connection.execute("ROLLBACK")  # type: ignore[attr-defined]  # as SQLite does on an I/O error
        raise ValueError("lost")

    leaving = asyncio.ensure_future(store.run(leave))
    with pytest.raises(Unavailable, match="nothing was changed"):
        await asyncio.wait_for(leaving, 5)
    with pytest.raises(Unavailable, match="nothing was changed"):
        await asyncio.wait_for(store.run(tear_down), 5)
    await store.run(register, "after")
    assert await names(store) == ["after"]
    await store.close()


async def test_a_path_may_hold_what_a_url_may_not(tmp_path: Path) -> None:
    folder = tmp_path / "100% mine? yes#1"
    folder.mkdir()
    url = f"sqlite:///{folder}/a.db"
    store = await open_store(url)
    await store.run(register, "a")
    assert await names(store) == ["a"]
    async with read_store(url) as reader:
        assert len(await reader.fetch_all("store.workers")) == 1
    await store.close()
    assert sorted(file.name for file in folder.iterdir()) == ["a.db", "a.db.lock"]


def test_a_writer_whose_event_loop_is_gone_ends_quietly(tmp_path: Path) -> None:
    async def leave_open() -> SqliteStore:
        store = await open_store(f"sqlite:///{tmp_path}/a.db")
        assert isinstance(store, SqliteStore)
        await store._resources.aclose()
        return store

    store = asyncio.run(leave_open())
    store._jobs.put(Job(lambda tx: tx.now, asyncio.Future(loop=store._loop)))
    store._thread.join(5)
    assert not store._thread.is_alive()


async def test_looking_at_what_is_not_there_or_no_schema_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no database"):
        async with read_store(f"sqlite:///{tmp_path}/typo.db"):
            pass
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(Misconfigured, match="bulkhead migrate"):
        async with read_store(f"sqlite:///{tmp_path}/empty.db"):
            pass


async def test_a_read_only_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes where it likes")
    (tmp_path / "a.db").touch(0o400)
    with pytest.raises(Misconfigured, match="cannot be"):
        await open_store(f"sqlite:///{tmp_path}/a.db")


@pytest.mark.parametrize("there_and_back", [False, True])
async def test_everything_moves_to_another_database(tmp_path: Path, postgres_url: str, there_and_back: bool) -> None:
    source, target = f"sqlite:///{tmp_path}/a.db", postgres_url
    store = await open_store(source)
    said = Inbound(
        address=Address(channel="web", conversation="main"), event_id="1", person=Person(id="a", name="A"), text="hi"
    )
    first = await store.run(accept, said)
    await store.close()
    copied = await copy_store(source, target)
    assert (copied["inbox"], copied["conversation"], copied["turn"]) == (1, 1, 1)
    if there_and_back:
        source, target = target, f"sqlite:///{tmp_path}/b.db"
        assert await copy_store(source, target) == copied
    moved = await open_store(target)
    assert await moved.run(reap) == 1  # the process that had it is not of this database
    (turn,) = await moved.run(claim, 5)
    assert (turn.id, turn.inbound, turn.attempt) == (first.inbox_id, said, 2)
    again = await moved.run(accept, replace(said, event_id="2"))
    assert again.inbox_id > first.inbox_id
    await moved.close()
    with pytest.raises(Misconfigured, match="not empty"):
        await copy_store(source, target)


async def test_a_mistyped_source_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no database .*typo\.db"):
        await copy_store(f"sqlite:///{tmp_path}/typo.db", f"sqlite:///{tmp_path}/b.db")
    assert list(tmp_path.iterdir()) == []


async def kill_connections(url: str, which: str) -> int:
    """What an administrator or a fail-over does to this database's connections; how many."""
    sql = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ({which})"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return len(await (await connection.execute(sql)).fetchall())  # type: ignore[call-overload]


async def test_a_whole_pool_of_lost_connections_costs_nothing_but_time(postgres_url: str) -> None:
    store = await open_store(postgres_url)
    await asyncio.gather(*(store.run(register, f"w{n}") for n in range(50)))
    assert await kill_connections(postgres_url, "datname = current_database()") >= 2
    await asyncio.gather(*(store.run(register, f"x{n}") for n in range(50)))
    assert len(await names(store)) == 100
    await store.close()


async def test_a_worker_whose_listener_was_cut_takes_its_lock_again_and_is_woken_for_what_it_missed(
    postgres_url: str,
) -> None:
    one, two = await open_store(postgres_url), await open_store(postgres_url)
    woken = asyncio.Event()
    one.subscribe("page", woken.set)

    def hold(tx: Tx) -> bool:
        """A reaper that found the lock free keeps it until it commits: the worker must try again."""
        for _ in range(100):
            if tx.is_gone(one.worker):
                time.sleep(0.5)
                return True
            time.sleep(0.002)
        return False

    holding = asyncio.create_task(two.run(hold))
    await asyncio.sleep(0.05)
    await kill_connections(postgres_url, "query LIKE 'LISTEN%' OR query LIKE '%pg_try_advisory_lock%'")
    await holding
    await asyncio.wait_for(woken.wait(), 10)
    assert not await two.run(lambda tx: tx.is_gone(one.worker))
    await one.close()
    await two.close()


async def test_a_worker_whose_heart_stopped_is_gone_although_it_holds_its_lock(postgres_url: str) -> None:
    frozen, other = await open_store(postgres_url), await open_store(postgres_url)
    await frozen.run(lambda tx: tx.run(REGISTER, id=tx.worker, host="h", pid=1, now=tx.now))
    assert not await other.run(lambda tx: tx.is_gone(frozen.worker))
    await other.run(lambda tx: tx.run("store.beat", id=frozen.worker, now=tx.now - 120))
    assert await other.run(lambda tx: tx.is_gone(frozen.worker))
    await frozen.close()
    await other.close()


async def test_the_last_wake_before_the_end_is_told(postgres_url: str) -> None:
    one, two = await open_store(postgres_url), await open_store(postgres_url)
    await asyncio.sleep(0.1)
    woken = asyncio.Event()
    two.subscribe("inbox", woken.set)
    await one.run(lambda tx: tx.wake("inbox"))
    await one.close()
    await asyncio.wait_for(woken.wait(), 2)
    await two.close()


async def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await open_store(f"postgresql://nobody@/x?host={tmp_path}")
    with pytest.raises(Misconfigured, match="cannot be read"):
        await open_store("postgresql://nobody@/x?bogus=1")
