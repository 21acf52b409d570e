"""The box a program runs in: a command in, a started process out. Bubblewrap where it works, else Landlock, else none.

What is inside: the system's programs and libraries, read-only; /proc of its own process namespace; a /tmp of its own;
the workspace. Never /etc, /run, /var, /home: a Unix socket that is not mounted cannot be connected to, and
/etc/shadow is out of reach even for root. An install that runs as root keeps uid 0 on the workspace's files (they are
root's), but no capability, no nested namespace, and a read-only /proc: uid 0 could write /proc/sys without any.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from layers.control import landlock
from layers.control.catalog import PATH
from layers.control.reach import NOTHING, Reach
from layers.errors import Misconfigured

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
EXTRAS = ("/etc/alternatives", "/etc/ld.so.cache")
"""Symlinks that programs in /usr/bin go through, and where the loader looks; no secret is in them."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LAUNCHER_ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8"}
"""All that bwrap itself gets: its environment can be read inside, in /proc/1/environ."""
TMP_BYTES = 64 << 20
MEMORY_BYTES = 4 << 30
FILE_BYTES = 256 << 20
PROCESSES = 256
OPEN_FILES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to be run."""

    argv: tuple[str, ...]
    cwd: str
    """The workspace or `/`; only in the first case is the workspace there at all."""
    is_writable: bool
    timeout_s: int
    output_cap_bytes: int
    stdin: str = ""
    reach: Reach = NOTHING


class Sandbox(Protocol):
    """One way to confine."""

    profile: str

    def start(self, command: Command, stdin: int, scratch: Path) -> subprocess.Popen[bytes]:
        """Start it with `stdin`, its output in one pipe. `scratch` is an empty folder of its own."""


class Bubblewrap:
    """Namespaces: the program sees no process, no network and no file but its own."""

    profile = "bwrap"

    def __init__(self) -> None:
        self.program = find("bwrap", "bubblewrap")
        self.limiter = find("prlimit", "util-linux")

    def start(self, command: Command, stdin: int, scratch: Path) -> subprocess.Popen[bytes]:
        """See `Sandbox`. /tmp is a tmpfs, so `scratch` is not used."""
        return subprocess.Popen(
            [self.program, *self.arguments(command), "--", self.limiter, *self.limits(command), "--", *command.argv],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=LAUNCHER_ENVIRONMENT,
            cwd="/",
        )

    def arguments(self, command: Command) -> list[str]:
        """Namespaces, mounts and environment."""
        options = [*command.reach.namespaces, "--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]
        options += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
        for name, value in environment("/tmp").items():
            options += ["--setenv", name, value]
        for path in SYSTEM:
            if os.path.islink(path):
                options += ["--symlink", os.readlink(path), path]
            else:
                options += ["--ro-bind-try", path, path]
        for path in EXTRAS:
            options += ["--ro-bind-try", path, path]
        options += [*command.reach.proc, "--dev", "/dev", *command.reach.mounts]
        options += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
        if command.cwd != "/":
            options += ["--bind" if command.is_writable else "--ro-bind", command.cwd, command.cwd]
        return [*options, "--remount-ro", "/", "--chdir", command.cwd]

    def limits(self, command: Command) -> list[str]:
        """Set inside, where processes are counted per namespace and not with everything else the user runs."""
        return [f"--{name}={value}:{value}" for name, (_, value) in limits(command, PROCESSES).items()]


class Landlock:
    """A restricted process in the ordinary namespaces: see `landlock` for what it does not hide."""

    profile = "landlock"

    def start(self, command: Command, stdin: int, scratch: Path) -> subprocess.Popen[bytes]:
        """See `Sandbox`. The caller's process has one thread, so running Python between fork and exec is safe."""
        if command.reach.needs_bubblewrap:
            raise OSError("it needs a network or a socket, which only bubblewrap can give; install bubblewrap")
        readable = [*SYSTEM, *EXTRAS, "/proc", *command.reach.readable]
        writable = [*DEVICES, str(scratch)]
        if command.cwd != "/":
            (writable if command.is_writable else readable).append(command.cwd)
        processes = PROCESSES + threads_of_user()

        def confine() -> None:
            landlock.die_with_parent(signal.SIGKILL)
            for number, value in limits(command, processes).values():
                resource.setrlimit(number, (value, value))
            landlock.restrict(readable, writable)

        return subprocess.Popen(
            command.argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(str(scratch)),
            cwd=command.cwd,
            start_new_session=True,
            preexec_fn=confine,
        )


def environment(scratch: str) -> dict[str, str]:
    """What the program sees; `rules.ENVIRONMENT` names the same variables on the card."""
    return {"HOME": scratch, "LANG": "C.UTF-8", "PATH": PATH, "TMPDIR": scratch}


def limits(command: Command, processes: int) -> dict[str, tuple[int, int]]:
    """prlimit's name -> resource, ceiling."""
    return {
        "as": (resource.RLIMIT_AS, MEMORY_BYTES),
        "core": (resource.RLIMIT_CORE, 0),
        "cpu": (resource.RLIMIT_CPU, command.timeout_s + 1),
        "fsize": (resource.RLIMIT_FSIZE, FILE_BYTES),
        "nofile": (resource.RLIMIT_NOFILE, OPEN_FILES),
        "nproc": (resource.RLIMIT_NPROC, processes),
    }


def threads_of_user() -> int:
    """How many threads this user runs now: without a user namespace RLIMIT_NPROC counts them all."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == os.getuid():
                count += sum(1 for _ in (folder / "task").iterdir())
        except OSError:
            continue  # it ended while we looked
    return count


def find(program: str, package: str) -> str:
    """The absolute path of a tool of ours.

    Raises:
        Misconfigured: it is not installed.
    """
    found = shutil.which(program, path=PATH)
    if found is None:
        raise Misconfigured(f"{program} is not installed; install the package {package}")
    return found
