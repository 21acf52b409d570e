"""An answer that is seen while it grows: through the page of a real server, from a model on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layers.routing.showing import GO_ON
from tests.fakes import model_server
from tests.fakes.house import House
from tests.whole.people import execute

WORDS = "one two three four five six seven eight nine ten eleven twelve"
ROUTES = """\
[routes]
cheap = ["openai/pausebreak", "openai/echo"]
obedience = ["openai/pause"]
depth = ["openai/drip"]
code = ["openai/pausebreak"]
[servers]
ollama = ""
lmstudio = ""
llamacpp = ""
"""
LETTERS = "Answer in all lowercase letters: one two three four five six seven eight nine ten"


@pytest.fixture(scope="module")
def fake() -> Iterator[model_server.ModelServer]:
    with model_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, fake: model_server.ModelServer) -> Iterator[House]:
    environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "k"}
    opened = House(tmp_path_factory.mktemp("streaming") / "home", env=environ)
    opened.home.mkdir(mode=0o700)
    (opened.home / "routes.toml").write_text(ROUTES)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def test_what_was_seen_of_an_answer_is_gone_on_with_by_the_next_model(
    house: House, fake: model_server.ModelServer
) -> None:
    fake.go_on.clear()
    fake.lines[GO_ON] = WORDS  # the second model begins anew: the worst it can do
    house.say(WORDS, "break")
    seen = house.wait_for(lambda event: event["kind"] == "working" and "one two three" in event["html"], "break")
    assert "twelve" not in seen["html"]
    fake.go_on.set()
    after = house.wait_for(lambda event: event["kind"] == "message", "break")
    assert after["key"] == seen["key"]
    assert f">{WORDS}<" in after["html"]
    why = house.ask("/why", "break")["html"]
    assert "openai/echo" in why
    assert "openai/pausebreak" in why


def test_what_nobody_could_finish_stays_and_is_marked(house: House, fake: model_server.ModelServer) -> None:
    fake.go_on.clear()
    text = f"Refactor this python function: {WORDS}"
    house.say(text, "marked")
    house.wait_for(lambda event: event["kind"] == "working" and "Refactor this" in event["html"], "marked")
    fake.go_on.set()
    house.wait_for(lambda event: event["kind"] == "error" and "No model answered" in event["html"], "marked")
    kept = house.wait_for(lambda event: event["kind"] == "message", "marked")["html"]
    assert "Refactor this" in kept
    assert "broke off here" in kept
    why = house.ask("/why", "marked")["html"]
    assert "got no answer" in why
    assert "openai/pausebreak: the provider failed" in why
    assert "shape: <strong>code</strong> (" in why
    assert "cost: $0.0000" in why


def test_a_hard_clause_holds_every_word_back(house: House, fake: model_server.ModelServer) -> None:
    fake.go_on.clear()
    fake.says["pause"] = lambda messages: WORDS
    house.say(LETTERS, "held")
    house.wait_for(lambda event: event["kind"] == "working", "held")
    fake.go_on.set()
    house.wait_for(lambda event: event["kind"] == "message" and WORDS in event["html"], "held")
    progress = "SELECT payload FROM outbox WHERE conversation_id = 'web:held' AND kind = 'working'"
    assert not [shown for (shown,) in execute(house, progress) if "one two" in shown and "ten" not in shown]


def test_a_server_that_stops_lets_go_of_the_model(house: House, fake: model_server.ModelServer) -> None:
    house.say("Prove the theorem step by step.", "endless")
    house.wait_for(lambda event: event["kind"] == "working" and "drip drip" in event["html"], "endless")
    house.stop()
    assert fake.left == ["drip"]
