"""A real Dovecot and a real Exim for the session; empty mailboxes for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import skip
from tests.fakes import mail_servers
from tests.fakes.mail_servers import MailServers


@pytest.fixture(scope="session")
def both_servers() -> Iterator[MailServers]:
    if reason := mail_servers.why_not():
        skip(reason)
    with mail_servers.running() as servers:
        yield servers


@pytest.fixture
def servers(both_servers: MailServers) -> MailServers:
    both_servers.empty()
    return both_servers
