"""Attacks on the audit trail, by whoever owns the database, the disk, or the copy that somebody is handed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from layers.control import Checkpoint, Context, Plan, Rules, State, audit, by_id, claim, request, verify_store
from layers.control.audit import verify_export
from layers.errors import Unavailable
from layers.store import Store, Tx, open_store
from layers.store.sqlite import SqliteStore
from tests.control.conftest import OWNER, press
from tests.control.test_audit import drop_triggers, fill, rewritten
from tests.control.test_service import write
from tests.fakes.command import bulkhead


async def entries(store: Store) -> list[dict[str, object]]:
    return [json.loads(line) async for line in audit.export(store)]


def rewrite_all(tx: Tx, rows: list[dict[str, object]]) -> None:
    """Another history, with a head that fits."""
    write(tx, "DELETE FROM audit")
    for row in rows:
        write(tx, "INSERT INTO audit (seq, body, previous, hash) VALUES (:seq, :body, :previous, :hash)", **row)
    write(tx, "UPDATE audit_head SET seq = :seq, hash = :hash", seq=rows[-1]["seq"], hash=rows[-1]["hash"])


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET body = replace(body, 'test', 'tests') WHERE seq = 4",
        "DELETE FROM audit WHERE seq = 5",
        "UPDATE audit SET seq = CASE seq WHEN 4 THEN 40 WHEN 5 THEN 4 ELSE seq END WHERE seq IN (4, 5)",
        "DELETE FROM audit WHERE seq > 8",
    ],
    ids=["edited", "deleted", "reordered", "truncated"],
)
async def test_H4_a_trail_edited_cut_or_reordered_is_found_without_help(store: Store, sql: str) -> None:
    await fill(store, 12)
    assert (await verify_store(store)).ok
    await store.run(drop_triggers)
    await store.run(write, sql)
    assert not (await verify_store(store)).ok


async def test_H4_a_trail_cut_or_rewritten_with_its_head_is_found_by_a_checkpoint(store: Store) -> None:
    await fill(store, 12)
    rows = await entries(store)
    seen = Checkpoint(seq=12, hash=str(rows[-1]["hash"]))
    await store.run(drop_triggers)
    for forged in (rewritten(rows, 3), rows[:7], rewritten(rows, 12)):
        await store.run(rewrite_all, forged)
        assert (await verify_store(store)).ok, "the chain alone cannot tell"
        assert not (await verify_store(store, [seen])).ok
    await store.run(rewrite_all, rows)
    assert (await verify_store(store, [seen])).ok


async def fill_up(store: Store, size: int) -> None:
    """Until nothing of that size goes into the last page any more."""
    with contextlib.suppress(Unavailable):
        while True:
            await store.run(audit.append, "owner", "test", "x", {"pad": "x" * size})


async def test_H6_on_a_full_disk_nothing_is_decided_claimed_or_lost(
    tmp_path: Path, note: Plan, context: Context, rules: Rules
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/full.db")
    assert isinstance(store, SqliteStore)
    asked = await store.run(request, note, context)
    store._connection.execute("PRAGMA max_page_count=1")  # never below what is there: the next page is refused
    for size in (400, 100, 1):
        await fill_up(store, size)
    before = len(await entries(store))
    with pytest.raises(Unavailable):
        await store.run(press, asked.handle, "approve", OWNER, rules)
    assert (await store.run(by_id, asked.approval.id)).state is State.PENDING
    assert (await store.run(by_id, asked.approval.id)).warrant == ""
    store._connection.execute("PRAGMA max_page_count=1000000")
    assert len(await entries(store)) == before
    assert (await store.run(claim, asked.approval.id, rules)).refused
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused == ""
    assert (await verify_store(store)).ok
    await store.close()


async def test_H7_a_dropped_segment_of_an_export_is_found_wherever_it_was(store: Store) -> None:
    await fill(store, 30)
    rows = await entries(store)
    lines = [json.dumps(row) for row in rows]
    segments = [lines[start : start + 10] for start in (0, 10, 20)]
    seen = Checkpoint(seq=30, hash=str(rows[-1]["hash"]))
    for dropped in range(3):
        kept = [line for number, segment in enumerate(segments) if number != dropped for line in segment]
        assert not verify_export(kept, [seen]).ok
        assert verify_export(kept).ok is (dropped == 2), "the newest leaves no gap, and the checkpoint tells"
    assert not verify_export([*segments[1], *segments[0], *segments[2]], [seen]).ok
    assert not verify_export([*segments[0], *segments[0], *segments[1], *segments[2]], [seen]).ok
    assert not verify_export([], [seen]).ok
    assert verify_export(lines, [seen]).ok


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_H8_an_export_is_verified_on_a_machine_that_has_nothing_else(store: Store, tmp_path: Path) -> None:
    await fill(store, 9)
    lines = [line async for line in audit.export(store)]
    fingerprint = Checkpoint(seq=9, hash=json.loads(lines[-1])["hash"]).fingerprint

    def verdict(text: str, *more: str) -> tuple[int, bool]:
        """Of the real command, which has no home."""
        (tmp_path / "trail.jsonl").write_text(text)
        words = ["audit", "verify", "--export", str(tmp_path / "trail.jsonl"), *more, "--json"]
        done = bulkhead(*words, home=tmp_path / "no-home")
        return done.returncode, json.loads(done.stdout)["ok"]

    assert verdict("".join(lines), "--checkpoint", fingerprint) == (0, True)
    assert verdict("".join(lines).replace("r4", "r5", 1)) == (1, False)
    assert verdict("".join(lines[:-2]), "--checkpoint", fingerprint) == (1, False)
    assert not (tmp_path / "no-home").exists()
