"""Labels and ids as Mermaid takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from layers.presentation.mermaid.labels import plain

QUOTES = '"\\'
"""What ends a quoted label, or hides its end."""
PALETTE = ("#cfe8fc", "#d8f0d3", "#fde9c4", "#f6d5dc", "#e3dbf5", "#d3efee", "#ece4d4", "#e4e4e4")
"""What other renderers of Mermaid give the accents 1 to 8; ours has colours of its own."""


def escape(text: str, *, forbidden: str = "", keywords: re.Pattern[str] | None = None) -> str:
    """`text` on one line such that `plain` gives it back; `forbidden` characters are written as `#code;`.

    A text that begins like one of `keywords` gets its first letter written so.
    """
    light = _written(text, lambda character: character in forbidden)
    if plain(light) != text or "%%" in light:
        light = _written(text, lambda character: not character.isalnum() and character != " ")
    if keywords is not None and keywords.match(light):
        light = f"#{ord(light[0])};{light[1:]}"
    return light


def _written(text: str, is_escaped: Callable[[str], bool]) -> str:
    return "".join(
        "<br>" if character == "\n" else f"#{ord(character)};" if is_escaped(character) else character
        for character in text
    )


def quoted(text: str) -> str:
    """The label in double quotes; a space where it is empty, because Mermaid wants something."""
    return '"' + (escape(text, forbidden=QUOTES) or " ") + '"'


def names(ids: Iterable[str], safe: re.Pattern[str], prefix: str) -> dict[str, str]:
    """For each id the one that Mermaid can write: itself where `safe` matches it, else a new one."""
    known = list(ids)
    taken, made = set(known), {}
    number = 0
    for id in known:
        made[id] = id
        if safe.fullmatch(id) is None:
            number += 1
            while f"{prefix}{number}" in taken:
                number += 1
            made[id] = f"{prefix}{number}"
            taken.add(made[id])
    return made


def accent_lines(accents: dict[str, int], *, define: str = "classDef", apply: str = "class") -> list[str]:
    """The statements that give each written id its accent."""
    used = sorted({accent for accent in accents.values() if accent})
    return [f"  {define} accent{accent} fill:{PALETTE[accent - 1]}" for accent in used] + [
        f"  {apply} {','.join(id for id, own in accents.items() if own == accent)} accent{accent}" for accent in used
    ]
