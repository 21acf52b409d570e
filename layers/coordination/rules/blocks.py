"""Reads search/replace blocks: text in, `Edits` out, `BadInput` with a line for anything not understood. Pure.

    src/app.py
    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE

Fences around a block are allowed, prose is not. Five to nine signs; the three marks of a block have equally many, so
that lines which look like a mark are written inside longer ones.
"""

from __future__ import annotations

import re

from layers.coordination.rules.diff import FENCE
from layers.coordination.rules.edits import Edit, Edits, Spot, checked
from layers.coordination.rules.paths import as_bytes
from layers.errors import BadInput

OPENER = re.compile(r"(<{5,9}) SEARCH>?[ \t\r]*$")
EXPECTED = "a file's path, and below it `<<<<<<< SEARCH`, `=======` and `>>>>>>> REPLACE`"


def read_blocks(first: int, lines: list[str]) -> Edits:
    """The edits in `lines`, of which the first has the number `first`.

    Raises:
        BadInput: they are no such blocks; `line` says where.
        Refused: they are, and a path or the size is not allowed.
    """
    files: dict[str, Edit] = {}
    path, at = "", 0
    is_named = False
    while at < len(lines):
        line = lines[at]
        if opener := OPENER.match(line):
            if not path:
                raise _bad(first + at, line, "no path stands above the block")
            spot, at = _block(first, lines, at, len(opener[1]))
            file = files.setdefault(path, Edit(line=first + at, old=path, new=path))
            file.spots.append(spot)
            is_named = False
        elif not line.strip() or FENCE.match(line):
            at += 1
        elif is_named:
            raise _bad(first + at, line, f"the path {path[:80]!r} above it has no block")
        else:
            path, is_named = _named(line), True
            at += 1
    if is_named:
        raise _bad(first + at - 1, path, "no block follows it")
    for file in files.values():
        _settle(file)
    return checked(files.values())


def _named(line: str) -> str:
    name = line.strip().removesuffix(":")
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] == "`" else name


def _block(first: int, lines: list[str], start: int, length: int) -> tuple[Spot, int]:
    """The block whose opener is `lines[start]`, and the index after it."""
    middle, close = "=" * length, f"{'>' * length} REPLACE"
    end = next((n for n in range(start + 1, len(lines)) if lines[n].rstrip() == close), None)
    if end is None:
        raise _bad(first + start, lines[start], f"no `{close}` ends the block")
    inside = range(start + 1, end)
    nested = next((n for n in inside if (found := OPENER.match(lines[n])) and len(found[1]) == length), None)
    if nested is not None:
        raise _bad(first + nested, lines[nested], "another block begins before this one ends")
    cuts = [n for n in inside if lines[n].rstrip() == middle]
    if len(cuts) != 1:
        why = "is missing" if not cuts else "is there more than once; give the marks of this block more signs"
        raise _bad(first + start, lines[start], f"the `{middle}` of the block {why}")
    before = tuple(as_bytes(line) for line in lines[start + 1 : cuts[0]])
    after = tuple(as_bytes(line) for line in lines[cuts[0] + 1 : end])
    return Spot(line=first + start, before=before, after=after), end + 1


def _settle(file: Edit) -> None:
    """A single block with nothing to search for is a new file."""
    if len(file.spots) == 1 and not file.spots[0].before:
        file.old = ""
        file.content = b"".join(line + b"\n" for line in file.spots[0].after)


def _bad(number: int, line: str, what: str) -> BadInput:
    text = f"line {number} of the patch is {line[:80]!r}: {what}; expected {EXPECTED}"
    return BadInput(text, line=number, column=1, expected=EXPECTED)
