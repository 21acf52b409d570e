"""The nouns of coordination: a `Patch` goes in, a `Proposal` is shown, `Applied` or `Conflict` comes out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from layers.errors import Refused

POLICY_VERSION = 1
"""Grows when the rules change: an approval given under older rules no longer fits."""


ABSENT = "absent"
"""The version of a file that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFile:
    """A file sent whole by somebody who read it whole."""

    path: str
    expects: str
    """Blob id of the version that was read, in full, or `absent`."""
    content: bytes | None
    """None deletes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A change that somebody would like to make."""

    workspace: Path
    """The root of a git work tree."""
    diff: str = ""
    """Unified diff, git's own, search/replace blocks, or a V4A patch; a markdown fence around it is allowed."""
    whole: tuple[WholeFile, ...] = ()
    """Files in place of a diff."""
    base: str = ""
    """The commit it was made on, any revision git understands. Empty: the workspace's branch as it is now."""
    author: str
    """Who the commit will name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a tree, an index or a folder holds at one path."""

    mode: str
    """Octal as in a tree, `100644`."""
    oid: str
    """Blob id, hex."""
    size: int = field(default=0, compare=False)
    """Bytes; 0 where nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Files as they are on the workspace's branch: what a patch is made from."""

    commit: str
    """What the patch then names as its base."""
    entries: dict[str, Entry]
    """Path to mode and blob id; absent files are left out."""
    contents: dict[str, bytes]
    """Path to what is in it; of a link, its target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One path on its way from the base to the result; None means absent."""

    path: str
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One path in the base tree and in the result tree. A rename is one change with two paths."""

    path: str
    """The path in the result; of a deleted file, its last path. Bytes that are no UTF-8 are surrogate escapes."""
    old_path: str
    """The path in the base; equal to `path` unless renamed."""
    status: str
    """git's letter: A added, D deleted, M modified, R renamed, T type changed."""
    old_mode: str
    """Octal as in a tree, `100644`; `000000` where there was nothing."""
    old_oid: str
    """Blob id; all zeros where there was nothing."""
    new_mode: str
    new_oid: str
    added: int | None
    """Lines; None for a binary file."""
    removed: int | None
    """Lines; None for a binary file."""
    control: str = ""
    """Why touching this file may run code, e.g. `make runs it`; empty for an ordinary file."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The change path by path: a rename is a removal and a creation."""
        old = Entry(mode=self.old_mode, oid=self.old_oid) if self.old_oid.strip("0") else None
        new = Entry(mode=self.new_mode, oid=self.new_oid) if self.new_oid.strip("0") else None
        if self.old_path == self.path or old is None:
            return (Step(path=self.path, old=old, new=new),)
        gone = Step(path=self.old_path, old=old, new=None)
        return (gone, Step(path=self.path, old=None, new=new))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A patch that was tried on its base: what is shown, approved and applied."""

    id: str
    workspace: Path
    branch: str
    """Full name of the ref it will move, `refs/heads/main`."""
    base_commit: str
    base_tree: str
    result_tree: str
    diff: str
    """Recomputed by git from the two trees: never the text that was sent."""
    files: tuple[FileChange, ...]
    author: str
    proposed_at: int
    """Epoch seconds; the date of the commit, so that applying twice makes the same commit."""
    derived_from: str = ""
    """The id of the proposal that this one has only some parts of; empty when it is nobody's."""

    @property
    def digest(self) -> str:
        """What an approval binds to: sha256 of policy, base tree and result tree, hex."""
        return hashlib.sha256(f"{POLICY_VERSION}\0{self.base_tree}\0{self.result_tree}".encode()).hexdigest()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every touched path, removals first."""
        return tuple(sorted((s for f in self.files for s in f.steps), key=lambda step: step.new is not None))

    @property
    def is_control_scope(self) -> bool:
        """Whether a touched file may run code."""
        return any(file.control for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What can be had of a proposal by itself: a hunk, or a whole file that cannot be cut."""

    id: str
    """Hex, of what it makes of what: the same for the same proposal, whoever asks and whenever."""
    path: str
    """As `FileChange.path`."""
    title: str
    """Which part of the file, in words: `lines 10 to 16`, `new file`. What the diff says of it is kept visible."""
    diff: str
    """Its own lines of the proposal's diff: a hunk's from its `@@`, a whole file's from its `diff --git`."""
    added: int | None
    """Lines; None for a binary file."""
    removed: int | None
    """Lines; None for a binary file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a patch makes of its own base, whatever happened since."""

    base_commit: str
    base_tree: str
    result_tree: str
    diff: str
    """Recomputed by git from the two trees."""
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The change is in history."""

    commit: str
    files: tuple[str, ...]
    """Touched paths."""
    left_alone: tuple[str, ...] = ()
    """What people must know of the work tree: a sentence per file that was not written, or not safely."""

    @property
    def text(self) -> str:
        """What a card says."""
        count = f"{len(self.files)} file{'s' if len(self.files) != 1 else ''}"
        return "; ".join((f"committed {self.commit[:10]}, {count}", *self.left_alone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """One path that cannot be merged: what each side has there. None means absent."""

    path: str
    base: Entry | None
    ours: Entry | None
    """The branch's."""
    theirs: Entry | None
    """The patch's."""


class ForeignPolicy(StrEnum):
    """What becomes of edits that somebody saved in a touched file and did not commit."""

    ADOPT = "adopt"
    """They are committed first, and the patch is merged with them."""
    PARK = "park"
    """The patch waits; they are kept under a ref, for a person to say which."""
    BLOCK = "block"
    """The patch waits, and nothing is done about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Edits of the work tree that nobody has committed, kept before anything else was done."""

    ref: str
    """Full name, `refs/coord/<workspace>/foreign/<id>`."""
    commit: str
    """On the branch's commit; its tree has what was saved."""
    tree: str
    steps: tuple[Step, ...]
    """From the branch to what was saved."""
    saved_at: int
    """Epoch seconds of the newest save."""


class Unmergeable(Refused):
    """The patch was made on an older commit, and what happened since does not merge with it."""

    def __init__(self, text: str, stages: tuple[Stages, ...]) -> None:
        super().__init__(text)
        self.stages = stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The change was not made; nothing was touched."""

    files: tuple[str, ...]
    """Paths that are not as the proposal expects."""
    text: str
    """One sentence: which file, what happened to it, what to do."""
    stages: tuple[Stages, ...] = ()
    """Where the branch and the patch changed the same lines: the three versions of each such file."""
    foreign: Foreign | None = None
    """What somebody has saved in a touched file and not committed, where that is in the way and all that is."""
    again: Proposal | None = None
    """The same patch merged with the branch, where that reads differently from what was approved: to be shown anew."""
