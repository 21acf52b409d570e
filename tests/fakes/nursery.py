"""The real server, forked from a process that has imported it already: for what starts it hundreds of times.

`python -m tests.fakes.nursery` reads one JSON object per line from the socket on its standard input (the command line
and the environment, with the descriptors of standard output and error beside it), forks, and answers with the child's
process id. The child runs the `bulkhead` command as `tests.fakes.house` does, and dies as any process does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tests.fakes.house import NOWHERE, REPO, House, environment

IMPORTED = ("bot.app", "bot.cli.serving", "bot.adapters.slack.account", "bot.adapters.telegram", "uvicorn")
"""Before the first fork. What starts threads when it is imported must not stand here."""


class Child:
    """A forked process, as far as `House` needs it to be a `Popen`."""

    def __init__(self, pid: int, stdout: int) -> None:
        self.pid = pid
        self.stdout = os.fdopen(stdout, encoding="utf-8")

    def poll(self) -> int | None:
        """None while it runs. The nursery takes its exit code; that it is gone is all that is known here."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self, timeout: float = 20.0) -> int:
        """Until it is gone."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(["bulkhead"], timeout)
            time.sleep(0.002)
        return 0

    def send_signal(self, number: int) -> None:
        """As `os.kill`, to one that may be gone."""
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

    def fork(self, arguments: list[str], env: dict[str, str], log: Path) -> Child:
        """Start `bulkhead` with these arguments."""
        read, write = os.pipe()
        with self._lock, open(log, "a", encoding="utf-8") as errors:
            order = json.dumps({"arguments": arguments, "env": env}) + "\n"
            socket.send_fds(self._socket, [order.encode()], [write, errors.fileno()])
            os.close(write)
            return Child(int(self._answers.readline()), read)

    def close(self) -> None:
        """Let it go; its children are their houses' to end."""
        self._answers.close()
        self._socket.close()
        self._process.wait(20)


class QuickHouse(House):
    """A house whose servers come from the nursery."""

    def __init__(self, nursery: Nursery, home: Path, database_url: str = "", env: dict[str, str] | None = None) -> None:
        super().__init__(home, database_url, env)
        self._nursery = nursery
        self.starts = 0

    def start(self, kill_at: str = NOWHERE, wait: bool = True) -> None:
        """As `House.start`."""
        self.reap()
        arguments = ["serve", "--home", str(self.home), "--port", str(self.port), "--json"]
        child = self._nursery.fork([kill_at, *arguments], self.env, self.log)
        self.starts += 1
        self.process = child  # type: ignore[assignment]  # it does what House asks of a Popen
        if wait:
            self.wait_started()

    def wait_started(self) -> None:
        """Until it printed its link."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")
        self.url = json.loads(line)["url"]


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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps: a zombie would pass for a living process
    while True:
        data, handles, _, _ = socket.recv_fds(orders, 65536, 2)
        if not data:
            return 0
        order = json.loads(data)
        pid = os.fork()
        if pid == 0:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for handle, number in zip(handles, (1, 2), strict=True):
                os.dup2(handle, number)
                os.close(handle)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.environ.clear()
            os.environ.update(order["env"])
            return run(*order["arguments"])
        for handle in handles:
            os.close(handle)
        orders.sendall(f"{pid}\n".encode())


if __name__ == "__main__":
    raise SystemExit(main())
