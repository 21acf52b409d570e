"""The word that somebody may have meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_WORD = 40
"""Characters up to which a word is compared."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that somebody who wrote `word` may have meant; empty when none is near."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:LONGEST_WORD].casefold(), folded, n=1, cutoff=0.7)
    return folded[near[0]] if near else ""
