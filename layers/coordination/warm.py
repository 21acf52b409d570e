"""A git that stays: one `cat-file --batch-command` per repository and process. Names in, ids and contents out.

A fresh process costs more than everything it is asked here. It runs no filter and no text conversion, fetches nothing,
and reads references anew for every question; what it keeps open are packs, so it is started again when those change.
It ends with its standard input: when it is closed here, and when this process dies, however it dies.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import select
import signal
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.coordination.running import ENVIRONMENT, SAFE, TIMEOUT_S, program
from layers.errors import Unavailable

MOST = 16
"""Repositories that have one at the same time; the one that was asked longest ago is closed."""
AT_ONCE_BYTES = 4096
"""Of questions, which surely fit into a pipe while git waits for its answers to be read."""
LONGEST_NAME = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What git has under a name."""

    oid: str
    kind: str
    """`commit`, `tree`, `blob` or `tag`."""
    size: int
    """Bytes."""
    content: bytes = b""
    """Where it was asked for."""


class _Gone(Exception):
    """The process ended, or was closed."""


async def infos(git_dir: Path, objects: Path, names: Sequence[str]) -> list[Answer | None]:
    """Ids, kinds and sizes; None for a name of nothing, or of several things.

    Raises:
        Unavailable: git cannot read what has this name, or took longer than a minute.
    """
    return await asyncio.to_thread(_ask, git_dir, objects, b"info", names)


async def contents(git_dir: Path, objects: Path, names: Sequence[str]) -> list[Answer | None]:
    """The same with the contents, as kept: no filter, no conversion."""
    return await asyncio.to_thread(_ask, git_dir, objects, b"contents", names)


def _ask(git_dir: Path, objects: Path, verb: bytes, names: Sequence[str]) -> list[Answer | None]:
    questions = [_question(verb, name) for name in names]
    for _ in range(2):  # one that died while nobody asked, or was closed for another's sake, is started again
        warm = _pool.find(git_dir, objects)
        with contextlib.suppress(_Gone):
            return warm.ask(questions, has_content=verb == b"contents")
        _pool.drop(git_dir, warm)
    raise Unavailable(f"git cannot read the objects of {str(git_dir)!r}; run `git fsck` there")


def _question(verb: bytes, name: str) -> bytes:
    if not name or "\n" in name or "\0" in name or len(name) > LONGEST_NAME:
        raise ValueError(f"{name[:40]!r} names no object")
    return verb + b" " + name.encode("utf-8", "surrogateescape") + b"\n"


def _batches(questions: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for question in questions:
        if batch and sum(map(len, batch)) + len(question) > AT_ONCE_BYTES:
            yield batch
            batch = []
        batch.append(question)
    if batch:
        yield batch


class _Warm:
    """One process. Asked by one thread at a time."""

    def __init__(self, git_dir: Path, freshness: tuple[int, ...]) -> None:
        self.freshness = freshness
        self._lock = threading.Lock()
        self._unread = bytearray()
        self._until = 0.0
        try:
            self._process = subprocess.Popen(
                [program(), *SAFE, "cat-file", "--batch-command"], cwd="/", bufsize=0, start_new_session=True,
                env={**ENVIRONMENT, "GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(git_dir), "PATH": os.defpath},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable(f"git cat-file could not be started: {error.strerror}; try again") from error

    def ask(self, questions: Sequence[bytes], *, has_content: bool) -> list[Answer | None]:
        """The answers in the order of the questions.

        Raises:
            _Gone: it ended before the last one.
            Unavailable: it took longer than a minute.
        """
        with self._lock:
            self._until = time.monotonic() + TIMEOUT_S
            try:
                answers: list[Answer | None] = []
                for some in _batches(questions):
                    self._write(b"".join(some))
                    answers += [self._answer(has_content) for _ in some]
                return answers
            except BaseException:
                self._end()  # what it still says would be taken for the answer to something else
                raise

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """It belongs to the process that this one was copied from: let go of it without ending it."""
        self._close_pipes()
        self._process.returncode = 0

    def _end(self) -> None:
        self._close_pipes()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _write(self, question: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise _Gone
        try:
            while question:
                question = question[pipe.write(question) :]
        except BrokenPipeError:
            raise _Gone from None

    def _answer(self, has_content: bool) -> Answer | None:
        while (end := self._unread.find(b"\n")) < 0:
            self._read()
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        fields = line.split(b" ")
        if len(fields) != 3 or not fields[2].isdigit():  # `<name> missing` or `<name> ambiguous`
            return None
        oid, kind, size = fields[0].decode("ascii"), fields[1].decode("ascii"), int(fields[2])
        if not has_content:
            return Answer(oid=oid, kind=kind, size=size)
        while len(self._unread) < size + 1:
            self._read()
        content = bytes(self._unread[:size])
        del self._unread[: size + 1]
        return Answer(oid=oid, kind=kind, size=size, content=content)

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        if not waiting.poll(max(0.0, self._until - time.monotonic()) * 1000):
            raise Unavailable(f"git cat-file took longer than {TIMEOUT_S:.0f} seconds and was stopped")
        some = os.read(pipe.fileno(), 1 << 18)
        if not some:
            raise _Gone
        self._unread += some


class _Pool:
    """The processes of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, _Warm] = OrderedDict()

    def find(self, git_dir: Path, objects: Path) -> _Warm:
        """The repository's, started where there is none that is fresh."""
        freshness = _freshness(objects)
        stale: list[_Warm] = []
        try:
            with self._lock:
                warm = self._open.pop(git_dir, None)
                if warm is None or warm.freshness != freshness:
                    _at_exit()
                    stale += [warm] if warm else []
                    warm = _Warm(git_dir, freshness)
                self._open[git_dir] = warm
                while len(self._open) > MOST:
                    stale.append(self._open.popitem(last=False)[1])
                return warm
        finally:
            for one in stale:
                one.close()

    def drop(self, git_dir: Path, warm: _Warm) -> None:
        """Close one that is of no use any more."""
        with self._lock:
            if self._open.get(git_dir) is warm:
                del self._open[git_dir]
        warm.close()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            warm = list(self._open.values())
            self._open.clear()
        for one in warm:
            one.close()

    def forget(self) -> None:
        """In a copy of the process that they belong to."""
        for one in self._open.values():
            one.forget()
        self._open.clear()
        self._lock = threading.Lock()


_pool = _Pool()


@functools.cache
def _at_exit() -> None:
    atexit.register(_pool.close)
    os.register_at_fork(after_in_child=_pool.forget)


def _freshness(objects: Path) -> tuple[int, ...]:
    """Changes when packs come or go, or the whole repository is another."""
    marks: list[int] = []
    for path in (objects, objects / "pack", objects / "info" / "alternates"):
        try:
            status = path.stat()
        except OSError:
            marks += (0, 0)
            continue
        is_objects = path is objects  # its own time changes with its folders
        marks += (status.st_ino, 0 if is_objects else status.st_mtime_ns)
    return tuple(marks)
