"""The buckets in the database, shared by every process: locked in the order of their names, drawn from, closed.

All functions take an open transaction. Rows of a bucket are locked in that one order by whoever draws, so two processes
never wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layers.store import Tx
from layers.transport.buckets import Bucket, admit, warmed

KEEP_S = 2 * 86400.0
"""How long a bucket that is full again is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Why a row may not go now."""

    until: float
    """Epoch seconds."""
    is_wide: bool
    """Whether the whole channel has to wait."""
    is_closed: bool = False
    """Whether a bucket was closed, and not only empty."""


class Gate:
    """The buckets of one batch of rows. What was drawn is written by `close`."""

    def __init__(self, tx: Tx, wanted: Iterable[Bucket]) -> None:
        self._tx = tx
        paced = {bucket.name: bucket for bucket in wanted if bucket.burst}
        self._tats: dict[str, float] = {}
        self._ages: dict[str, float] = {}
        for name in sorted(paced):
            row = tx.one("transport.lock_bucket", bucket=name, now=tx.now)
            self._tats[name] = row["tat"] if row else 0.0
            self._ages[name] = tx.now - row["since"] if row else 0.0
        closed = tx.all("transport.closed_buckets", now=tx.now)  # read once the locks are ours
        self._closed = {row["bucket"]: row["closed_until"] for row in closed}
        self._drawn: set[str] = set()
        self._waiting: Counter[str] = Counter()

    def draw(self, buckets: Sequence[Bucket]) -> Blocked | None:
        """Draw once from each of them, or from none. None means that the row may go."""
        shut = [
            (self._closed[bucket.name], ":" not in bucket.name) for bucket in buckets if bucket.name in self._closed
        ]
        if shut:
            return Blocked(until=max(shut)[0], is_wide=any(is_wide for _, is_wide in shut), is_closed=True)
        after: dict[str, float] = {}
        empty: list[tuple[float, Bucket]] = []
        for bucket in (warmed(each, self._ages[each.name]) for each in buckets if each.burst):
            is_free, at = admit(self._tats[bucket.name], self._tx.now, bucket)
            if is_free:
                after[bucket.name] = at
            else:
                empty.append((at, bucket))
        if not empty:
            self._tats |= after
            self._drawn |= after.keys()
            return None
        wide = [at for at, bucket in empty if bucket.is_wide]
        if wide:
            return Blocked(until=max(wide), is_wide=True)
        at, bucket = max(empty, key=lambda each: each[0])
        turn = self._waiting[bucket.name]  # each comes back when it will be its turn, and not all of them every time
        self._waiting[bucket.name] += 1
        return Blocked(until=at + turn * bucket.interval_s, is_wide=False)

    def close(self) -> None:
        """Write down what was drawn."""
        for name in sorted(self._drawn):
            self._tx.run("transport.draw", bucket=name, tat=self._tats[name])


def close_bucket(tx: Tx, bucket: str, until: float) -> None:
    """Let nothing be drawn from a bucket before `until`; a channel's own name closes all of it."""
    tx.run("transport.close_bucket", bucket=bucket, until=until, now=tx.now)


def closed_until(tx: Tx, bucket: str) -> float:
    """Until when a bucket is closed, epoch seconds; 0 when it is open. For an adapter's further calls."""
    row = tx.one("transport.closed_until", bucket=bucket)
    return row["closed_until"] if row and row["closed_until"] > tx.now else 0.0


def forget_buckets(tx: Tx) -> int:
    """Drop the buckets that nobody has drawn from for days; how many."""
    return tx.run("transport.forget_buckets", before=tx.now - KEEP_S, kept="%:day")
