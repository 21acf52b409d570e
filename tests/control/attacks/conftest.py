"""One server between a Telegram and a Slack, for all attacks that need no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.attacks.surfaces import Page, Slack, Surface, Telegram, World, between


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    with between(tmp_path_factory.mktemp("attacks") / "home", shared) as made:
        yield made


@pytest.fixture(params=["page", "telegram", "slack"])
def surface(request: pytest.FixtureRequest, world: World) -> Surface:
    made = {"page": Page, "telegram": Telegram, "slack": Slack}[request.param]
    return made(world)
