"""Named SQL. Every folder's queries.sql is read by aiosql; `<folder>.<block>` names a statement.

aiosql parses the blocks, checks that each declares its parameters, and translates them to the driver's style. The
statements are then run by the store itself, so that one body of code serves the writer thread and the pool.
A block `name__postgresql` takes the place of `name` on PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

import aiosql

from layers.errors import Misconfigured
from layers.store.types import Dialect

DRIVERS: dict[Dialect, str] = {"sqlite": "sqlite3", "postgresql": "psycopg"}
OVERRIDE = "__postgresql"


def sources() -> dict[str, Path]:
    """Prefix -> file, for every queries.sql of the installed packages `layers` and `bot`."""
    root = Path(__file__).parents[2]
    files = [*root.glob("layers/**/queries.sql"), *root.glob("bot/**/queries.sql")]
    return {file.parent.name: file for file in sorted(files)}


class Statements:
    """The SQL text of every named statement, for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._sql: dict[str, str] = {}
        overrides: dict[str, str] = {}
        for prefix, file in sources().items():
            queries = aiosql.from_path(file, DRIVERS[dialect], encoding="utf-8")
            for block in queries.available_queries:
                if block.endswith("_cursor"):
                    continue  # aiosql adds one per reading block
                sql = getattr(queries, block).sql
                target = overrides if block.endswith(OVERRIDE) else self._sql
                target[f"{prefix}.{block.removesuffix(OVERRIDE)}"] = sql
        if dialect == "postgresql":
            self._sql.update(overrides)

    def __getitem__(self, name: str) -> str:
        try:
            return self._sql[name]
        except KeyError:
            raise Misconfigured(f"no statement is named {name!r}; statements are the blocks of queries.sql") from None

    def names(self) -> list[str]:
        """Every statement's name, sorted."""
        return sorted(self._sql)
