"""Here the databases are empty: these tests are about how they come to be."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.fakes import postgres


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of an empty database."""
    return postgres.create(postgres_server, f"t{secrets.token_hex(6)}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a database file that is not there yet."""
    return f"sqlite:///{tmp_path / 'bulkhead.db'}"
