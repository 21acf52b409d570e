"""Work that may never end, done where it can be stopped: a forked child with a budget of processor time.

The engines are C and Rust that listen to nobody; the child's own timer ends it (SIGPROF keeps its default action, and
the kernel counts the processor's time, so that a busy machine does not stop what an idle one finishes). What it had
found by then is kept. Needs an operating system that forks.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from typing import BinaryIO, TypeVar

T = TypeVar("T")


def in_a_child(work: Iterator[T], *, cpu_s: float) -> Iterator[T]:
    """The items of `work` as a child makes them, until it is done or has used `cpu_s` seconds of processor time."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _serve(work, write, cpu_s)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as answers:
            yield from _received(answers)
    finally:
        _end(child)


def _received(answers: BinaryIO) -> Iterator[T]:
    while True:
        try:
            yield pickle.load(answers)
        except EOFError:
            return
        except pickle.UnpicklingError:  # stopped in the middle of an item
            return


def _serve(work: Iterator[T], write: int, cpu_s: float) -> None:
    """The child's whole life."""
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        with os.fdopen(write, "wb") as answers:
            for item in work:
                pickle.dump(item, answers)
                answers.flush()
    except BaseException:  # noqa: BLE001  whatever it was, the parent has what was found before
        os._exit(1)
    os._exit(0)


def _end(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return
    os.waitpid(child, 0)
