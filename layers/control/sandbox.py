"""The box a program runs in: a command in, a started process out. Bubblewrap where it works, else Landlock, else none.

What is inside: the system's programs and libraries, read-only; /proc of its own process namespace; a /tmp of its own;
the workspace. Never /etc, /run, /var, /home: a Unix socket that is not mounted cannot be connected to, and
/etc/shadow is out of reach even for root. An install that runs as root keeps uid 0 on the workspace's files (they are
root's), but no capability, no nested namespace, and a read-only /proc: uid 0 could write /proc/sys without any. Better
is a `User` to become before the sandbox is made; the executor takes one wherever it can.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypedDict

from layers.control import landlock
from layers.control.catalog import PATH
from layers.control.leader import Leader
from layers.control.reach import NOTHING, Reach
from layers.control.rules import SECRETS
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
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name -> value: files that only this program can read, `/run/secrets/NAME`. Never in argv or environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom the sandbox is started as, where the executor itself is root."""

    uid: int
    gid: int


Note = Callable[[Leader], None]
"""Takes what the run ends with."""


class Sandbox(Protocol):
    """One way to confine."""

    profile: str
    user: User | None

    def start(self, command: Command, stdin: int, scratch: Path, note: Note) -> subprocess.Popen[bytes]:
        """Start it with `stdin`, its output in one pipe. `scratch` is an empty folder of its own.

        `note` is called before the program's first instruction; a crash before that leaves nothing that ever runs.
        """


class Bubblewrap:
    """Namespaces: the program sees no process, no network and no file but its own."""

    profile = "bwrap"

    def __init__(self, user: User | None = None) -> None:
        self.program = find("bwrap", "bubblewrap")
        self.limiter = find("prlimit", "util-linux")
        self.user = user

    def start(self, command: Command, stdin: int, scratch: Path, note: Note) -> subprocess.Popen[bytes]:
        """See `Sandbox`. /tmp is a tmpfs, so of `scratch` the program sees nothing."""
        with ExitStack() as opened:
            gate, (info, told) = open_gate(scratch / "gate"), os.pipe()
            for descriptor in (gate, info):
                opened.callback(os.close, descriptor)
            try:
                child = self.spawn(command, stdin, gate, told)
            finally:
                os.close(told)
            try:
                if first := first_process(info):
                    note(Leader.of(first))
                    os.write(gate, b"x")
            except ProcessLookupError:
                pass  # it failed before the program; why is in its output
            except BaseException:
                child.kill()
                child.wait()
                raise
            return child

    def spawn(self, command: Command, stdin: int, gate: int, told: int) -> subprocess.Popen[bytes]:
        """bwrap, which makes the sandbox, tells `told` who is process 1 in it, and waits at `gate`.

        Without a `preexec_fn`, which costs 20 ms: a runner that dies before bwrap has asked to die with it leaves a
        bwrap that waits for ever and never runs anything.
        """
        files = {name: text_file(value) for name, value in command.secrets.items()}
        arguments = ["--block-fd", str(gate), "--info-fd", str(told), *self.arguments(command)]
        for name, descriptor in files.items():
            arguments += ["--perms", "0400", "--file", str(descriptor), f"{SECRETS}/{name}"]
        arguments += ["--remount-ro", "/", "--chdir", command.cwd]
        try:
            return subprocess.Popen(
                [self.program, *arguments, "--", self.limiter, *self.limits(command), "--", *command.argv],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=LAUNCHER_ENVIRONMENT,
                cwd="/",
                pass_fds=(gate, told, *files.values()),
                **identity(self.user),
            )
        finally:
            for descriptor in files.values():
                os.close(descriptor)

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
        options += [*command.reach.proc, "--dev", "/dev"]
        options += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp", *command.reach.mounts]
        if command.cwd != "/":
            options += ["--bind" if command.is_writable else "--ro-bind", command.cwd, command.cwd]
        return options

    def limits(self, command: Command) -> list[str]:
        """Set inside, where processes are counted per namespace and not with everything else the user runs."""
        return [f"--{name}={value}:{value}" for name, (_, value) in limits(command, PROCESSES).items()]


class Landlock:
    """A restricted process in the ordinary namespaces: see `landlock` for what it does not hide."""

    profile = "landlock"

    def __init__(self, user: User | None = None) -> None:
        self.user = user

    def start(self, command: Command, stdin: int, scratch: Path, note: Note) -> subprocess.Popen[bytes]:
        """See `Sandbox`. The caller's process has one thread, so running Python between fork and exec is safe."""
        if command.reach.needs_bubblewrap:
            raise OSError("it needs a network or a socket, which only bubblewrap can give; install bubblewrap")
        readable = [*SYSTEM, *EXTRAS, "/proc", *command.reach.readable]
        writable = [*DEVICES, str(scratch)]
        if command.cwd != "/":
            (writable if command.is_writable else readable).append(command.cwd)
        argv = [place_secrets(item, command.secrets, scratch) for item in command.argv]
        for name, value in command.secrets.items():
            write_secret(scratch / "secrets" / name, value)
        if self.user is not None:
            give(scratch, self.user)
        processes = PROCESSES + threads_of_user(self.user.uid if self.user else os.getuid())

        runner = os.getpid()

        def confine() -> None:
            landlock.die_with(runner)
            note(Leader.of(os.getpid(), str(scratch)))
            for number, value in limits(command, processes).values():
                resource.setrlimit(number, (value, value))
            landlock.restrict(readable, writable)

        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(str(scratch)),
            cwd=command.cwd,
            start_new_session=True,
            preexec_fn=confine,
            **identity(self.user),
        )


class Identity(TypedDict, total=False):
    """How Popen is told to become somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def identity(user: User | None) -> Identity:
    """Become `user`, with no group but its own; stay who we are where there is none."""
    return Identity() if user is None else Identity(user=user.uid, group=user.gid, extra_groups=[])


def open_gate(path: Path) -> int:
    """A pipe that never ends, because who reads it could write it too: the death of its other holders opens nothing."""
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def first_process(info: int) -> int:
    """Who is process 1 of the sandbox, by what bwrap writes to its --info-fd; 0 when it ended without saying so."""
    said = b""
    while not said.rstrip().endswith(b"}"):  # all of it: bwrap would die of a pipe that nobody reads
        chunk = os.read(info, 4096)
        if not chunk:
            return 0
        said += chunk
    return int(json.loads(said)["child-pid"])


def text_file(text: str) -> int:
    """An open file in memory with `text` in it: unlike a pipe it needs nobody to feed it, and can be opened again."""
    descriptor = os.memfd_create("text")
    content = memoryview(text.encode())
    while content:
        content = content[os.write(descriptor, content) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def place_secrets(item: str, names: Iterable[str], scratch: Path) -> str:
    """Landlock mounts nothing: where an argv names a secret's file, it gets the path of the private copy."""
    for name in sorted(names, key=len, reverse=True):
        item = item.replace(f"{SECRETS}/{name}", str(scratch / "secrets" / name))
    return item


def write_secret(file: Path, value: str) -> None:
    """A file that only its owner reads, in a folder that goes with the run."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="utf-8") as opened:
        opened.write(value)


def give(folder: Path, user: User) -> None:
    """Make the folder and all in it another user's."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid)


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


def threads_of_user(uid: int) -> int:
    """How many threads that user runs now: without a user namespace RLIMIT_NPROC counts them all."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
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
