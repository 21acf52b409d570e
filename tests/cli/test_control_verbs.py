"""`audit export`, offline verification, and `secret`, each as a process of its own; and the clock's checkpoint."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot.app.witness import FILE, Witness
from layers.control import PUBLIC, SigningKey, VerifyingKey, audit, read_notes
from layers.store import Tx, open_store
from tests.fakes.command import bulkhead


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("idle") / "home"
    assert bulkhead("migrate", home=folder).returncode == 0
    return folder


def fill(tx: Tx, count: int) -> None:
    for number in range(count):
        audit.append(tx, "owner", "test", f"r{number}", {})


async def test_a_trail_is_checkpointed_told_exported_and_verified_without_its_database(home: Path) -> None:
    store = await open_store(f"sqlite:///{home / 'bulkhead.db'}")
    witness = Witness(store, home, SigningKey.open(home / "keys"), "web:main")
    assert not await witness.look(), "an idle house writes nothing"
    await store.run(fill, 260)
    assert await witness.look()
    assert not await witness.look()
    await store.close()
    with closing(sqlite3.connect(home / "bulkhead.db")) as database:
        ((told,),) = database.execute("SELECT payload FROM outbox WHERE conversation_id = 'web:main'")
    (note,) = read_notes((home / FILE).read_text(), VerifyingKey.load(home / "keys" / PUBLIC))
    assert note.seq == 260
    assert note.fingerprint in told
    trail = home.parent / "trail.jsonl"
    assert bulkhead("audit", "export", "-o", str(trail), home=home).returncode == 0
    assert len(trail.read_text().splitlines()) == 260
    elsewhere = home.parent / "elsewhere"
    offline = ("audit", "verify", "--export", str(trail), "--json")
    done = bulkhead(*offline, "--checkpoint", note.fingerprint, home=elsewhere)
    assert json.loads(done.stdout)["entries"] == 260
    assert not (elsewhere / "bulkhead.db").exists()
    notes = ("--checkpoint", str(home / FILE), "--key", str(home / "keys" / PUBLIC))
    assert bulkhead(*offline, *notes, home=elsewhere).returncode == 0
    trail.write_text("\n".join(trail.read_text().splitlines()[:200]) + "\n")
    assert bulkhead(*offline, home=elsewhere).returncode == 0
    cut = bulkhead(*offline, *notes, home=elsewhere)
    assert (cut.returncode, "it was cut off" in cut.stdout) == (1, True)
    assert bulkhead("audit", "verify", home=home).returncode == 0
    (home / FILE).write_text((home / FILE).read_text().replace("260\n", "261\n", 1))
    assert "not signed by this key" in bulkhead("audit", "verify", home=home).stdout


async def test_an_entry_of_15_minutes_ago_makes_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'b.db'}")
    witness = Witness(store, tmp_path, SigningKey.open(tmp_path / "keys"), "web:main")
    await store.run(audit.append, "owner", "test", "r", {})
    assert not await witness.look()
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    assert await witness.look()
    await store.close()


def test_a_secret_is_read_from_standard_input_named_and_removed(home: Path) -> None:
    kept = bulkhead("secret", "set", "DEPLOY_TOKEN", home=home, stdin="hunter2-hunter2\n")
    assert (kept.returncode, kept.stdout) == (0, "the secret DEPLOY_TOKEN is kept\n")
    assert (home / "keys" / "secrets" / "DEPLOY_TOKEN").read_text() == "hunter2-hunter2"
    assert bulkhead("secret", "list", home=home).stdout == "DEPLOY_TOKEN\n"
    assert bulkhead("secret", "remove", "DEPLOY_TOKEN", home=home).returncode == 0
    assert bulkhead("secret", "remove", "DEPLOY_TOKEN", home=home).returncode == 2
    mistaken = bulkhead("secret", "set", "hunter2-hunter2", home=home, stdin="x")
    assert mistaken.returncode == 2
    assert "hunter2" not in mistaken.stderr


def test_an_executor_of_its_own_needs_a_socket(home: Path) -> None:
    done = bulkhead("executor", home=home)
    assert (done.returncode, "BULKHEAD_EXECUTOR_SOCKET" in done.stderr) == (2, True)
