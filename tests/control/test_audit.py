"""The chain: every way to tamper with it that does not rewrite the head as well is seen."""

from __future__ import annotations

import asyncio
import json
import random
import string
from pathlib import Path

import pytest

from layers.control import (
    Checkpoint,
    Notebook,
    Report,
    SigningKey,
    audit,
    is_due,
    note,
    read_fingerprint,
    read_notes,
    verify_export,
    verify_store,
)
from layers.control.audit import GENESIS, link, verify
from layers.errors import Refused
from layers.store import Row, Store, Tx
from tests.control.test_service import write


def chain(length: int) -> tuple[list[dict[str, object]], Row]:
    rows: list[dict[str, object]] = []
    previous = GENESIS
    for seq in range(1, length + 1):
        body = f'{{"n":{seq}}}'
        rows.append({"seq": seq, "body": body, "previous": previous, "hash": link(previous, seq, body)})
        previous = str(rows[-1]["hash"])
    return rows, {"seq": length, "hash": previous, "last": length}


def test_a_whole_chain_is_good_also_when_empty() -> None:
    assert verify(*chain(0)).ok
    report = verify(*chain(100))
    assert (report.ok, report.entries, report.first_bad_seq) == (True, 100, None)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("how", ["edit", "relink", "delete", "swap", "truncate", "insert", "head"])
def test_every_kind_of_tampering_is_seen_and_placed(how: str, seed: int) -> None:
    generator = random.Random(f"{how}{seed}")
    rows, head = chain(30)
    at = generator.randrange(30)
    if how == "edit":
        rows[at]["body"] = '{"n":666}'
    elif how == "relink":  # edited, with a hash that fits: the next entry, or the head, tells
        rows[at]["body"] = '{"n":666}'
        rows[at]["hash"] = link(str(rows[at]["previous"]), at + 1, '{"n":666}')
    elif how == "delete":
        del rows[at]
    elif how == "swap":
        at = min(at, 28)
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    elif how == "truncate":
        del rows[at:]
    elif how == "insert":
        rows.insert(at, dict(rows[at]))
    else:
        head = {**head, "hash": GENESIS}
    report = verify(rows, head)
    assert not report.ok
    assert report.reason
    assert report.first_bad_seq is not None


def test_a_lost_head_is_seen() -> None:
    assert not verify(chain(3)[0], None).ok


async def fill(store: Store, count: int) -> None:
    def add(tx: object, n: int) -> None:
        audit.append(tx, "owner", "test", f"r{n}", {"n": n})  # type: ignore[arg-type]

    await asyncio.gather(*(store.run(add, n) for n in range(count)))


async def test_entries_written_at_once_make_one_chain(store: Store) -> None:
    await fill(store, 60)
    report = await verify_store(store)
    assert (report.ok, report.entries) == (True, 60)
    assert len(report.head) == 64


def drop_triggers(tx: Tx) -> None:
    """What the owner of a database can do, and an accident does not."""
    if tx.dialect == "sqlite":
        write(tx, "DROP TRIGGER audit_no_update")
        write(tx, "DROP TRIGGER audit_no_delete")
    else:
        write(tx, "DROP TRIGGER audit_only_grows ON audit")


@pytest.mark.parametrize("sql", ["UPDATE audit SET body = '{}'", "DELETE FROM audit WHERE seq = 2"])
async def test_an_accident_cannot_change_the_trail(store: Store, sql: str) -> None:
    await fill(store, 3)
    with pytest.raises(Exception, match="only ever added to"):
        await store.run(write, sql)
    assert (await verify_store(store)).entries == 3


@pytest.mark.parametrize(
    ("sql", "bad"),
    [
        ("UPDATE audit SET body = '{}' WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq > 8", 9),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET seq = CASE seq WHEN 4 THEN 400 ELSE seq END", 4),
        ("DELETE FROM audit_head", None),
        ("UPDATE audit_head SET seq = 8", 9),
        ("INSERT INTO audit (seq, body, previous, hash) VALUES (13, '{}', 'x', 'y')", 13),
    ],
)
async def test_tampering_in_the_database_is_seen(store: Store, sql: str, bad: int | None) -> None:
    await fill(store, 12)
    assert (await verify_store(store)).ok
    await store.run(drop_triggers)
    await store.run(write, sql)
    report = await verify_store(store)
    assert not report.ok
    if bad is not None:
        assert report.first_bad_seq == bad


def rewritten(rows: list[dict[str, object]], at: int) -> list[dict[str, object]]:
    """What the owner of the database can make: another history, every hash of which fits."""
    made, previous = [], GENESIS
    for row in rows:
        body = '{"n":666}' if row["seq"] == at else str(row["body"])
        made.append({"seq": row["seq"], "body": body, "previous": previous, "hash": link(previous, row["seq"], body)})
        previous = str(made[-1]["hash"])
    return made


@pytest.mark.parametrize("seed", range(20))
def test_a_rewritten_or_cut_trail_is_seen_with_a_checkpoint_and_only_with_one(seed: int) -> None:
    generator = random.Random(seed)
    rows, head = chain(30)
    seen = Checkpoint(seq=30, hash=str(head["hash"]))
    other = rewritten(rows, generator.randrange(1, 31))
    cut = rows[: generator.randrange(30)]
    for forged in (other, cut):
        lines = [json.dumps(row) for row in forged]
        assert verify_export(lines).ok
        for kept in (seen, read_fingerprint(seen.fingerprint)):
            assert kept is not None
            assert not verify_export(lines, [kept]).ok
    assert verify_export([json.dumps(row) for row in rows], [seen]).ok


async def test_an_export_is_the_trail_and_needs_no_database(store: Store) -> None:
    await fill(store, 7)
    lines = [line async for line in audit.export(store)]
    assert verify_export(lines) == Report(ok=True, entries=7, head=(await verify_store(store)).head)
    assert not verify_export([*lines[:3], "no json", *lines[3:]]).ok
    assert not verify_export([*lines[:3], "[]", *lines[3:]]).ok


def test_a_note_is_signed_and_every_change_to_it_is_seen(tmp_path: Path) -> None:
    key, other = SigningKey.open(tmp_path / "a"), SigningKey.open(tmp_path / "b")
    made = [Checkpoint(seq=seq, hash=link(GENESIS, seq, "")) for seq in (256, 300)]
    text = "\n".join(note(key, key.raw, checkpoint, 1_800_000_000.0) for checkpoint in made)
    assert list(read_notes(text, key)) == made
    with pytest.raises(Refused, match="not signed by this key"):
        list(read_notes(text, other))
    for at in range(0, len(text), 3):
        changed = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        with pytest.raises(Refused):
            list(read_notes(changed, key))
    last = text.rindex("=") - 1
    while text[last] == "=":
        last -= 1
    for letter in set(string.ascii_letters + string.digits + "+/") - {text[last]}:  # some decode to the same bytes
        with pytest.raises(Refused):
            list(read_notes(text[:last] + letter + text[last + 1 :], key))


def test_the_notebook_is_only_appended_to_and_never_goes_back(tmp_path: Path) -> None:
    key, book = SigningKey.open(tmp_path), Notebook(tmp_path / "notes")
    assert book.last() == 0
    for seq, is_new in ((10, True), (10, False), (9, False), (20, True)):
        assert book.add(note(key, key.raw, Checkpoint(seq=seq, hash="0" * 64), 0.0), seq) is is_new
    assert book.last() == 20
    assert [kept.seq for kept in read_notes(book.file.read_text(), key)] == [10, 20]


def test_a_checkpoint_is_due_after_256_entries_or_15_minutes() -> None:
    assert not is_due(5, 5, 0.0, 9e9)
    assert not is_due(5, 260, 1000.0, 1899.0)
    assert is_due(5, 261, 1000.0, 1000.0)
    assert is_due(5, 6, 1000.0, 1900.0)


async def test_the_check_reads_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store, 23)
    monkeypatch.setattr(audit, "PAGE", 5)
    assert (await verify_store(store)).entries == 23
