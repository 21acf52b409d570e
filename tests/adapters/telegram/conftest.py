"""The fake server, and the channel on both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from layers.store import Store
from tests.adapters.telegram.rig import Rig
from tests.fakes import telegram_server
from tests.fakes.telegram_server import TelegramServer


@pytest.fixture
def fake() -> Iterator[TelegramServer]:
    with telegram_server.running() as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def rig(store: Store, fake: TelegramServer) -> AsyncIterator[Rig]:
    made = Rig(store, fake.url)
    await made.start()
    yield made
    await made.stop()


async def until(is_so: Callable[[], object], limit_s: float = 15.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it never became so")
        await asyncio.sleep(0.02)
