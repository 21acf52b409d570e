"""One server between a Telegram and a Slack, for all attacks that need no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.control.attacks.surfaces import Page, Slack, Surface, Telegram, World
from tests.fakes import slack_server, telegram_server


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory, shared: object) -> Iterator[World]:
    with ExitStack() as stack:
        slack = stack.enter_context(slack_server.running(slack_server.load_spec(shared)))  # type: ignore[arg-type]
        telegram = stack.enter_context(telegram_server.running())
        home = tmp_path_factory.mktemp("attacks") / "home"
        made = World(home, slack, telegram, BULKHEAD_SLACK_APP_TOKEN="xapp-1-fake")
        stack.callback(made.close)
        made.start()
        yield made
        assert (slack.violations, telegram.violations) == ([], [])


@pytest.fixture(params=["page", "telegram", "slack"])
def surface(request: pytest.FixtureRequest, world: World) -> Surface:
    made = {"page": Page, "telegram": Telegram, "slack": Slack}[request.param]
    return made(world)
