"""Models are found from keys and from servers on a real socket; what is broken, slow or absent disturbs nothing."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from layers.routing.discover import discover, tier_of
from layers.routing.providers import PROVIDERS
from layers.routing.types import Tier
from tests.fakes import model_server


@contextmanager
def raw_server(answer: bytes, *, delay_s: float = 0.0) -> Iterator[str]:
    """Answers one connection with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                time.sleep(delay_s)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


async def test_nothing_is_found_where_nothing_is() -> None:
    found = await discover({}, {})
    assert found.models == ()


async def test_a_key_brings_its_providers_models_in_three_tiers() -> None:
    found = await discover({"ANTHROPIC_API_KEY": "sk-secret", "OPENAI_API_KEY": ""}, {})
    assert {model.tier for model in found.models} == set(Tier)
    assert all(model.name.startswith("anthropic/") and model.key_env == "ANTHROPIC_API_KEY" for model in found.models)
    assert "sk-secret" not in repr(found)


async def test_ollama_is_asked_in_its_own_way() -> None:
    with model_server.running() as fake:
        found = await discover({}, {"ollama": fake.address})
    names = {model.name: model for model in found.models}
    assert set(names) == {"ollama/echo", "ollama/vision-ok"}, "the embedding model cannot chat"
    assert names["ollama/echo"].tier is Tier.SMALL
    assert names["ollama/echo"].usd_per_million == (0.0, 0.0)
    assert names["ollama/vision-ok"].vision is True
    assert names["ollama/vision-ok"].tier is Tier.LARGE


async def test_an_openai_compatible_server_lists_its_models() -> None:
    with model_server.running() as fake:
        found = await discover({}, {"lmstudio": fake.address})
    assert "lmstudio/echo" in {model.name for model in found.models}


async def test_openai_base_url_replaces_openais_models_by_those_that_are_there() -> None:
    with model_server.running() as fake:
        found = await discover({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{fake.base_url}/"}, {})
    names = {model.name: model for model in found.models}
    assert "openai/gpt-5.5" not in names
    assert names["openai/echo"].api_base == fake.base_url


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 500 no\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b'HTTP/1.1 200 OK\r\n\r\n{"data": 5}',
    ],
)
async def test_a_server_that_talks_nonsense_is_noted(answer: bytes) -> None:
    with raw_server(answer) as address:
        found = await discover({}, {"lmstudio": address})
    assert found.models == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith("lmstudio: ")


async def test_a_silent_server_costs_a_fifth_of_a_second() -> None:
    with raw_server(b"", delay_s=1.5) as address:
        started = time.monotonic()
        found = await discover({}, {"ollama": address})
        assert time.monotonic() - started < 1.2
    assert "does not answer" in found.notes[0]


@pytest.mark.parametrize(
    ("size", "tier"),
    [("8.0B", Tier.SMALL), ("qwen3:32b", Tier.MIDDLE), ("llama-70b-instruct", Tier.LARGE), ("mystery", Tier.MIDDLE)],
)
def test_the_size_in_a_name_gives_the_tier(size: str, tier: Tier) -> None:
    assert tier_of(size) is tier


def test_every_default_model_stands_in_litellms_price_list() -> None:
    spec = importlib.util.find_spec("litellm")
    assert spec
    assert spec.origin
    prices = json.loads((Path(spec.origin).parent / "model_prices_and_context_window_backup.json").read_text())
    for provider in PROVIDERS:
        for _, name in provider.tiers():
            entry = prices.get(name) or prices.get(name.partition("/")[2])
            assert entry, name
            assert entry["mode"] == "chat", name
            assert entry["supports_function_calling"], name
            assert name not in provider.sees or entry["supports_vision"], name


def test_the_front_door_loads_no_vendor() -> None:
    code = "import sys, layers.routing, bot.agent; print(sorted({'litellm', 'httpx', 'openai'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
