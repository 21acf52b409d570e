"""What search/replace blocks, V4A patches and whole files come to: an `Edit` per file, and its new content. Pure.

These formats give lines without numbers, so every block must name lines that the file has exactly once. Blank space
counts, and nothing is guessed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from layers.coordination.rules.diff import MAX_CHANGED_LINES, MAX_FILES
from layers.coordination.rules.paths import check_path
from layers.coordination.types import ABSENT, WholeFile
from layers.errors import BadInput, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One block: these lines become those."""

    line: int
    """Where it starts in the text that was sent, from 1."""
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    anchors: tuple[bytes, ...] = ()
    """Lines above the block, each after the one before it; blanks at their ends do not count."""
    is_last: bool = False
    """Whether `before` must be the end of the file."""


@dataclass(slots=True, kw_only=True)
class Edit:
    """One file's part. Grows while it is read, is not changed afterwards."""

    line: int
    old: str
    """Path in the base; empty for a new file."""
    new: str
    """Path in the result; empty for a deleted file."""
    spots: list[Spot] = field(default_factory=list)
    content: bytes | None = None
    """All of the new file; None where `spots` say what changes."""
    expects: str = ""
    """The blob id that the base must have; empty where the spots say enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """A change that was understood, in one of the formats without line numbers."""

    files: tuple[Edit, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it names, once each."""
        return tuple(dict.fromkeys(p for file in self.files for p in (file.old, file.new) if p))


def checked(files: Iterable[Edit]) -> Edits:
    """`files` held against the rules that need no repository.

    Raises:
        BadInput: two parts are of one file.
        Refused: a path or the size is not allowed.
    """
    found = tuple(files)
    if len(found) > MAX_FILES:
        raise Refused(f"the patch touches more than {MAX_FILES} files; split it")
    taken: set[str] = set()
    for file in found:
        names = {name for name in (file.old, file.new) if name}
        for name in names:
            check_path(name)
        if names & taken:
            raise BadInput(f"the patch has two parts for {file.new or file.old!r}; join them", line=file.line)
        taken |= names
    changed = sum(max(1, _changed(spot)) for file in found for spot in file.spots)
    if changed > MAX_CHANGED_LINES:
        raise Refused(f"the patch changes {changed:,} lines and {MAX_CHANGED_LINES:,} is the limit; split it")
    return Edits(files=found)


def _changed(spot: Spot) -> int:
    """Lines taken out and put in, without those that both sides begin or end with."""
    before, after = spot.before, spot.after
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    end = next((n for n in range(shorter - start) if before[-1 - n] != after[-1 - n]), shorter - start)
    return len(before) + len(after) - 2 * (start + end)


def whole_files(files: Iterable[WholeFile]) -> Edits:
    """Files that are sent whole, each with the version that its author read.

    Raises:
        BadInput, Refused: as of `checked`, or a file does not say which version it replaces.
    """
    found: list[Edit] = []
    for file in files:
        if not file.expects:
            raise Refused(f"the new content of {file.path!r} names no version that it replaces; read the file first")
        old = "" if file.expects == ABSENT else file.path
        new = "" if file.content is None else file.path
        if not old and not new:
            raise Refused(f"{file.path!r} is to be deleted and said to be absent; name the version that you read")
        found.append(Edit(line=0, old=old, new=new, content=file.content or b"", expects=file.expects if old else ""))
    return checked(found)


def edited(file: Edit, content: bytes) -> bytes:
    """What `file` makes of `content`.

    A file without a last line feed gets one where its last line is in a block: these formats cannot say that there is
    none.

    Raises:
        Refused: a block's lines are not in `content`, are there more than once, or are another block's as well.
    """
    if file.content is not None:
        return file.content
    ground = _Ground(file.old, content)
    places = sorted(((*ground.place(spot), spot) for spot in file.spots), key=lambda place: place[:2])
    made: list[bytes] = []
    at = 0
    for start, end, spot in places:
        if start < at:
            raise Refused(f"the block at line {spot.line} of the patch meets another one in {file.old!r}; join them")
        made.append(content[at:start])
        if start == len(content) and content and not content.endswith(b"\n"):
            made.append(b"\n")
        made += [line + b"\n" for line in spot.after]
        at = end
    return b"".join((*made, content[at:]))


class _Ground:
    """A file's content, made ready for blocks to be looked for."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        # A line feed around everything makes lines of the first and of the last; positions are the content's own.
        self.padded = b"\n" + content + (b"" if content.endswith(b"\n") else b"\n")
        self.starts: list[int] = []
        self.where: dict[bytes, list[int]] = {}

    def place(self, spot: Spot) -> tuple[int, int]:
        """From which byte to which the block's lines are."""
        where = f"the block at line {spot.line} of the patch"
        start = self._below_anchors(spot)
        if not spot.before:
            if self.content and not spot.is_last:
                raise Refused(f"{where} gives no line of {self.name!r} to hold on to; add lines that are there")
            return len(self.content), len(self.content)
        wanted = b"\n".join((b"", *spot.before, b""))
        found = self.padded.find(wanted, start)
        if spot.is_last:
            last = len(self.padded) - len(wanted)
            found = last if last >= start and self.padded.endswith(wanted) else -1
        if found < 0:
            hint = " (its lines end in CR LF)" if b"\r\n" in self.content and b"\r" not in wanted else ""
            text = f"{self.name!r}{hint} does not have the lines of {where}; read the file again and make a new patch"
            raise Refused(text)
        if not spot.is_last and self.padded.find(wanted, found + 1) >= 0:
            raise Refused(f"{where} fits more than one place of {self.name!r}; add lines around it until one is left")
        return found, min(found + len(wanted) - 1, len(self.content))

    def _below_anchors(self, spot: Spot) -> int:
        """The byte from which the block is looked for."""
        if spot.anchors and not self.starts:
            lines = self.padded[1:-1].split(b"\n")
            self.starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
            for number, line in enumerate(lines):
                self.where.setdefault(line.strip(), []).append(number)
        at = 0
        for anchor in spot.anchors:
            numbers = self.where.get(anchor.strip(), [])
            first = bisect_left(numbers, at)
            if len(numbers) - first != 1:
                many = "more than once" if len(numbers) > first else "not"
                shown = anchor.decode("utf-8", "replace")[:80]
                text = f"the line {shown!r} after @@ at line {spot.line} of the patch is {many} in {self.name!r}"
                raise Refused(f"{text} below those before it; name a line that is there once")
            at = numbers[first] + 1
        return self.starts[at] if at else 0
