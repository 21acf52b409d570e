"""Budgets, locality, pins, stickiness and obedience: what the router does with what its ledger knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from layers.routing import (
    Caller,
    Ledger,
    Message,
    NoModel,
    OverBudget,
    Role,
    Router,
    Staying,
    Task,
    Verdict,
    parse_routes,
)
from layers.routing.ledger import HALF_LIFE_S, LANDMARK, day_of, set_pin, weight
from layers.store import Store, open_store
from tests.fakes.model_server import ModelServer
from tests.routing.conftest import KEY, NO_SERVERS

ANN = Caller(person="ann", channel="slack", conversation="slack:C1")
MakeRouter = Callable[..., Router]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await open_store(f"sqlite:///{tmp_path}/house.db")
    yield made
    await made.close()


@pytest.fixture
async def router(fake: ModelServer, store: Store) -> AsyncIterator[MakeRouter]:
    made: list[Router] = []

    def make(routes: str, staying: Staying | None = None) -> Router:
        environ, parsed = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": KEY}, f"{routes}\n{NO_SERVERS}"
        ledger, kept = Ledger(store), staying or Staying()
        made.append(Router(environ=environ, routes=parse_routes(parsed), ledger=ledger, staying=kept))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def ask(caller: Caller = ANN, **options: object) -> Task:
    return Task(messages=(Message(role=Role.USER, content="ping"),), caller=caller, **options)  # type: ignore[arg-type]


def priced(name: str, usd: float) -> str:
    """A model of which every answer costs `usd`: the fake bills one token out for `ping`... and some in."""
    return f'[models."openai/{name}"]\nusd_per_million_in = 0\nusd_per_million_out = {usd * 1e6 / 2}\n'


CHEAP = '[routes]\ncheap = ["openai/echo", "openai/whole"]\n'


async def test_every_call_is_summed_for_day_person_channel_and_model(router: MakeRouter, store: Store) -> None:
    made = router('[routes]\ncheap = ["openai/err500", "openai/echo"]\n' + priced("echo", 0.5))
    await made.complete(ask())
    now = await store.run(lambda tx: tx.now)
    for scope, name in (("all", ""), ("person", "ann"), ("channel", "slack")):
        (sum_,) = await Ledger(store).spend(scope, now, 7)
        assert (sum_.name, sum_.calls, sum_.failures, sum_.unpriced) == (name, 2, 1, 0)
        assert sum_.usd == pytest.approx(0.5)
        assert sum_.tokens.read > 0
    assert [each.name for each in await Ledger(store).spend("model", now, 1)] == ["openai/echo", "openai/err500"]


async def test_an_unknown_price_is_counted_as_unknown_and_not_as_free(router: MakeRouter, store: Store) -> None:
    await router(CHEAP).complete(ask())
    (sum_,) = await Ledger(store).spend("all", await store.run(lambda tx: tx.now), 1)
    assert (sum_.unpriced, sum_.usd) == (1, 0.0)


@pytest.mark.parametrize("limit", ["usd_per_day", "person_usd_per_day", "channel_usd_per_day"])
async def test_a_budget_warns_at_four_fifths_and_then_stops_hard(
    router: MakeRouter, fake: ModelServer, limit: str
) -> None:
    made = router(CHEAP + priced("echo", 0.5) + priced("whole", 0.5) + f"[budgets]\n{limit} = 1.1\n")
    assert (await made.complete(ask())).notice == ""
    assert "$1.00 of the $1.10" in (await made.complete(ask())).notice
    assert (await made.complete(ask())).notice == "", "once is enough"
    with pytest.raises(OverBudget, match=r"\$1\.50 of the \$1\.10"):
        await made.complete(ask())
    assert len(fake.calls) == 3, "nothing is sent beyond the limit"


async def test_one_persons_budget_is_not_anothers(router: MakeRouter) -> None:
    made = router(CHEAP + priced("echo", 1.0) + priced("whole", 1.0) + "[budgets]\nperson_usd_per_day = 1.0\n")
    await made.complete(ask())
    with pytest.raises(OverBudget):
        await made.complete(ask())
    assert (await made.complete(ask(Caller(person="bob", channel="slack", conversation="slack:C2")))).text == "ping"


async def test_a_model_that_costs_nothing_still_answers_when_the_money_is_spent(router: MakeRouter) -> None:
    made = router(CHEAP + priced("echo", 1.0) + priced("whole", 0) + "[budgets]\nusd_per_day = 1.0\n")
    assert [(await made.complete(ask())).model for _ in range(2)] == ["openai/echo", "openai/whole"]


async def test_what_must_stay_on_this_machine_goes_to_no_other(router: MakeRouter, fake: ModelServer) -> None:
    with pytest.raises(NoModel, match="must stay on this machine"):
        await router('local_only = "slack:*"\n' + CHEAP).complete(ask())
    assert fake.calls == []
    local = router('local_only = "slack:*"\n' + CHEAP + '[models."openai/whole"]\nlocal = true\n')
    assert (await local.complete(ask())).model == "openai/whole"
    assert (await local.complete(ask(Caller(conversation="web:1")))).model == "openai/echo"


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("what is in the Vault?", True),
        ("read /srv/vault/notes.md", True),
        ("the vaulted ceiling", False),
        ("ping", False),
    ],
)
async def test_what_names_a_workspace_that_must_stay_goes_to_a_local_model_for_good(
    router: MakeRouter, said: str, stays: bool
) -> None:
    made = router(CHEAP + '[models."openai/whole"]\nlocal = true\n', Staying(names=("vault", "/srv/vault")))
    earlier = (Message(role=Role.SYSTEM, content="capabilities: vault.list"), Message(role=Role.USER, content=said))
    task = replace(ask(), messages=(*earlier, Message(role=Role.USER, content="and now shorter")))
    assert (await made.complete(task)).model == ("openai/whole" if stays else "openai/echo")
    assert (await made.complete(replace(ask(), rules=(said,)))).model == ("openai/whole" if stays else "openai/echo")


async def test_where_the_agent_works_on_what_must_stay_no_question_leaves(
    router: MakeRouter, fake: ModelServer
) -> None:
    with pytest.raises(NoModel, match="must stay on this machine"):
        await router(CHEAP, Staying(all=True)).complete(ask())
    picture = Message(role=Role.USER, content="fine?", images=(b"\x89PNG",))
    seeing = '[routes]\nvision = ["openai/vision-ok"]\n[models."openai/vision-ok"]\nvision = true\n'
    for staying in (Staying(all=True), Staying(names=("vault",))):
        assert await router(seeing, staying).look(replace(ask(), messages=(picture,)), bool) is None
    assert fake.calls == []


async def test_a_pin_holds_for_its_conversation_until_it_is_taken_back(router: MakeRouter, store: Store) -> None:
    made = router(CHEAP)
    await store.run(set_pin, "slack:C1", "openai/whole", "ann")
    pinned = await made.complete(ask())
    assert (pinned.model, pinned.chosen) == ("openai/whole", "pinned")
    assert (await made.complete(ask(Caller(conversation="slack:C2")))).model == "openai/echo"
    await store.run(set_pin, "slack:C1", "openai/cut", "ann")
    assert (await made.complete(ask())).model == "openai/cut", "also where the shape would never go there"
    await store.run(set_pin, "slack:C1", "", "ann")
    assert (await made.complete(ask())).model == "openai/echo"


async def test_a_conversation_stays_where_its_cache_makes_it_cheaper(router: MakeRouter) -> None:
    price = '[models."openai/{}"]\nusd_per_million_in = {}\nusd_per_million_out = 1\n'
    made = router(
        '[routes]\ncode = ["openai/whole"]\n' + CHEAP.removeprefix("[routes]\n")
        + price.format("echo", 1) + price.format("whole", 2)
    )  # fmt: skip
    code = Task(messages=(Message(role=Role.USER, content="Write a python function that reverses a list"),), caller=ANN)
    assert (await made.complete(code)).model == "openai/whole"
    stayed = await made.complete(ask())
    assert (stayed.model, stayed.chosen) == ("openai/whole", "cheaper to stay")
    assert (await made.complete(ask(Caller(conversation="slack:C2")))).model == "openai/echo"


async def test_a_model_that_breaks_such_clauses_is_asked_after_the_others(router: MakeRouter, store: Store) -> None:
    ledger = Ledger(store)
    for _ in range(10):
        await ledger.judge("openai/echo", [Verdict(clause="length", held=False), Verdict(clause="case", held=True)])
    made = router(CHEAP)
    assert (await made.complete(ask(clauses=("length",)))).model == "openai/whole"
    assert (await made.complete(ask(clauses=("case",)))).model == "openai/echo"
    assert (await made.complete(ask())).model == "openai/echo"


async def test_what_was_seen_fades_by_half_in_two_weeks(store: Store) -> None:
    ledger = Ledger(store)
    await ledger.judge("m", [Verdict(clause="length", held=True)] * 8)
    now = await store.run(lambda tx: tx.now)
    later = (await Ledger(store).beliefs(now + HALF_LIFE_S))[("m", "length")]
    assert later.held == pytest.approx(4.0, rel=1e-3)
    assert later.mean == pytest.approx(5 / 6, rel=1e-3)
    assert later.low < later.mean
    assert later.again(4) < later.mean


def test_a_weight_is_finite_for_a_generation_and_a_day_is_utcs() -> None:
    assert weight(LANDMARK) == 1.0
    assert weight(LANDMARK + 30 * 366 * 86_400.0) < 1e300
    assert day_of(LANDMARK + 86_399.0) == "2026-01-01"
    assert day_of(LANDMARK, 1) == "2025-12-31"
