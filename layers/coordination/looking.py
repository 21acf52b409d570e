"""What is at a name of a work tree: a folder and a name in, a `Seen` and its content out. No link is followed."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from layers.coordination.objects import object_id
from layers.coordination.rules import as_bytes
from layers.coordination.types import Entry

MAX_BYTES = 64 << 20
"""A larger file is never equal to what a step expects: patches touch small files."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at a path of the work tree."""

    kind: str
    """`file`, `link`, or what else it is, in words."""
    oid: str = ""
    permissions: int = 0
    saved_at: int = 0
    """Epoch seconds."""
    owner: int = -1
    """Whose file it is: the number of an account of this machine."""

    def holds(self, entry: Entry | None) -> bool:
        """Whether this is `entry`'s content; the executable bit is not looked at."""
        return entry is not None and self.oid == entry.oid and (self.kind == "link") == (entry.mode == "120000")

    def is_exactly(self, entry: Entry | None) -> bool:
        """Whether this is `entry`, executable bit included."""
        is_executable = bool(self.permissions & 0o100)
        return (
            self.holds(entry)
            and entry is not None
            and (self.kind == "link" or is_executable == (entry.mode == "100755"))
        )

    @property
    def entry(self) -> Entry | None:
        """What a tree would have there; None of what no tree has, or what is too large."""
        if self.kind == "link":
            return Entry(mode="120000", oid=self.oid)
        if self.kind != "file" or not self.oid:
            return None
        return Entry(mode="100755" if self.permissions & 0o100 else "100644", oid=self.oid)


def read_in(folder: int | None, name: str, object_format: str) -> tuple[Seen, bytes] | None:
    """What is there, and its content (of a link, its target); None when nothing is."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(as_bytes(name), dir_fd=folder)
            at, owner = int(status.st_mtime), status.st_uid
            return Seen("link", object_id("blob", target, object_format), saved_at=at, owner=owner), target
        if not stat.S_ISREG(status.st_mode):
            return Seen("a folder" if stat.S_ISDIR(status.st_mode) else "no plain file"), b""
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with open(handle, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    oid = object_id("blob", content, object_format) if len(content) <= MAX_BYTES else ""
    return Seen("file", oid, stat.S_IMODE(status.st_mode), int(status.st_mtime), status.st_uid), content
