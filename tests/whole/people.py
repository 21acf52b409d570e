"""What the tests here share: a home with two people, a second visitor, a look into the database."""

from __future__ import annotations

import copy
import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.crash.scenario import APPEND
from tests.fakes import command
from tests.fakes.house import House

PEOPLE = '[people.owner]\nname = "Owner"\napprover = true\n\n[people.anna]\nname = "Anna"\n'
ENDED = ("Done", "Failed", "Denied", "Expired", "Withdrawn", "Outcome unknown")


def furnish(home: Path, model_url: str = "", model: str = "echo") -> None:
    """A home with an approver, Anna who is none, and a capability whose effect can be counted."""
    (home / "capabilities").mkdir(parents=True, exist_ok=True)
    (home / "bulkhead.toml").write_text(PEOPLE)
    (home / "capabilities" / "workspace.append.toml").write_text(APPEND)
    if model_url:
        shapes = "\n".join(f'{shape} = ["fake/{model}"]' for shape in ("obedience", "depth", "code", "cheap"))
        (home / "routes.toml").write_text(f'[routes]\n{shapes}\n[servers]\nfake = "{model_url}"\n')


def bulkhead(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, on that home."""
    return command.bulkhead(*words, "--json", home=house.home, **house.env)


def visitor(house: House, person: str) -> House:
    """The same server, seen by somebody else."""
    other = copy.copy(house)
    other.client = httpx.Client(base_url=house.client.base_url, timeout=20)
    other.url = json.loads(bulkhead(house, "link", "--person", person).stdout)["link"]
    other.sign_in()
    return other


def card(house: House, text: str, conversation: str = "main") -> dict[str, Any]:
    """Ask for the countable effect; its card."""
    shown = house.ask(f"/run workspace.append text={text}", conversation)
    assert shown["kind"] == "card", shown
    return shown


def error(house: House, conversation: str = "main", but: frozenset[str] = frozenset()) -> str:
    """The newest refusal that was not seen before, as text."""
    return str(house.wait_for(lambda e: e["kind"] == "error" and e["key"] not in but, conversation)["html"])


def outcome(house: House, key: str, conversation: str = "main") -> str:
    """The card once nothing more can become of it."""

    def is_over(event: dict[str, Any]) -> bool:
        return bool(event["key"] == key and any(word in event["html"] for word in ENDED))

    return str(house.wait_for(is_over, conversation)["html"])


def effects(home: Path) -> list[str]:
    """What was really done."""
    path = home / "workspace" / "log.txt"
    return path.read_text().split() if path.exists() else []


def execute(house: House, statement: str) -> list[tuple[Any, ...]]:
    """Somebody with the database's password at work."""
    url = house.env["BULKHEAD_DATABASE_URL"]
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []
    path = url.removeprefix("sqlite:///") or str(house.home / "bulkhead.db")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        return connection.execute(statement).fetchall()


def until(claim: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)
