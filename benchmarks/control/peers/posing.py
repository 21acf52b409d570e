"""Runs one peer's attacks in its own interpreter, which has the peer and nothing of ours: `python -m ...on_x FOLDER`.

Prints `{"version", "outcomes": {case: [is_refused, how]}, "broken": {case: reason}}`. An attack that raises what
it does not expect is broken: neither refused nor not.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from benchmarks.control.peers.cases import POSED, Outcome

Attack = Callable[[Path], Outcome]
Act = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Effects:
    """The world: a file that gets one line for each transfer that really happened, in whatever process."""

    folder: Path

    def happen(self, to: str, amount: int) -> str:
        """Transfer."""
        with (self.folder / "effects").open("a") as file:
            file.write(f"{to} {amount}\n")
        return "sent"

    def all(self) -> list[str]:
        """`name amount` of each."""
        path = self.folder / "effects"
        return path.read_text().splitlines() if path.exists() else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One SDK and what is posed to it."""

    distribution: str
    sound: Act
    """Raises where the honest way does not do what it should: nothing can be said of attacks then."""
    attacks: Mapping[str, Attack]
    acts: Mapping[str, Act]
    """What attacks let another process do, by name."""


def main(peer: Peer) -> int:
    """All attacks, or with `FOLDER ACT` one act."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        peer.acts[sys.argv[2]](folder)
        return 0
    peer.sound(fresh(folder, "sound"))
    outcomes, broken = {}, {}
    for case in (case for case in POSED if case in peer.attacks):
        try:
            outcome = peer.attacks[case](fresh(folder, case))
        except Exception as error:  # noqa: BLE001  whatever it was, it is told and is no refusal
            broken[case] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        else:
            outcomes[case] = [outcome.is_refused, outcome.how]
    print(json.dumps({"version": metadata.version(peer.distribution), "outcomes": outcomes, "broken": broken}))
    return 0


def fresh(folder: Path, name: str) -> Path:
    """An empty folder for one attack."""
    made = folder / name
    made.mkdir()
    return made


def elsewhere(module: str, act: str, folder: Path) -> int:
    """Lets another process act; how it ended, as of `subprocess`."""
    spec = sys.modules[module].__spec__  # has the name even where the module runs as `__main__`
    command = [sys.executable, "-m", spec.name if spec else module, str(folder), act]
    return subprocess.run(command, check=False, timeout=60).returncode


def die() -> NoReturn:
    """As by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody outlives that")
