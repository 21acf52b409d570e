"""A process that is killed between receipt, commit and acknowledgement: nothing is lost, nothing is doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.adapters.slack.conftest import Until
from tests.conftest import REPO
from tests.fakes.slack_server import SlackServer


@contextmanager
def process(database_url: str, slack: SlackServer, *where: str) -> Iterator[subprocess.Popen[str]]:
    """The tiny bot in a process of its own, connected."""
    command = [sys.executable, "-m", "tests.adapters.slack.bot", database_url, slack.url, *where]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as bot:
        try:
            assert bot.stdout is not None
            assert bot.stdout.readline() == "started\n"
            yield bot
        finally:
            bot.kill()


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_kill_around_the_commit_loses_and_doubles_nothing(
    database_url: str, slack: SlackServer, until: Until, where: str
) -> None:
    with process(database_url, slack, where) as bot:
        envelope = slack.people.direct("D1", "U0OWNER", "hello")
        assert bot.wait(20) == -signal.SIGKILL
        assert not envelope.acked.is_set()
    assert slack.workspace.said("D1") == []
    with process(database_url, slack):
        await until(envelope.acked.is_set)
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])
        second = slack.people.direct("D1", "U0OWNER", "again")
        await until(lambda: slack.workspace.said("D1") == ["echo: hello", "echo: again"])
        assert second.sent == 1
    assert envelope.sent == 2
