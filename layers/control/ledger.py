"""The executor's own memory, on disk and apart from the database: which runs were begun, and how they ended.

A claim is a file that is made whole, locked and synced before the effect, then linked into place, first under its
warrant's nonce and then under the run's id: `link` fails if the name exists, so neither ever serves twice. The runner
holds the lock as long as it lives, and the kernel lets go of it however it dies; so "claimed, not locked, no result"
means that nobody saw the end. Below the claim stands what the program ends with, noted before its first instruction:
whoever comes next ends that before asking what was done. Files and not a database: the executor forks for every run,
and a lock that the kernel lets go of is what a table cannot have.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import BinaryIO

from layers.control.keys import PUBLIC, VerifyingKey, place
from layers.control.leader import Leader
from layers.control.types import Outcome, Plan
from layers.errors import Refused
from layers.failpoint import Step, reach

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
        self.nonces = self.folder / "nonces"

    def prepare(self) -> None:
        """Make the folders, private to this user, and forget what ended long ago."""
        for folder in (self.folder, self.claims, self.results, self.nonces):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for result in self.results.glob("*.json"):
            if time.time() - result.stat().st_mtime > KEPT_S:
                (self.claims / result.stem).unlink(missing_ok=True)
                result.unlink()
        for nonce in self.nonces.iterdir():
            if time.time() - nonce.stat().st_mtime > KEPT_S:  # its warrant ran out long ago
                nonce.unlink()
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

    def trusted_key(self, home: Path) -> VerifyingKey:
        """Control's public key: taken from the home at the first run, and no other ever after.

        Raises:
            Refused: there is none yet.
        """
        given, pinned = home / "keys" / PUBLIC, self.folder / PUBLIC
        if not pinned.exists():
            try:
                place(pinned, given.read_text("ascii").strip(), 0o600)
            except OSError:
                raise Refused(f"this executor trusts no key: {str(given)!r} is missing; nothing was run") from None
        return VerifyingKey.load(pinned)

    def claim(self, run_id: str, plan: Plan, nonce: str) -> BinaryIO | None:
        """The locked claim, to be held open while it runs; None when that run was begun before.

        Raises:
            Refused: the nonce was used before, for another run.
        """
        check(run_id)
        draft = self.claims / f".{run_id}.{os.getpid()}"
        file = draft.open("xb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps({"run": run_id, "plan": plan.canonical, "pid": os.getpid()}).encode())
            sync(file)
            reach(Step.CLAIM_WRITTEN)
            if not link(draft, self.nonces / nonce) and run_in((self.nonces / nonce).read_bytes()) != run_id:
                raise Refused("the warrant was used before, for another run; nothing was run")
            reach(Step.NONCE_SPENT)
            if link(draft, self.claims / run_id):
                sync_folder(self.claims)
                return file
        except BaseException:
            file.close()
            raise
        finally:
            draft.unlink()
        file.close()
        return None

    def end(self, run_id: str) -> bool:
        """Kill what a dead runner left of a run; whether nothing of it is left."""
        first, _, rest = (self.claims / run_id).read_bytes().partition(b"\n")
        return Leader.parse(rest).end() if first and rest else True

    def forbid(self, run_id: str) -> None:
        """Claim a run that has not begun, so that it never will. Changes nothing once it has."""
        check(run_id)
        draft = self.claims / f".{run_id}.{os.getpid()}"
        with draft.open("xb") as file:
            file.write(json.dumps({"run": run_id, "plan": None}).encode())
            sync(file)
        try:
            if link(draft, self.claims / run_id):
                sync_folder(self.claims)
        finally:
            draft.unlink()

    def signal(self, run_id: str, number: int) -> bool:
        """Send a signal to the process that runs it; False when nobody does."""
        check(run_id)
        try:
            with (self.claims / run_id).open("rb") as file:
                process = os.pidfd_open(int(json.loads(file.readline())["pid"]))
                try:
                    if not is_locked(file):  # it has ended, and its number may be another's by now
                        return False
                    signal.pidfd_send_signal(process, number)
                finally:
                    os.close(process)
        except (FileNotFoundError, ProcessLookupError, ValueError, KeyError):
            return False
        return True

    def running(self) -> list[str]:
        """Ids of the runs that go on now."""
        found = []
        for claim in self.claims.glob("[!.]*"):
            if not (self.results / f"{claim.name}.json").exists():
                with claim.open("rb") as file:
                    if is_locked(file):
                        found.append(claim.name)
        return found

    def has_begun(self, run_id: str) -> bool:
        """Whether that run was ever claimed."""
        check(run_id)
        return (self.claims / run_id).exists()

    def wait(self, run_id: str) -> Plan | None:
        """The plan of a run that was begun, once nobody is running it any more; None when it never began or never
        will."""
        check(run_id)
        try:
            with (self.claims / run_id).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                return plan_in(file.readline())
        except FileNotFoundError:
            return None

    def finish(self, run_id: str, outcome: Outcome) -> None:
        """Keep how a run ended."""
        draft = self.results / f".{run_id}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(outcome.json.encode())
            sync(file)
        reach(Step.RESULT_WRITTEN)
        draft.rename(self.results / f"{run_id}.json")
        sync_folder(self.results)

    def result(self, run_id: str) -> Outcome | None:
        """How a run ended, if somebody saw it."""
        check(run_id)
        try:
            return Outcome.parse((self.results / f"{run_id}.json").read_text())
        except FileNotFoundError:
            return None


def note(held: BinaryIO, leader: Leader) -> None:
    """Write below a claim what its run ends with. Not synced: after a crash of the machine nothing runs anyway."""
    os.write(held.fileno(), b"\n" + leader.line)
    reach(Step.LEADER_NOTED)


def check(run_id: str) -> None:
    """Refuse an id that could be a path."""
    if not RUN_ID.fullmatch(run_id):
        raise Refused(f"run id {run_id!r} is refused; it must be letters, digits, `-` and `_`, at most 64")


def plan_in(claim: bytes) -> Plan | None:
    """The plan that a claim is for; None for one that forbids a run.

    Raises:
        Refused: the file is no claim.
    """
    try:
        text = json.loads(claim)["plan"]
    except (ValueError, TypeError, KeyError):
        raise Refused("the claim of this run cannot be read; look for yourself whether it happened") from None
    return None if text is None else Plan.parse(text)


def run_in(claim: bytes) -> str:
    """The id of the run that a claim is for; empty where that cannot be read."""
    try:
        return str(json.loads(claim.partition(b"\n")[0])["run"])
    except (ValueError, TypeError, KeyError):
        return ""


def link(draft: Path, name: Path) -> bool:
    """Give the file a second name; False where the name is taken."""
    try:
        os.link(draft, name)
    except FileExistsError:
        return False
    return True


def is_locked(file: BinaryIO) -> bool:
    """Whether another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


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
