"""The words of a sequence diagram: names of participants, and texts up to the end of a statement."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain

ACTOR = re.compile(
    r"[^/\\+()<>:\n,;-]++(?:(?!-[xX)\\/\-]|-\|[\\/]|/[/|]-|\\[\\|]-|\(\))-*+[^+<>:\n,;-]++)*+"
)
"""A name in a message; a dash belongs to it unless an arrow begins there."""
DECLARED = re.compile(r"(?:(?!\s+as\s|@\{|\#)[^<>:\n,;])++", re.IGNORECASE)
"""A name after `participant`; it may have spaces."""
TEXT = re.compile(r"(?:#\w+;|[^#;\n])*+")
WRAP = re.compile(r"[^\S\n]*:?(?:no)?wrap:", re.IGNORECASE)


class Phrases:
    """Reads them from a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def line(self) -> str:
        """The text up to the end of the statement."""
        self.cursor.take(WRAP)
        return plain((self.cursor.take(TEXT) or self.cursor.fail("a text")).group().strip())

    def raw_line(self) -> str:
        """The text up to the end of the statement, with its markup."""
        return (self.cursor.take(TEXT) or self.cursor.fail("a text")).group().strip()

    def name(self) -> str:
        """A participant where it is declared; it may have spaces."""
        cursor = self.cursor
        cursor.skip_blanks()
        found = cursor.take(DECLARED)
        if found is None or not found.group().strip():
            cursor.fail("the name of a participant", "write e.g. participant Alice")
        return found.group().strip()

    def actor(self) -> str:
        """A participant in a message or a note."""
        cursor = self.cursor
        cursor.skip_blanks()
        found = cursor.take(ACTOR)
        if found is None or not found.group().strip():
            cursor.fail("the name of a participant", "write e.g. Alice->>Bob: Hello")
        return found.group().strip()

    def text_after_colon(self) -> str:
        """`: text`."""
        cursor = self.cursor
        cursor.skip_blanks()
        if not cursor.starts_with(":"):
            cursor.fail("`:` and a text", "write e.g. Alice->>Bob: Hello")
        cursor.at += 1
        return self.line()
