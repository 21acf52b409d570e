"""The wire and what comes of its failures, over real sockets: breaks, limits, mistakes, cancelling, time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import pytest

from layers.routing import Message, NoAnswer, Role, Router, Stop, Stopped, Task, ToolSpec
from layers.routing.openai_wire import events, proxy_of, retry_after_s
from layers.routing.showing import GO_ON, added
from tests.fakes.model_server import ModelServer

MakeRouter = Callable[[str], Router]
DRAW = ToolSpec(name="draw", description="Draw.", parameters={"type": "object", "properties": {}})
WORDS = "one two three four five six seven eight nine ten eleven twelve"


def ask(text: str = WORDS, **options: object) -> Task:
    return Task(messages=(Message(role=Role.USER, content=text),), **options)  # type: ignore[arg-type]


def cheap(*names: str) -> str:
    return f"[routes]\ncheap = {[f'openai/{name}' for name in names]}\n"


@pytest.mark.parametrize("model", ["midbreak", "errevent", "badjson", "nodone"])
@pytest.mark.parametrize("is_repeated", [False, True])
async def test_a_break_is_taken_up_by_the_next_model_without_a_word_twice(
    router: MakeRouter, fake: ModelServer, model: str, is_repeated: bool
) -> None:
    pieces: list[str] = []
    made = router(cheap(model, "echo"))
    fake.lines[GO_ON] = WORDS if is_repeated else "and that was all."
    try:
        reply = await made.complete(ask(), pieces.append)
    finally:
        fake.lines.clear()
    assert fake.asked() == [model, "echo"]
    shown = fake.calls[1].messages[-2]["content"]
    assert WORDS.startswith(shown)
    assert "".join(pieces) == reply.text == (WORDS if is_repeated else f"{shown} and that was all.")
    assert [attempt.ok for attempt in reply.attempts] == [False, True]


async def test_nobody_who_sees_nothing_gets_an_answer_of_two_models(router: MakeRouter, fake: ModelServer) -> None:
    reply = await router(cheap("nodone", "echo")).complete(ask())
    assert reply.text == WORDS
    assert [len(call.messages) for call in fake.calls] == [1, 1], "the second was asked the question and no more"


async def test_what_was_said_of_an_answer_that_nobody_finished_was_passed_on(router: MakeRouter) -> None:
    pieces: list[str] = []
    with pytest.raises(NoAnswer) as caught:
        await router(cheap("nodone")).complete(ask(), pieces.append)
    assert WORDS.startswith("".join(pieces).strip())
    assert pieces
    assert caught.value.judged is not None


async def test_a_stop_lets_go_of_the_request_and_asks_nobody_else(router: MakeRouter, fake: ModelServer) -> None:
    stop, heard = Stop(), asyncio.Event()
    fake.left.clear()
    asking = asyncio.create_task(router(cheap("drip", "echo")).complete(ask(), lambda piece: heard.set(), stop))
    await heard.wait()
    stop.set("Anna")
    with pytest.raises(Stopped, match="Stopped by Anna") as caught:
        await asking
    assert [(attempt.model, attempt.is_stopped) for attempt in caught.value.attempts] == [("openai/drip", True)]
    while fake.left != ["drip"]:
        await asyncio.sleep(0.01)
    with pytest.raises(Stopped):
        await router(cheap("echo")).complete(ask(), stop=stop)
    assert fake.asked() == ["drip"]


async def test_a_callers_mistake_is_asked_once(router: MakeRouter, fake: ModelServer) -> None:
    with pytest.raises(NoAnswer, match="refused the request: scripted 400"):
        await router(cheap("err400", "echo")).complete(ask())
    assert fake.asked() == ["err400"]


async def test_a_conversation_that_is_too_long_goes_to_roomier_models_only(
    router: MakeRouter, fake: ModelServer
) -> None:
    sizes = "".join(
        f'[models."openai/{name}"]\ncontext_tokens = {size}\n'
        for name, size in (("toolong", 8000), ("err500", 8000), ("echo", 200_000))
    )
    reply = await router(cheap("toolong", "err500", "echo") + sizes).complete(ask())
    assert fake.asked() == ["toolong", "echo"]
    assert reply.text == WORDS


async def test_a_provider_that_names_a_time_is_left_alone_until_then(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("wait-30s", "echo"))
    await made.complete(ask())
    await made.complete(ask())
    assert fake.asked() == ["wait-30s", "echo", "echo"]
    alone = router(cheap("wait-60s"))
    for told in ("slow down for 60 s", "left alone for"):
        with pytest.raises(NoAnswer, match=told):
            await alone.complete(ask())
    assert fake.asked().count("wait-60s") == 1, "the second time nothing was sent"


async def test_a_short_wait_is_waited_for(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("wait-0.2s"))
    for _ in range(2):
        with pytest.raises(NoAnswer):
            await made.complete(ask())
    assert fake.calls[1].at - fake.calls[0].at >= 0.2


async def test_all_models_together_have_one_budget_of_time(router: MakeRouter, fake: ModelServer) -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswer, match="are used up"):
        await router(cheap("slow-30s", "slow-31s", "slow-32s")).complete(ask(timeout_s=0.4, budget_s=0.6))
    assert fake.asked() == ["slow-30s", "slow-31s"]
    assert time.monotonic() - started < 20


async def test_cancelling_closes_the_connection(router: MakeRouter, fake: ModelServer) -> None:
    task = asyncio.create_task(router(cheap("drip")).complete(ask()))
    while not fake.calls:
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while "drip" not in fake.left:
            await asyncio.sleep(0.01)


async def test_a_server_that_does_not_stream_is_understood(router: MakeRouter) -> None:
    pieces: list[str] = []
    reply = await router(cheap("whole")).complete(ask(), pieces.append)
    assert "".join(pieces) == reply.text == WORDS
    assert reply.tokens.read > 0


async def test_a_server_that_does_not_count_streams_is_asked_without(router: MakeRouter, fake: ModelServer) -> None:
    made = router(cheap("strict"))
    for _ in range(2):
        assert (await made.complete(ask())).text == WORDS
    assert len(fake.calls) == 3, "it is learnt once"


async def test_a_broken_tool_call_of_any_model_reaches_nobody(router: MakeRouter) -> None:
    with pytest.raises(NoAnswer) as caught:
        await router(cheap("badtool", "listtool", "cuttool", "nantool")).complete(ask(tools=(DRAW,)))
    assert len(caught.value.attempts) == 4


async def test_an_address_that_is_none_is_the_operators(router: MakeRouter) -> None:
    made = router(cheap("x") + '[models."openai/x"]\napi_base = "nowhere"')
    with pytest.raises(NoAnswer, match="not an address"):
        await made.complete(ask())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *(("7", 7.0), ("-3", 0.0), ("1e9", 3600.0), ("soon", None), ("", None), ("nan", None)),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, told: float | None) -> None:
    assert retry_after_s(value) == told


@pytest.mark.parametrize(
    ("shown", "more", "new"),
    [
        ("one two ", "three", "three"),
        ("one two ", " three", "three"),
        ("one two ", "one two three", "three"),
        ("a long beginning of it ", "beginning of it and the end", "and the end"),
        ("the ", "then", "then"),
        ("a long beginning of the ", "a long beginning of the theatre", "theatre"),
        ("we saw a long beginning ", "a long beginnings", "a long beginnings"),
        ("a line\n", "a line\nanother", "another"),
    ],
)
def test_what_was_shown_is_not_shown_again(shown: str, more: str, new: str) -> None:
    assert added(shown, more) == new


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://models.example.org/v1", "http://proxy:3128"),
        ("http://models.example.org/v1", None),
        ("https://models.inside.example/v1", None),
        ("https://127.0.0.1:8000/v1", None),
    ],
)
def test_a_proxy_is_used_for_what_lies_behind_it(url: str, told: str | None) -> None:
    assert proxy_of(url, {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".inside.example"}) == told


async def test_events_are_read_however_they_are_cut() -> None:
    body = b": hello\r\ndata: 1\r\n\r\nevent: x\ndata:  22 \n\ndata: [DONE]\n\ndata: 3\n\n"

    async def cut(size: int):  # type: ignore[no-untyped-def]
        for start in range(0, len(body), size):
            yield body[start : start + size]

    for size in (1, 2, 7, 1000):
        assert [data async for data in events(cut(size))] == [b"1", b"22"]


