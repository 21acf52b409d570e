"""What the README says is there: its commands parse, its links lead somewhere, its settings and verbs exist."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bot.cli import make_parser
from bot.commands import COMMANDS, parse
from bot.config import PREFIX, Settings, load_file
from layers.control.manifest import parse_manifest
from layers.routing.providers import PROVIDERS
from layers.routing.routes import SERVERS, parse_routes
from tests.fakes.environment import environment

REPO = Path(__file__).parents[1]
PAGES = ("README.md", "CHANGELOG.md")
TEXT = (REPO / "README.md").read_text("utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
NAMES = {f"/{entry.name}" for entry in COMMANDS}
FOLDERS = {"/etc", "/home", "/run", "/tmp", "/proc", "/usr/bin"}


def blocks(language: str) -> list[str]:
    return [body for name, body in FENCES if name == language]


def slashed() -> list[str]:
    """Every code span or block that one could send."""
    sendable = [span for span in SPANS if span.startswith("/")]
    return sendable + [body for body in blocks("") if body.startswith("/")]


def test_every_command_is_shown() -> None:
    assert {text.split()[0] for text in slashed()} >= NAMES


@pytest.mark.parametrize("text", slashed())
def test_what_begins_with_a_slash_can_be_sent(text: str) -> None:
    if len(text.split()) == 1:
        assert text in NAMES | FOLDERS or parse(text) is not None  # a name with @bot, or Slack's one command
    else:
        assert parse(text) is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", (REPO / page).read_text("utf-8"))
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (REPO / link).exists()] == []
    assert relative or page != "README.md"


def test_every_variable_of_ours_is_a_setting() -> None:
    told = set(re.findall(rf"\b{PREFIX}(\w+)", TEXT))
    assert told
    assert {name.lower() for name in told} <= set(Settings.model_fields)


def test_the_keys_of_providers_are_those_that_are_looked_for() -> None:
    told = set(re.findall(r"`([A-Z]+_API_KEY)`", TEXT))
    assert told == {provider.keys[0] for provider in PROVIDERS}
    for address in SERVERS.values():
        assert address.rpartition(":")[2] in TEXT


def test_every_command_line_is_understood() -> None:
    """`make` targets are in the Makefile; verbs and options of `bulkhead` are taken by its parser."""
    makefile = (REPO / "Makefile").read_text("utf-8")
    verbs = set()
    for line in "".join(blocks("sh")).splitlines():
        words = [word for word in shlex.split(line, comments=True) if not word.startswith(PREFIX)]
        if words[0] == "make":
            assert f"\n{words[1]}:" in makefile
        else:
            assert words[0] == "bulkhead"
            verbs.add(make_parser().parse_args(words[1:]).verb)
    assert {"serve", "ask", "link", "draw", "route", "doctor", "audit", "migrate", "db"} <= verbs
    assert {target for target in re.findall(r"`make (\w+)", PROSE) if f"\n{target}:" not in makefile} == set()
    assert {span.split()[1] for span in SPANS if span.startswith("bulkhead ")} <= verbs


def test_the_toml_examples_are_accepted(tmp_path: Path) -> None:
    read = set()
    for block in blocks("toml"):
        if "[routes]" in block:
            read.add("routes")
            parse_routes(block)
        elif "argv = " in block:
            read.add("manifest")
            parse_manifest(block, f"{tomllib.loads(block)['id']}.toml")
        else:
            read |= set(tomllib.loads(block))
            (tmp_path / "bulkhead.toml").write_text(block)
            load_file(tmp_path / "bulkhead.toml")
    assert read >= {"routes", "manifest", "people", "transport"}


@pytest.mark.timeout(300)  # four commands, each a process with its own interpreter: nearly a minute on a quiet box
def test_an_assistant_is_served_by_exactly_the_commands_of_the_mcp_configurations(tmp_path: Path) -> None:
    configurations = [json.loads(block) for block in blocks("json") if '"bulkhead"' in block]
    found = [servers["bulkhead"] for each in configurations for servers in each.values()]
    console = "".join(blocks("console"))
    added = re.search(r"^claude mcp add bulkhead --scope user --env (\S+)=\S+ -- (.+)$", console, re.MULTILINE)
    assert added
    lines = [[one["command"], *one["args"]] for one in found]
    assert {tuple(one["env"]) for one in found} == {(added[1],)} == {("BULKHEAD_HOME",)}
    assert len(lines) == 3
    assert shlex.split(added[2]) in lines
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}}}  # fmt: skip
    for command, *arguments in lines:
        program = shutil.which(command, path=str(Path(sys.executable).parent))
        assert program, "the package is not installed"
        env = environment(BULKHEAD_HOME=str(tmp_path / "home"), PYTHONPATH=str(REPO))
        ran = subprocess.run(
            [program, *arguments], input=json.dumps(hello) + "\n", env=env, capture_output=True, text=True, timeout=60,
            check=True, cwd=tmp_path,
        )  # fmt: skip
        assert json.loads(ran.stdout)["result"]["serverInfo"]["name"] == "bulkhead"


@pytest.mark.parametrize("picture", ["page.png", "phone.png"])
def test_the_pictures_are_small(picture: str) -> None:
    assert (REPO / "docs" / picture).stat().st_size < 300_000
