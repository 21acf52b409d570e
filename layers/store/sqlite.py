"""SQLite: one writer thread with group commit, and read-only connections through aiosqlite.

Every write transaction of the process is a body `fn(tx, ...)` put on one queue. The writer takes up to `BATCH` of them,
runs each inside a savepoint, and commits once: with synchronous=FULL one fsync serves them all (measured: 18,900
against 3,000 four-statement transactions a second). Exactly one read-write connection exists per file, kept by a lock
file; this also keeps out of SQLite's WAL-reset race (sqlite.org/wal.html#walresetbug). The writer is `sqlite3` itself
rather than aiosqlite because aiosqlite has no public way to run a whole function in its thread, and a hop per statement
costs seven times the CPU.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Concatenate

import aiosqlite

from layers.errors import InUse, Misconfigured, NotWritten, Unavailable
from layers.store.statements import Statements
from layers.store.topics import Topics, worker_id
from layers.store.types import Dialect, P, Row, T

log = logging.getLogger(__name__)

BATCH = 64
"""Bodies per commit."""
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)

DISK_ERRORS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""Primary result codes; see sqlite.org/rescode.html."""


@dataclass(slots=True)
class Job:
    """A body waiting for the writer, and where its result goes."""

    body: Callable[[SqliteTx], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteTx:
    """The transaction of one body. See `layers.store.types.Tx`."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, statements: Statements, worker: str) -> None:
        self._connection = connection
        self._statements = statements
        self.worker = worker
        self.now = time.time()
        self.topics: set[str] = set()

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._connection.execute(self._statements[name], params).fetchone()
        return row

    def all(self, name: str, /, **params: object) -> list[Row]:
        """Every row."""
        return self._connection.execute(self._statements[name], params).fetchall()

    def run(self, name: str, /, **params: object) -> int:
        """The number of rows changed."""
        return self._connection.execute(self._statements[name], params).rowcount

    def wake(self, topic: str) -> None:
        """Wake subscribers after the commit."""
        self.topics.add(topic)

    def is_gone(self, worker: str) -> bool:
        """Only one process can hold the file, so every other worker is gone."""
        return worker != self.worker


def as_dict(cursor: sqlite3.Cursor, row: tuple[object, ...]) -> dict[str, object]:
    """sqlite3's row factory: column name -> value."""
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def take_lock(path: Path) -> IO[str]:
    """Hold the lock file beside the database until the returned file is closed.

    Raises:
        InUse: another process holds it.
        Misconfigured: the folder cannot be written.
    """
    try:
        handle = open(f"{path}.lock", "a+", encoding="ascii")  # noqa: SIM115  held for the life of the store
    except OSError as error:
        raise Misconfigured(
            f"cannot write {str(path)!r} ({error.strerror}); set BULKHEAD_HOME to a folder you own"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip() or "another process"
        handle.close()
        raise InUse(
            f"database {str(path)!r} is in use by {holder}; stop it, or use PostgreSQL for more than one process"
        ) from None
    handle.truncate(0)
    handle.write(f"process {os.getpid()}")
    handle.flush()
    return handle


class Reader:
    """Reads through one read-only connection."""

    def __init__(self, connection: aiosqlite.Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    async def fetch_one(self, name: str, /, **params: object) -> Row | None:
        """The first row of a reading statement."""
        rows = await self.fetch_all(name, **params)
        return rows[0] if rows else None

    async def fetch_all(self, name: str, /, **params: object) -> list[Row]:
        """Every row of a reading statement."""
        # one hop to aiosqlite's thread; a cursor of one's own costs three
        try:
            rows: Any = await self._connection.execute_fetchall(self._statements[name], params)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"the database cannot be read ({error}); try again later") from error
        return list(rows)


def read_only(path: Path) -> str:
    """The file as SQLite's URI; quoted, for a folder may be called `50%? #1`."""
    return f"{path.absolute().as_uri()}?mode=ro"


@asynccontextmanager
async def open_reader(path: Path, statements: Statements | None = None) -> AsyncIterator[Reader]:
    """Look at a database, also one that another process writes."""
    async with aiosqlite.connect(read_only(path), uri=True, cached_statements=256) as connection:
        connection.row_factory = as_dict  # type: ignore[assignment]
        yield Reader(connection, statements or Statements("sqlite"))


class SqliteStore:
    """See `layers.store.types.Store`. Made by `open_sqlite`."""

    dialect: Dialect = "sqlite"

    def __init__(
        self, connection: sqlite3.Connection, statements: Statements, resources: AsyncExitStack, reader: Reader
    ) -> None:
        self.worker = worker_id()
        self._statements = statements
        self._resources = resources
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._topics = Topics(self._loop)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._is_closed = False
        self._connection = connection
        self._thread = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, fn: Callable[Concatenate[SqliteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One write transaction; see `Store.run`."""
        if self._is_closed:
            raise Unavailable("the database is closed; the server is stopping")
        job = Job(lambda tx: fn(tx, *args, **kwargs), self._loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def fetch_one(self, name: str, /, **params: object) -> Row | None:
        """The first row of a reading statement."""
        return await self._reader.fetch_one(name, **params)

    async def fetch_all(self, name: str, /, **params: object) -> list[Row]:
        """Every row of a reading statement."""
        return await self._reader.fetch_all(name, **params)

    def subscribe(self, topic: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after each wake of `topic`."""
        return self._topics.subscribe(topic, callback)

    async def close(self) -> None:
        """Drain the writer, close both connections, release the file."""
        if self._is_closed:
            return
        self._is_closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        await self._resources.aclose()

    def _write(self) -> None:
        """The writer thread: batches until told to stop."""
        while (first := self._jobs.get()) is not None:
            batch, is_last = [first], False
            while len(batch) < BATCH and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    is_last = True
                    break
                batch.append(job)
            topics = self._commit(batch)
            try:
                self._loop.call_soon_threadsafe(self._settle, batch, topics)
            except RuntimeError:
                return  # the event loop is closed: nobody waits any more
            if is_last:
                break

    def _commit(self, batch: list[Job]) -> set[str]:
        """Run the bodies and commit once; the topics to wake. Raises nothing: a dead writer is a dead server."""
        topics: set[str] = set()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                topics |= self._run_body(job)
            self._connection.execute("COMMIT")
        except BaseException as error:
            log.exception("store.commit_failed")
            with suppress(sqlite3.Error):  # if it fails, the next BEGIN does too, and this is tried again
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            for job in batch:
                job.error = not_written(error)
            return set()
        return topics

    def _run_body(self, job: Job) -> set[str]:
        """One body in its savepoint: what it raises undoes its own writes only."""
        tx = SqliteTx(self._connection, self._statements, self.worker)
        self._connection.execute("SAVEPOINT body")
        try:
            job.result = job.body(tx)
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # SQLite itself rolled everything back (disk full, I/O error): the whole batch failed
            self._connection.execute("ROLLBACK TO body")
            job.error = not_written(error) if is_of_the_disk(error) else error
            tx.topics.clear()
        self._connection.execute("RELEASE body")
        return tx.topics

    def _settle(self, batch: list[Job], topics: set[str]) -> None:
        """Back on the event loop: hand out results, wake subscribers."""
        for job in batch:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
        self._topics.fire(topics)


def is_of_the_disk(error: BaseException) -> bool:
    """Whether the machine failed, not the statement."""
    return isinstance(error, sqlite3.OperationalError) and (error.sqlite_errorcode & 0xFF) in DISK_ERRORS


def not_written(error: BaseException) -> NotWritten:
    """The same failure in our words."""
    return NotWritten(f"the database could not write ({error}); nothing was changed, try again later")


def connect(path: Path) -> sqlite3.Connection:
    """The one read-write connection."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.row_factory = as_dict
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


async def open_sqlite(path: Path, lock: IO[str]) -> SqliteStore:
    """The store on `path`, whose lock file the caller has taken and whose schema is current.

    Raises:
        Misconfigured: the file cannot be opened for writing.
    """
    statements = Statements("sqlite")
    async with AsyncExitStack() as resources:  # closed in the other order: whoever closes last removes the WAL
        resources.callback(lock.close)
        try:
            connection = resources.enter_context(closing(connect(path)))
            reader = await resources.enter_async_context(open_reader(path, statements))
        except sqlite3.Error as error:
            raise Misconfigured(
                f"database {str(path)!r} cannot be opened ({error}); make it and its folder writable for this user"
            ) from None
        return SqliteStore(connection, statements, resources.pop_all(), reader)
    raise AssertionError("unreachable")
