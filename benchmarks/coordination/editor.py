"""A person's editor in the stress: saves a file by rename and in place, commits now and then, knows of no protocol."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.coordination.ground import QUIET
from benchmarks.coordination.writer import SHARED

PAUSE_S = 0.1
COMMITS = 0.1
"""Of the saves: a person who commits while nearly every patch lands measures only how often that is tried again."""


def edit(root: Path, log: Path, stop: Event) -> None:
    """Save after save, each of words that no other has; what was there before goes to the log with it."""
    rng = random.Random(7)
    path, number = root / SHARED, 0
    with log.open("w") as told:
        while not stop.is_set():
            number += 1
            saved = f"save {number}\n" * rng.randint(1, 4)
            saw = path.read_text()
            told.write(json.dumps({"saw": saw, "saved": saved}) + "\n")
            told.flush()
            if rng.random() < 0.5:
                draft = root / f".{SHARED}.swp"
                draft.write_text(saved)
                os.replace(draft, path)
            else:
                with path.open("r+") as file:
                    time.sleep(rng.random() * 0.003)
                    file.truncate()
                    file.write(saved)
            time.sleep(rng.random() * PAUSE_S)
            if rng.random() < COMMITS:
                commit(root)
        commit(root)


def commit(root: Path) -> bool:
    """As a person does; False when somebody else holds the index, or there is nothing to commit."""
    command = ["git", "commit", "-q", "-m", "mine", "--", SHARED]
    return subprocess.run(command, cwd=root, env=QUIET, capture_output=True, check=False).returncode == 0


def lost(log: Path, final: str, kept: set[str]) -> int:
    """Saves that nobody can find again: not seen by the editor itself when it saved next, and kept nowhere.

    What only got words at its end was seen.
    """
    saves = [json.loads(line) for line in log.read_text().splitlines()]
    following = [save["saw"] for save in saves[1:]] + [final]
    pairs = zip((save["saved"] for save in saves), following, strict=True)
    return sum(not seen_next.startswith(saved) and saved not in kept for saved, seen_next in pairs)
