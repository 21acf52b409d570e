"""Mermaid's styling to accents: each class, and each style of its own, gets the next colour of the palette.

The author's colours are not used: they were chosen for another background, and the renderer keeps its own contrast.
"""

from __future__ import annotations

import re

MOST_ACCENTS = 8
OWN = re.compile(r"accent([1-8])")
"""What `to_mermaid` calls them."""
SHOWS = re.compile(r"\b(?:fill|background|stroke|color)\s*:")


class Accents:
    """Counts the classes and styles that have been used."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The accent of the class or style `name`; those beyond the palette share its last colour."""
        if found := OWN.fullmatch(name):
            return int(found.group(1))
        return self.numbers.setdefault(name, min(len(self.numbers) + 1, MOST_ACCENTS))

    def of_style(self, style: str) -> int:
        """The accent of an inline style; 0 when it changes no colour."""
        return self.of("style " + "".join(style.split())) if SHOWS.search(style) else 0
