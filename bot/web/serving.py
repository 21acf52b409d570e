"""The page on a socket: uvicorn, started and stopped by the wiring instead of by uvicorn's own signal handlers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from layers.errors import Misconfigured

STOP_AFTER_S = 3
"""Seconds an unfinished answer has at a stop."""
KEPT_ALIVE_S = 75
"""Seconds an idle connection is kept: longer than browsers' and proxies' usual 60, so that it is they who close it and
no request meets a connection that is just being closed."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one.

    Raises:
        Misconfigured: the port is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        raise Misconfigured(reason(host, port, error)) from None
    listener.setblocking(False)
    return listener


def reason(host: str, port: int, error: OSError | OverflowError) -> str:
    """Why the socket could not be had, and what to do."""
    if isinstance(error, OverflowError):
        return f"port {port!r} is not a port; choose one from 1 to 65535 with --port"
    if error.errno == errno.EADDRINUSE:
        return f"port {port!r} on {host!r} is in use; stop what holds it or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port!r} on {host!r} needs privileges; choose one above 1023 with --port"
    return f"cannot listen on {host!r} port {port!r}: {error.strerror}; choose another with --host or --port"


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: the process belongs to the wiring."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class LocalServer:
    """Serves an application on a socket that is already listening."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_AFTER_S,
            timeout_keep_alive=KEPT_ALIVE_S,
        )
        self._listener = listener
        self._server = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once requests are answered."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]), name="http")
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Let answers finish, close the socket."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._listener.close()


class PageServer(LocalServer):
    """Serves the page, whose streams never end by themselves."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        super().__init__(app, listener)
        self._streams = app.state.streams

    async def stop(self) -> None:
        """As every server, once the streams have ended."""
        self._streams.close()
        await super().stop()
