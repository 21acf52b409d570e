"""Reads a V4A patch (`*** Begin Patch`): text in, `Edits` out, `BadInput` with a line for what is not understood. Pure.

Stricter than the tool that this format comes from: a new file or a move never takes the place of a file, lines are
never matched roughly, and lines that are only added need lines around them or `*** End of File` below.
"""

from __future__ import annotations

from layers.coordination.rules.edits import Edit, Edits, Spot, checked
from layers.coordination.rules.paths import as_bytes
from layers.errors import BadInput

BEGIN, END, LAST = "*** Begin Patch", "*** End Patch", "*** End of File"
ADD, DELETE, UPDATE, MOVE = "*** Add File: ", "*** Delete File: ", "*** Update File: ", "*** Move to: "
EXPECTED = "`*** Add File: `, `*** Delete File: ` or `*** Update File: ` and a path, or `*** End Patch`"


def read_v4a(first: int, lines: list[str]) -> Edits:
    """The edits in `lines`, of which the first is `*** Begin Patch` and has the number `first`.

    Raises:
        BadInput: they are no such patch; `line` says where.
        Refused: they are, and a path or the size is not allowed.
    """
    reader = _Reader(first, lines)
    reader.run()
    return checked(reader.files)


class _Reader:
    """A cursor over the lines."""

    def __init__(self, first: int, lines: list[str]) -> None:
        self.first = first
        end = next((n for n in reversed(range(len(lines))) if lines[n].strip()), 0)
        is_end = lines[end].strip() == END  # the last line may have blanks around it, a line of a block may not
        self.lines = [*lines[:end], END] if is_end else lines
        self.at = 1
        self.files: list[Edit] = []

    @property
    def line(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    @property
    def mark(self) -> str:
        """The current line between two files, where it is one of the format's own; blanks around it do not count."""
        line = (self.line or "").strip()
        return line if line.startswith("*** ") else ""

    def bad(self, what: str, expected: str = EXPECTED) -> BadInput:
        shown = "the end of the patch" if self.line is None else f"{self.line[:80]!r}"
        number = self.first + self.at
        text = f"line {number} of the patch is {shown}: {what}; expected {expected}"
        return BadInput(text, line=number, column=1, expected=expected)

    def run(self) -> None:
        while (mark := self.mark) != END:
            if mark.startswith(ADD):
                self._add(self._path(ADD))
            elif mark.startswith(DELETE):
                path = self._path(DELETE)
                self.files.append(Edit(line=self.first + self.at, old=path, new="", content=b""))
                self.at += 1
            elif mark.startswith(UPDATE):
                self._update(self._path(UPDATE))
            elif self.line is not None and not self.line.strip():
                self.at += 1
            else:
                raise self.bad("it belongs to no file")
        if any(line.strip() for line in self.lines[self.at + 1 :]):
            self.at += 1
            raise self.bad("the patch has ended", "nothing more")
        if not self.files:
            raise self.bad("there is no file in the patch")

    def _path(self, kind: str) -> str:
        return self.mark.removeprefix(kind).strip()

    def _add(self, path: str) -> None:
        file = Edit(line=self.first + self.at, old="", new=path)
        self.at += 1
        made: list[bytes] = []
        while self.line is not None and self.line.startswith("+"):
            made.append(as_bytes(self.line[1:]) + b"\n")
            self.at += 1
        file.content = b"".join(made)
        self.files.append(file)

    def _update(self, path: str) -> None:
        file = Edit(line=self.first + self.at, old=path, new=path)
        self.at += 1
        if self.mark.startswith(MOVE):
            file.new = self._path(MOVE)
            self.at += 1
        while self.line is not None and not self._is_end():
            file.spots.append(self._spot())
        if not file.spots and file.new == file.old:
            raise self.bad(f"nothing is said to change in {path[:80]!r}", "`@@` and a block of lines")
        self.files.append(file)

    def _is_end(self) -> bool:
        """Whether the current line begins another file or ends the patch."""
        line = self.line or ""
        return line.rstrip() == END or line.startswith((ADD, DELETE, UPDATE))

    def _spot(self) -> Spot:
        number = self.first + self.at
        anchors: list[bytes] = []
        while self.line is not None and (self.line == "@@" or self.line.startswith("@@ ")):
            if anchor := self.line[3:].strip():
                anchors.append(as_bytes(anchor))
            self.at += 1
        before: list[bytes] = []
        after: list[bytes] = []
        start = self.at
        while self.line is not None and not self.line.startswith(("*** ", "@@")):
            sign, rest = self.line[:1] or " ", as_bytes(self.line[1:])
            if sign not in " +-":
                raise self.bad("it is no line of a block", "a line that starts with a space, + or -")
            before += [rest] if sign != "+" else []
            after += [rest] if sign != "-" else []
            self.at += 1
        if self.at == start:
            raise self.bad("the block has no lines", "a line that starts with a space, + or -")
        is_last = self.line is not None and self.line.rstrip() == LAST
        self.at += is_last
        return Spot(line=number, before=tuple(before), after=tuple(after), anchors=tuple(anchors), is_last=is_last)
