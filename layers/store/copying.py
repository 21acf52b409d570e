"""Move everything from one database to another of the same schema, by SQLAlchemy, which is imported when needed."""

from __future__ import annotations

from collections.abc import Iterable

from layers.errors import Misconfigured, Unavailable
from layers.store import migrate

CHUNK = 500
"""Rows per insert."""
OWN = ("alembic_version", "worker", "role_lease")
"""What belongs to the database itself, or to the processes that use it."""


SEEDED = ("audit_head", "freezing")
"""Tables that are born with one row, which the copied one replaces."""


def copy_all(source: str, target: str) -> dict[str, int]:
    """Copy every row; one transaction on the target: all of it or nothing.

    Raises:
        Misconfigured: the target holds conversations already.
        Unavailable: one of the two failed.
    """
    import sqlalchemy as sa

    try:
        return copy_tables(source, target)
    except sa.exc.SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise Unavailable(f"the copy stopped ({reason}); the target is as it was") from error


def copy_tables(source: str, target: str) -> dict[str, int]:
    """See `copy_all`."""
    import sqlalchemy as sa

    tables = sa.MetaData()
    copied: dict[str, int] = {}
    with migrate.make_engine(source).connect() as reader, migrate.make_engine(target).begin() as writer:
        tables.reflect(reader)
        fresh = sa.MetaData()
        fresh.reflect(writer)
        for table in fresh.sorted_tables:
            if table.name not in (*OWN, *SEEDED) and writer.execute(sa.select(table).limit(1)).first():
                raise Misconfigured(f"the target is not empty (table {table.name!r}); name a new database")
        for name in SEEDED:
            writer.execute(fresh.tables[name].delete())
        for table in tables.sorted_tables:
            if table.name in OWN:
                continue
            rows = reader.execution_options(yield_per=CHUNK).execute(sa.select(table))
            copied[table.name] = sum(
                insert(writer, fresh.tables[table.name], [dict(row._mapping) for row in part])
                for part in rows.partitions()
            )
        if writer.dialect.name == "postgresql":
            move_sequences(writer, fresh.sorted_tables)
    return copied


def insert(writer: object, table: object, rows: list[dict[str, object]]) -> int:
    """Insert a chunk; its size."""
    if rows:
        writer.execute(table.insert(), rows)  # type: ignore[attr-defined]  # SQLAlchemy's, which is imported lazily
    return len(rows)


def move_sequences(writer: object, tables: Iterable[object]) -> None:
    """Let the growing keys go on behind the highest copied one."""
    import sqlalchemy as sa

    for table in tables:
        for column in table.columns:  # type: ignore[attr-defined]
            if column.autoincrement is True or (column.primary_key and column.server_default is not None):
                name = table.name  # type: ignore[attr-defined]
                sql = (
                    f"SELECT setval(pg_get_serial_sequence('{name}', '{column.name}'), "
                    f"coalesce(max({column.name}), 0) + 1, false) FROM {name}"
                )
                writer.execute(sa.text(sql))  # type: ignore[attr-defined]
