"""What is promised about litellm: a process of its own, no network and no foreign settings at import, prices where they
are known, every failure as one of ours. One child serves the folder's tests: it takes seconds to start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from layers.errors import BulkheadError, Misconfigured, Refused, Unavailable
from layers.routing.litellm_model import PREFIX
from layers.routing.protocol import Gathering, TooLong, written
from layers.routing.types import BadAnswer, Message, Model, Reply, Role, Task, ToolCall, ToolSpec
from layers.routing.worker import ModelWorker
from tests.fakes import model_server
from tests.routing.conftest import KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPO = Path(__file__).parents[2]
DRAW = ToolSpec(name="draw", description="Draw.", parameters={"type": "object", "properties": {}})
IMPORT = """
import json, os, sys
outside = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        outside.append(str(args[1] if event == "socket.connect" else args[0]))
sys.addaudithook(hook)
import bot.app, layers.routing.worker, layers.routing.litellm_model as ours
before = [name for name in sys.modules if name.startswith("litellm")]
vendor = ours.load()
def price(name, base="", tokens=(10, 5)):
    return ours.price(vendor, ours.Asked(id=1, wire=name, api_base=base, timeout_s=1, body={}), tokens)
prices = [price("openai/gpt-5.4-nano"), price("openai/gpt-5.4-nano", "http://10.0.0.1/v1"),
          price("openai/a-model-nobody-sells"), price("openai/gpt-5.4-nano", tokens=(0, 0))]
env = "FROM_DOT_ENV" in os.environ
print(json.dumps({"before": before, "outside": outside, "env": env, "prices": prices}))
"""


async def test_the_import_is_lazy_stays_offline_leaves_dot_env_alone_and_knows_prices(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOT_ENV=1\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPO), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    listed, *unknown = told.pop("prices")
    assert told == {"before": [], "outside": [], "env": False}
    assert 0 < listed < 0.001
    assert unknown == [None, None, None], "somebody else's server, an unknown name, an answer without a count"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(server: model_server.ModelServer) -> AsyncIterator[ModelWorker]:
    environ = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY, "BULKHEAD_SLACK_BOT_TOKEN": "xoxb-1"}
    made = ModelWorker(environ)
    yield made
    await made.close()
    assert made.pid is None


def on(name: str) -> Model:
    return Model(name=f"openai/{name}", wire=f"openai/{name}", key_env="OPENAI_API_KEY")


async def answer(worker: ModelWorker, name: str, text: str = "ping pong") -> Reply:
    gathering = Gathering()
    task = Task(messages=(Message(role=Role.USER, content=text),), tools=(DRAW,), timeout_s=20)
    async for chunk in worker.stream(on(name), task):
        gathering.add(chunk)
    return gathering.reply(on(name))


async def called(server: model_server.ModelServer) -> None:
    async with asyncio.timeout(30):
        while not server.calls:
            await asyncio.sleep(0.01)


async def test_an_answer_comes_through_the_child_in_pieces(
    worker: ModelWorker, server: model_server.ModelServer
) -> None:
    server.calls.clear()
    reply = await answer(worker, "echo")
    assert (reply.text, reply.cost_usd) == ("ping pong", None)
    assert reply.tokens.read > 0
    assert server.calls[0].is_stream
    assert server.calls[0].authorization == f"Bearer {KEY}"
    drawn = await answer(worker, "tool-draw")
    assert drawn.tool_calls[0].arguments["title"] == "Pipeline"


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("err500", Unavailable, "the provider failed: scripted 500"),
        ("err401", Misconfigured, "does not accept the key in OPENAI_API_KEY"),
        ("err429", Unavailable, "slow down"),
        ("wait-30s", Unavailable, "slow down"),
        ("err400", Refused, "refused the request: scripted 400"),
        ("err404", Misconfigured, "knows no model 'openai/err404'"),
        ("toolong", TooLong, "longer than the model can read"),
        ("empty", BadAnswer, "the answer is empty"),
        ("badtool", BadAnswer, "not a JSON object"),
        ("cuttool", BadAnswer, "cut off within a tool call"),
        ("midbreak", Unavailable, "the provider failed"),
        ("errevent", Unavailable, "the provider failed"),
        ("nodone", Unavailable, "broke off in the middle"),
    ],
)
async def test_each_failure_is_one_of_ours(
    worker: ModelWorker, server: model_server.ModelServer, name: str, kind: type[BulkheadError], told: str
) -> None:
    server.calls.clear()
    with pytest.raises(kind, match=told) as caught:
        await answer(worker, name)
    assert server.asked() == [name], "no hidden retries"
    assert KEY not in str(caught.value)
    assert "Traceback" not in str(caught.value)


async def test_a_limit_with_a_time_keeps_it(worker: ModelWorker) -> None:
    with pytest.raises(BulkheadError) as caught:
        await answer(worker, "wait-30s")
    assert getattr(caught.value, "retry_after_s", None) == 30.0


async def test_cancelling_lets_go_of_the_request_at_the_provider(
    worker: ModelWorker, server: model_server.ModelServer
) -> None:
    server.calls.clear()
    server.left.clear()
    task = asyncio.create_task(answer(worker, "drip"))
    await called(server)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while "drip" not in server.left:
            await asyncio.sleep(0.01)


async def test_the_child_knows_no_token_of_a_platform(worker: ModelWorker) -> None:
    worker.warm()
    await worker.ready()
    there = Path(f"/proc/{worker.pid}/environ").read_bytes()
    assert b"OPENAI_BASE_URL" in there
    assert b"BULKHEAD_" not in there


async def test_a_child_that_dies_is_told_and_started_again(server: model_server.ModelServer) -> None:
    made = ModelWorker({"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY})
    await made.ready()
    first = made.pid
    assert first
    server.calls.clear()
    task = asyncio.create_task(answer(made, "drip"))
    await called(server)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(Unavailable, match="started again"):
        await task
    assert (await answer(made, "echo")).text == "ping pong"
    assert made.pid not in (None, first)
    await made.close()


@pytest.mark.parametrize(
    ("vendor_text", "told"),
    [
        ("litellm.InternalServerError: InternalServerError: OpenAIException - scripted", "scripted"),
        ("litellm.BadRequestError: OpenAIException - too long: 5 > 4", "too long: 5 > 4"),
        ("plain", "plain"),
    ],
)
async def test_the_vendors_class_names_are_not_for_people(vendor_text: str, told: str) -> None:
    assert PREFIX.sub("", vendor_text) == told


async def test_arguments_are_json_within_json() -> None:
    assert json.loads(written(ToolCall(id="1", name="n", arguments={"a": {"b": "ä"}}))) == {"a": {"b": "ä"}}
