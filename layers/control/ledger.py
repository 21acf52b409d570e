"""The executor's own memory, on disk and apart from the database: which runs were begun, and how they ended.

A claim is a file that is made whole, locked and synced before the effect, then linked into place: `link` fails if the
name exists, so the same run never begins twice. The runner holds the lock as long as it lives, and the kernel lets go
of it however it dies; so "claimed, not locked, no result" means that nobody saw the end.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from layers.control.types import Outcome, Plan
from layers.errors import Refused

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
KEPT_S = 30 * 86_400.0
"""Finished runs are forgotten after this; the database knows them for ever."""
LEFT_S = 86_400.0
"""What a crash left behind is removed after this; no run may take as long."""


class Ledger:
    """The folder `executor` of a home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "executor"
        self.claims = self.folder / "claims"
        self.results = self.folder / "results"

    def prepare(self) -> None:
        """Make the folders, private to this user, and forget what ended long ago."""
        for folder in (self.folder, self.claims, self.results):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for result in self.results.glob("*.json"):
            if time.time() - result.stat().st_mtime > KEPT_S:
                (self.claims / result.stem).unlink(missing_ok=True)
                result.unlink()
        for left in (*self.folder.glob("scratch-*"), *self.claims.glob(".*"), *self.results.glob(".*")):
            if time.time() - left.stat().st_mtime > LEFT_S:
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    def identity(self) -> str:
        """A name that no other ledger has: only the one that took a run can tell what became of it."""
        path = self.folder / "id"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f".id.{secrets.token_hex(8)}"
        draft.write_text(secrets.token_hex(16))
        try:
            os.link(draft, path)  # the first one who comes names it
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()

    def claim(self, run_id: str, plan: Plan) -> BinaryIO | None:
        """The locked claim, to be held open while it runs; None when that run was begun before."""
        check(run_id)
        draft = self.claims / f".{run_id}.{os.getpid()}"
        file = draft.open("xb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(plan.canonical.encode())
            sync(file)
            os.link(draft, self.claims / run_id)
        except FileExistsError:
            file.close()
            return None
        finally:
            draft.unlink()
        sync_folder(self.claims)
        return file

    def has_begun(self, run_id: str) -> bool:
        """Whether that run was ever claimed."""
        check(run_id)
        return (self.claims / run_id).exists()

    def wait(self, run_id: str) -> Plan | None:
        """The plan of a run that was begun, once nobody is running it any more; None when it never began."""
        check(run_id)
        try:
            with (self.claims / run_id).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                return Plan.parse(file.read().decode())
        except FileNotFoundError:
            return None

    def finish(self, run_id: str, outcome: Outcome) -> None:
        """Keep how a run ended."""
        draft = self.results / f".{run_id}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(outcome.json.encode())
            sync(file)
        draft.rename(self.results / f"{run_id}.json")
        sync_folder(self.results)

    def result(self, run_id: str) -> Outcome | None:
        """How a run ended, if somebody saw it."""
        check(run_id)
        try:
            return Outcome.parse((self.results / f"{run_id}.json").read_text())
        except FileNotFoundError:
            return None


def check(run_id: str) -> None:
    """Refuse an id that could be a path."""
    if not RUN_ID.fullmatch(run_id):
        raise Refused(f"run id {run_id!r} is refused; it must be letters, digits, `-` and `_`, at most 64")


def sync(file: BinaryIO) -> None:
    """On the disk, not only in the cache."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """The names in a folder, on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
