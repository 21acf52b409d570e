"""Which program a path stands for: the sha256 of what would be executed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache

from layers.errors import Misconfigured, Refused


@lru_cache(maxsize=256)
def _digest(path: str, device: int, inode: int, size: int, changed_ns: int) -> str:
    """The digest of a file in this very state: `changed_ns` (ctime) is set by the kernel at every change."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns) != (device, inode, size, changed_ns):
            raise OSError(0, "it changed while it was read")
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(path: str) -> str:
    """sha256 of a program, hex, symbolic links followed.

    Raises:
        Misconfigured: it cannot be read.
    """
    try:
        found = os.stat(path)
        return _digest(path, found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)
    except OSError as error:
        raise Misconfigured(f"the program {path!r} cannot be read ({error.strerror})") from None


def check_programs(programs: Mapping[str, str]) -> None:
    """See that each program still is what the plan says.

    Raises:
        Refused: one was replaced, or is gone.
    """
    for path, digest in programs.items():
        try:
            now = file_digest(path)
        except Misconfigured as error:
            raise Refused(f"{error}; nothing was run") from None
        if now != digest:
            raise Refused(f"the program {path!r} is not the one that was approved; nothing was run")
