"""routes.toml: what it says, and what is said when it is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import Misconfigured
from layers.routing import Routes, Shape, default_routes_text, load_routes, parse_routes
from layers.routing.routes import SERVERS


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    routes = load_routes(tmp_path / "routes.toml")
    assert routes.names(Shape.DEPTH) == ("auto",)
    assert routes.addresses() == SERVERS


def test_the_template_says_nothing_and_every_line_of_it_may_be_uncommented() -> None:
    text = default_routes_text()
    assert parse_routes(text) == Routes()
    uncommented = re.sub(r"(?m)^# (?=\w+ = |\[models)", "", text)
    routes = parse_routes(uncommented)
    assert set(routes.routes) == set(Shape)
    assert routes.models["openai/my-model"].usd_per_million_in == 0.15


def test_one_name_counts_as_a_list() -> None:
    assert parse_routes('[routes]\ncode = "openai/gpt-5.5"').names(Shape.CODE) == ("openai/gpt-5.5",)


def test_a_server_is_turned_off_by_an_empty_address_and_added_by_a_new_name() -> None:
    routes = parse_routes('[servers]\nollama = ""\nvllm = "http://127.0.0.1:9000/"')
    assert "ollama" not in routes.addresses()
    assert routes.addresses()["vllm"] == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[routes]\n\ndepth = 5", "routes.toml line 3: routes.depth is 5: expected a model's name or a list of them"),
        ('[routes]\ncheep = "a"', "routes.toml line 2: routes.cheep is 'cheep': input should be 'obedience'"),
        ("[routes]\ncode = []", "line 2: routes.code is []: expected at least one"),
        ('[models."a/b.c"]\nvison = true', "line 2: models.a/b.c.vison: there is no such setting"),
        ('[models."a/b"]\nusd_per_million_in = -1', "line 2: models.a/b.usd_per_million_in is -1"),
        ("[routes]\ncode = [", "routes.toml is not TOML"),
        ('[models."a/b"]\nkey_env = "sk-1-2"', "line 2: models.a/b.key_env: expected the name of an environment"),
        ("[routse]", "line 1: routse: there is no such setting"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_field(text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse_routes(text)
    assert told in str(caught.value)


@pytest.mark.parametrize("field", ["api_key", "key_env"])
def test_a_key_that_was_written_into_the_file_is_in_no_error(field: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse_routes(f'[models."a/b"]\n{field} = "sk-secret-1"')
    assert "secret" not in str(caught.value)
    assert f"line 2: models.a/b.{field}" in str(caught.value)


@pytest.mark.parametrize(
    ("conversation", "stays"),
    [
        ("slack:T0/C0BOARD", True),
        ("slack:T0/C0BOARD:1700000000.000100", True),
        ("slack:T0SECRET/C5:1.2", True),
        ("mail:Board@example.org", True),
        ("", True),
        ("slack:T0/C0BOARDROOM", False),
        ("web:main", False),
    ],
)
def test_a_marked_conversation_or_workspace_stays_here_with_its_threads(conversation: str, stays: bool) -> None:
    routes = parse_routes('local_only = ["slack:T0/C0BOARD", "slack:T0SECRET/*", "mail:board@example.org"]')
    assert routes.is_local_only(conversation) is stays


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="cannot be read"):
        load_routes(tmp_path / "routes.toml")


@given(st.text(alphabet='[]=".\n #abcdeprouts015{},', max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        routes = parse_routes(text)
    except Misconfigured:
        return
    assert isinstance(routes, Routes)
    tomllib.loads(text)
