"""A command that cannot be done says so in one sentence, with an exit code, and as an object with --json."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from layers.store import upgrade_store
from tests.fakes.environment import environment


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of its own, none of the developer's keys, and the test runner's logging afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with nothing but what the test puts there."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail; its sentence, the same to a person and to a program."""

    def run(*arguments: str | Path, code: int = 2) -> str:
        words = [str(argument) for argument in arguments]
        assert main([*words, "--json"]) == code
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert said["ok"] is False
        assert main(words) == code
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bulkhead: ")]
        assert lines == [f"bulkhead: {said['error']}"], "one sentence, the same one"
        return str(said["error"])

    return run


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("frob",), "invalid choice: 'frob'"),
        ((), "VERB"),
        (("serve", "--port", "abc"), "invalid int value: 'abc'"),
        (("serve", "--port", "99999"), "BULKHEAD_PORT is 99999"),
        (("audit", "verify", "more"), "unrecognized arguments: more"),
        (("audit", "forge"), "invalid choice: 'forge'"),
        (("db", "copy", "sqlite:///a.db"), "required: TO"),
        (("draw",), "draw needs a Mermaid or Markdown file"),
        (("draw", "nowhere.mmd"), "cannot read 'nowhere.mmd'"),
        (("draw", "--batch", "nowhere.jsonl"), "cannot read 'nowhere.jsonl'"),
        (("route", "--batch", "."), "cannot read '.'"),
        (("ask", ""), "the message is empty"),
        (("ask", "a\udcffb"), "not UTF-8 at character 2"),
        (("ask", "x" * 70_000), "at most 64 KiB"),
        (("ask", "/help", "--as", "nobody"), "no [people.nobody]"),
        (("link",), "no server answers"),
        (("audit", "verify"), "there is no database"),
        (("db", "copy", "sqlite:///typo.db", "sqlite:///new.db"), "there is no database 'typo.db'"),
        (("db", "copy", "mysql://x", "sqlite:///new.db"), "'mysql://x'"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else None,
)
def test_a_wrong_command_is_refused_in_one_sentence(
    refused: Callable[..., str], words: tuple[str, ...], hint: str
) -> None:
    assert hint in refused(*words)
    assert not Path("typo.db").exists(), "a misspelt source must not come into being"


def break_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Write `content` into a file of the home."""

    def write(home: Path) -> None:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(content)

    return write


def make_newer(home: Path) -> None:
    asyncio.run(upgrade_store(f"sqlite:///{home / 'bulkhead.db'}"))
    with closing(sqlite3.connect(home / "bulkhead.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "hint"),
    [
        (break_file("bulkhead.toml", b"[people\n"), "line 1, column 8: not TOML"),
        (break_file("bulkhead.toml", b"[people.owner]\naprover = true\n"), "did you mean 'approver'?"),
        (break_file("bulkhead.toml", b'[people.owner]\napprover = "yes"\n'), "people.owner.approver is 'yes'"),
        (break_file("bulkhead.toml", b"\xff\xfe"), "is not UTF-8 at byte 0"),
        (break_file("bulkhead.toml", b"[people]\n"), "names nobody"),
        (break_file("routes.toml", b"[routes\n"), "line 1, column 8"),
        (break_file("routes.toml", b"\xff\xfe"), "routes.toml"),
        (break_file("bulkhead.db", b"no database at all " * 99), "file is not a database"),
        (break_file("keys", b""), "is a file; name a folder"),
        (break_file("capabilities", b""), "capabilities"),
        (break_file("workspace", b""), "workspace"),
        (make_newer, "newer than this Bulkhead's"),
        (lambda home: (home / "routes.toml").mkdir(), "routes.toml"),
        (lambda home: (home / "bulkhead.toml").mkdir(), "bulkhead.toml"),
        (lambda home: (home / "bulkhead.db").mkdir(), "bulkhead.db"),
    ],
)
@pytest.mark.parametrize("verb", ["serve", "ask"])
def test_a_broken_file_in_the_home_stops_the_start_in_one_sentence(
    home: Path, refused: Callable[..., str], spoil: Callable[[Path], None], hint: str, verb: str
) -> None:
    spoil(home)
    words = ["serve", "--port", "0"] if verb == "serve" else ["ask", "/help"]
    assert hint in refused(*words, "--home", home)


@pytest.mark.parametrize("verb", [("serve", "--port", "0"), ("ask", "/help"), ("migrate",), ("doctor",), ("link",)])
@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc/bulkhead"])
def test_a_home_that_cannot_be_is_refused(refused: Callable[..., str], verb: tuple[str, ...], place: str) -> None:
    Path("a-file").write_text("")
    assert place in refused(*verb, "--home", place)


def test_a_read_only_home_is_refused(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a read-only folder")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", home], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        command = [sys.executable, "-m", "bot", "serve", "--home", str(home), "--port", "0", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(PYTHONPATH=":".join(sys.path)))
    finally:
        subprocess.run(["umount", home], check=True)
    assert done.returncode == 2
    said = json.loads(done.stdout)
    assert not said["ok"]
    assert "cannot be written to" in said["error"]


@pytest.mark.parametrize("spoil", [make_newer, break_file("bulkhead.db", b""), break_file("bulkhead.db", b"no " * 999)])
def test_the_audit_trail_of_a_strange_database_is_not_called_whole(
    home: Path, refused: Callable[..., str], spoil: Callable[[Path], None]
) -> None:
    spoil(home)
    assert "bulkhead.db" in refused("audit", "verify", "--home", home)


def test_a_home_may_have_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "50%20? a#b"
    assert main(["ask", "/pending", "--home", str(home)]) == 0
    assert "Nothing waits" in capsys.readouterr().out
    assert main(["audit", "verify", "--home", str(home)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [home.name]


def test_a_home_too_deep_for_a_socket_still_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / ("d" * 120)
    assert main(["ask", "/pending", "--home", str(home)]) == 0
    assert "Nothing waits" in capsys.readouterr().out


def test_migrate_makes_an_empty_home_ready(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True}
    assert main(["audit", "verify", "--home", str(home), "--json"]) == 0


BAD_LINES = [
    b"\xff\xfe\x00binary",
    b'{"text": 5}',
    b"[]",
    b"[" * 100_000,
    b"{",
    b'{"text": null}',
    b"\x00\x01\x02",
]
GOOD = '{"text": "flowchart LR\\n  a[one\u2028two\x85] --> b"}'.encode()


@pytest.mark.parametrize("verb", [("draw", "--no-render"), ("route",)])
def test_a_batch_says_in_its_place_what_is_wrong_with_a_line(
    home: Path, verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("batch.jsonl").write_bytes(b"\n".join([b"\xef\xbb\xbf" + GOOD, *BAD_LINES, GOOD]))
    assert main([*verb, "--batch", "batch.jsonl", "--home", str(home)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]
    assert [answer["ok"] for answer in told] == [True, *([False] * len(BAD_LINES)), True]
    assert all(f"line {n}" in answer["error"] for n, answer in enumerate(told[1:-1], start=2))


def test_a_diagram_of_5000_nodes_is_refused_before_it_is_drawn(refused: Callable[..., str]) -> None:
    Path("big.mmd").write_text("flowchart LR\n" + "".join(f"  n{n} --> n{n + 1}\n" for n in range(5000)))
    assert "at most 500 nodes" in refused("draw", "big.mmd")


def test_an_error_in_a_diagram_is_told_with_its_line(refused: Callable[..., str]) -> None:
    Path("bad.mmd").write_text("flowchart LR\n  a -->\n")
    assert refused("draw", "bad.mmd").startswith("Line 3, column 1: expected a node after the arrow, found")


def test_a_bug_is_one_sentence_too(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # has no bytes: nobody foresees that
    assert "AttributeError" in refused("ask", "-", "--home", home, code=70)
