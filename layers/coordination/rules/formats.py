"""Tells the formats of a change apart and reads it: text in, `Reading` or `Edits` out. Pure."""

from __future__ import annotations

from layers.coordination.rules.blocks import OPENER, read_blocks
from layers.coordination.rules.diff import Reading, check_text, read, unwrap
from layers.coordination.rules.edits import Edits
from layers.coordination.rules.v4a import BEGIN, read_v4a


def understand(text: str) -> Reading | Edits:
    """The change in `text`: a unified diff, git's own, search/replace blocks, or a V4A patch.

    A line of a diff starts with a sign or a blank, so that a mark at a line's very start is never inside one.

    Raises:
        BadInput: it is none of them; `line` says where.
        Refused: it is one, and a path, a mode or its size is not allowed.
    """
    check_text(text)
    first, lines = unwrap(text.split("\n"))
    if lines and lines[0].strip() == BEGIN:
        return read_v4a(first, lines)
    if any(OPENER.match(line) for line in lines):
        return read_blocks(first, lines)
    return read(text)
