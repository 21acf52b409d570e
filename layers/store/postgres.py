"""PostgreSQL: write transactions in a small thread pool over psycopg 3, LISTEN/NOTIFY wakes, advisory-lock liveness.

Each process keeps one listening connection that also holds a session advisory lock on the worker's id: when the process
dies, the server drops the lock at once and any other process sees `Tx.is_gone`. Wakes are collected for 10 to 50 ms and
sent as one NOTIFY outside any transaction (a commit that notifies takes a database-wide lock); a wake lost in a crash
only costs the listeners' own slow poll, and whoever begins to listen again is woken for everything.

A worker whose listening connection broke looks dead until it holds its lock again. Others may take its conversations in
that moment; the epoch refuses what it still wants to write.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from layers.errors import Misconfigured, NotWritten, Unavailable
from layers.store import migrate
from layers.store.statements import Statements
from layers.store.topics import Topics, worker_id
from layers.store.types import Dialect, P, Row, T

log = logging.getLogger(__name__)

THREADS = 8
"""Write transactions at once per process."""
MIGRATION_LOCK = 0x62756C6D
LOCK_SPACE = 0x62756C6B
"""First key of the workers' advisory locks ("bulk")."""
NOTIFY_AFTER_S = 0.01
NOTIFY_EVERY_S = 0.05
"""The shortest time between two, so that under load each gathers more wakes."""
CLOCK_EVERY_S = 30.0
LOCK_RETRY_S = 0.2
"""Between tries to take this worker's lock: a reaper that found it free holds it until its transaction ends."""
STALE_S = 60.0
"""A worker whose heartbeat (every 15 s) is older is gone, although a frozen process still holds its lock."""
TRIES_OF_LOCKS, TRIES_OF_CONNECTIONS = 2, THREADS + 2
"""How often a body is run: after a deadlock; after a lost connection (a restarted server breaks the whole pool)."""
RETRIED = (
    psycopg.OperationalError,  # among them deadlocks, lock timeouts, lost connections, a full disk
    psycopg.InterfaceError,  # a connection that was found closed
    psycopg.errors.IdleInTransactionSessionTimeout,  # this process was frozen in the middle of a transaction
    psycopg.errors.ReadOnlySqlTransaction,  # the server became a standby
)
OPTIONS = "-c idle_in_transaction_session_timeout=5s -c lock_timeout=5s -c timezone=UTC"
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""A connection whose other end vanished without a word is noticed after 25 s."""

Connection = psycopg.Connection[dict[str, Any]]


class Clock:
    """The database's clock, read every `CLOCK_EVERY_S` and carried on by the monotonic clock in between."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._read_at = float("-inf")

    def now(self, connection: Connection, sql: str) -> float:
        """Epoch seconds by the database."""
        monotonic = time.monotonic()
        if monotonic - self._read_at > CLOCK_EVERY_S:
            row = connection.execute(sql).fetchone()
            if row is not None:
                self._offset = float(row["now"]) - time.monotonic()
                self._read_at = monotonic
        return time.monotonic() + self._offset


class PostgresTx:
    """The transaction of one body. See `layers.store.types.Tx`."""

    dialect: Dialect = "postgresql"

    def __init__(self, connection: Connection, store: PostgresStore) -> None:
        self._connection = connection
        self._cursor = connection.cursor()  # one for all statements: making one costs more than running some
        self._store = store
        self._now: float | None = None
        self.worker = store.worker
        self.topics: set[str] = set()

    @property
    def now(self) -> float:
        """The database's clock, read once per transaction."""
        if self._now is None:
            self._now = self._store.clock.now(self._connection, self._store.statements["store.clock"])
        return self._now

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row, or None."""
        return self._cursor.execute(self._store.statements[name], params).fetchone()

    def all(self, name: str, /, **params: object) -> list[Row]:
        """Every row."""
        return list(self._cursor.execute(self._store.statements[name], params).fetchall())

    def run(self, name: str, /, **params: object) -> int:
        """The number of rows changed."""
        return self._cursor.execute(self._store.statements[name], params).rowcount

    def wake(self, topic: str) -> None:
        """Wake subscribers of every process after the commit."""
        self.topics.add(topic)

    def is_gone(self, worker: str) -> bool:
        """Whether nobody holds that worker's session lock, or its heart has stopped."""
        if worker == self.worker:
            return False
        row = self.one("store.worker_is_gone", space=LOCK_SPACE, worker=worker, stale=self.now - STALE_S)
        return bool(row and row["gone"])


class PostgresStore:
    """See `layers.store.types.Store`. Made by `open_postgres`."""

    dialect: Dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self.worker = worker_id()
        self.statements = Statements("postgresql")
        self.clock = Clock()
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._topics = Topics(self._loop)
        self._unsent: set[str] = set()
        self._notified_at = float("-inf")
        self._notify_timer: asyncio.TimerHandle | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=THREADS,
            open=False,
            timeout=10,
            kwargs={"row_factory": dict_row, "options": OPTIONS, **KEEPALIVE},
        )
        self._listener: asyncio.Task[None] | None = None
        self._background: set[asyncio.Future[Any]] = set()

    async def open(self) -> None:
        """Connect, take this worker's lock, begin to listen.

        Raises:
            Unavailable: the server cannot be reached.
        """
        try:
            await asyncio.to_thread(self._pool.open, True, 10.0)
        except PoolTimeout as error:
            raise Unavailable(
                f"PostgreSQL does not answer ({error}); check BULKHEAD_DATABASE_URL and the server"
            ) from None
        ready = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(ready), name="store-listener")
        try:
            await asyncio.wait_for(ready.wait(), 10)
        except TimeoutError:
            raise Unavailable("PostgreSQL takes no listening connection; look at its log and max_connections") from None

    async def run(self, fn: Callable[Concatenate[PostgresTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One write transaction; see `Store.run`."""
        result, topics = await self._loop.run_in_executor(
            self._threads, self._transact, lambda tx: fn(tx, *args, **kwargs)
        )
        if topics:
            self._topics.fire(topics)
            self._announce(topics)
        value: T = result
        return value

    async def fetch_one(self, name: str, /, **params: object) -> Row | None:
        """The first row of a reading statement."""
        return await self.run(lambda tx: tx.one(name, **params))

    async def fetch_all(self, name: str, /, **params: object) -> list[Row]:
        """Every row of a reading statement."""
        return await self.run(lambda tx: tx.all(name, **params))

    def subscribe(self, topic: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after each wake of `topic`, by this process or another."""
        return self._topics.subscribe(topic, callback)

    async def close(self) -> None:
        """Send the last wakes, let go of the lock and every connection."""
        if self._notify_timer is not None:
            self._notify_timer.cancel()
            self._send_notify()
        if self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await asyncio.to_thread(self._pool.close)
        self._threads.shutdown(wait=True)

    def _transact(self, body: Callable[[PostgresTx], Any]) -> tuple[Any, set[str]]:
        """Run a body and commit; again after a deadlock or a lost connection.

        A connection that is lost during the commit leaves open whether it happened, so a body must bear to run twice.
        """
        tries = 0
        while True:
            tries += 1
            try:
                with self._pool.connection() as connection:
                    tx = PostgresTx(connection, self)
                    result = body(tx)
                return result, tx.topics
            except (PoolTimeout, PoolClosed) as error:
                raise NotWritten(f"PostgreSQL has no free connection ({error}); try again later") from error
            except RETRIED as error:
                if tries >= (TRIES_OF_CONNECTIONS if connection.closed else TRIES_OF_LOCKS):
                    reason = " ".join(str(error).split())
                    raise NotWritten(f"PostgreSQL failed {tries} times ({reason}); try again later") from error
                log.warning("store.retried", extra={"error": type(error).__name__})

    def _announce(self, topics: set[str]) -> None:
        """Collect wakes for the other processes; the first of a burst arms the timer."""
        self._unsent |= topics
        if self._notify_timer is None:
            at = max(self._loop.time() + NOTIFY_AFTER_S, self._notified_at + NOTIFY_EVERY_S)
            self._notify_timer = self._loop.call_at(at, self._send_notify)

    def _send_notify(self) -> None:
        self._notify_timer, self._notified_at = None, self._loop.time()
        topics, self._unsent = ",".join(sorted(self._unsent)), set()
        message = f"{self.worker} {topics}"
        future = self._loop.run_in_executor(
            self._threads, self._transact, lambda tx: tx.one("store.notify", topics=message)
        )
        self._background.add(future)
        future.add_done_callback(self._sent)

    def _sent(self, future: asyncio.Future[Any]) -> None:
        self._background.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            log.warning("store.notify_failed", extra={"error": type(error).__name__})

    async def _listen(self, ready: asyncio.Event) -> None:
        """Hold the worker's lock and pass on other processes' wakes; reconnects for ever, at first at once."""
        pause = 0.0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **KEEPALIVE) as connection:
                    await connection.execute("LISTEN bulkhead")
                    await self._take_lock(connection)
                    ready.set()
                    self._topics.fire_all()  # whatever was told while nobody listened
                    pause = 0.0
                    async for notification in connection.notifies():
                        sender, _, topics = notification.payload.partition(" ")
                        if sender != self.worker:
                            self._topics.fire(topics.split(","))
            except (psycopg.Error, OSError) as error:
                log.warning("store.listener_lost", extra={"error": type(error).__name__})
            await asyncio.sleep(pause)
            pause = min(pause * 2 + 0.1, 5.0)

    async def _take_lock(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Hold the worker's lock on this connection, however long a reaper or a dying connection of ours keeps it."""
        parameters = {"space": LOCK_SPACE, "worker": self.worker}
        while True:
            cursor = await connection.execute(self.statements["store.lock_session"], parameters)
            if await cursor.fetchone() == (True,):
                return
            await asyncio.sleep(LOCK_RETRY_S)


async def open_postgres(url: str) -> PostgresStore:
    """The store on `url`, whose schema is current."""
    store = PostgresStore(url)
    try:
        await store.open()
    except BaseException:
        await store.close()
        raise
    return store


def stored_version(connection: psycopg.Connection[Any], sql: str) -> str | None:
    """The schema's revision, None for an empty database."""
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute(sql).fetchone()
    return str(row[0]) if row else None


def upgrade(url: str) -> None:
    """Migrate under an advisory lock, so that replicas that start together do it once."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.ProgrammingError:  # its text repeats parts of the URL, which may be the password
        raise Misconfigured(
            "BULKHEAD_DATABASE_URL cannot be read; write postgresql://user:password@host/name, special letters as %XX"
        ) from None
    except psycopg.OperationalError as error:
        raise Unavailable(
            f"PostgreSQL does not answer ({' '.join(str(error).split())}); check BULKHEAD_DATABASE_URL and the server"
        ) from None
    with connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        version = stored_version(connection, migrate.VERSION_SQL)
        if migrate.needs_upgrade(version, url.split("@")[-1]):
            migrate.upgrade(url)
