"""git's objects, made here: bytes in, an id out. What a process per object would cost, one `write` does not.

The format is git's own since its first week: a header, a NUL, the body, deflated, in a file named by the digest of all
three. Making trees, diffs and merges stays git's; what git has read out of a tree is taken apart here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit, as far as it is looked at."""

    parents: tuple[str, ...]
    author: str
    """The name alone."""
    at: int
    """When it was written, in epoch seconds; 0 where it does not say."""
    words: str


def object_id(kind: str, body: bytes, object_format: str) -> str:
    """The id that git gives an object of `kind`, `blob` or `commit`."""
    return hashlib.new(object_format, b"%s %d\0" % (kind.encode(), len(body)) + body, usedforsecurity=False).hexdigest()


def write_object(objects: Path, kind: str, body: bytes, object_format: str) -> str:
    """Put an object where git finds it, durably; its id. One that is there is kept from the next clean-up."""
    oid = object_id(kind, body, object_format)
    folder = objects / oid[:2]
    path = folder / oid[2:]
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)
        return oid
    folder.mkdir(exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix="tmp_obj_", dir=folder)  # the name that git's own clean-up knows
    try:
        with open(handle, "wb") as file:
            file.write(zlib.compress(b"%s %d\0" % (kind.encode(), len(body)) + body, 1))
            file.flush()
            os.fchmod(handle, 0o444)
            os.fsync(handle)
        os.rename(draft, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise
    _sync(folder)
    return oid


def commit_body(tree: str, parents: Sequence[str], people: tuple[str, str], at: int, words: bytes) -> bytes:
    """A commit as `git commit-tree` writes it. `people` are author and committer, `Name <mail>`; `at` is UTC."""
    author, committer = (f"{person} {at} +0000" for person in people)
    links = "".join(f"parent {parent}\n" for parent in parents)
    head = f"tree {tree}\n{links}author {author}\ncommitter {committer}\n\n"
    return head.encode("utf-8", "surrogateescape") + _as_utf8(words)


def read_commit(body: bytes) -> Commit:
    """The inverse of `commit_body`; also of what another git wrote. Never fails: what cannot be read is left empty."""
    head, _, words = body.decode("utf-8", "replace").partition("\n\n")
    facts = [line.partition(" ") for line in head.split("\n")]
    person = next((value for name, _, value in facts if name == "author"), "")
    stamp = person.rpartition("> ")[2].partition(" ")[0]
    return Commit(
        parents=tuple(value for name, _, value in facts if name == "parent"),
        author=person.partition(" <")[0],
        at=int(stamp) if stamp.isascii() and stamp.isdecimal() and len(stamp) < 16 else 0,
        words=words,
    )


def tree_entries(body: bytes, object_format: str) -> dict[bytes, tuple[str, str]]:
    """Name -> mode and id, of a tree as git keeps it. The modes are those of today, `040000` and `100644` among them.

    Raises:
        ValueError: it is no tree.
    """
    length = hashlib.new(object_format, usedforsecurity=False).digest_size
    found: dict[bytes, tuple[str, str]] = {}
    at = 0
    while at < len(body):
        space = body.index(b" ", at)
        end = body.index(b"\0", space)
        mode = int(body[at:space], 8)
        if mode & 0o170000 == 0o100000:  # git of 2005 kept the group's bits too
            mode = 0o100755 if mode & 0o100 else 0o100644
        found[body[space + 1 : end]] = (f"{mode:06o}", body[end + 1 : end + 1 + length].hex())
        at = end + 1 + length
    return found


def _as_utf8(words: bytes) -> bytes:
    """A message as git keeps it: a byte that is no UTF-8 is read as Latin-1."""
    text = words.decode("utf-8", "surrogateescape")
    return "".join(chr(ord(char) - 0xDC00) if "\udc80" <= char <= "\udcff" else char for char in text).encode()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
