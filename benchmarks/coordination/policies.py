"""What others do instead, as models of ours and not their code: the same words into the same files, no repository.

`naive` writes what it has, `mtime` and `hash` look first whether the file is as it was read, `unfenced` holds a lease
that runs out while its holder pauses, and never asks again.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.coordination.writer import LISTS

WRITERS = 8
TTL_S, PAUSE_S, PAUSES = 0.05, 0.1, 0.03
THINK_S = 0.002


@dataclass(slots=True)
class Field:
    """The files, the leases, and which words were acknowledged."""

    folder: Path
    acked: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


Policy = Callable[[Field, random.Random, str, Sequence[str]], bool]
"""Whether the word was acknowledged."""


def naive(ground: Field, rng: random.Random, word: str, files: Sequence[str]) -> bool:
    """Read, think, write."""
    read = {name: (ground.folder / name).read_text() for name in files}
    think(rng)
    put(ground, read, word)
    return True


def by_mtime(ground: Field, rng: random.Random, word: str, files: Sequence[str]) -> bool:
    """Refuse when a file is newer than when it was read."""
    stamps = {name: (ground.folder / name).stat().st_mtime_ns for name in files}
    read = {name: (ground.folder / name).read_text() for name in files}
    think(rng)
    if any((ground.folder / name).stat().st_mtime_ns != stamp for name, stamp in stamps.items()):
        return False
    put(ground, read, word)
    return True


def by_hash(ground: Field, rng: random.Random, word: str, files: Sequence[str]) -> bool:
    """Refuse when a file's content is another than was read."""
    read = {name: (ground.folder / name).read_text() for name in files}
    sums = {name: hashlib.sha1(text.encode()).digest() for name, text in read.items()}
    think(rng)
    for name, digest in sums.items():
        if hashlib.sha1((ground.folder / name).read_bytes()).digest() != digest:
            return False
    put(ground, read, word)
    return True


def unfenced(ground: Field, rng: random.Random, word: str, files: Sequence[str]) -> bool:
    """An exclusive lease with a time to live, which nothing checks when it is written under."""
    with ground.lock:
        now = time.monotonic()
        if any(ground.held.get(name, 0.0) > now for name in files):
            return False
        ground.held.update(dict.fromkeys(files, now + TTL_S))
    read = {name: (ground.folder / name).read_text() for name in files}
    think(rng)
    put(ground, read, word)
    with ground.lock:
        for name in files:
            ground.held.pop(name, None)
    return True


POLICIES: dict[str, Policy] = {"naive": naive, "mtime": by_mtime, "hash": by_hash, "unfenced_lease": unfenced}


def think(rng: random.Random) -> None:
    """A moment, and now and then a long one."""
    time.sleep(PAUSE_S if rng.random() < PAUSES else rng.random() * THINK_S)


def put(ground: Field, read: dict[str, str], word: str) -> None:
    """Each file whole, by rename."""
    for name, text in read.items():
        draft = ground.folder / f".{name}.{word}"
        draft.write_text(f"{text}{word}\n")
        os.replace(draft, ground.folder / name)


def measure(folder: Path, count: int) -> dict[str, dict[str, int]]:
    """Policy -> words acknowledged, lost and torn, of about `count` each."""
    found = {}
    for name, policy in POLICIES.items():
        ground = Field(folder / name)
        ground.folder.mkdir(parents=True)
        for file in LISTS:
            (ground.folder / file).write_text("start\n")
        threads = [threading.Thread(target=write, args=(ground, policy, n, count // WRITERS)) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found[name] = told(ground)
    return found


def write(ground: Field, policy: Policy, seed: int, count: int) -> None:
    """One writer: each word until it is acknowledged, at most fifty times."""
    rng = random.Random(seed)
    for number in range(count):
        word, files = f"w{seed}-{number}", rng.sample(LISTS, rng.randint(1, 3))
        for _ in range(50):
            if policy(ground, rng, word, files):
                ground.acked[word] = files
                break
            time.sleep(rng.random() * THINK_S)


def told(ground: Field) -> dict[str, int]:
    """What became of the words."""
    words = {name: set((ground.folder / name).read_text().split()) for name in LISTS}
    missing = {word: sum(word not in words[name] for name in files) for word, files in ground.acked.items()}
    lost = sum(gone > 0 for gone in missing.values())
    torn = sum(0 < missing[word] < len(files) for word, files in ground.acked.items())
    return {"acked": len(ground.acked), "lost": lost, "torn": torn}
