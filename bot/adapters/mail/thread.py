"""One thread that does what it is given, in order. Functions that block in, awaitable results out.

It is a daemon and no executor: Python waits for those when the process ends, and a mail server that takes a connection
and says nothing would hold up the end for as long as it may take to answer.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Thread:
    """Runs until `end`, or until the process is gone."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._is_started = False

    def begin(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it done; not waited for."""
        future: Future[T] = Future()
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._work, name="mail", daemon=True).start()
        self._calls.put(partial(settle, future, partial(fn, *args, **kwargs)))
        return future

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have it done, and wait; whoever is cancelled meanwhile leaves it to itself."""
        return await asyncio.wrap_future(self.begin(fn, *args, **kwargs))

    def end(self) -> None:
        """Do what was given, and no more."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def settle(future: Future[T], fn: Callable[[], T]) -> None:
    """Call, unless nobody wants it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn()
    except BaseException as error:  # noqa: BLE001  whoever waits gets it
        future.set_exception(error)
    else:
        future.set_result(result)
