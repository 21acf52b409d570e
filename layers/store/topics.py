"""Who wants to be called when something was committed, inside this process."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterable


def worker_id() -> str:
    """A name for this process that no other process ever had: `host:pid:random`."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Topics:
    """Subscriptions by topic. `fire` runs on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    def subscribe(self, topic: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Add a callback; calling the result removes it."""
        callbacks = self._callbacks.setdefault(topic, [])
        callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in callbacks:
                callbacks.remove(callback)

        return unsubscribe

    def fire(self, topics: Iterable[str]) -> None:
        """Call everyone who subscribed to one of the topics."""
        for topic in topics:
            for callback in list(self._callbacks.get(topic, ())):
                callback()

    def fire_all(self) -> None:
        """Call everyone: nobody knows what they missed."""
        self.fire(list(self._callbacks))
