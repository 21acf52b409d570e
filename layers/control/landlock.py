"""Landlock, rlimits and seccomp by ctypes: confines the calling process for ever. Where bubblewrap does not work.

By hand because the PyPI packages for Landlock are unreleased drafts, and this is three system calls. Landlock alone
lets a program connect to Unix sockets and send UDP, so seccomp refuses `socket` (and io_uring, which could make one)
altogether. Weaker than bubblewrap all the same: other processes' command lines can be read in /proc, modes of files of
the same user can be changed, user namespaces can be entered, before Linux 6.12 processes of the same user can be
signalled, and descendants outlive a kill -9 of the executor itself (not of the server).
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import stat
import struct
from collections.abc import Iterable

from layers.errors import Misconfigured

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
IO_URING_SETUP = 425
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 24, 38, 22, 1, 36
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""ABI -> how many rights on files it knows (uapi/linux/landlock.h); 16 from ABI 5 on."""
NET_RIGHTS = 0b11
SCOPES = 0b11
"""Abstract Unix sockets and signals."""

ARCHITECTURES = {"x86_64": (0xC000003E, 41, 76), "aarch64": (0xC00000B7, 198, 45)}
"""Machine -> audit architecture, number of `socket`, number of `truncate` (which Landlock ignores before ABI 3)."""
X32 = 0x40000000
SECCOMP_ALLOW, SECCOMP_EPERM = 0x7FFF0000, 0x00050001
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06

libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """Landlock's version on this kernel; 0 where there is none."""
    return max(int(libc.syscall(CREATE_RULESET, None, 0, 1)), 0)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Confine this process: only these paths (as far as they exist), no network, no sockets, no capabilities.

    Raises:
        Misconfigured: this kernel or machine cannot.
    """
    version = abi()
    if version == 0 or platform.machine() not in ARCHITECTURES:
        raise Misconfigured(f"Landlock does not work on this kernel ({platform.release()}, {platform.machine()})")
    drop_capabilities()
    demand(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    everything = (1 << FS_RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", everything, NET_RIGHTS, SCOPES)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = demand(libc.syscall(CREATE_RULESET, attributes, len(attributes), 0), "create_ruleset")
    for paths, rights in ((readable, READ), (writable, everything)):
        for path in paths:
            allow(ruleset, path, rights & everything)
    demand(libc.syscall(RESTRICT_SELF, ruleset, 0), "restrict_self")
    os.close(ruleset)
    forbid_sockets()


def allow(ruleset: int, path: str, rights: int) -> None:
    """Let the ruleset through to what is at or below `path`."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= OF_FILES
        rule = struct.pack("=Qi", rights, descriptor)
        demand(libc.syscall(ADD_RULE, ruleset, 1, rule, 0), f"add_rule {path}")
    finally:
        os.close(descriptor)


def drop_capabilities() -> None:
    """As root too: nothing left in the bounding set, so that `exec` gives nothing back."""
    for capability in range(LAST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # EINVAL: past the last one; EPERM: not root, there is nothing to drop
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    demand(libc.capset(header, bytes(24)), "capset")


def forbid_sockets() -> None:
    """A seccomp filter: `socket`, io_uring and `truncate` fail with EPERM, and so does a foreign table of calls."""
    architecture, socket, truncate = ARCHITECTURES[platform.machine()]
    refused = (socket, truncate, IO_URING_SETUP)
    program = [(LOAD, 0, 0, 4), (JUMP_EQUAL, 0, len(refused) + 3, architecture), (LOAD, 0, 0, 0)]
    program.append((JUMP_AT_LEAST, len(refused) + 1, 0, X32))
    program += [(JUMP_EQUAL, len(refused) - n, 0, number) for n, number in enumerate(refused)]
    program += [(RETURN, 0, 0, SECCOMP_ALLOW), (RETURN, 0, 0, SECCOMP_EPERM)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    demand(libc.prctl(PR_SET_SECCOMP, 2, head, 0, 0), "seccomp")


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, or be gone if that has ended already."""
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends."""
    demand(libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "pdeathsig")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can hide."""
    demand(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper")


def demand(result: int, what: str) -> int:
    """The result, or Misconfigured with the kernel's reason."""
    if result < 0:
        raise Misconfigured(f"{what} failed: {os.strerror(ctypes.get_errno())}")
    return int(result)
