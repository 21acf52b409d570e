"""Ports in use, a second server, SIGTERM in the middle of a turn, a disk that is full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import model_server
from tests.fakes.house import House
from tests.whole.people import bulkhead, card, effects, furnish, outcome, until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with model_server.running() as model:
        opened = House(tmp_path_factory.mktemp("stops") / "home")
        furnish(opened.home, model.base_url, "slow-2s")
        opened.start()
        try:
            opened.sign_in()
            yield opened
        finally:
            opened.close()


def test_a_second_server_on_the_same_home_is_refused(house: House) -> None:
    done = bulkhead(house, "serve", "--port", "0")
    assert done.returncode == 2
    assert "is in use by process" in json.loads(done.stdout)["error"]
    assert house.ask("/pending", "still")["kind"] == "message"
    assert bulkhead(house, "ask", "/pending").returncode == 0, "the first one's socket is where it was"


def test_a_port_in_use_is_refused(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "home")
    done = bulkhead(other, "serve", "--port", str(house.port))
    other.client.close()
    assert done.returncode == 2
    assert f"port {house.port} on '127.0.0.1' is in use" in json.loads(done.stdout)["error"]


def test_a_stop_lets_a_turn_end_and_takes_the_rest_up_again(house: House) -> None:
    for text in ("first thought", "second thought"):
        house.say(text, "term")
    house.wait_for(lambda event: event["kind"] == "working", "term")
    started = time.monotonic()
    assert house.stop() == 0
    assert time.monotonic() - started < 9
    house.start()
    house.wait_for(lambda event: "second thought" in event.get("html", ""), "term")
    shown = [(event["kind"], event.get("html", "")) for event in house.history("term")]
    assert [kind for kind, _ in shown].count("message") == 2
    assert "working" not in [kind for kind, _ in shown]


@pytest.mark.slow
def test_a_turn_longer_than_the_grace_resumes_after_the_restart(tmp_path: Path) -> None:
    with model_server.running() as model:
        house = House(tmp_path / "home")
        furnish(house.home, model.base_url, "slow-8s")
        house.start()
        try:
            house.sign_in()
            house.say("a long thought")
            house.wait_for(lambda event: event["kind"] == "working")
            assert house.stop() == 0
            house.start()
            house.wait_for(lambda event: event["kind"] == "message" and "a long thought" in event["html"])
            assert [event["kind"] for event in house.history()] == ["own", "message"]
        finally:
            house.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", folder], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return path


def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path) -> None:
    house = House(small_disk / "home")
    house.log = small_disk.parent / "house.log"
    furnish(house.home)
    house.start()
    try:
        house.sign_in()
        shown = card(house, "before")
        filler = fill(small_disk)
        os.truncate(filler, filler.stat().st_size - 400_000)  # room for a few
        taken, refused = [], []
        for n in range(60):
            answer = house.say(f"/pending {n}" if n % 2 else "/pending " + "x" * 30_000, "full")
            (taken if answer.status_code == 202 else refused).append(answer)
        assert taken, "the disk was full at once"
        assert refused, "the disk was not full"
        assert {answer.status_code for answer in refused} == {503}
        assert "could not write" in refused[0].json()["error"]
        pressed = house.press(shown, "Approve")
        assert pressed.status_code in (202, 503)
        assert house.client.get("/api/history", params={"conversation": "full"}).status_code == 200
        filler.unlink()
        assert house.ask("/pending", "again")["kind"] == "message"
        if pressed.status_code == 503:
            house.press(shown, "Approve")
        assert "Done" in outcome(house, shown["key"])
        assert effects(house.home) == ["before"]
        until(lambda: len(answers(house)) == len(taken))
        assert [event["kind"] for event in house.history("full")].count("own") == len(taken)
    finally:
        house.close()


def answers(house: House) -> list[str]:
    """What was answered in the conversation of the full disk."""
    return [event["key"] for event in house.history("full") if event["kind"] in ("message", "error")]


def test_a_disk_that_fills_in_the_middle_of_an_effect_does_not_lose_its_outcome(small_disk: Path) -> None:
    house = House(small_disk / "home")
    house.log = small_disk.parent / "house.log"
    furnish(house.home)
    slow = (house.home / "capabilities" / "workspace.append.toml").read_text()
    slow = slow.replace("workspace.append", "host.nap").replace('["tee", "-a", "log.txt"]', '["sleep", "2"]')
    (house.home / "capabilities" / "host.nap.toml").write_text(slow)
    house.start()
    try:
        house.sign_in()
        shown = house.ask("/run host.nap text=a")
        house.press(shown, "Approve")
        house.wait_for(lambda event: event["key"] == shown["key"] and not event.get("buttons"))
        filler = fill(small_disk)
        time.sleep(4)
        filler.unlink()
        assert "Outcome unknown" in outcome(house, shown["key"]) or "Done" in outcome(house, shown["key"])
        assert [event["kind"] for event in house.history()] == ["own", "card"]
    finally:
        house.close()
    shutil.rmtree(house.home, ignore_errors=True)
