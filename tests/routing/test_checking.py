"""An answer is checked before it counts: repaired once, then the next model up, then the honest answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from layers.routing import Ledger, Message, Role, Router, Task, ToolSpec, parse_routes
from layers.routing.checking import contract_for, kinds_of, stronger
from layers.routing.types import Model, Tier
from layers.store import Store, open_store
from tests.fakes.model_server import ModelServer
from tests.routing.conftest import KEY, NO_SERVERS

MakeRouter = Callable[..., Router]
NO_COMMA = "Tell me about tea. Do not use any commas in your response."
GOOD, BAD = "Tea is warm.", "Tea, warm."
DRAW = ToolSpec(name="draw", description="Post a picture.", parameters={"type": "object", "properties": {}})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await open_store(f"sqlite:///{tmp_path}/house.db")
    yield made
    await made.close()


@pytest.fixture
async def router(fake: ModelServer, store: Store) -> AsyncIterator[MakeRouter]:
    made: list[Router] = []

    def make(*names: str, more: str = "") -> Router:
        listed = [f"openai/{name}" for name in names]
        shapes = "\n".join(f"{shape} = {listed}" for shape in ("obedience", "depth", "code", "cheap"))
        routes = f"[routes]\n{shapes}\n{more}\n{NO_SERVERS}"
        environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": KEY}
        made.append(Router(environ=environ, routes=parse_routes(routes), ledger=Ledger(store)))
        return made[-1]

    yield make
    fake.says.clear()
    for each in made:
        await each.close()


def ask(text: str = NO_COMMA, **options: object) -> Task:
    return Task(messages=(Message(role=Role.USER, content=text),), **options)  # type: ignore[arg-type]


def says(*answers: str) -> Callable[[list[dict[str, object]]], str]:
    """A model that gives these answers one after the other, and then the last one for ever."""
    left = list(answers)
    return lambda messages: left.pop(0) if len(left) > 1 else left[0]


async def test_an_answer_that_keeps_everything_is_one_call(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says(GOOD)}
    pieces: list[str] = []
    reply = await router("weak", "strong").complete(ask(), pieces.append)
    assert fake.asked() == ["weak"]
    assert (reply.text, reply.steps, reply.broken, reply.confession) == (GOOD, (), (), "")
    assert len(reply.held) == 1
    assert pieces == [GOOD]


async def test_a_broken_clause_goes_back_once_with_its_name(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says(BAD, GOOD)}
    pieces: list[str] = []
    reply = await router("weak", "strong").complete(ask(), pieces.append)
    assert fake.asked() == ["weak", "weak"]
    assert BAD in fake.calls[1].messages[-2]["content"]
    assert "comma" in fake.calls[1].messages[-1]["content"]
    assert (reply.text, reply.broken, len(reply.steps)) == (GOOD, (), 1)
    assert pieces == [GOOD], "the broken one was never shown"
    assert reply.tokens.read > 0
    assert len(reply.attempts) == 2


async def test_what_is_broken_twice_goes_one_model_up(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says(BAD), "strong": says(GOOD)}
    reply = await router("weak", "strong").complete(ask())
    assert fake.asked() == ["weak", "weak", "strong"]
    assert len(fake.calls[2].messages) == 1, "the next one is asked the question and no more"
    assert (reply.text, reply.model, reply.confession) == (GOOD, "openai/strong", "")


async def test_where_nobody_keeps_it_the_answer_says_what_it_fails(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says(BAD), "strong": says(BAD)}
    reply = await router("weak", "strong").complete(ask())
    assert fake.asked() == ["weak", "weak", "strong"]
    assert reply.text == BAD
    assert "does not hold" in reply.confession
    assert len(reply.broken) == 1


async def test_standing_rules_are_checked_as_well(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says(BAD, GOOD)}
    reply = await router("weak").complete(ask("Tell me about tea.", rules=("Do not use any commas.",)))
    assert reply.text == GOOD
    assert fake.asked() == ["weak", "weak"]


async def test_a_call_of_a_forbidden_tool_is_not_made(router: MakeRouter, fake: ModelServer) -> None:
    task = ask("Tell me about tea. Never use the draw tool.", tools=(DRAW,))
    reply = await router("tool-draw").complete(task)
    assert reply.tool_calls == ()
    assert "draw" in reply.confession


async def test_words_are_shown_as_they_come_where_no_clause_can_break(router: MakeRouter, fake: ModelServer) -> None:
    pieces: list[str] = []
    await router("echo").complete(ask("one two three"), pieces.append)
    assert len(pieces) > 1


async def test_what_a_model_keeps_is_remembered_and_decides_who_is_asked_first(
    router: MakeRouter, fake: ModelServer, store: Store
) -> None:
    fake.says = {"weak": says(BAD), "strong": says(GOOD)}
    made = router("weak", "strong")
    for _ in range(12):
        await made.complete(ask())
    now = await store.run(lambda tx: tx.now)
    (kind,) = kinds_of(contract_for(ask()).clauses)
    beliefs = await Ledger(store).beliefs(now)
    assert beliefs[("openai/weak", kind)].mean < 0.2
    assert beliefs[("openai/strong", kind)].mean > 0.8
    fake.calls.clear()
    fresh = router("weak", "strong")
    await fresh.complete(ask())
    assert fake.asked() == ["strong"]
    await fresh.complete(ask("Tell me about tea."))
    assert fake.asked() == ["strong", "weak"], "where nothing is asked of it, the cheap one answers"


TIERS = '[models."openai/weak"]\ntier = "small"\n[models."openai/strong"]\ntier = "large"'


@pytest.mark.parametrize(("share", "asked"), [(0.2, ["weak", "strong"]), (0.0, ["weak"])])
async def test_a_doubtful_answer_goes_to_a_higher_tier_for_a_share_of_answers(
    router: MakeRouter, fake: ModelServer, share: float, asked: list[str]
) -> None:
    fake.says = {"weak": says("I'm sorry, I cannot help with that."), "strong": says("Four.")}
    made = router("weak", "strong", more=f"{TIERS}\n[escalation]\nshare = {share}")
    reply = await made.complete(ask("How many legs has a horse?"))
    assert fake.asked() == asked
    assert (reply.model == "openai/strong") is bool(share)
    assert len(reply.steps) == len(asked) - 1


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("How many legs has a horse?", "I'm sorry, I cannot help with that."),
        ("How many legs has a horse?", "I'm sorry, but I cannot help with that. " + "It is beyond me. " * 12),
        ("A horse has 4 legs. How many have 3 horses?", "Let us see what is known here. " * 6 + "The answer is 7."),
    ],
)
async def test_what_may_be_taken_back_is_not_shown_before_it_was_judged(
    router: MakeRouter, fake: ModelServer, asked: str, answer: str
) -> None:
    fake.says = {"weak": says(answer), "strong": says("Twelve.")}
    pieces: list[str] = []
    reply = await router("weak", "strong", more=TIERS).complete(ask(asked), pieces.append)
    assert fake.asked() == ["weak", "strong"]
    assert "".join(pieces) == reply.text == "Twelve."


async def test_what_somebody_has_seen_is_not_taken_back_and_that_is_told(router: MakeRouter, fake: ModelServer) -> None:
    fake.says = {"weak": says("Horses are large. " + "They like to run in the fields. " * 12), "strong": says("No.")}
    pieces: list[str] = []
    reply = await router("weak", "strong", more=TIERS).complete(ask("Tell me about horses."), pieces.append)
    assert fake.asked() == ["weak"]
    assert len(pieces) > 1
    assert "it stays" in reply.steps[0]


def test_up_is_a_higher_tier_first() -> None:
    small, other, large = (
        Model(name=name, wire=name, tier=tier)
        for name, tier in (("s", Tier.SMALL), ("o", Tier.SMALL), ("l", Tier.LARGE))
    )
    assert stronger([small, other, large], "s", []) == [large, other]
    assert stronger([small, other, large], "s", ["l"]) == [other]
