"""The two databases bare, and where they live."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.fakes import postgres

TABLE = "CREATE TABLE floor (id INTEGER PRIMARY KEY, body TEXT)"
PG_TABLE = "CREATE TABLE floor (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT)"
BODY = "x" * 200


@contextmanager
def bare_sqlite(path: Path) -> Iterator[Callable[[], None]]:
    """What inserts one row and commits it, durably."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(TABLE)

        def commit() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO floor (body) VALUES (?)", (BODY,))
            connection.execute("COMMIT")

        yield commit


@contextmanager
def bare_postgres(url: str) -> Iterator[Callable[[], None]]:
    """The same through psycopg."""
    with closing(psycopg.connect(url)) as connection:
        connection.execute(PG_TABLE)
        connection.commit()

        def commit() -> None:
            connection.execute("INSERT INTO floor (body) VALUES (%s)", (BODY,))
            connection.commit()

        yield commit


@contextmanager
def postgres_server() -> Iterator[Callable[[str], str] | None]:
    """What makes a fresh database of a running PostgreSQL and gives its URL; None where there is no PostgreSQL."""
    if postgres.find_bin() is None:
        yield None
        return
    with postgres.server() as url:
        yield lambda name: postgres.create(url, name)
