"""`bulkhead patch status | leases | log`: beside a server or without one, and safe to print whatever is in them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layers import coordination
from layers.coordination import Applied, Claimant, Coordinator
from layers.coordination.leases import ask
from layers.store import open_store
from tests.coordination.conftest import README_PATCH, Workspace
from tests.fakes.command import bulkhead
from tests.fakes.environment import REPO, environment

HOSTILE = "Eve \x1b[31m\x9b2J\u202eevil\nsecond line"
UNSAFE = ("\x1b", "\x9b", "\u202e", "\nsecond")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a second workspace, one patch that landed there, one proposed by somebody hostile, and a queue."""
    folder = tmp_path_factory.mktemp("seen")
    site = Workspace(folder / "site")
    site.root.mkdir()
    site.git("init", "-q", "-b", "main")
    site.commit({"README.md": "".join(f"line {n}\n" for n in range(1, 11))}, "first")
    home = folder / "home"
    assert bulkhead("migrate", home=home).returncode == 0
    with open(home / "bulkhead.toml", "a", encoding="utf-8") as file:
        file.write(f"\n[workspaces.site]\npath = {json.dumps(str(site.root))}\n")
    asyncio.run(fill(home, site))
    return home


async def fill(home: Path, site: Workspace) -> None:
    store = await open_store(f"sqlite:///{home}/bulkhead.db")
    try:
        times = itertools.count(1_800_000_000.0)
        coordinator = Coordinator(store, clock=lambda: next(times))
        landed = await coordinator.propose(site.patch(README_PATCH))
        await store.run(coordination.keep, landed, "web:main")
        outcome = await coordinator.apply(site.root, landed, "A change", "Ann")
        assert isinstance(outcome, Applied)
        states = coordination.State
        await store.run(coordination.mark, landed.id, states.PROPOSED, states.APPLIED, outcome.commit)
        waiting = coordination.Patch(
            workspace=site.root, diff="--- /dev/null\n+++ b/a\u202e\x9b.txt\n@@ -0,0 +1 @@\n+x\n", author=HOSTILE
        )
        await store.run(coordination.keep, await coordinator.propose(waiting), "web:main")
        space = (await coordination.look_at(site.root)).id
        for actor in (HOSTILE, "Bob"):
            claimant = Claimant(workspace=space, actor=actor, paths=("src/", "a\u202e"))
            await store.run(ask, claimant, secrets.token_hex(10))
    finally:
        await store.close()


def told(home: Path, *arguments: str) -> dict[str, Any]:
    done = bulkhead("patch", *arguments, "--json", home=home)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_status_lists_the_newest_first_and_finds_one(home: Path) -> None:
    waiting, landed = told(home, "status")["proposals"]
    assert (waiting["state"], waiting["author"]) == ("proposed", HOSTILE)
    assert waiting["files"][0]["path"] == "a\u202e\x9b.txt"
    assert (landed["state"], landed["workspace"], landed["request"]) == ("applied", "site", None)
    assert landed["commit"]
    (alone,) = told(home, "status", landed["id"])["proposals"]
    assert alone | {"age_s": 0} == landed | {"age_s": 0}
    assert len(told(home, "status", "--most", "1")["proposals"]) == 1
    assert len(told(home, "status", "--workspace", "site")["proposals"]) == 2
    assert told(home, "status", "--workspace", landed["root"])["proposals"]


def test_leases_tell_who_holds_who_waits_and_behind_whom(home: Path) -> None:
    (site,) = told(home, "leases", "--workspace", "site")["workspaces"]
    held, waits = site["leases"]
    assert (site["workspace"], held["state"], held["fence"], held["behind"]) == ("site", "held", 2, [])
    assert (waits["actor"], waits["state"], waits["fence"]) == ("Bob", "waiting", None)
    assert waits["behind"] in ([held["id"]], [])  # by the time that this is read the holder may have run out
    assert waits["paths"] == ["a\u202e", "src/"]


def test_log_tells_what_landed_and_where_git_and_the_database_differ(home: Path) -> None:
    (site,) = told(home, "log")["workspaces"]
    (entry,) = site["entries"]
    assert (entry["kind"], entry["fence"], entry["actor"], entry["approver"]) == ("patch", 1, "Ann", None)
    assert (entry["differences"], entry["is_on_branch"]) == ([], True)
    assert entry["landed_at"]


def test_nothing_that_anybody_wrote_moves_or_colours_a_terminal(home: Path) -> None:
    for verb in ("status", "leases", "log"):
        done = bulkhead("patch", verb, home=home)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") >= 1
        assert [mark for mark in UNSAFE if mark in done.stdout] == []
        assert bulkhead("patch", verb, "--json", home=home).stdout.isascii()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["status", "nonesuch\x1b[2J"], "no patch has the id 'nonesuch\\x1b[2J'"),
        (["status", "--most", "0"], "--most 0 is refused"),
        (["leases", "--workspace", "nonesuch"], "has no workspace 'nonesuch', and there is no such folder"),
        (["log", "--workspace", "/"], "is not the top of a git work tree"),
        (["log", "--most", "many"], "invalid int value"),
    ],
)
def test_wrong_input_is_one_sentence_that_says_what_to_do(home: Path, arguments: list[str], why: str) -> None:
    done = bulkhead("patch", *arguments, home=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "\x1b" not in done.stderr


def test_another_home_and_one_without_a_database_are_told(home: Path, tmp_path: Path) -> None:
    assert "bulkhead.toml' is missing" in bulkhead("patch", "status", home=tmp_path).stderr
    (tmp_path / "bulkhead.toml").write_text("")
    done = bulkhead("patch", "log", "--json", home=tmp_path)
    assert (done.returncode, "there is no database" in json.loads(done.stdout)["error"]) == (2, True)


def test_a_reader_that_has_had_enough_is_no_failure(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "bot", "patch", "status", "--home", str(home)]
    try:
        done = subprocess.run(
            command, cwd=REPO, env=environment(), stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.fixture(autouse=True)
def _nothing_is_written(home: Path) -> Iterator[None]:
    """Every one of these verbs only reads."""
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.suffix not in (".db-shm", ".db-wal")}
    yield
    after = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.suffix not in (".db-shm", ".db-wal")}
    assert {path for path in after if path.is_file() and after[path] != before.get(path)} == set()
