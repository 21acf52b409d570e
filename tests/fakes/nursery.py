"""The real `bulkhead` command, forked from a process that has imported it already: importing costs most of a start.

`python -m tests.fakes.nursery` reads one JSON object per line from the socket on its standard input (the command line
and the environment; beside it the descriptors of the child's standard input, output and error, and of a pipe), forks,
and answers with the child's process id. When the child ends its exit code is written to that pipe. The child runs the
command as `tests.fakes.house` does, and dies as any process does.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO

from tests.fakes.environment import REPO, environment

IMPORTED = ("bot.app", "bot.cli", "bot.adapters.slack.account", "bot.adapters.telegram", "uvicorn")
"""Before the first fork. What starts threads when it is imported must not stand here."""


class Child:
    """A forked process, as far as `House` needs it to be a `Popen`."""

    def __init__(self, pid: int, exit_code: int, stdout: IO[str] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self._exit_code = os.fdopen(exit_code, "rb", buffering=0)
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code as `subprocess` gives it; None while it runs."""
        if self._code is None and select.select([self._exit_code], [], [], 0)[0]:
            self.wait(1.0)
        return self._code

    def wait(self, timeout: float = 20.0) -> int:
        """Until it is gone."""
        if self._code is None:
            if not select.select([self._exit_code], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["bulkhead"], timeout)
            self._code = int(self._exit_code.read() or b"-9")  # nothing: the nursery itself is gone
            self._exit_code.close()
        return self._code

    def send_signal(self, number: int) -> None:
        """As `os.kill`, to one that may be gone."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket, self._answers = ours, ours.makefile("r")
        command = [sys.executable, "-m", "tests.fakes.nursery"]
        self._process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=REPO, env=environment())
        theirs.close()
        self._lock = threading.Lock()

    def fork(self, arguments: Sequence[str], env: Mapping[str, str], streams: Sequence[int]) -> tuple[int, int]:
        """Start `tests.fakes.house` with these arguments and three streams; its id, and where its exit code comes."""
        read, write = os.pipe()
        order = json.dumps({"arguments": arguments, "env": dict(env)}) + "\n"
        try:
            with self._lock:
                socket.send_fds(self._socket, [order.encode()], [*streams, write])
                return int(self._answers.readline()), read
        finally:
            os.close(write)

    def serve(self, arguments: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
        """Start one whose standard output is read by the caller."""
        read, write = os.pipe()
        with open(os.devnull, "rb") as nothing, open(log, "a", encoding="utf-8") as errors:
            pid, exit_code = self.fork(arguments, env, [nothing.fileno(), write, errors.fileno()])
        os.close(write)
        return Child(pid, exit_code, os.fdopen(read, encoding="utf-8"))

    def close(self) -> None:
        """Let it go; its children are their houses' to end."""
        self._answers.close()
        self._socket.close()
        self._process.wait(20)


_shared: Nursery | None = None


def shared() -> Nursery:
    """One for the whole process, closed at its end."""
    global _shared
    if _shared is None:
        _shared = Nursery()
        atexit.register(_shared.close)
    return _shared


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """One that is closed at the end."""
    opened = Nursery()
    try:
        yield opened
    finally:
        opened.close()


def main() -> int:
    """Fork for every line that comes in, until the socket is closed."""
    from tests.fakes.house import run

    for name in IMPORTED:
        import_module(name)
    orders = socket.socket(fileno=os.dup(0))
    awake, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    waiting: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([orders, awake], [], [])
        if awake in ready:
            awake.recv(4096)
            reap(waiting)
        if orders not in ready:
            continue
        data, handles, _, _ = socket.recv_fds(orders, 1 << 20, 4)
        if not data:
            return 0
        order = json.loads(data)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for endpoint in (orders, awake, wake):
                endpoint.close()
            become(handles, order["env"])
            for handle in waiting.values():
                os.close(handle)
            return run(*order["arguments"])
        waiting[pid] = handles.pop()
        for handle in handles:
            os.close(handle)
        orders.sendall(f"{pid}\n".encode())


def become(handles: Sequence[int], env: Mapping[str, str]) -> None:
    """Take the streams and the environment that were ordered."""
    for number, handle in enumerate(handles[:3]):
        os.dup2(handle, number)
    for handle in handles:
        os.close(handle)
    os.environ.clear()
    os.environ.update(env)


def reap(waiting: dict[int, int]) -> None:
    """Tell of every child that ended."""
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        handle = waiting.pop(pid)
        with contextlib.suppress(BrokenPipeError), os.fdopen(handle, "w") as told:
            told.write(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    raise SystemExit(main())
