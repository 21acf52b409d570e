"""The audit trail: what happened, chained by hashes, written in the transaction that made it happen.

hash = sha256(0x00 || previous || seq as 8 bytes || body). The head's row holds the last sequence number and hash, so
a cut-off tail is seen too. Whoever can rewrite the whole database can rewrite the chain: only a copy of the head kept
elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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

    def __init__(self) -> None:
        self.seq = 0
        self.hash = GENESIS
        self.fault: Report | None = None

    def feed(self, row: Row) -> bool:
        """Check the next entry; False once something was wrong."""
        if self.fault is None:
            wanted = self.seq + 1
            if row["seq"] != wanted:
                self.fail(wanted, f"entry {wanted} is missing or out of order")
            elif row["previous"] != self.hash:
                self.fail(wanted, f"entry {wanted} does not follow from entry {self.seq}")
            elif link(self.hash, wanted, row["body"]) != row["hash"]:
                self.fail(wanted, f"entry {wanted} was changed after it was written")
            else:
                self.seq, self.hash = wanted, row["hash"]
        return self.fault is None

    def fail(self, seq: int, reason: str) -> None:
        """Remember the first fault."""
        self.fault = Report(ok=False, entries=self.seq, first_bad_seq=seq, reason=reason, head=self.hash)

    def report(self, head: Row | None) -> Report:
        """The verdict, against the head's row."""
        if self.fault is None and head is None:
            self.fail(self.seq + 1, "the head of the log is gone")
        elif self.fault is None and head is not None and (head["seq"], head["hash"]) != (self.seq, self.hash):
            first_bad = min(self.seq, int(head["seq"])) + 1
            self.fail(first_bad, f"the log has {self.seq} entries but its head says {head['seq']}, or another hash")
        return self.fault or Report(ok=True, entries=self.seq, head=self.hash)


def verify(rows: Iterable[Row], head: Row | None) -> Report:
    """Check entries in the order of their sequence numbers against the head's row. Needs no database."""
    chain = Chain()
    for row in rows:
        if not chain.feed(row):
            break
    return chain.report(head)


async def verify_store(store: ReadStore) -> Report:
    """Check the whole log of a store, page by page. Entries added while it reads are not part of the check."""
    head = await store.fetch_one("control.audit_head")
    chain = Chain()
    last = int(head["last"]) if head is not None else 0
    while chain.seq < last:
        page = await store.fetch_all("control.audit_page", after=chain.seq, last=last, limit=PAGE)
        if not page or not all(chain.feed(row) for row in page):
            break
    return chain.report(head)
