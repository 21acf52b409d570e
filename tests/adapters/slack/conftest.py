"""A fake Slack for each test; whatever it found against a call fails the test."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.fakes.slack_server import SlackServer, load_spec, running

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture(scope="session")
def slack_spec() -> dict[str, object]:
    """The machine-readable Web API; empty where there is no shared data: the limits are checked always."""
    return load_spec(Path(os.environ.get("BULKHEAD_SHARED", REPO.parent / "shared")))


@pytest.fixture
def slack(slack_spec: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "SLACK_CLIENT_ID", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with running(slack_spec) as server:
        yield server
    assert server.violations == []


@pytest.fixture
def until() -> Until:
    """Wait until something holds."""

    async def wait(holds: Callable[[], object], seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it never came true"
            await asyncio.sleep(0.02)

    return wait
