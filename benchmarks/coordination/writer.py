"""One process of the stress: writers that append words to files under the protocol, until it is killed.

A patch appends one to eight words, each to one to three files, all of them or none. Every patch is written to a log
before it is tried and after it was acknowledged. An outcome that is not known is asked
for again with the same proposal, never with another: that is what a caller must do, and all that it must do.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from layers import failpoint
from layers.coordination import Applied, Coordinator, Lease, Patch, Snapshot, leases
from layers.errors import Refused, Unavailable
from layers.store import open_store

WORDS_PER_ROUND = 1000
"""Then the next five files are written to: what a word costs does not grow with how many there were."""
SHARED = "shared.txt"
"""Which the editor saves too."""
WORDS_PER_PATCH = 8
"""At most."""
TTL_S, HEARTBEAT_S, TICKET_S = 0.5, 0.15, 1.0
"""Shorter than in life, so that pauses outlast them, and what the killed held is soon free again."""
TRIES, SHARED_TRIES = 8, 2
WAIT_S = 20.0
PATIENCE = 60
THINK_S = 0.02

Words = Mapping[str, Sequence[str]]
"""Word -> the files that it goes to."""


def lists_of(turn: int) -> tuple[str, ...]:
    """The five files that are written to in a round."""
    return tuple(f"round{turn}/list{number}.txt" for number in range(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process of writers is told."""

    root: Path
    url: str
    logs: Path
    writers: int
    limit: int
    """How many acknowledged words are enough, over all processes."""
    kill_rate: float
    """Chance of a kill at each named point."""
    acked: Synchronized[int]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that words go to, of all rounds."""
        return tuple(name for turn in range(self.limit // WORDS_PER_ROUND + 1) for name in lists_of(turn))

    @property
    def is_enough(self) -> bool:
        """Whether enough words were acknowledged."""
        return self.acked.value >= self.limit

    def choose(self, rng: random.Random) -> list[str]:
        """The files of the next patch."""
        if rng.random() < 0.1:
            return [SHARED]
        turn = min(self.acked.value, self.limit) // WORDS_PER_ROUND
        return rng.sample(lists_of(turn), rng.randint(1, 3))

    def words(self, name: str, rng: random.Random) -> Words:
        """Those of the patch so named, and the files that each goes to."""
        files = self.choose(rng)
        count = rng.randint(1, WORDS_PER_PATCH)
        return {f"{name}.{number}": rng.sample(files, rng.randint(1, len(files))) for number in range(count)}

    def open_log(self, seed: int) -> int:
        """Where the words of a process are written down."""
        return os.open(self.logs / f"words-{seed}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell_acked(self, log: int, name: str, words: Words) -> None:
        """The patch so named is acknowledged."""
        note(log, acked=name)
        with self.acked.get_lock():
            self.acked.value += len(words)


def by_file(words: Words) -> dict[str, list[str]]:
    """File -> the words that go to its end, in their order."""
    lines: dict[str, list[str]] = {}
    for word, files in words.items():
        for file in files:
            lines.setdefault(file, []).append(word)
    return lines


def note(log: int, **what: object) -> None:
    """Into a log, at once: this process may not live to flush anything."""
    os.write(log, json.dumps({**what, "at": time.monotonic()}).encode() + b"\n")


def run(job: Job, seed: int) -> None:
    """Work until enough was done. Called in a process of its own, which a named point may kill."""
    leases.TTL_S, leases.HEARTBEAT_S, leases.TICKET_S = TTL_S, HEARTBEAT_S, TICKET_S
    tempfile.tempdir = str(job.logs)
    failpoint.hook = deadly(random.Random(seed), job.kill_rate)
    asyncio.run(work(job, seed))


def deadly(rng: random.Random, rate: float) -> Callable[[object], None]:
    """A hook that kills at a named point of a landing, now and then."""

    def hook(point: object) -> None:
        if isinstance(point, failpoint.Landing) and rng.random() < rate:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


async def work(job: Job, seed: int) -> None:
    """All writers of the process."""
    store = await open_store(job.url)
    log = job.open_log(seed)
    try:
        coordinator = Coordinator(store)
        writers = [Writer(job, coordinator, log, f"{seed}-{number}") for number in range(job.writers)]
        await asyncio.gather(*(writer.write() for writer in writers))
    finally:
        os.close(log)
        await store.close()


class Writer:
    """One actor."""

    def __init__(self, job: Job, coordinator: Coordinator, log: int, name: str) -> None:
        self.job = job
        self.coordinator = coordinator
        self.log = log
        self.name = name
        self.rng = random.Random(name)

    async def write(self) -> None:
        """Word after word."""
        number = 0
        while not self.job.is_enough:
            number += 1
            name = f"w{self.name}-{number}"
            words = self.job.words(name, self.rng)
            lines = by_file(words)
            if SHARED in lines:  # its words are the editor's to save away
                await self.put(name, lines, SHARED_TRIES)
                continue
            note(self.log, patch=name, words=words)
            if await self.put(name, lines, TRIES):
                self.job.tell_acked(self.log, name, words)

    async def put(self, name: str, lines: Mapping[str, Sequence[str]], tries: int) -> bool:
        """Whether the patch was acknowledged."""
        files = tuple(lines)
        for turn in range(tries):
            try:
                if self.rng.random() < 0.7:
                    async with self.coordinator.holding(self.job.root, self.name, files, wait_s=WAIT_S) as lease:
                        done = await self.attempt(name, lines, lease)
                else:
                    done = await self.attempt(name, lines, None)
            except (Refused, Unavailable):
                done = False
            if done:
                return True
            await asyncio.sleep(self.rng.random() * THINK_S * (turn + 1))
        return False

    async def attempt(self, name: str, lines: Mapping[str, Sequence[str]], lease: Lease | None) -> bool:
        """Read, think, propose, apply; False when it surely did not happen."""
        snapshot = await self.coordinator.read(self.job.root, tuple(lines))
        if lease is None:
            await asyncio.sleep(self.rng.random() * THINK_S)
        diff = "".join(appending(snapshot, file, words) for file, words in lines.items())
        patch = Patch(workspace=self.job.root, diff=diff, base=snapshot.commit, author=self.name)
        proposal = await self.coordinator.propose(patch)
        for _ in range(PATIENCE):
            try:
                outcome = await self.coordinator.apply(self.job.root, proposal, name, self.name, lease)
            except Unavailable:  # it may have landed: the same proposal again, which says whether it has
                await asyncio.sleep(0.05)
                continue
            return isinstance(outcome, Applied)
        raise RuntimeError(f"{name} can neither be applied nor refused")


def appending(snapshot: Snapshot, file: str, words: Sequence[str]) -> str:
    """A diff that adds a line for each word to the end of a file."""
    lines = snapshot.contents[file].decode().removesuffix("\n").split("\n")
    context = lines[-3:]
    start = len(lines) - len(context) + 1
    head = f"--- a/{file}\n+++ b/{file}\n@@ -{start},{len(context)} +{start},{len(context) + len(words)} @@\n"
    return head + "".join(f" {line}\n" for line in context) + "".join(f"+{word}\n" for word in words)
