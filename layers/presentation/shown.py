"""Which characters of a text are drawn. Pure, so that whoever compares a drawing with its spec leaves out the same."""

from __future__ import annotations

import re
import unicodedata

LINE_ENDS = "\n\r\v\f\x85\u2028\u2029"
KEPT = LINE_ENDS + "\t\u200c\u200d"
"""Joiners shape Arabic, Indic scripts and emoji."""
UNSEEN = ("Cc", "Cf", "Cs", "Cn")
"""Unicode categories: controls, formats (bidi among them), lone surrogates, unassigned."""
WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]|[\U00020000-\U0003ffff]"
)
"""Chinese, Japanese and Korean: drawn in squares, and a line may end after each."""


def shown(text: str) -> str:
    """`text` as it is drawn: what steers a terminal or the reading direction is left out, a tab is a space.

    The characters that turn the reading direction would let a label read as something else than it says; whole words
    in a script that runs to the left need none of them.
    """
    return "".join(
        "\n" if character in LINE_ENDS else " " if character == "\t" else character
        for character in text.replace("\r\n", "\n")
        if character in KEPT or unicodedata.category(character) not in UNSEEN
    )
