"""A proposal's diff is cut into what can be chosen by itself, and a file is made of some of it. Pure.

Only line numbers are taken from the diff, which is git's own; what is put together are the lines of the two versions,
so that a byte which the diff cannot show is kept as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from layers.coordination.rules.card import visible
from layers.coordination.types import FileChange, Part, Proposal
from layers.errors import Unavailable

LONGEST_TITLE = 60
_CUTTABLE = ("100644", "100755")
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The lines of a hunk in each of the two versions: from `start`, counted from 0, up to and without `end`."""

    start: int
    end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A part, and what it is of."""

    part: Part
    file: FileChange
    span: Span | None
    """None for a whole file."""


def cuts(proposal: Proposal) -> tuple[Cut, ...]:
    """Every part of `proposal`, in the order of its diff.

    Raises:
        Unavailable: its diff is not what git makes of its files.
    """
    sections = _split(proposal.diff.removesuffix("\n").split("\n"), "diff --git ")
    found: list[Cut] = []
    for file in proposal.files:
        count = 2 if file.status == "T" else 1  # git shows another type as a deletion and a creation
        if len(sections) < count:
            break
        found += _cut(file, [line for section in sections[:count] for line in section])
        del sections[:count]
    if sections or {cut.file.path for cut in found} != {file.path for file in proposal.files}:
        raise Unavailable(f"the diff of the proposal {proposal.id!r} cannot be read; propose the patch again")
    return tuple(found)


def assembled(old: bytes, new: bytes, spans: Sequence[Span], chosen: Collection[Span]) -> bytes:
    """`old` with only the `chosen` ones of the hunks that make `new` of it.

    Raises:
        Unavailable: `spans` do not make `new` of `old`.
    """
    before, after = _LINE.findall(old), _LINE.findall(new)
    made: list[bytes] = []
    at = new_at = 0
    for span in (*spans, Span(start=len(before), end=len(before), new_start=len(after), new_end=len(after))):
        between = before[at : span.start]
        if between != after[new_at : span.new_start]:
            raise Unavailable("the proposal's diff is not what its two trees make; propose the patch again")
        made += between
        made += after[span.new_start : span.new_end] if span in chosen else before[span.start : span.end]
        at, new_at = span.end, span.new_end
    return b"".join(made)


def _split(lines: Sequence[str], mark: str) -> list[list[str]]:
    """The runs of `lines` that start with a line of `mark`; what stands before the first is left out."""
    starts = [n for n, line in enumerate(lines) if line.startswith(mark)]
    return [list(lines[start:end]) for start, end in pairwise((*starts, len(lines)))]


def _cut(file: FileChange, section: Sequence[str]) -> Iterator[Cut]:
    hunks = _split(section, "@@ ")
    if file.status == "M" and file.old_mode == file.new_mode and file.new_mode in _CUTTABLE and hunks:
        for hunk in hunks:
            yield _hunk(file, hunk)
        return
    part = Part(
        id=_id(file, ""), path=file.path, title=_title(file), diff=_joined(section), added=file.added,
        removed=file.removed,
    )  # fmt: skip
    yield Cut(part=part, file=file, span=None)


def _hunk(file: FileChange, lines: Sequence[str]) -> Cut:
    facts = _HUNK.match(lines[0])
    if facts is None:
        raise Unavailable(f"git's hunk {lines[0][:80]!r} cannot be read; report this with `git version`")
    start, end = _range(facts[1], facts[2])
    new_start, new_end = _range(facts[3], facts[4])
    first, last = (start + 1, end) if end > start else (new_start + 1, new_end)
    title = f"lines {first} to {last}" if last > first else f"line {first}"
    near = visible(facts[5].strip())
    part = Part(
        id=_id(file, facts[0].partition(" @@")[0]),
        path=file.path,
        title=_short(f"{title}, {near}") if near else title,
        diff=_joined(lines),
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
    )
    return Cut(part=part, file=file, span=Span(start=start, end=end, new_start=new_start, new_end=new_end))


def _range(first: str, count: str | None) -> tuple[int, int]:
    """Of no lines, git names the one before them."""
    number, length = int(first), int(count if count is not None else "1")
    start = number - 1 if length else number
    return start, start + length


def _title(file: FileChange) -> str:
    old = visible(file.old_path)
    words = {"A": "new file", "D": "deleted", "R": f"renamed from {old}", "T": "another type of file"}
    parts = [words.get(file.status, "")]
    if file.status in "MR" and file.old_mode != file.new_mode:
        parts.append(f"mode {file.old_mode} to {file.new_mode}")
    if file.added is None:
        parts.append("binary")
    return _short(", ".join(part for part in parts if part) or "changed")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _id(file: FileChange, hunk: str) -> str:
    facts = (file.old_path, file.path, file.old_mode, file.new_mode, file.old_oid, file.new_oid, hunk)
    return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogateescape")).hexdigest()[:20]
