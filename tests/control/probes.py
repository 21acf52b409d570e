"""What a program in the sandbox may try: each probe is a program that says ESCAPED when it got out.

Used by the tests and by `benchmarks.control`. A probe whose success shows outside only is judged there.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from layers.control import Executor, Outcome
from tests.control.conftest import script_plan, signed

PYTHON = "/usr/bin/python3"
MARK = "hunter2-probe-mark"
"""Stands wherever no program in the sandbox may read."""


@dataclass(kw_only=True)
class Rig:
    """The world outside that a probe aims at."""

    folder: Path
    workspace: Path
    unix: str
    tcp: int
    udp: socket.socket
    pid: int
    """A process of the same user, with MARK in its environment."""
    seen: dict[str, object] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """What each probe gets: folder, socket, ports, pid, home of the executor."""
        udp = self.udp.getsockname()[1]
        return [str(self.folder), self.unix, str(self.tcp), str(udp), str(self.pid), str(self.workspace.parent)]


@contextlib.contextmanager
def rig(folder: Path, workspace: Path) -> Iterator[Rig]:
    """Sockets that listen, a secret file, a victim process."""
    (folder / "secret").write_text(MARK)
    with contextlib.ExitStack() as stack:
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(folder / "s"))
        (folder / "s").chmod(0o777)
        unix.listen()
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(b"\0bulkhead-" + os.urandom(6).hex().encode())
        abstract.listen()
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"TOKEN": MARK})
        stack.enter_context(victim)
        stack.callback(victim.kill)
        name = abstract.getsockname()[1:].decode()
        yield Rig(
            folder=folder, workspace=workspace, unix=f"{folder / 's'}:{name}", tcp=tcp.getsockname()[1], udp=udp,
            pid=victim.pid,
        )  # fmt: skip


def nothing_outside(_rig: Rig, _outcome: Outcome) -> bool:
    """The probe's own word is enough."""
    return False


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One way out."""

    name: str
    code: str
    is_out: Callable[[Rig, Outcome], bool] = nothing_outside
    """Whether it succeeded, as seen from outside."""
    profiles: tuple[str, ...] = ("bwrap", "landlock")
    timeout_s: int = 10


HEAD = """\
import ctypes, fcntl, os, signal, socket, struct, subprocess, sys, time
folder, unix, tcp, udp, pid, home = sys.argv[1:]
unix, _, abstract = unix.partition(":")
tcp, udp, pid = int(tcp), int(udp), int(pid)
libc = ctypes.CDLL(None, use_errno=True)
MARK = "hunter2-" + "probe-mark"
def escaped(*why): print("ESC" + "APED", *why, flush=True)
def tried(act):
    try: return act()
    except OSError as error: print("refused:", error)
def read(path):
    if MARK in (tried(lambda: open(path, errors="replace").read()) or ""): escaped(path)
"""
CONNECT = """
def connect():
    with socket.socket({family}, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        s.connect({address})
        escaped()
tried(connect)
"""


def is_written(name: str) -> Callable[[Rig, Outcome], bool]:
    """Whether a file appeared beside the secret."""
    return lambda rig, _outcome: (rig.folder / name).exists()


def has_datagram(rig: Rig, _outcome: Outcome) -> bool:
    """Whether the datagram arrived."""
    try:
        return bool(rig.udp.recv(10))
    except BlockingIOError:
        return False


def is_left(marker: str) -> Callable[[Rig, Outcome], bool]:
    """Whether a process with that in its command line goes on."""

    def look(_rig: Rig, _outcome: Outcome) -> bool:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if marker.encode() in file.read_bytes():
                    return True
        return False

    return look


def victim_died(rig: Rig, _outcome: Outcome) -> bool:
    """Whether the process outside is gone or stopped."""
    state = Path(f"/proc/{rig.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state not in ("S", "R")


PROBES = [
    Probe(name="unix_socket", code=CONNECT.format(family="socket.AF_UNIX", address="unix")),
    Probe(name="abstract_unix_socket", code=CONNECT.format(family="socket.AF_UNIX", address="chr(0) + abstract")),
    Probe(name="network_tcp", code=CONNECT.format(family="socket.AF_INET", address='("127.0.0.1", tcp)')),
    Probe(
        name="network_udp",
        code='tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", udp)))',
        is_out=has_datagram,
    ),
    Probe(
        name="netlink", code="tried(lambda: (socket.socket(16, 3, 9).bind((0, 0)), escaped()))", profiles=("landlock",)
    ),
    Probe(
        name="proc_environ_of_others", code='[read(f"/proc/{n}/environ") for n in os.listdir("/proc") if n.isdigit()]'
    ),
    Probe(name="proc_1_environ", code='print(tried(lambda: open("/proc/1/environ").read())); read("/proc/1/environ")'),
    Probe(name="proc_root_of_others", code='[read(f"/proc/{n}/root{folder}/secret") for n in (1, os.getppid(), pid)]'),
    Probe(name="proc_cwd_of_others", code='[read(f"/proc/{n}/cwd{folder}/secret") for n in (1, os.getppid(), pid)]'),
    Probe(name="ptrace_attach", code="libc.ptrace(0x4206, pid, 0, 0) == 0 and escaped()"),
    Probe(name="memory_of_others", code='tried(lambda: (open(f"/proc/{pid}/mem", "rb"), escaped()))'),
    Probe(
        name="process_vm_readv",
        code="""
buffer = ctypes.create_string_buffer(64)
iov = struct.pack("QQ", ctypes.addressof(buffer), 64)
remote = struct.pack("QQ", 0x400000, 64)
libc.process_vm_readv(pid, iov, 1, remote, 1, 0) > 0 and escaped()
""",
    ),
    Probe(name="nested_user_namespace", code="libc.unshare(0x10000000) == 0 and escaped()", profiles=("bwrap",)),
    Probe(
        name="mount_in_a_nested_namespace",
        code="""
libc.unshare(0x10000000 | 0x20000)
os.makedirs("m", exist_ok=True)
libc.mount(b"none", b"m", b"tmpfs", 0, None) == 0 and escaped("tmpfs")
libc.mount(b"/", b"m", None, 4096, None) == 0 and escaped("bind")
""",
    ),
    Probe(name="mount", code='libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 and escaped()'),
    Probe(name="remount_writable", code='libc.mount(None, b"/usr", None, 32 | 4096, None) == 0 and escaped()'),
    Probe(
        name="umount", code='[libc.umount2(p, 2) == 0 and escaped(p) for p in (b"/proc", b"/dev", b"/tmp", b"/usr")]'
    ),
    Probe(
        name="chroot_escape",
        code="""
os.makedirs("jail", exist_ok=True)
if tried(lambda: os.chroot("jail")) is None:
    for _ in range(40): tried(lambda: os.chdir(".."))
    tried(lambda: os.chroot("."))
read(folder.lstrip("/") + "/secret"); read("/../../.." + folder + "/secret")
""",
    ),
    Probe(
        name="setsid_orphan",
        code='subprocess.Popen(["/usr/bin/sleep", "48151"], start_new_session=True)',
        is_out=is_left("48151"),
    ),
    Probe(
        name="daemon_by_double_fork",
        code="""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3): os.close(fd)
        os.execv("/usr/bin/sleep", ["sleep", "48152"])
    os._exit(0)
""",
        is_out=is_left("48152"),
    ),
    Probe(
        name="fork_bomb",
        code="""
count = 0
try:
    while count < 3000:
        if os.fork() == 0:
            signal.pause()
        count += 1
except OSError as error:
    print("refused:", error)
count >= 3000 and escaped(count)
""",
        timeout_s=20,
    ),
    Probe(
        name="memory",
        code="try: x = bytearray(6 << 30); escaped()\nexcept MemoryError: print('refused')",
    ),
    Probe(
        name="disk_fill",
        code="""
with open("big", "wb") as file:
    for _ in range(300): file.write(bytes(1 << 20))
escaped()
""",
    ),
    Probe(
        name="output_flood",
        code="while True: os.write(1, b'y' * 65536)",
        is_out=lambda _rig, outcome: len(outcome.output) > 65_536 or "wrote more" not in outcome.reason,
    ),
    Probe(name="etc_shadow", code='tried(lambda: (open("/etc/shadow").read(), escaped()))'),
    Probe(name="secret_outside", code='read(folder + "/secret")'),
    Probe(
        name="keys_and_ledger",
        code="""
for name in ("keys/control.key", "keys/secrets", "executor/claims", "executor/canary", "bulkhead.db", "bulkhead.toml"):
    tried(lambda: (os.stat(home + "/" + name) and (os.listdir if os.path.isdir(home + "/" + name) else open)
          (home + "/" + name), escaped(name)))
""",
    ),
    Probe(
        name="write_outside",
        code="""
for path in (folder, "/usr", "/etc", "/", "/var/tmp", "/root", "/usr/bin", "/dev/shm/..", "/proc/1/cwd" + folder):
    tried(lambda: open(path + "/written", "w").write("x"))
""",
        is_out=lambda rig, _outcome: any(
            Path(path, "written").exists()
            for path in (rig.folder, "/usr", "/etc", "/", "/var/tmp", "/root", "/usr/bin")
        ),
    ),
    Probe(
        name="symlink_out",
        code="""
os.path.lexists("link") or os.symlink(folder, "link")
read("link/secret")
tried(lambda: open("link/through", "w"))
""",
        is_out=is_written("through"),
    ),
    Probe(name="hard_link_out", code='tried(lambda: os.link(folder + "/secret", "hard")); read("hard")'),
    Probe(
        name="rename_out",
        code='open("mine", "w").close(); tried(lambda: os.rename("mine", folder + "/renamed"))',
        is_out=is_written("renamed"),
    ),
    Probe(
        name="truncate_outside",
        code='libc.truncate((folder + "/secret").encode(), 0)',
        is_out=lambda rig, _outcome: (rig.folder / "secret").read_text() != MARK,
    ),
    Probe(name="kill_outside", code="tried(lambda: (os.kill(pid, signal.SIGSTOP), escaped()))", is_out=victim_died),
    Probe(
        name="raw_device",
        code="""
for path in ("/dev/vda", "/dev/sda", "/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/proc/kcore"):
    tried(lambda: (os.open(path, os.O_RDWR), escaped(path)))
tried(lambda: (os.mknod("disk", 0o60600, os.makedev(254, 0)), os.open("disk", os.O_RDONLY), escaped("mknod")))
""",
    ),
    Probe(
        name="kernel_settings",
        code="""
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/power/state"):
    tried(lambda: (os.open(path, os.O_WRONLY), escaped(path)))
""",
    ),
    Probe(
        name="inherited_descriptors",
        code="""
for name in os.listdir("/proc/self/fd"):
    target = tried(lambda: os.readlink("/proc/self/fd/" + name))
    if int(name) > 2 and target and not target.startswith("/proc/"): escaped(name, target)
""",
    ),
    Probe(
        name="terminal_injection",
        code="""
for path in ("/dev/tty", "/dev/console", "/proc/self/fd/0", "/proc/self/fd/1"):
    fd = tried(lambda: os.open(path, os.O_RDWR | os.O_NOCTTY))
    fd is not None and tried(lambda: (fcntl.ioctl(fd, 0x5412, b"x"), escaped(path)))
[tried(lambda: (fcntl.ioctl(n, 0x5412, b"x"), escaped(n))) for n in range(3)]
""",
    ),
    Probe(
        name="powers_by_setuid_programs",
        code="""
for program in ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/newgrp"):
    tried(lambda: subprocess.run([program, "--help"], capture_output=True, timeout=5))
status = open("/proc/self/status").read()
"NoNewPrivs:\\t1" in status or escaped("new privileges")
"CapEff:\\t0000000000000000" in status or escaped("capabilities")
""",
    ),
    Probe(
        name="file_handles",
        code="""
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128)); mount = ctypes.c_int()
libc.name_to_handle_at(-100, b"/usr", handle, ctypes.byref(mount), 0)
libc.open_by_handle_at(os.open("/usr", os.O_RDONLY), handle, 0) >= 0 and escaped()
""",
    ),
    Probe(name="bpf_and_modules", code="[libc.syscall(n, 0, 0, 0) >= 0 and escaped(n) for n in (321, 175, 246, 298)]"),
    Probe(name="clock", code="tried(lambda: (time.clock_settime(time.CLOCK_REALTIME, time.time()), escaped()))"),
    Probe(name="io_uring_sockets", code="libc.syscall(425, 1, bytes(120)) >= 0 and escaped()", profiles=("landlock",)),
]


async def attempt(executor: Executor, probe: Probe, rig: Rig) -> tuple[bool, str]:
    """Run one; whether it got out, and what it wrote."""
    code = HEAD + probe.code
    plan = script_plan(
        executor.workspace, PYTHON, "-I", "-c", code, *rig.arguments, is_workspace_writable=True,
        timeout_s=probe.timeout_s,
    )  # fmt: skip
    run_id = f"{probe.name[:40]}-{os.urandom(4).hex()}"
    outcome = await executor.run(run_id, plan, signed(executor.home, run_id, plan))
    time.sleep(0.01)
    return "ESCAPED" in outcome.output or probe.is_out(rig, outcome), f"{outcome.reason} {outcome.output[-600:]}"
