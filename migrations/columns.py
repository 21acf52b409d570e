"""The kinds of columns and indexes that the migrations are made of. The same words on SQLite and PostgreSQL."""

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, **options: object) -> sa.Column:
    """A Text column, not null unless told otherwise."""
    return sa.Column(name, sa.Text(), nullable=options.pop("nullable", False), **options)


def number(name: str, **options: object) -> sa.Column:
    """A BigInteger column, not null unless told otherwise."""
    return sa.Column(name, sa.BigInteger(), nullable=options.pop("nullable", False), **options)


def time(name: str, **options: object) -> sa.Column:
    """Epoch seconds, not null unless told otherwise."""
    return sa.Column(name, sa.Double(), nullable=options.pop("nullable", False), **options)


def amount(name: str, **options: object) -> sa.Column:
    """A Double column for sums, 0 unless told otherwise."""
    return sa.Column(name, sa.Double(), nullable=False, server_default="0", **options)


def key() -> sa.Column:
    """A growing integer primary key."""
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    """An index over the rows for which `where` holds."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def unique(name: str, table: str, columns: list[str], where: str) -> None:
    """An index over the rows for which `where` holds, each of which is there once."""
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)
