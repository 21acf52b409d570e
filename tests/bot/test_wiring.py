"""Settings reach what they are about."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from bot.app import make_router, prepare_home
from bot.app.making import staying_of
from bot.config import Settings
from layers.routing import Message, Role, Task
from tests.fakes import model_server
from tests.fakes.house import House

REPO = Path(__file__).parents[2]


def test_every_setting_is_read_by_somebody() -> None:
    wiring = "".join(path.read_text() for top in ("app", "cli") for path in (REPO / "bot" / top).rglob("*.py"))
    read = set(re.findall(r"\b_?settings\.(\w+)", wiring))
    if "store_url" in read:
        read.add("database_url")
    assert set(Settings.model_fields) - read == set()


@pytest.mark.parametrize(
    ("table", "said", "stays"),
    [
        ("[workspace]\nlocal_only = true\n", "hello", True),
        ('[workspaces.vault]\npath = "../vault"\nlocal_only = true\n', "hello", False),
        ('[workspaces.vault]\npath = "../vault"\nlocal_only = true\n', "look into the vault", True),
        ('[workspaces.vault]\npath = "../vault"\n', "look into the vault", False),
    ],
)
def test_what_the_file_says_of_a_workspace_reaches_the_router(
    tmp_path: Path, table: str, said: str, stays: bool
) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    (settings.home / "bulkhead.toml").write_text(table)
    staying = staying_of(settings, prepare_home(settings))
    assert staying.holds(Task(messages=(Message(role=Role.USER, content=said),))) is stays


async def test_servers_on_this_machine_are_not_asked_when_the_operator_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(home=tmp_path / "home", discover_models=False)
    prepare_home(settings)
    with model_server.running() as model:
        for servers, names in (("", set()), (f'[servers]\nollama = "{model.address}"\n', {"ollama"})):
            (settings.home / "routes.toml").write_text(servers)
            router = make_router(settings)
            found = await router.found()
            assert found.notes == ()
            assert {one.name.partition("/")[0] for one in found.models} == names
            await router.close()


def test_a_model_gets_no_longer_than_the_settings_say(tmp_path: Path) -> None:
    with model_server.running() as model:
        house = House(
            tmp_path / "home",
            env={"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k", "BULKHEAD_MODEL_TIMEOUT_S": "0.5"},
        )
        house.home.mkdir(mode=0o700)
        (house.home / "routes.toml").write_text('[routes]\ncheap = "openai/slow-60s"\n')
        try:
            house.start()
            house.sign_in()
            began = time.monotonic()
            answer = house.ask("good morning", seconds=40)
            assert "no answer within 0.5 s" in answer["html"]
            assert time.monotonic() - began < 40
        finally:
            house.kill()
            house.close()
