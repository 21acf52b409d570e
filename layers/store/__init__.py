"""Floor 1: one schema on SQLite (embedded) and PostgreSQL (fleet).

Takes functions `fn(tx, ...)` and runs each as one durable transaction; gives rows. Statements live in each folder's
queries.sql.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib import import_module
from pathlib import Path

from layers.errors import Misconfigured
from layers.store import migrate
from layers.store.copying import copy_all
from layers.store.sqlite import open_reader, open_sqlite, take_lock
from layers.store.types import Dialect, ReadStore, Row, Store, Tx

__all__ = [
    "Dialect",
    "ReadStore",
    "Row",
    "Store",
    "Tx",
    "copy_store",
    "open_store",
    "read_store",
    "upgrade_store",
]

SCHEMES = ("sqlite:///", "postgresql://", "postgres://")


async def open_store(url: str) -> Store:
    """Open, and migrate when needed, the database at `url`.

    `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`.

    Raises:
        Misconfigured: an unknown kind of URL, a file in use or not writable, a schema from a newer release.
        Unavailable: PostgreSQL does not answer.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        lock = take_lock(path)
        try:
            await asyncio.to_thread(upgrade_sqlite, path)
            return await open_sqlite(path, lock)
        except BaseException:
            lock.close()
            raise
    if url.startswith(SCHEMES):
        postgres = import_module("layers.store.postgres")  # psycopg costs 20 MB: only who needs it pays
        await asyncio.to_thread(postgres.upgrade, url)
        store: Store = await postgres.open_postgres(url)
        return store
    raise Misconfigured(
        f"BULKHEAD_DATABASE_URL is {url.split('@')[-1]!r}; it must begin with sqlite:/// or postgresql://"
    )


@asynccontextmanager
async def read_store(url: str) -> AsyncIterator[ReadStore]:
    """Only read, also beside a running server.

    Raises:
        Misconfigured: there is no such database yet.
    """
    if not url.startswith("sqlite:///"):
        store = await open_store(url)
        try:
            yield store
        finally:
            await store.close()
        return
    path = Path(url.removeprefix("sqlite:///"))
    if not path.is_file():
        raise Misconfigured(f"there is no database {str(path)!r}; name another, or let `bulkhead serve` make it")
    if migrate.needs_upgrade(await asyncio.to_thread(sqlite_version, path), str(path)):
        raise Misconfigured(f"database {str(path)!r} is empty or of an older release; run `bulkhead migrate` first")
    async with open_reader(path) as reader:
        yield reader


async def upgrade_store(url: str) -> None:
    """Only migrate. Raises as `open_store` does."""
    store = await open_store(url)
    await store.close()


async def copy_store(source: str, target: str) -> dict[str, int]:
    """Copy every row of `source` into the empty `target`, both migrated first; rows per table.

    Raises:
        Misconfigured: there is no such source, a server uses one of them, or the target holds conversations already.
        Unavailable: the copy stopped; the target is as it was.
    """
    if source.startswith("sqlite:///") and not Path(source.removeprefix("sqlite:///")).is_file():
        raise Misconfigured(f"there is no database {source.removeprefix('sqlite:///')!r}; name one that is there")
    for url in (source, target):
        store = await open_store(url)
        try:
            users = await store.run(running)
        finally:
            await store.close()
        if users:
            raise Misconfigured(f"database {url.split('@')[-1]!r} is in use by {', '.join(users)}; stop it, then copy")
    return await asyncio.to_thread(copy_all, source, target)


def running(tx: Tx) -> list[str]:
    """The servers that work on this database now."""
    rows = [row for row in tx.all("store.workers") if row["id"] != tx.worker and not tx.is_gone(row["id"])]
    return [f"process {row['pid']} on {row['host']}" for row in rows]


def upgrade_sqlite(path: Path) -> None:
    """Migrate the file when its schema differs. The caller holds the lock file."""
    if migrate.needs_upgrade(sqlite_version(path), str(path)):
        migrate.upgrade(f"sqlite:///{path}")


def sqlite_version(path: Path) -> str | None:
    """The schema's revision; None for a file that is empty or not there yet.

    Raises:
        Misconfigured: it is no SQLite database.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute(migrate.HAS_VERSION_SQL).fetchone()[0]
            row = connection.execute(migrate.VERSION_SQL).fetchone() if tables else None
    except sqlite3.DatabaseError as error:
        raise Misconfigured(
            f"database {str(path)!r} cannot be opened ({error}); move it away or set BULKHEAD_DATABASE_URL"
        ) from None
    return row[0] if row else None
