"""An answer that grows in Telegram and in Slack: paced, held back where a clause is hard, taken up, stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bot.dispatcher.draft import FIRST_S, SELDOM_S, SLOWER
from layers.routing.showing import GO_ON
from tests.control.attacks.surfaces import ANNA, World, between
from tests.fakes import model_server
from tests.whole.people import until
from tests.whole.pictures import Chat, Seen, Slack, Telegram, press, says, wait

WORDS = "one two three four five six seven eight nine ten eleven twelve"
LETTERS = "Answer in all lowercase letters: one two three four five six seven eight nine ten"
ROUTES = """\
[routes]
cheap = ["openai/echo"]
obedience = ["openai/pause"]
depth = ["openai/drip"]
code = ["openai/pause"]
[servers]
ollama = ""
lmstudio = ""
llamacpp = ""
[models."Telegram/pausebreak"]
api_base = "URL"
[models."Slack/pausebreak"]
api_base = "URL"
"""
"""A model that has failed rests: each chat has one of its own."""


@pytest.fixture(scope="module")
def fake() -> Iterator[model_server.ModelServer]:
    with model_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, fake: model_server.ModelServer
) -> Iterator[World]:
    home = tmp_path_factory.mktemp("drafts") / "home"
    home.mkdir(mode=0o700)
    (home / "routes.toml").write_text(ROUTES.replace("URL", fake.base_url))
    with between(home, shared, OPENAI_BASE_URL=fake.base_url, OPENAI_API_KEY="k") as made:
        yield made


@pytest.fixture(params=[Telegram, Slack])
def chat(request: pytest.FixtureRequest, world: World, fake: model_server.ModelServer) -> Chat:
    made: Chat = request.param(world)
    fake.go_on.clear()
    return made


def looks(chat: Chat) -> list[str]:
    """Everything that the provider was given to show there, in order: the text of each call."""
    if isinstance(chat, Slack):
        calls = [call for call in chat.world.slack.calls if call.channel == chat.channel]
        return [str(call.arguments["text"]) for call in calls if call.method in ("chat.postMessage", "chat.update")]
    assert isinstance(chat, Telegram)
    sent = [call.params for call in chat.world.telegram.calls if str(call.params.get("chat_id")) == str(chat.chat)]
    return [json.dumps(each.get("rich_message") or each["text"]) for each in sent if {"rich_message", "text"} & {*each}]


def text(chat: Chat, seen: Seen) -> str:
    """What people read of it, without its buttons."""
    return str(seen.raw["text"]) if isinstance(chat, Slack) else seen.text


def draft(chat: Chat, *words: str) -> Seen:
    """The message while it grows."""
    return wait(chat, lambda seen: "Stop" in seen.buttons and says(*words)(seen))


def most_looks(seconds: float) -> int:
    """How many looks there can be in that time: none of the pauses between them is ever shorter."""
    count, pause_s = 1, FIRST_S
    while seconds > 0:
        seconds, pause_s, count = seconds - pause_s, min(pause_s * SLOWER, SELDOM_S), count + 1
    return count


def test_an_answer_grows_in_one_message_and_is_in_the_end_what_the_model_said(
    chat: Chat, fake: model_server.ModelServer
) -> None:
    chat.say(f"Refactor this python function: {WORDS}")
    grown = draft(chat, "Refactor this")
    assert "twelve" not in grown.text
    fake.go_on.set()
    whole = wait(chat, lambda seen: seen.id == grown.id and not seen.buttons)
    assert text(chat, whole).endswith(f"Refactor this python function: {WORDS}")
    assert len(chat.seen()) == 1


def test_a_break_is_gone_on_with_and_nothing_is_said_twice(chat: Chat, fake: model_server.ModelServer) -> None:
    fake.lines[GO_ON] = WORDS  # the second model begins anew: the worst it can do
    chat.say(f"/model {type(chat).__name__}/pausebreak")
    wait(chat, says("is answered by"))
    chat.say(WORDS)
    grown = draft(chat, "one two three")
    fake.go_on.set()
    whole = wait(chat, lambda seen: seen.id == grown.id and not seen.buttons)
    assert text(chat, whole) == WORDS
    assert len(chat.seen()) == 2


def test_a_hard_clause_holds_back_every_word_and_the_button_is_there(
    chat: Chat, fake: model_server.ModelServer
) -> None:
    fake.says["pause"] = lambda messages: WORDS
    chat.say(LETTERS)
    held = draft(chat, "Working on it")
    fake.go_on.set()
    whole = wait(chat, lambda seen: seen.id == held.id and not seen.buttons)
    del fake.says["pause"]
    assert text(chat, whole) == WORDS
    assert not [look for look in looks(chat) if "one" in look and "twelve" not in look]


def test_looks_are_paced_and_the_button_ends_them_for_whoever_asked(
    chat: Chat, fake: model_server.ModelServer
) -> None:
    fake.left.clear()
    began = time.monotonic()
    chat.say("Prove the theorem step by step.")
    grown = draft(chat, "drip " * 60)
    press(chat, grown, "Stop", ANNA)
    wait(chat, says("who is being answered"))
    assert fake.left == []
    press(chat, grown, "Stop")
    kept = wait(chat, lambda seen: seen.id == grown.id and "Stopped by Owner" in seen.text)
    until(lambda: fake.left == ["drip"])
    assert "drip drip" in kept.text
    assert kept.buttons == {}
    shown = [look for look in looks(chat) if "drip" in look]
    assert len(shown) <= most_looks(time.monotonic() - began) + 1, "and the last, which is no look"
    assert all(len(later) > len(sooner) for sooner, later in pairwise(shown[:-1]))
