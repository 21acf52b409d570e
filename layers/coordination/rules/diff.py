"""Reads a unified diff: text in, `Reading` out, `BadInput` with a line for anything that is not understood. Pure.

git applies the patch, never this module. It is here because git skips what it does not know and no library reads
strictly (unidiff keeps names quoted, whatthepatch guesses; coordination reference 2.1): only what was read here, every
name of it checked, is handed to git, so both see the same patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from layers.coordination.rules.encodings import delta_sizes, unpack_line, unquote
from layers.coordination.rules.paths import check_mode, check_path
from layers.errors import BadInput, Refused

MAX_PATCH_BYTES = 1 << 20
MAX_FILES = 128
MAX_CHANGED_LINES = 5_000
MAX_BINARY_BYTES = 1 << 20

NULL = "/dev/null"
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
FENCE = re.compile(r"\s*(```+|~~~+)[\w-]*\s*$")
_BINARY = re.compile(r"(literal|delta) (\d{1,12})$")
_MODE = re.compile(r"(old|new|deleted file|new file) mode (\d{6})$")
_NAMED = re.compile(r"(rename|copy) (from|to) (.+)$")
_INDEX = re.compile(r"index ([0-9a-f]{4,64})\.\.[0-9a-f]{4,64}( \d{6})?$")
EXPECTED = "`diff --git a/FILE b/FILE`, or `--- a/FILE` and `+++ b/FILE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One `@@` block."""

    line: int
    """Of its header, in the text that was sent, from 1."""
    old_start: int
    new_start: int
    before: tuple[str, ...]
    """The lines it expects to find."""
    added: int
    removed: int


@dataclass(slots=True, kw_only=True)
class FilePatch:
    """One file's part of the patch. Grows while it is read, is not changed afterwards."""

    line: int
    names: list[str] = field(default_factory=list)
    """As written after `diff --git`, `---` and `+++`: with the a/ and b/ that `Reading.strip` counts."""
    exact: list[str] = field(default_factory=list)
    """As written after `rename from` and its like: never stripped."""
    old: str = ""
    """Path in the base; empty for a new file."""
    new: str = ""
    """Path in the result; empty for a deleted file."""
    is_copy: bool = False
    expects: str = ""
    """Abbreviated blob id from the `index` line; empty when it has none."""
    hunks: list[Hunk] = field(default_factory=list)
    has_more: bool = False
    """A mode, a rename, a creation, a deletion or binary content: something besides hunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A patch that was understood."""

    text: str
    """What git is given: the lines that were read and no others."""
    strip: int
    """1 when names carry a/ and b/, 0 when none does."""
    files: tuple[FilePatch, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it names, once each."""
        return tuple(dict.fromkeys(p for file in self.files for p in (file.old, file.new) if p))


def read(text: str) -> Reading:
    """The patch in `text`.

    Raises:
        BadInput: it is no unified diff; `line` says where.
        Refused: it is one, and a path, a mode or its size is not allowed.
    """
    check_text(text)
    first, lines = unwrap(text.split("\n"))
    reader = _Reader(first, lines)
    reader.run()
    return _finish(reader)


def check_text(text: str) -> None:
    """Raise `BadInput` or `Refused` where no patch of any format can be in `text`: its characters, its size."""
    try:
        size = len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise BadInput(f"the patch has a broken character at position {error.start}; send it as UTF-8") from None
    if size > MAX_PATCH_BYTES:
        raise Refused(f"the patch has {size:,} bytes and {MAX_PATCH_BYTES:,} is the limit; split it")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadInput("the patch has a NUL byte; make binary changes with `git diff --binary`", line=line)


def unwrap(lines: list[str]) -> tuple[int, list[str]]:
    """The number of the first line that counts, and the lines: without fence, mail header, and a form's CRs."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].rstrip("\r"):
        end -= 1
    if start < end and (fence := FENCE.match(lines[start])):
        start += 1
        if end > start and lines[end - 1].strip() == fence[1]:
            end -= 1
        while start < end and not lines[start].strip():
            start += 1
    if start < end and lines[start].startswith(("From ", "commit ")):
        start = next((n for n in range(start, end) if lines[n].startswith("diff --git ")), start)
    body = lines[start:end]
    if body and all(line.endswith("\r") for line in body[:-1]) and body[0].endswith("\r"):
        body = [line.removesuffix("\r") for line in body]  # a browser's form made every \n a \r\n
    return start + 1, body


class _Reader:
    """A cursor over the lines. `kept` is what git will be given."""

    def __init__(self, first: int, lines: list[str]) -> None:
        self.first = first
        self.lines = lines
        self.at = 0
        self.kept: list[str] = []
        self.files: list[FilePatch] = []

    @property
    def line(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    @property
    def number(self) -> int:
        return self.first + self.at

    def keep(self, line: str | None = None) -> None:
        """Take the current line (or `line` in its place) and step on."""
        self.kept.append(self.lines[self.at] if line is None else line)
        self.at += 1

    def bad(self, what: str, expected: str) -> BadInput:
        shown = "the end of the patch" if self.line is None else f"{self.line[:80]!r}"
        text = f"line {self.number} of the patch is {shown}: {what}; expected {expected}"
        return BadInput(text, line=self.number, column=1, expected=expected)

    def run(self) -> None:
        while (line := self.line) is not None:
            if line.startswith("diff --git "):
                self._git_header(line)
            elif line.startswith("--- "):
                self._start()
                self._names_and_hunks()
            elif line.startswith("diff -") or (not line and self.files):
                self.at += 1  # GNU diff -r tells its command line before each file
            elif line == "-- " and self.files and len(self.lines) - self.at <= 3:
                return  # git format-patch signs with its version
            else:
                raise self.bad(*self._lost(line))
        if not self.files:
            raise BadInput(f"there is no patch in the text; expected {EXPECTED}", line=1, expected=EXPECTED)

    def _lost(self, line: str) -> tuple[str, str]:
        """Why `line` cannot stand between two files, and what could."""
        if line.startswith("*** "):
            return "this is not the unified format", EXPECTED
        if self.files and self.files[-1].hunks and line[:1] in ("+", "-", " "):
            return "the hunk before it has more lines than its header counts", "corrected numbers after @@"
        return "it belongs to no file", EXPECTED

    def _start(self) -> FilePatch:
        if len(self.files) == MAX_FILES:
            raise Refused(f"the patch touches more than {MAX_FILES} files; split it")
        self.files.append(FilePatch(line=self.number))
        return self.files[-1]

    def _git_header(self, line: str) -> None:
        file = self._start()
        rest = line.removeprefix("diff --git ")
        if rest.startswith('"') or rest.endswith('"'):
            file.names += self._two_quoted(rest)
        else:  # unquoted names may hold spaces; they are only told apart when they are the same
            half = len(rest) // 2
            left, right = rest[:half], rest[half + 1 :]
            if rest[half : half + 1] == " " and (left == right or left[2:] == right[2:]):
                file.names += [left, right]
        self.keep()
        while self.line is not None and self._extended(file, self.line):
            self.keep()
        if self.line == "GIT binary patch":
            file.has_more = True
            self._binary()
        elif self.line is not None and self.line.startswith("Binary files "):
            raise self.bad("the content of the binary file is missing", "a patch made with `git diff --binary`")
        elif self.line is not None and self.line.startswith("--- "):
            self._names_and_hunks()
        elif not file.has_more:
            raise self.bad("the file header before it changes nothing", "`--- a/FILE`")
        if len(file.exact) not in (0, 2):
            raise BadInput(
                f"line {file.line} of the patch does not say `from` and `to` once each; a rename or a copy needs both",
                line=file.line,
                expected="`rename from FILE` and `rename to FILE`",
            )
        if not file.names and not file.exact:
            raise BadInput(
                f"line {file.line} of the patch names no file that can be read", line=file.line, expected=EXPECTED
            )

    def _extended(self, file: FilePatch, line: str) -> bool:
        """Whether `line` is one of git's extended headers; what it says goes into `file`."""
        if mode := _MODE.match(line):
            file.has_more = True
            if not line.startswith("old mode"):
                check_mode(file.names[-1] if file.names else "a file", mode[2])
        elif named := _NAMED.match(line):
            file.has_more = True
            file.is_copy = named[1] == "copy"
            file.exact.append(self._unquoted(named[3]))
        elif index := _INDEX.match(line):
            file.expects = index[1] if index[1].strip("0") else ""
        else:
            return bool(re.match(r"(dis)?similarity index \d{1,3}%$", line))
        return True

    def _names_and_hunks(self) -> None:
        for mark in ("--- ", "+++ "):
            line = self.line
            if line is None or not line.startswith(mark):
                raise self.bad(f"a file's two names go together and `{mark.strip()}` is missing", f"`{mark}b/FILE`")
            name, tab, _ = line[4:].partition("\t")  # git ends a name with spaces by a tab, GNU diff puts a date there
            self.files[-1].names.append(self._unquoted(name))
            self.keep(mark + name + tab)
        if self.line is None or not self.line.startswith("@@"):
            raise self.bad("the file has no hunk", "`@@ -1,3 +1,4 @@`")
        while self.line is not None and self.line.startswith("@@"):
            self._hunk(self.line)

    def _hunk(self, header: str) -> None:
        numbers = _HUNK.match(header)
        if numbers is None:
            raise self.bad("this is no hunk header", "`@@ -START,COUNT +START,COUNT @@` with numbers")
        number = self.number
        old_start, new_start = int(numbers[1]), int(numbers[3])
        old, new = (int(count) if count is not None else 1 for count in (numbers[2], numbers[4]))
        before: list[str] = []
        added = removed = 0
        self.keep()
        while old > 0 or new > 0:
            mark = " " if self.line == "" else (self.line or "?")[:1]
            if self.line is None or mark not in " +-\\" or (mark == " " and not (old and new)):
                what = f"the hunk of line {number} is not complete, {old} old and {new} new lines are missing"
                raise self.bad(what, "a line that starts with a space, + or -")
            if (mark == "-" and not old) or (mark == "+" and not new):
                raise self.bad(f"the hunk of line {number} counts fewer such lines", "corrected numbers after @@")
            if mark in " -":
                before.append(self.line[1:])
            old -= mark in " -"
            new -= mark in " +"
            removed += mark == "-"
            added += mark == "+"
            self.keep()
        if self.line is not None and self.line.startswith("\\ "):
            self.keep()
        hunk = Hunk(
            line=number, old_start=old_start, new_start=new_start, before=tuple(before), added=added, removed=removed
        )
        self.files[-1].hunks.append(hunk)

    def _binary(self) -> None:
        self.keep()
        for needed in (True, False):  # forwards, and perhaps backwards
            header = _BINARY.match(self.line or "")
            if header is None:
                if needed:
                    raise self.bad("binary content is missing", "`literal SIZE` or `delta SIZE`")
                return
            if int(header[2]) > MAX_BINARY_BYTES:
                raise Refused(f"the patch has a binary file of {header[2]} bytes; {MAX_BINARY_BYTES:,} is the limit")
            self.keep()
            head = b""
            while self.line:
                head += self._unpacked(self.line) if len(head) < 256 else b""
                self.keep()
            if header[1] == "delta" and max(delta_sizes(head)) > MAX_BINARY_BYTES:
                raise Refused(f"the patch has a binary file of more than {MAX_BINARY_BYTES:,} bytes, the limit")
            if self.line is not None:
                self.keep()
            else:
                self.kept.append("")

    def _unpacked(self, line: str) -> bytes:
        try:
            return unpack_line(line)
        except ValueError:
            raise self.bad("this is not base85", "the lines that `git diff --binary` writes") from None

    def _two_quoted(self, rest: str) -> Iterable[str]:
        """The two names of a `diff --git` line of which at least one is quoted."""
        match = re.fullmatch(r'("(?:[^"\\]|\\.)*"|\S.*?) ("(?:[^"\\]|\\.)*"|\S.*)', rest)
        if match is None:
            raise self.bad("the quotes around its names do not match", '`"a/FILE" "b/FILE"`')
        return (self._unquoted(match[1]), self._unquoted(match[2]))

    def _unquoted(self, name: str) -> str:
        try:
            return unquote(name)
        except ValueError:
            raise self.bad("the quotes around its name do not match", '`"a/FILE"`') from None


def _finish(reader: _Reader) -> Reading:
    """Strip the a/ and b/, check every name, count the lines."""
    marked = {name.startswith(("a/", "b/")) for file in reader.files for name in file.names if name != NULL}
    if len(marked) == 2:
        raise BadInput(
            "some names of the patch start with a/ or b/ and some do not; write them all alike", expected=EXPECTED
        )
    strip = 1 if True in marked else 0
    taken: set[tuple[str, str]] = set()
    for file in reader.files:
        names = [name if name == NULL or not strip else name[2:] for name in file.names]
        file.old, file.new = (file.exact or names[-2:])[:2]
        for name in dict.fromkeys((*names, *file.exact)):
            if name != NULL:
                check_path(name)
        _check_pair(file, names)
        roles = {("result", file.new)} | (set() if file.is_copy else {("base", file.old)})
        if taken & {role for role in roles if role[1]}:
            raise BadInput(f"the patch has two parts for {file.new or file.old!r}; join them", line=file.line)
        taken |= roles
    changed = sum(hunk.added + hunk.removed for file in reader.files for hunk in file.hunks)
    if changed > MAX_CHANGED_LINES:
        raise Refused(f"the patch changes {changed:,} lines and {MAX_CHANGED_LINES:,} is the limit; split it")
    return Reading(text="\n".join(reader.kept) + "\n", strip=strip, files=tuple(reader.files))


def _check_pair(file: FilePatch, names: list[str]) -> None:
    stated = file.exact or names[:2]
    if any(told not in (NULL, first) for first, told in zip(stated, names[-2:], strict=False)):
        raise BadInput(f"line {file.line} of the patch and the lines below it name different files", line=file.line)
    if file.old == file.new == NULL:
        raise BadInput(f"line {file.line} of the patch names /dev/null twice", line=file.line, expected=EXPECTED)
    if not file.exact and NULL not in (file.old, file.new) and file.old != file.new:
        text = f"the patch names {file.old!r} and {file.new!r} for one file; a rename needs git's `rename from` lines"
        raise BadInput(text, line=file.line, expected=EXPECTED)
    file.old = "" if file.old == NULL else file.old
    file.new = "" if file.new == NULL else file.new
