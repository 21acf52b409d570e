"""kill -9 of the process that has litellm while turns of a server wait for it: each is answered, or honestly failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.routing.showing import GO_ON
from tests.fakes import model_server
from tests.fakes.house import House
from tests.whole.people import execute, until

WORDS = "one two three four five six seven eight nine ten eleven twelve"
ALONE = f"Refactor this python function: {WORDS}"
ROUTES = """\
[routes]
cheap = ["deepseek/pause", "openai/echo"]
obedience = ["deepseek/pause", "openai/echo"]
code = ["deepseek/pause"]
[servers]
ollama = ""
lmstudio = ""
llamacpp = ""
"""


@pytest.fixture(scope="module")
def fake() -> Iterator[model_server.ModelServer]:
    with model_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, fake: model_server.ModelServer) -> Iterator[House]:
    """Its `deepseek/...` goes through litellm to the fake, its `openai/...` straight there."""
    environ = {
        "OPENAI_BASE_URL": fake.base_url,
        "OPENAI_API_KEY": "k",
        "DEEPSEEK_API_BASE": fake.base_url,
        "DEEPSEEK_API_KEY": "k",
    }
    opened = House(tmp_path_factory.mktemp("worker") / "home", env=environ)
    opened.home.mkdir(mode=0o700)
    (opened.home / "routes.toml").write_text(ROUTES)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def workers(house: House) -> list[int]:
    """The children of the server that have litellm."""
    assert house.process is not None
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_one = b"layers.routing.litellm_model" in (entry / "cmdline").read_bytes()
        except (OSError, IndexError, ValueError):
            continue  # no process, or one that has just ended
        if is_one and parent == house.process.pid:
            found.append(int(entry.name))
    return found


def test_a_killed_worker_costs_no_answer_and_doubles_none(house: House, fake: model_server.ModelServer) -> None:
    fake.lines[GO_ON] = WORDS  # the second model begins anew: the worst it can do
    for conversation, text in (("helped", WORDS), ("alone", ALONE)):
        house.say(text, conversation)
    for conversation in ("helped", "alone"):
        house.wait_for(lambda event: event["kind"] == "working" and "three" in event["html"], conversation, 120)
    (worker,) = workers(house)
    os.kill(worker, signal.SIGKILL)

    answered = house.wait_for(lambda event: event["kind"] == "message", "helped")
    assert f">{WORDS}<" in answered["html"]
    failed = house.wait_for(lambda event: event["kind"] == "error", "alone")
    assert "the model worker stopped in the middle" in failed["html"]
    assert "Try again in a minute" in failed["html"]
    until(lambda: not execute(house, "SELECT 1 FROM inbox WHERE state = 'pending'"))
    assert [event["kind"] for event in house.history("helped")] == ["own", "message"]
    assert [event["kind"] for event in house.history("alone")] == ["own", "message", "error"]
    assert "(The answer broke off here.)" in house.history("alone")[1]["html"]
    assert sorted(fake.asked()) == ["echo", "pause", "pause"], "nobody was asked the same again"
