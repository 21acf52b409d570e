"""A place in the text: matches patterns, counts lines, raises `BadInput` with line, column and what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from layers.errors import BadInput

BLANKS = re.compile(r"[^\S\n]+")
BLANKS_AND_NEWLINES = re.compile(r"\s+")
SHOWN = 24
"""Characters of the offending text that an error quotes."""
MOST_FIXES = 50


@dataclass(frozen=True, slots=True)
class Fix:
    """Something that was read although Mermaid would not take it, or would take it otherwise."""

    line: int
    column: int
    text: str
    """What was made of it, as a sentence."""


class Cursor:
    """Reads `text` from left to right."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at
        self.fixes: list[Fix] = []

    @property
    def is_done(self) -> bool:
        """True at the end of the text."""
        return self.at >= len(self.text)

    def peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match here, without moving."""
        return pattern.match(self.text, self.at)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match here, moving past it; None and no move where there is none."""
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def starts_with(self, literal: str) -> bool:
        """True when the text goes on with `literal`."""
        return self.text.startswith(literal, self.at)

    def skip_blanks(self) -> None:
        """Move over spaces and tabs."""
        self.take(BLANKS)

    def skip_space(self) -> None:
        """Move over spaces, tabs and line breaks."""
        self.take(BLANKS_AND_NEWLINES)

    def rest_of_line(self) -> str:
        """What is left of this line, without moving."""
        end = self.text.find("\n", self.at)
        return self.text[self.at : end if end >= 0 else len(self.text)]

    def place(self, at: int | None = None) -> tuple[int, int]:
        """Line and column of `at` (default: here), counted from 1."""
        at = min(self.at if at is None else at, len(self.text))
        return self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)

    def tolerate(self, text: str, at: int | None = None) -> None:
        """Note what was made of something that Mermaid would not take."""
        if len(self.fixes) < MOST_FIXES:
            self.fixes.append(Fix(*self.place(at), text))

    def fail(self, expected: str, fix: str = "", at: int | None = None) -> NoReturn:
        """Raise `BadInput` for the place `at` (default: here)."""
        at = min(self.at if at is None else at, len(self.text))
        line, column = self.place(at)
        found = Cursor(self.text, at).rest_of_line().strip()
        shown = "the end of the line" if not found else repr(found[:SHOWN] + ("…" if len(found) > SHOWN else ""))
        if at >= len(self.text.rstrip()):
            shown = "the end of the diagram"
        sentence = f"Line {line}, column {column}: expected {expected}, found {shown}"
        raise BadInput(f"{sentence}; {fix}." if fix else f"{sentence}.", line=line, column=column, expected=expected)
