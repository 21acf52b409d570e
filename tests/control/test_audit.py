"""The chain: every way to tamper with it that does not rewrite the head as well is seen."""

from __future__ import annotations

import asyncio
import random

import pytest

from layers.control import audit, verify_store
from layers.control.audit import GENESIS, link, verify
from layers.store import Row, Store
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
    await store.run(write, sql)
    report = await verify_store(store)
    assert not report.ok
    if bad is not None:
        assert report.first_bad_seq == bad


async def test_the_check_reads_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store, 23)
    monkeypatch.setattr(audit, "PAGE", 5)
    assert (await verify_store(store)).entries == 23
