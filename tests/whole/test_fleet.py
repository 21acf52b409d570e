"""Two servers on one PostgreSQL are one house: a message to one, its card pressed at the other, every effect once.

Each has a home of its own; the workspace has the same path for both, as plans name it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.control import SigningKey
from tests.conftest import REPO
from tests.fakes import model_server, postgres
from tests.fakes.house import House
from tests.whole.people import bulkhead, card, effects, error, execute, furnish, outcome, until


def share(house: House, workspace: Path) -> None:
    """Give a house the fleet's workspace."""
    workspace.mkdir(exist_ok=True)
    (house.home / "workspace").symlink_to(workspace)


def share_key(first: House, *others: House) -> None:
    """As the README says: the first machine's key goes to the others."""
    key = SigningKey.open(first.home / "keys")
    for house in others:
        (house.home / "keys").mkdir(mode=0o700, exist_ok=True)
        for name in ("control.key", "control.pub"):
            shutil.copy(first.home / "keys" / name, house.home / "keys" / name)
        assert SigningKey.open(house.home / "keys").raw == key.raw


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[tuple[House, House]]:
    url = postgres.create(postgres_server, f"f{uuid.uuid4().hex[:12]}")
    folder = tmp_path_factory.mktemp("fleet")
    with model_server.running() as model:
        houses = [House(folder / name, url) for name in ("a", "b")]
        for house in houses:
            furnish(house.home, model.base_url, "slow-2s")
            share(house, folder / "workspace")
        share_key(*houses)
        try:
            for house in houses:
                house.start()
                house.sign_in()
            yield houses[0], houses[1]
        finally:
            for house in houses:
                if house.process is not None and house.is_alive:
                    house.process.send_signal(signal.SIGCONT)
                house.close()


def test_a_card_of_one_server_is_pressed_at_the_other(fleet: tuple[House, House]) -> None:
    a, b = fleet
    shown = card(a, "across", "across")
    assert [event["key"] for event in b.history("across")] == [event["key"] for event in a.history("across")]
    b.press(shown, "Approve", "across")
    assert "Done" in outcome(a, shown["key"], "across")
    a.press(shown, "Approve", "across")
    assert "already decided" in error(b, "across")
    assert effects(a.home) == ["across"]


def test_presses_at_both_servers_at_once_run_it_once(fleet: tuple[House, House]) -> None:
    a, b = fleet
    shown = card(a, "both", "both")
    threads = [threading.Thread(target=house.press, args=(shown, "Approve", "both")) for house in (a, b) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "Done" in outcome(b, shown["key"], "both")
    assert effects(a.home).count("both") == 1


def test_the_page_of_one_server_streams_what_the_other_answers(fleet: tuple[House, House]) -> None:
    a, b = fleet
    with b.client.stream("GET", "/api/events", params={"conversation": "stream", "after": "0"}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        a.say("/pending", "stream")
        started = time.monotonic()
        shown = ""
        while "Nothing waits" not in shown and time.monotonic() - started < 10:
            shown = next(lines)
    assert "Nothing waits" in shown
    assert time.monotonic() - started < 5


def test_a_schedule_fires_once_in_the_fleet(fleet: tuple[House, House]) -> None:
    a, b = fleet
    a.ask('/schedule "0 0 1 1 *" UTC /pending', "clock")
    execute(a, f"UPDATE schedule SET next_fire = {time.time() - 1}")
    b.wait_for(
        lambda event: event["kind"] == "own" and event["person"] == "owner" and event["text"] == "/pending", "clock"
    )
    time.sleep(2.5)
    fired = [event for event in a.history("clock") if event["kind"] == "own" and event["text"] == "/pending"]
    assert len(fired) == 1
    number = execute(a, "SELECT id FROM schedule")[0][0]
    a.ask(f"/schedule remove {number}", "clock")


def test_the_command_line_gets_its_answers_in_a_fleet(fleet: tuple[House, House]) -> None:
    for house in fleet * 2:
        done = bulkhead(house, "ask", "/pending")
        assert done.returncode == 0
        assert "Nothing waits" in done.stdout, "the other server's courier must not take what is waited for here"


def test_an_effect_whose_server_died_elsewhere_is_unknown_and_not_run_again(
    fleet: tuple[House, House], tmp_path: Path
) -> None:
    a, b = fleet
    dying = House(tmp_path / "dying", a.env["BULKHEAD_DATABASE_URL"])
    furnish(dying.home)
    share(dying, (a.home / "workspace").resolve())
    share_key(a, dying)
    dying.start("effect.running:1")
    try:
        dying.sign_in()
        shown = card(dying, "dying", "dying")
        dying.press(shown, "Approve", "dying")
        assert "Outcome unknown" in outcome(b, shown["key"], "dying")
        assert effects(a.home).count("dying") <= 1
    finally:
        dying.close()


def test_a_conversation_whose_commit_was_never_answered_goes_on(fleet: tuple[House, House]) -> None:
    """The connection broke between a commit and its answer: a worker has it by the database, and knows nothing."""
    a, b = fleet
    a.ask("/pending", "stray")
    [(worker,)] = execute(a, f"SELECT id FROM worker WHERE pid = {a.process.pid}")  # type: ignore[union-attr]
    execute(a, f"UPDATE conversation SET owner = '{worker}' WHERE id = 'web:stray'")
    assert "Nothing waits" in b.ask("/pending", "stray", seconds=20)["html"]


def test_a_replica_with_a_key_of_its_own_does_not_start_and_says_what_to_do(
    fleet: tuple[House, House], tmp_path: Path
) -> None:
    alien = House(tmp_path / "alien", fleet[0].env["BULKHEAD_DATABASE_URL"])
    refused = subprocess.run(
        [sys.executable, "-m", "bot", "serve", "--home", str(alien.home), "--port", "0"],
        env=alien.env,
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode != 0
    assert "copy keys/control.*" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_a_server_that_is_frozen_and_thaws_doubles_nothing(fleet: tuple[House, House]) -> None:
    a, b = fleet
    shown = card(a, "frozen", "frozen")
    for n in range(8):
        a.say(f"think about {n}", f"ice-{n}")
    a.press(shown, "Approve", "frozen")
    time.sleep(0.05)
    assert a.process is not None
    os.kill(a.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert b.ask("think", "warm", seconds=8)["kind"] == "message"
        own = card(b, "warm", "warm")
        b.press(own, "Approve", "warm")
        assert "Done" in outcome(b, own["key"], "warm")
        time.sleep(max(0.0, 8 - (time.monotonic() - started)))
    finally:
        os.kill(a.process.pid, signal.SIGCONT)
    assert "Done" in outcome(b, shown["key"], "frozen")
    for n in range(8):
        until(lambda n=n: [e["kind"] for e in b.history(f"ice-{n}")] == ["own", "message"], 40)
    assert effects(a.home).count("frozen") == 1
    assert a.ask("/pending", "after")["kind"] == "message"
    assert json.loads(bulkhead(a, "audit", "verify").stdout)["ok"]
