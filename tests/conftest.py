"""Fixtures every folder shares: the store on both databases, and where the corpora are."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from layers.store import Store, open_store, upgrade_store
from tests.fakes import postgres

REPO = Path(__file__).parents[1]

# machines are noisy: how long an example takes is no verdict on the code
settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")


def skip(reason: str) -> None:
    """Skip for want of a system package; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must not skip: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The corpora beside the repository; tests that need them skip where they are absent."""
    folder = Path(os.environ.get("BULKHEAD_SHARED", REPO.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL."""
    if postgres.find_bin() is None:
        skip("no PostgreSQL: install Debian's package postgresql")
    with postgres.server(*postgres.UNSAFE) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated database that others are copied from: migrating each test's own takes half its time."""
    name = "migrated"
    asyncio.run(upgrade_store(postgres.create(postgres_server, name)))
    return name


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> str:
    """The URL of a fresh, migrated database."""
    return postgres.create(postgres_server, f"t{secrets.token_hex(6)}", postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file."""
    path = tmp_path_factory.mktemp("migrated") / "bulkhead.db"
    asyncio.run(upgrade_store(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database file."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'bulkhead.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store of each kind."""
    opened = await open_store(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def lite(sqlite_url: str) -> AsyncIterator[Store]:
    """An open store for what is no matter of the database."""
    opened = await open_store(sqlite_url)
    yield opened
    await opened.close()
