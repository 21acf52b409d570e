"""Whether two diffs make the same change in different places. Pure.

The rule of `git patch-id --verbatim`, which is younger than the oldest git that serves: lines and their context count,
white space included; line numbers and blob ids do not.
"""

from __future__ import annotations

import re

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*")
_INDEX = re.compile(r"index [0-9a-f]+\.\.[0-9a-f]+")


def is_same_change(one: str, other: str) -> bool:
    """Whether `one` and `other`, both of git's own making, differ only in where their hunks stand."""
    return _essence(one) == _essence(other)


def _essence(diff: str) -> list[str]:
    found = []
    for line in diff.split("\n"):
        if line.startswith("@@ "):
            found.append(_HUNK.sub("@@", line))
        elif line.startswith("index "):
            found.append(_INDEX.sub("index", line))
        elif not line.startswith("similarity index "):
            found.append(line)
    return found
