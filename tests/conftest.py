"""Fixtures every folder shares: the store on both databases, and where the corpora are."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from layers.store import Store, open_store
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
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of an empty database."""
    return postgres.create(postgres_server, f"t{secrets.token_hex(6)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bulkhead.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open, migrated store of each kind."""
    opened = await open_store(database_url)
    yield opened
    await opened.close()
