"""The audit trail: what happened, chained by hashes, written in the transaction that made it happen.

hash = sha256(0x00 || previous || seq as 8 bytes || body). The head's row holds the last sequence number and hash, so
a cut-off tail is seen too. Whoever can rewrite the whole database can rewrite the chain: only a checkpoint kept
elsewhere shows that. Triggers refuse UPDATE and DELETE, which keeps out accidents, not the owner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from pydantic_core import from_json  # three times as fast as json, and this is a loop over everything

from layers.control.checkpoint import Checkpoint
from layers.failpoint import Step, reach
from layers.store import ReadStore, Row, Tx

GENESIS = "00" * 32
PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check of the chain found."""

    ok: bool
    entries: int
    """How many rows were good before the first bad one."""
    first_bad_seq: int | None = None
    reason: str = ""
    head: str = ""
    """The hash to keep elsewhere."""


def link(previous: str, seq: int, body: str) -> str:
    """The hash of one entry, hex."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(previous) + seq.to_bytes(8, "big") + body.encode()).hexdigest()


def append(tx: Tx, actor: str, action: str, ref: str, details: Mapping[str, object]) -> int:
    """Add one entry; returns its sequence number. `details` holds digests and names, never a secret."""
    head = tx.one("control.lock_audit_head")
    if head is None:
        raise RuntimeError("the row of audit_head is gone: the database was tampered with")
    body = json.dumps(
        {"at": tx.now, "actor": actor, "action": action, "ref": ref, "details": dict(details)},
        sort_keys=True,
        separators=(",", ":"),
    )
    seq = int(head["seq"]) + 1
    entry = link(head["hash"], seq, body)
    tx.run("control.add_audit", seq=seq, body=body, previous=head["hash"], hash=entry)
    reach(Step.AUDIT_ENTRY_ADDED)
    tx.run("control.move_audit_head", seq=seq, hash=entry)
    return seq


class Chain:
    """Checks entries one by one, so that a log of any length needs the memory of one."""

    def __init__(self, checkpoints: Iterable[Checkpoint] = ()) -> None:
        """`checkpoints` were kept elsewhere: the log must have passed through each."""
        self.seq = 0
        self.hash = GENESIS
        self.fault: Report | None = None
        self._witnessed: dict[int, list[str]] = {}
        for checkpoint in checkpoints:
            self._witnessed.setdefault(checkpoint.seq, []).append(checkpoint.hash)

    def feed(self, row: Row) -> bool:
        """Check the next entry; False once something was wrong."""
        if self.fault is not None:
            return False
        seq, entry, body = self.seq + 1, row["hash"], row["body"]
        if row["seq"] != seq:
            self.fail(seq, f"entry {seq} is missing or out of order")
        elif row["previous"] != self.hash:
            self.fail(seq, f"entry {seq} does not follow from entry {self.seq}")
        elif link(self.hash, seq, body) != entry:
            self.fail(seq, f"entry {seq} was changed after it was written")
        elif seq in self._witnessed and not all(entry.startswith(kept) for kept in self._witnessed[seq]):
            self.fail(seq, f"entry {seq} or one before it is not what the checkpoint saw: the log was rewritten")
        else:
            self.seq, self.hash = seq, entry
            return True
        return False

    def fail(self, seq: int, reason: str) -> None:
        """Remember the first fault."""
        self.fault = Report(ok=False, entries=self.seq, first_bad_seq=seq, reason=reason, head=self.hash)

    def report(self, head: Row | None) -> Report:
        """The verdict, against the head's row."""
        self.look_beyond()
        if self.fault is None and head is None:
            self.fail(self.seq + 1, "the head of the log is gone")
        elif self.fault is None and head is not None and (head["seq"], head["hash"]) != (self.seq, self.hash):
            first_bad = min(self.seq, int(head["seq"])) + 1
            self.fail(first_bad, f"the log has {self.seq} entries but its head says {head['seq']}, or another hash")
        return self.fault or Report(ok=True, entries=self.seq, head=self.hash)

    def report_alone(self) -> Report:
        """The verdict of an export, which has no head's row: only a checkpoint shows that its tail was cut off."""
        self.look_beyond()
        return self.fault or Report(ok=True, entries=self.seq, head=self.hash)

    def look_beyond(self) -> None:
        """A checkpoint of an entry that is not there: the tail was cut off."""
        latest = max(self._witnessed, default=0)
        if self.fault is None and latest > self.seq:
            self.fail(self.seq + 1, f"the log has {self.seq} entries, but a checkpoint saw {latest}: it was cut off")


def verify(rows: Iterable[Row], head: Row | None, checkpoints: Iterable[Checkpoint] = ()) -> Report:
    """Check entries in the order of their sequence numbers against the head's row. Needs no database."""
    chain = Chain(checkpoints)
    for row in rows:
        if not chain.feed(row):
            break
    return chain.report(head)


def verify_export(lines: Iterable[str], checkpoints: Iterable[Checkpoint] = ()) -> Report:
    """Check what `export` wrote, without a database."""
    chain = Chain(checkpoints)
    for line in lines:
        try:
            is_good = chain.feed(from_json(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            chain.fail(chain.seq + 1, f"line {chain.seq + 1} is no entry")
            is_good = False
        if not is_good:
            break
    return chain.report_alone()


async def pages(store: ReadStore, last: int) -> AsyncIterator[list[Row]]:
    """The entries up to `last`, page by page."""
    after = 0
    while after < last:
        page = await store.fetch_all("control.audit_page", after=after, last=last, limit=PAGE)
        if not page:
            return
        yield page
        after = int(page[-1]["seq"])


async def export(store: ReadStore) -> AsyncIterator[str]:
    """Every entry as one line of JSON, for `verify_export`."""
    head = await store.fetch_one("control.audit_head")
    async for page in pages(store, int(head["last"]) if head is not None else 0):
        for row in page:
            entry = {"seq": row["seq"], "previous": row["previous"], "hash": row["hash"], "body": row["body"]}
            yield json.dumps(entry, separators=(",", ":")) + "\n"


async def verify_store(store: ReadStore, checkpoints: Iterable[Checkpoint] = ()) -> Report:
    """Check the whole log of a store, page by page. Entries added while it reads are not part of the check."""
    head = await store.fetch_one("control.audit_head")
    chain = Chain(checkpoints)
    async for page in pages(store, int(head["last"]) if head is not None else 0):
        if not all(chain.feed(row) for row in page):
            break
    return chain.report(head)


async def uncovered(store: ReadStore, last_seq: int) -> tuple[Checkpoint, float] | None:
    """The head to be signed now, and since when entries after `last_seq` wait; None when none do."""
    head = await store.fetch_one("control.audit_head")
    if head is None or int(head["seq"]) <= last_seq:
        return None
    first = await store.fetch_all("control.audit_page", after=last_seq, last=last_seq + 1, limit=1)
    since = float(json.loads(first[0]["body"])["at"]) if first else 0.0
    return Checkpoint(seq=int(head["seq"]), hash=head["hash"]), since
