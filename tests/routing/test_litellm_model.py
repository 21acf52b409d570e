"""What is promised about litellm itself: no network and no foreign settings at import, prices where they are known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from layers.routing.litellm_model import PREFIX, LiteLLM, cost, written
from layers.routing.types import Model, Tokens, ToolCall

REPO = Path(__file__).parents[2]
IMPORT = """
import asyncio, json, os, sys
outside = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        outside.append(str(args[1] if event == "socket.connect" else args[0]))
sys.addaudithook(hook)
from layers.routing.litellm_model import LiteLLM
client = LiteLLM({})
before = "litellm" in sys.modules
client.warm()
asyncio.run(client._load())
print(json.dumps({"before": before, "after": "litellm" in sys.modules, "outside": outside, "env": "FROM_DOT_ENV" in os.environ}))
"""


def test_the_import_is_lazy_stays_offline_and_leaves_dot_env_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOT_ENV=1\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPO), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"before": False, "after": True, "outside": [], "env": False}


@pytest.mark.parametrize(
    ("name", "base", "price", "is_known"),
    [
        ("openai/gpt-5.4-nano", "", None, True),
        ("openai/gpt-5.4-nano", "http://10.0.0.1/v1", None, False),
        ("openai/a-model-nobody-sells", "", None, False),
        ("openai/a-model-nobody-sells", "", (2.0, 4.0), True),
    ],
)
async def test_a_price_is_known_or_said_to_be_unknown(
    name: str, base: str, price: tuple[float, float] | None, is_known: bool
) -> None:
    vendor = await LiteLLM({})._load()
    response = vendor.completion(
        model=name, messages=[{"role": "user", "content": "ping"}], mock_response="a few words in answer"
    )
    model = Model(name=name, wire=name, api_base=base, usd_per_million=price)
    usd = cost(vendor, model, response, Tokens(read=10, written=5))
    assert (usd is not None) is is_known
    if price:
        assert usd == pytest.approx(40e-6)


@pytest.mark.parametrize(
    ("vendor_text", "told"),
    [
        ("litellm.InternalServerError: InternalServerError: OpenAIException - scripted", "scripted"),
        ("litellm.BadRequestError: OpenAIException - too long: 5 > 4", "too long: 5 > 4"),
        ("plain", "plain"),
    ],
)
def test_the_vendors_class_names_are_not_for_people(vendor_text: str, told: str) -> None:
    assert PREFIX.sub("", vendor_text) == told


def test_arguments_are_json_within_json() -> None:
    assert json.loads(written(ToolCall(id="1", name="n", arguments={"a": {"b": "ä"}}))) == {"a": {"b": "ä"}}
