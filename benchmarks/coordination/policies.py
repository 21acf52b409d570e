"""What others do instead, as models of ours and not their code: the same words, processes, kills, pauses and editor.

`naive` writes what it has, `mtime` and `hash` look first whether the file is as it was read, `unfenced` holds a lease
that runs out while its holder pauses, and never asks again. What differs from the protocol: a policy has no repository
to be read from, so its files are its history; and a writer is a thread and not a task.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.coordination.writer import SHARED, THINK_S, TTL_S, Job, by_file, note

TRIES = 50
POINTS = 3
"""Where a writer may be killed: after its lock, after its look, after each file."""

Lines = Mapping[str, Sequence[str]]
"""File -> the words that go to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What one writer has."""

    folder: Path
    rng: random.Random
    kill_rate: float
    """Chance of a kill at each point."""

    def reach(self) -> None:
        """A point where the process may be killed, with all of its writers."""
        if self.rng.random() < self.kill_rate:
            os.kill(os.getpid(), signal.SIGKILL)

    def read(self, files: Iterable[str]) -> dict[str, str]:
        """Each file whole."""
        return {name: (self.folder / name).read_text() for name in files}

    def think(self) -> None:
        """As long as the protocol's writers do."""
        time.sleep(self.rng.random() * THINK_S)

    def put(self, read: Mapping[str, str], patch: str, lines: Lines) -> None:
        """Each file whole with its words at its end, by rename."""
        for name, text in read.items():
            path = self.folder / name
            draft = path.with_name(f".{path.name}.{patch}")
            draft.write_text(text + "".join(f"{word}\n" for word in lines[name]))
            os.replace(draft, path)
            self.reach()


Policy = Callable[[Ground, str, Lines], bool]
"""(where, the patch's name, its words): whether it was acknowledged."""


def naive(ground: Ground, patch: str, lines: Lines) -> bool:
    """Read, think, write."""
    read = ground.read(lines)
    ground.think()
    ground.reach()
    ground.put(read, patch, lines)
    return True


def by_mtime(ground: Ground, patch: str, lines: Lines) -> bool:
    """Refuse when a file is newer than when it was read."""
    paths = [ground.folder / name for name in lines]
    stamps = [path.stat().st_mtime_ns for path in paths]
    read = ground.read(lines)
    ground.think()
    if [path.stat().st_mtime_ns for path in paths] != stamps:
        return False
    ground.reach()
    ground.put(read, patch, lines)
    return True


def by_hash(ground: Ground, patch: str, lines: Lines) -> bool:
    """Refuse when a file's content is another than was read."""
    read = ground.read(lines)
    ground.think()
    if any(digest(text) != digest(read[name]) for name, text in ground.read(lines).items()):
        return False
    ground.reach()
    ground.put(read, patch, lines)
    return True


def digest(text: str) -> bytes:
    """Of a file's content."""
    return hashlib.sha256(text.encode()).digest()


def unfenced(ground: Ground, patch: str, lines: Lines) -> bool:
    """An exclusive lease with a time to live, which nothing checks when it is written under."""
    leases = [ground.folder / ".git" / f"lease-{name.replace('/', '-')}" for name in lines]
    with alone(ground.folder):
        if any(is_held(lease) for lease in leases):
            return False
        for lease in leases:
            lease.write_text(patch)
    ground.reach()
    read = ground.read(lines)
    ground.think()
    ground.put(read, patch, lines)
    with alone(ground.folder):
        for lease in leases:
            if lease.exists() and lease.read_text() == patch:
                lease.unlink()
    return True


def is_held(lease: Path) -> bool:
    """Whether its time is not over."""
    return lease.exists() and time.time() < lease.stat().st_mtime + TTL_S


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process or thread is inside."""
    with (folder / ".git" / "leases").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


POLICIES: dict[str, Policy] = {"naive": naive, "mtime": by_mtime, "hash": by_hash, "unfenced_lease": unfenced}


def run(policy: Policy, job: Job, seed: int) -> None:
    """Work until enough was done. Called in a process of its own, which any point may kill."""
    log = job.open_log(seed)
    with ThreadPoolExecutor(job.writers) as pool:
        threads = [pool.submit(write, policy, job, log, f"{seed}-{number}") for number in range(job.writers)]
    for thread in threads:
        thread.result()


def write(policy: Policy, job: Job, log: int, name: str) -> None:
    """One writer: each patch until it is acknowledged, at most fifty times."""
    rng = random.Random(name)
    ground = Ground(folder=job.root, rng=rng, kill_rate=job.kill_rate)
    number = 0
    while not job.is_enough:
        number += 1
        patch = f"w{name}-{number}"
        words = job.words(patch, rng)
        lines = by_file(words)
        is_judged = SHARED not in lines
        if is_judged:
            note(log, patch=patch, words=words)
        for _ in range(TRIES):
            if policy(ground, patch, lines):
                if is_judged:
                    job.tell_acked(log, patch, words)
                break
            ground.think()
