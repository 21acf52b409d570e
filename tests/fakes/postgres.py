"""A real PostgreSQL, of Debian's package, on a Unix socket in a temporary folder."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def find_bin() -> Path | None:
    """The folder of initdb and postgres, or None."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: float(path.parent.name))


def as_user() -> dict[str, str]:
    """PostgreSQL refuses to run as root: then Debian's own `postgres` user runs it."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


UNSAFE = ("fsync=off", "full_page_writes=off")
"""For tests that kill us and never the server or the machine: nothing is lost, and each commit waits for no disk."""


@contextmanager
def server(*settings: str) -> Iterator[str]:
    """Start one with those settings, yield a URL whose path is to be replaced by a database's name; `postgresql:///{}?host=...`."""
    folder = find_bin()
    if folder is None:
        raise FileNotFoundError("no PostgreSQL: install Debian's package postgresql")
    root = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = as_user()
    if user:
        shutil.chown(root, user["user"], user["group"])
    data = root / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": "/", **user}
    subprocess.run(
        [folder / "initdb", "-D", data, "-U", "bulkhead", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"], **run
    )  # type: ignore[call-overload]
    values = ["listen_addresses=", f"unix_socket_directories={root}", "max_connections=100", *settings]
    options = [word for value in values for word in ("-c", value)]
    with open(root / "log", "w") as log:
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd="/", **user
        )  # type: ignore[call-overload]
    try:
        url = f"postgresql://bulkhead@/{{}}?host={root}"
        wait_for(url.format("postgres"), process)
        yield url
    finally:
        process.send_signal(2)
        process.wait(60)
        shutil.rmtree(root, ignore_errors=True)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers."""
    for _ in range(200):
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise
            import time

            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"PostgreSQL of {getpass.getuser()} did not start")


def create(url: str, name: str, template: str = "template1") -> str:
    """A fresh database, a copy of `template`; returns its URL."""
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url.format(name)
