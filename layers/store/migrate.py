"""Bring a database's schema to `migrations.HEAD`. Alembic and SQLAlchemy are imported only when it is not there yet.

The caller holds the lock: the lock file on SQLite, an advisory lock on PostgreSQL.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import migrations
from layers.errors import Misconfigured

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = logging.getLogger(__name__)

FOLDER = Path(migrations.__path__[0])
HEAD = migrations.HEAD
HAS_VERSION_SQL = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
VERSION_SQL = "SELECT version_num FROM alembic_version"


def known_versions() -> set[str]:
    """The revisions this release ships."""
    return {file.name.split("_")[0] for file in (FOLDER / "versions").glob("*_*.py")}


def needs_upgrade(version: str | None, where: str) -> bool:
    """Whether a database at `version` (None: empty) must be migrated.

    Raises:
        Misconfigured: it comes from a newer Bulkhead.
    """
    if version == HEAD:
        return False
    if version is not None and version not in known_versions():
        raise Misconfigured(
            f"database {where!r} has schema {version!r}, newer than this Bulkhead's {HEAD!r}; "
            "upgrade Bulkhead, or point BULKHEAD_DATABASE_URL elsewhere"
        )
    return True


def upgrade(url: str) -> None:
    """Run every missing migration on `url`, each in one transaction.

    Raises:
        Misconfigured: the database does not let us.
    """
    import alembic.command
    import alembic.config
    import sqlalchemy.exc

    engine = make_engine(url)
    config = alembic.config.Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        where = url.split("@")[-1]
        raise Misconfigured(
            f"database {where!r} cannot be migrated ({error.orig}); make it writable for this user"
        ) from error
    engine.dispose()
    log.info("store.migrated", extra={"revision": HEAD})


def make_engine(url: str) -> Engine:
    """A SQLAlchemy engine without a pool on our URL, whose SQLite transactions cover DDL too."""
    import sqlalchemy

    where: str | sqlalchemy.URL = re.sub("^postgres(ql)?://", "postgresql+psycopg://", url)  # psycopg 3 is the driver
    if url.startswith("sqlite:///"):  # a path as it is: `?` and `%` mean nothing in it
        where = sqlalchemy.URL.create("sqlite", database=url.removeprefix("sqlite:///"))
    engine = sqlalchemy.create_engine(where, poolclass=sqlalchemy.pool.NullPool)
    if engine.dialect.name == "sqlite":
        # Python's sqlite3 opens no transaction for DDL; a kill in the middle must leave nothing half made.
        sqlalchemy.event.listen(
            engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None)
        )
        sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
