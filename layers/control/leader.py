"""The process with which a program's whole sandbox ends: a number that is noted before the program's first instruction,
so that whoever comes after a crash can end it, and knows when nothing of it is left.

In a process namespace that is its process 1: the kernel calls it dead only after all the others in there are. Landlock
has no namespace: there it is the program itself, and what it left behind is known by the private TMPDIR that it was
given. A program that clears its environment, leaves its parent and outlives the crash of its runner is found by bwrap
only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PATIENCE_S = 5.0
"""For a program that the kernel cannot end at once: one in the middle of a write to a slow disk."""
TICK_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """One process, never to be taken for a later one with the same number."""

    boot: str
    """The kernel's id of this boot."""
    pid: int
    began: int
    """Clock ticks between the boot and its start."""
    scratch: str = ""
    """The TMPDIR of the program and of all that it starts; empty in a namespace, which needs no such mark."""

    @classmethod
    def of(cls, pid: int, scratch: str = "") -> Leader:
        """A process that runs now."""
        return cls(boot=this_boot(), pid=pid, began=start_of(pid), scratch=scratch)

    @classmethod
    def parse(cls, line: bytes) -> Leader:
        """What `line` wrote."""
        return cls(**json.loads(line))

    @property
    def line(self) -> bytes:
        """As JSON, without a newline in it."""
        return json.dumps(asdict(self)).encode()

    def end(self, patience_s: float = PATIENCE_S) -> bool:
        """Kill it and all that goes with it; whether nothing is left."""
        if self.boot != this_boot():
            return True
        deadline = time.monotonic() + patience_s
        if not self._end_itself(deadline):
            return False
        while left := self._left_behind():
            for pid in left:
                send_kill(pid)
            if time.monotonic() > deadline:
                return False
            time.sleep(TICK_S)
        return True

    def _end_itself(self, deadline: float) -> bool:
        try:
            process = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if start_of(self.pid) == self.began:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                return bool(select.select([process], [], [], max(0.0, deadline - time.monotonic()))[0])
        except ProcessLookupError:
            pass  # it ended by itself in between
        finally:
            os.close(process)
        return True

    def _left_behind(self) -> list[int]:
        """Processes that have our mark in their environment; a dead one has none."""
        mark = f"\0TMPDIR={self.scratch}\0".encode()
        return [pid for pid in pids() if mark in environment_of(pid)] if self.scratch else []


def this_boot() -> str:
    """A name that no other boot of this machine has."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_of(pid: int) -> int:
    """When it started, in clock ticks since the boot.

    Raises:
        ProcessLookupError: there is no such process.
    """
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None


def pids() -> list[int]:
    """Every process."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environment_of(pid: int) -> bytes:
    """With a NUL before and after each variable; empty where there is none or it is another user's."""
    try:
        return b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def send_kill(pid: int) -> None:
    """End it, if it has not ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
