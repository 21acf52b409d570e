"""The router over a real socket: a failure is followed by the next model where that may help, and told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from layers.errors import BadInput
from layers.routing import (
    Message,
    NoAnswer,
    NoModel,
    Reply,
    Role,
    Router,
    Shape,
    Task,
    ToolCall,
    ToolSpec,
    parse_routes,
)
from tests.fakes.model_server import ModelServer
from tests.routing.conftest import KEY, NO_SERVERS

MakeRouter = Callable[[str], Router]
DRAW = ToolSpec(name="draw", description="Draw.", parameters={"type": "object", "properties": {}})


def ask(text: str = "ping", **options: object) -> Task:
    return Task(messages=(Message(role=Role.USER, content=text),), **options)  # type: ignore[arg-type]


def cheap(*names: str) -> str:
    return f"[routes]\ncheap = {[f'openai/{name}' for name in names]}"


PICTURE = Task(messages=(Message(role=Role.USER, content="Can it be read?", images=(b"png",)),))


async def test_a_reply_tells_its_model_shape_tokens_and_attempts(router: MakeRouter, fake: ModelServer) -> None:
    reply = await router(cheap("echo")).complete(ask("ping"))
    assert (reply.text, reply.model, reply.shape) == ("ping", "openai/echo", Shape.CHEAP)
    assert reply.tokens.read > 0
    assert [attempt.ok for attempt in reply.attempts] == [True]
    assert fake.calls[0].authorization == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("err500", "the provider failed: scripted 500"),
        ("err401", "does not accept the key in OPENAI_API_KEY"),
        ("err429", "slow down"),
        ("err404", "knows no model 'openai/err404'"),
        ("empty", "the answer is empty"),
        ("midbreak", "the provider failed"),
        ("badtool", "not a JSON object"),
        ("listtool", "not a JSON object"),
        ("cuttool", "cut off within a tool call"),
        ("nantool", "not a JSON object"),
        ("halftool", "not a JSON object"),
        ("deeptool", "not a JSON object"),
        ("errevent", "the provider failed: scripted overload"),
        ("badjson", "not JSON of its protocol"),
        ("nodone", "broke off in the middle"),
        ("wait-30s", "slow down for 30 s"),
        ("toolong", "longer than the model can read"),
        ("blind", "does not support tools"),
    ],
)
async def test_a_failure_goes_to_the_next_model_after_one_call(
    router: MakeRouter, fake: ModelServer, model: str, told: str
) -> None:
    reply = await router(cheap(model, "echo")).complete(ask("ping", tools=(DRAW,)))
    assert fake.asked() == [model, "echo"], "no hidden retries"
    assert reply.text == "ping"
    failed, answered = reply.attempts
    assert told in failed.error
    assert (failed.ok, answered.ok) == (False, True)
    assert KEY not in repr(reply)
    assert "Traceback" not in failed.error


async def test_a_slow_model_is_left_after_its_time(router: MakeRouter, fake: ModelServer) -> None:
    reply = await router(cheap("slow-30s", "echo")).complete(ask(timeout_s=0.5))
    assert fake.asked() == ["slow-30s", "echo"]
    assert "0.5 s" in reply.attempts[0].error or "in time" in reply.attempts[0].error


async def test_when_all_fail_the_error_names_each_of_them(router: MakeRouter) -> None:
    with pytest.raises(NoAnswer, match=r"openai/err500: .*openai/empty: ") as caught:
        await router(cheap("err500", "empty")).complete(ask())
    assert [attempt.model for attempt in caught.value.attempts] == ["openai/err500", "openai/empty"]


async def test_a_task_costs_at_most_four_models(router: MakeRouter, fake: ModelServer) -> None:
    with pytest.raises(NoAnswer):
        await router(cheap(*(f"err50{n}" for n in range(6)))).complete(ask())
    assert len(fake.calls) == 4


async def test_a_model_that_failed_rests_and_is_then_tried_last(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("err500", "echo"))
    await made.complete(ask())
    await made.complete(ask())
    assert fake.asked() == ["err500", "echo", "echo"]
    with pytest.raises(NoAnswer):
        await router(cheap("err503")).complete(ask())


async def test_a_bad_answer_does_not_make_a_model_rest(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("empty", "echo"))
    await made.complete(ask())
    await made.complete(ask())
    assert fake.asked() == ["empty", "echo", "empty", "echo"]


async def test_the_shape_picks_the_model(router: MakeRouter) -> None:
    made = router('[routes]\ncheap = "openai/echo"\ncode = "openai/cut"')
    assert (await made.complete(ask("hi"))).model == "openai/echo"
    code = await made.complete(ask("Write a python function that reverses a list"))
    assert (code.model, code.shape, code.is_cut) == ("openai/cut", Shape.CODE, True)


async def test_thirty_chats_at_once_wait_for_a_slow_model_together(router: MakeRouter) -> None:
    made = router(cheap("slow-2s"))
    await made.complete(ask(shape=Shape.CHEAP))
    started = time.monotonic()
    replies = await asyncio.gather(*(made.complete(ask(f"chat {n}", shape=Shape.CHEAP)) for n in range(30)))
    assert {reply.text for reply in replies} == {f"chat {n}" for n in range(30)}
    assert time.monotonic() - started < 20, "30 one after the other would take 60 s"


async def test_a_cancelled_task_lets_go_of_its_request(router: MakeRouter) -> None:
    task = asyncio.create_task(router(cheap("slow-30s")).complete(ask()))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_a_model_the_answer_says_how_to_connect_one() -> None:
    off = parse_routes(NO_SERVERS)
    made = Router(environ={}, routes=off)
    with pytest.raises(NoModel, match="ANTHROPIC_API_KEY"):
        await made.complete(ask())
    await made.warm()
    assert not await made.is_connected()
    assert (await made.explain("ping")).models == ()
    assert await made.look(PICTURE, bool) is None
    await made.close()


async def test_prices_come_from_routes_toml_and_are_unknown_for_somebody_elses_server(router: MakeRouter) -> None:
    assert (await router(cheap("echo")).complete(ask())).cost_usd is None
    priced = '[models."openai/echo"]\nusd_per_million_in = 1000000\nusd_per_million_out = 0'
    reply = await router(f"{cheap('echo')}\n{priced}").complete(ask())
    assert reply.cost_usd == reply.tokens.read > 0


async def test_a_model_on_this_machine_costs_nothing(fake: ModelServer) -> None:
    made = Router(environ={}, routes=parse_routes(f'[servers]\nollama="{fake.address}"\nlmstudio=""\nllamacpp=""'))
    reply = await made.complete(ask())
    assert (reply.model, reply.cost_usd) == ("ollama/echo", 0.0)
    await made.close()


async def test_a_tool_call_and_its_answer_travel_whole(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("tool-draw"))
    task = ask("draw it", tools=(DRAW,), shape=Shape.CHEAP)
    first = await made.complete(task)
    assert first.tool_calls[0].name == "draw"
    assert first.tool_calls[0].arguments["title"] == "Pipeline"
    said = Message(role=Role.ASSISTANT, content="", tool_calls=first.tool_calls)
    told = Message(role=Role.TOOL, content="posted", tool_call_id=first.tool_calls[0].id)
    second = await made.complete(Task(messages=(*task.messages, said, told), tools=(DRAW,), shape=Shape.CHEAP))
    assert second.text == "Done: posted"
    assert fake.calls[1].messages[1]["tool_calls"][0]["function"]["name"] == "draw"


async def test_pictures_go_to_a_model_that_is_not_known_to_be_blind(router: MakeRouter, fake: ModelServer) -> None:
    blind = '[routes]\nvision = ["openai/echo"]\n[models."openai/echo"]\nvision = false'
    message = Message(role=Role.USER, content="what is this?", images=(b"png",))
    with pytest.raises(NoModel, match="read pictures"):
        await router(blind).complete(Task(messages=(message,)))
    assert fake.asked() == []
    reply = await router('[routes]\nvision = ["openai/vision-ok"]').complete(Task(messages=(message,)))
    assert reply.shape is Shape.VISION


async def test_a_vision_model_looks_at_a_picture(router: MakeRouter) -> None:
    fine = await router('[routes]\nvision = "openai/vision-ok"').look(PICTURE, bool)
    assert fine
    assert (fine.model, fine.attempts[0].ok) == ("openai/vision-ok", True)
    assert "Every label" in fine.text


async def test_a_model_that_is_avoided_is_not_asked_to_look(router: MakeRouter, fake: ModelServer) -> None:
    made = router('[routes]\nvision = ["openai/vision-ok", "openai/vision-bad"]')
    other = await made.look(PICTURE, bool, {"openai/vision-ok"})
    assert other
    assert other.model == "openai/vision-bad"
    assert await made.look(PICTURE, bool, {"openai/vision-ok", "openai/vision-bad"}) is None
    assert len(fake.calls) == 1


async def test_an_answer_that_cannot_be_used_goes_to_the_next_model(router: MakeRouter) -> None:
    made = router('[routes]\nvision = ["openai/vision-babble", "openai/vision-ok"]')
    look = await made.look(PICTURE, lambda text: "{" in text)
    assert look
    assert look.model == "openai/vision-ok"
    with pytest.raises(NoAnswer, match="no answer in the asked form"):
        await router('[routes]\nvision = "openai/vision-babble"').look(PICTURE, lambda text: "{" in text)


async def test_nobody_looks_where_no_model_is_known_to_see(router: MakeRouter, fake: ModelServer) -> None:
    assert await router("").look(b"png", "t") is None
    assert fake.asked() == []


async def test_explain_asks_nobody(router: MakeRouter, fake: ModelServer) -> None:
    explained = await router('[routes]\ncode = ["openai/gone", "auto"]').explain("refactor the class")
    assert explained.judged.shape is Shape.CODE
    assert explained.models[0] == "openai/gone"
    assert len(explained.models) > 5
    assert explained.judge_us > 0
    assert explained.reasons
    harder = await router("").explain("Prove that each of the 12 polynomials has a prime divisor. " * 5)
    assert harder.score != explained.score
    assert fake.asked() == []


async def test_what_was_found_is_kept_until_it_is_asked_for_anew(fake: ModelServer) -> None:
    environ = {"OPENAI_BASE_URL": fake.base_url}
    made = Router(environ=environ, routes=parse_routes(NO_SERVERS))
    before = await made.models()
    environ.clear()
    assert await made.models() == before
    assert await made.models(refresh=True) == ()


def test_a_reply_survives_the_journal() -> None:
    call = ToolCall(id="1", name="act", arguments={"parameters": {"a": "1"}, "n": 1.5})
    reply = Reply(text="täxt", model="m", tool_calls=(call,), shape=Shape.DEPTH, cost_usd=None)
    assert Reply.from_json(reply.to_json()) == reply
    with pytest.raises(BadInput, match="cannot be read"):
        Reply.from_json('{"text": 5}')
