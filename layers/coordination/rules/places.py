"""Where hunks may land: at their stated lines, or at the only place their lines occur. Pure.

git looks for a hunk's lines further and further away and takes the first place that fits; among repeated blocks that
is the wrong one without a word. So either every hunk of a file fits exactly where it says, or its lines occur once.
"""

from __future__ import annotations

from layers.coordination.rules.diff import FilePatch
from layers.errors import Refused

MAX_SEARCHED_BYTES = 256 << 20
"""Hunks or blocks times the size of their file: about a second of looking."""


def check_places(file: FilePatch, content: bytes) -> None:
    """Raise `Refused` when a hunk of `file` could land in more than one place of `content`.

    A hunk that fits nowhere passes: git refuses it and says so.
    """
    lines = content.split(b"\n")
    befores = [[line.encode("utf-8", "surrogateescape") for line in hunk.before] for hunk in file.hunks]
    if content and not all(befores):
        hunk = file.hunks[befores.index([])]
        text = (
            f"the hunk at line {hunk.line} of the patch gives no line of {file.old!r} to hold on to; add context lines"
        )
        raise Refused(text)
    if _all_exact(file, befores, lines):
        return
    if len(befores) * len(content) > MAX_SEARCHED_BYTES:
        raise Refused(f"the patch has too many moved hunks for a file of the size of {file.old!r}; split it")
    padded = b"\n" + content + (b"" if content.endswith(b"\n") else b"\n")
    for hunk, before in zip(file.hunks, befores, strict=True):
        wanted = b"\n".join((b"", *before, b""))
        found = padded.find(wanted) if before else -1
        if found >= 0 and padded.find(wanted, found + 1) >= 0:
            text = (
                f"the hunk at line {hunk.line} of the patch fits more than one place of {file.old!r} and not line "
                f"{hunk.old_start}, where it says; correct its numbers or add context lines"
            )
            raise Refused(text)


def _all_exact(file: FilePatch, befores: list[list[bytes]], lines: list[bytes]) -> bool:
    shift = 0
    for hunk, before in zip(file.hunks, befores, strict=True):
        start = hunk.old_start - 1
        if hunk.new_start != hunk.old_start + shift or lines[start : start + len(before)] != before:
            return False
        shift += hunk.added - hunk.removed
    return True
