"""`bulkhead control`: what an operator asks of the policy, on a real home."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import prepare_home, read_rulebook
from bot.cli import main
from bot.config import load_settings
from layers import control
from layers.store import open_store
from layers.types import Person

OWNER = Person(id="owner", name="Owner")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    prepare_home(load_settings(home=tmp_path / "home"))
    return tmp_path / "home"


def run(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> tuple[int, dict[str, object]]:
    code = main(["control", *words, "--json", "--home", str(home)])
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, told


def ask_for_a_note(home: Path) -> str:
    """A request in the home's database; its id."""

    async def ask() -> str:
        settings = load_settings(home=home)
        catalog, rules = await read_rulebook(settings, prepare_home(settings))
        made = control.plan(
            catalog,
            control.Action(
                capability="workspace.write-note", parameters={"name": "a", "text": "b"}, requested_by=OWNER
            ),
        )
        context = control.Context(conversation_id="console:x", turn_id=1, requested_by=OWNER, rules=rules)
        store = await open_store(settings.store_url)
        try:
            return (await store.run(control.request, made, context)).approval.id
        finally:
            await store.close()

    return asyncio.run(ask())


def test_check_takes_the_shipped_policy_and_names_what_is_wrong_with_another(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(capsys, home, "check")
    assert (code, told["ok"], told["approvers"]) == (0, True, ["owner"])
    other = tmp_path / "other.cedar"
    other.write_text('@id("all") permit (principal, action, resource);')
    code, told = run(capsys, home, "check", str(other))
    assert (code, told["ok"]) == (1, False)
    assert "golden decision" in str(told["error"])


def test_new_capability_writes_a_manifest_that_can_be_used_at_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(capsys, home, "new-capability", "deploy.web")
    assert (code, told["ok"]) == (0, True)
    settings = load_settings(home=home)
    catalog, _ = asyncio.run(read_rulebook(settings, prepare_home(settings)))
    assert "deploy.web" in catalog.capabilities
    for name in ("deploy.web", "nodots", "Up.Per", "../x.y"):
        code, told = run(capsys, home, "new-capability", name)
        assert (code, told["ok"]) == (2, False)


def test_explain_tells_for_everybody_whether_they_may_and_why(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (home / "bulkhead.toml").open("a") as file:
        file.write('[people.anna]\nname = "Anna"\n[people.bert]\napprover = true\nscopes = ["deploy"]\n')
    request = ask_for_a_note(home)
    code, told = run(capsys, home, "explain", request)
    people = {one["person"]: one for one in told["people"]}  # type: ignore[attr-defined]
    assert code == 0
    assert people["owner"]["may_approve"]
    assert people["owner"]["policies"] == ["approvers-decide"]
    assert "no policy allows it" in people["bert"]["reason"]
    assert "may not decide this" in people["anna"]["reason"]
    assert main(["control", "explain", request, "--home", str(home)]) == 0
    assert "yes  Owner: approvers decide" in capsys.readouterr().out
    code, told = run(capsys, home, "explain", "nope")
    assert (code, told["ok"]) == (2, False)


def test_simulate_finds_what_another_policy_would_have_decided(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ask_for_a_note(home)
    same = home / control.POLICY
    code, told = run(capsys, home, "simulate", "--policy", str(same))
    assert (code, told["changes"], told["requests"]) == (0, [], 1)
    other = tmp_path / "other.cedar"
    forbid = '@id("no-notes") forbid (principal, action == Action::"approve", resource in Scope::"workspace.notes");'
    other.write_text(f"{same.read_text()}\n{forbid}\n")
    code, told = run(capsys, home, "simulate", "--policy", str(other), "--since", "1h")
    changes = told["changes"]
    assert isinstance(changes, list)
    assert code == 1
    assert [(one["request"], one["person"], one["was"], one["would_be"], one["policies"]) for one in changes] == [
        (request, "owner", True, False, ["no-notes"])
    ]
    code, told = run(capsys, home, "simulate", "--policy", str(other), "--since", "soon")
    assert (code, told["ok"]) == (2, False)


def test_whoever_was_let_in_is_known_to_explain_simulate_and_check(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ask_for_a_note(home)
    with closing(sqlite3.connect(home / "bulkhead.db", isolation_level=None)) as database:
        for id, approver in (("telegram-7", 1), ("slack-u1", 0), ("owner", 0)):
            database.execute("INSERT INTO person VALUES (?, ?, ?, 'paired', 1)", (id, f"Paired {id}", approver))
    _, told = run(capsys, home, "explain", request)
    people = {one["person"]: one for one in told["people"]}  # type: ignore[attr-defined]
    assert {id: one["may_approve"] for id, one in people.items()} == {
        "owner": True,
        "telegram-7": True,
        "slack-u1": False,
    }
    assert people["owner"]["name"] == "Owner", "the file wins"
    _, told = run(capsys, home, "check")
    assert told["approvers"] == ["owner", "telegram-7"]
    _, told = run(capsys, home, "simulate", "--policy", str(home / control.POLICY))
    assert (told["asked"], told["changes"]) == (3, [])
