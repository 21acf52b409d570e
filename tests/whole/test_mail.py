"""Mail on the real server: a command, an action that a mail cannot approve and the page can, across a kill."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO, skip
from tests.fakes import mail_servers
from tests.fakes.house import House
from tests.fakes.mail_servers import MailServers, text_of

PEOPLE = """\
[people.owner]
name = "Owner"
approver = true
identities = ["mail:anna@example.test"]

[transport.mail]
hourly_conversation = 100
"""


def until(holds: Callable[[], object], seconds: float = 40) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


@pytest.fixture
def servers() -> Iterator[MailServers]:
    if reason := mail_servers.why_not():
        skip(reason)
    with mail_servers.running() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, servers: MailServers) -> Iterator[House]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "bulkhead.toml").write_text(PEOPLE)
    settings = {
        "BULKHEAD_MAIL_ADDRESS": "bot@example.test",
        "BULKHEAD_MAIL_PASSWORD": mail_servers.PASSWORD,
        "BULKHEAD_MAIL_IMAP_URL": f"imap://bot@127.0.0.1:{servers.imap}",
        "BULKHEAD_MAIL_SMTP_URL": f"smtp://bot@127.0.0.1:{servers.submission}",
    }
    served = House(home, env=settings)
    served.start()
    served.sign_in()
    yield served
    served.close()


def test_mail_from_a_command_to_an_action_approved_on_the_page_across_a_kill(
    house: House, servers: MailServers
) -> None:
    until(lambda: servers.is_read("bot"))
    servers.say("/pending")
    (first,) = servers.wait_for("anna")
    assert "Nothing waits" in text_of(first)
    servers.say("/run workspace.write-note name=mail text=hello")
    _, card = servers.wait_for("anna", 2)
    assert "Approval needed" in text_of(card)
    assert f"Deny, Approve: open http://127.0.0.1:{house.port}" in text_of(card)
    house.kill()
    servers.say("Approve", In_Reply_To=card["Message-ID"], References=f"{card['In-Reply-To']} {card['Message-ID']}")
    house.start()
    house.sign_in()
    *_, answer = servers.wait_for("anna", 3, seconds=60)  # the role of the killed process runs out first
    assert not (house.home / "workspace" / "notes").exists()
    shown = house.wait_for(lambda event: "Approval needed" in json.dumps(event))
    assert house.press(shown, "Approve").status_code == 202
    *_, outcome = servers.wait_for("anna", 4)
    assert "Done" in text_of(outcome)
    assert (house.home / "workspace" / "notes" / "mail.md").read_text() == "hello\n"
    assert answer["References"].split()[0] == outcome["References"].split()[0] == card["References"].split()[0]
    house.wait_for(lambda event: "Done" in json.dumps(event) and event["key"] == shown["key"])
    time.sleep(1.5)
    assert len(servers.mails("anna")) == 4


def test_a_server_elsewhere_is_refused_in_one_sentence_at_start(tmp_path: Path) -> None:
    settings = {"BULKHEAD_MAIL_ADDRESS": "bot@example.test", "BULKHEAD_MAIL_PASSWORD": "x"}
    house = House(tmp_path / "home", env=settings | {"BULKHEAD_MAIL_IMAP_URL": "imaps://imap.example.org"})
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve", "--home", str(tmp_path / "home"), "--port", "0"],
        cwd=REPO,
        env=house.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    house.close()
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("bulkhead: BULKHEAD_MAIL_IMAP_URL names 'imap.example.org'")
    assert "BULKHEAD_MAIL_DIRECT=true" in said
    assert "Traceback" not in done.stderr
