"""Displaced files that somebody still has open. A file goes in, comes out as nothing or as a `Caught` edit.

An editor that saves in place opens the file, and writes into it although another one has taken its name meanwhile. So
what was displaced is only dropped once the kernel says that nobody has it open (a write lease is granted then, and only
then) and it still is what was expected. Until that it waits here; what was written into it is caught, not lost.
Where the kernel grants no leases (some network file systems, files of other users), it waits for a minute instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 60.0
FILE, ABOUT = "file", "about.json"

Digest = Callable[[str], str]
"""From a file's name to the id of its content; empty text where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A save that went into a displaced file."""

    path: str
    """Where the file was in the work tree."""
    content: bytes
    at: int
    """Epoch seconds of the save."""
    folder: Path
    """Where it waits to be kept elsewhere."""


class Quarantine:
    """The folder beside the stage."""

    def __init__(self, folder: Path, digest: Digest) -> None:
        self.folder = folder
        self.digest = digest

    def take(self, displaced: str, path: str, expected: str) -> None:
        """Drop a displaced file, or keep it while somebody may write into it. `expected` is the id of its content."""
        if is_unused(displaced) and self.digest(displaced) == expected:
            os.unlink(displaced)
            return
        place = self.folder / secrets.token_hex(8)
        place.mkdir(parents=True)
        (place / ABOUT).write_text(json.dumps({"path": path, "expected": expected}), encoding="ascii")
        os.rename(displaced, place / FILE)

    def sweep(self) -> list[Caught]:
        """Drop whatever nobody can write into any more; what was written into, to be kept and then let go of."""
        caught = []
        for place in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            file = place / FILE
            if not os.path.lexists(file):  # a crash before the rename
                self.let_go(place)
                continue
            is_free = is_unused(str(file))
            if is_free is None:
                is_free = time.time() - place.stat().st_mtime > GRACE_S
            if not is_free:
                continue
            about = json.loads((place / ABOUT).read_text(encoding="ascii"))
            if self.digest(str(file)) == about["expected"]:
                self.let_go(place)
            else:
                content = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
                at = int(file.lstat().st_mtime)
                caught.append(Caught(path=about["path"], content=content, at=at, folder=place))
        return caught

    def let_go(self, place: Path) -> None:
        """Forget it."""
        shutil.rmtree(place, ignore_errors=True)


def is_unused(name: str) -> bool | None:
    """Whether no process has the file open; None where the kernel cannot say. A link is never open."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        # whoever opens the file while the lease is held has the kernel send a signal: one that is ignored by default
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
    except BlockingIOError:
        return False
    except (OSError, AttributeError):  # not this file system, not our file, not this system
        return None
    finally:
        os.close(handle)
