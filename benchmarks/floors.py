"""The floors: the same kind of work without Bulkhead."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import databases
from tests.fakes.environment import REPO
from tests.fakes.house import free_port

WAIT_S = 30.0


@contextmanager
def echo_server() -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """The bare server in a process of its own: it, its port, and the seconds until its first answer."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.echo", str(port)], cwd=REPO)
    try:
        yield process, port, answered(port, "/") - started
    finally:
        process.terminate()
        process.wait()


def answered(port: int, path: str) -> float:
    """When `path` was first answered with 200, by the clock `time.perf_counter`."""
    deadline = time.perf_counter() + WAIT_S
    while time.perf_counter() < deadline:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return time.perf_counter()
            except OSError:
                pass  # nobody listens yet
        time.sleep(0.005)
    raise RuntimeError(f"nothing answers on port {port} within {WAIT_S} s")


def echo_ms(times: int) -> list[float]:
    """A post of 200 bytes and its echo, in milliseconds each."""
    taken = []
    with echo_server() as (_, port, _), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        for _ in range(times):
            started = time.perf_counter()
            connection.request("POST", "/", b"x" * 200)
            connection.getresponse().read()
            taken.append((time.perf_counter() - started) * 1e3)
    return taken


def commit_ms(folder: Path, times: int) -> list[float]:
    """A bare SQLite transaction of one row, WAL and synchronous=FULL, in milliseconds each."""
    taken = []
    with databases.bare_sqlite(folder / "floor.db") as commit:
        for _ in range(times):
            started = time.perf_counter()
            commit()
            taken.append((time.perf_counter() - started) * 1e3)
    return taken
