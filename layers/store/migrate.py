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
    """Run every missing migration on the database at our `url`, each in one transaction.

    Raises:
        Misconfigured: the database does not let us.
    """
    import alembic.command
    import alembic.config
    import sqlalchemy.exc

    config = alembic.config.Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))  # it is read by configparser
    try:
        with make_engine(url).begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise Misconfigured(
            f"database {url.split('@')[-1]!r} cannot be migrated ({error.orig}); make it writable for this user"
        ) from error
    log.info("store.migrated", extra={"revision": HEAD})


def make_engine(url: str) -> Engine:
    """A SQLAlchemy engine on our URL, without a pool, whose SQLite transactions cover DDL too."""
    import sqlalchemy

    if url.startswith("sqlite:///"):  # ours is a plain path: a `?` or `%` in it means itself
        there = sqlalchemy.URL.create("sqlite", database=url.removeprefix("sqlite:///"))
    else:
        there = sqlalchemy.make_url(re.sub("^postgres(ql)?://", "postgresql+psycopg://", url))
    engine = sqlalchemy.create_engine(there, poolclass=sqlalchemy.pool.NullPool)
    if engine.dialect.name == "sqlite":
        # Python's sqlite3 opens no transaction for DDL; a kill in the middle must leave nothing half made.
        sqlalchemy.event.listen(
            engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None)
        )
        sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
