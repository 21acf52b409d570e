"""Floor 1: one schema on SQLite (embedded) and PostgreSQL (fleet).

Takes functions `fn(tx, ...)` and runs each as one durable transaction; gives rows. Statements live in each folder's
queries.sql.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
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
SQLITE = SCHEMES[0]


async def open_store(url: str) -> Store:
    """Open, and migrate when needed, the database at `url`.

    `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`.

    Raises:
        Misconfigured: an unknown kind of URL, a file in use or not writable, a schema from a newer release.
        Unavailable: PostgreSQL does not answer.
    """
    if url.startswith(SQLITE):
        path = sqlite_path(url)
        lock = take_lock(path)
        try:
            await asyncio.to_thread(upgrade_sqlite, path)
            return await open_sqlite(path, lock)
        except BaseException:
            lock.close()
            raise
    if url.startswith(SCHEMES):
        postgres = import_module("layers.store.postgres")  # psycopg costs 20 MB: only who needs it pays
        await asyncio.to_thread(postgres.upgrade_postgres, url)
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
    if url.startswith(SQLITE):
        path = sqlite_path(url)
        must_exist(path)
        async with open_reader(path) as reader:
            yield reader
        return
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def copy_store(source: str, target: str) -> dict[str, int]:
    """Migrate both, then copy every row of `source` into the empty `target`; rows per table. Neither may be in use.

    Raises:
        Misconfigured: there is no source, the target is not empty, or one of them is in use; nothing was copied.
    """
    if source.startswith(SQLITE):
        must_exist(sqlite_path(source))
    await upgrade_store(source)
    await upgrade_store(target)
    with ExitStack() as locks:
        for url in (source, target):
            if url.startswith(SQLITE):
                locks.enter_context(take_lock(sqlite_path(url)))
        return await asyncio.to_thread(copy_all, source, target)


def sqlite_path(url: str) -> Path:
    """Where the file of a `sqlite:///` URL is."""
    return Path(url.removeprefix(SQLITE))


def must_exist(path: Path) -> None:
    """Refuse to make an empty database of a path that was mistyped.

    Raises:
        Misconfigured: there is none.
    """
    if not path.exists():
        raise Misconfigured(f"there is no database {str(path)!r} yet; `bulkhead serve` makes it")


async def upgrade_store(url: str) -> None:
    """Only migrate. Raises as `open_store` does."""
    store = await open_store(url)
    await store.close()


def upgrade_sqlite(path: Path) -> None:
    """Migrate the file when its schema differs. The caller holds the lock file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute(migrate.HAS_VERSION_SQL).fetchone()[0]
            row = connection.execute(migrate.VERSION_SQL).fetchone() if tables else None
    except sqlite3.DatabaseError as error:
        raise Misconfigured(
            f"database {str(path)!r} cannot be opened ({error}); move it away or set BULKHEAD_DATABASE_URL"
        ) from None
    if migrate.needs_upgrade(row[0] if row else None, str(path)):
        migrate.upgrade(f"{SQLITE}{path}")
