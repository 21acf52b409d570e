"""Runs one command in a sandbox to its end: a `Command` in, an `Outcome` out, and nothing of it left behind.

Blocking and single-threaded on purpose: the executor forks a process for every run, and that process is this code.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from layers.control.masking import Mask
from layers.control.reach import Reach
from layers.control.sandbox import PROCESSES, Bubblewrap, Command, Landlock, Note, Sandbox, User, find, text_file
from layers.control.types import Outcome, Plan, State
from layers.errors import BulkheadError, Misconfigured
from layers.failpoint import Step, reach

PROFILES: dict[str, Callable[[User | None], Sandbox]] = {"bwrap": Bubblewrap, "landlock": Landlock}
"""In the order of preference."""
PROBE_S = 30
CANARY_S = 10
CHUNK = 65_536
TICK_S = 0.05


def choose(wanted: str, folder: Path, workspace: str, user: User | None = None) -> Sandbox:
    """The first sandbox that really holds here. `wanted` is `auto` or a profile's name; `user` is whom to become.

    Raises:
        Misconfigured: none does, and why.
    """
    reasons = []
    for name, make in PROFILES.items():
        if wanted in ("auto", name):
            try:
                sandbox = make(user)
                canary(sandbox, folder)
                if user is not None:
                    reach_workspace(sandbox, folder, workspace)
                return sandbox
            except (BulkheadError, OSError, subprocess.SubprocessError) as error:
                reasons.append(f"{name}: {error}")
    why = "; ".join(reasons) or f"none is called {wanted!r}, only {' and '.join(PROFILES)}"
    raise Misconfigured(f"no sandbox holds here ({why}); install the package bubblewrap")


def canary(sandbox: Sandbox, folder: Path) -> None:
    """Try it: a program must run, and must not see a file outside.

    Raises:
        Misconfigured: it does not hold.
    """
    secret = folder / "canary"
    secret.write_text("seen\n")
    works = execute(sandbox, command_of(("true",)), folder)
    if works.state is not State.SUCCEEDED:
        raise Misconfigured(f"a harmless program does not run in it ({works.output.strip() or works.reason})")
    if execute(sandbox, command_of(("cat", str(secret))), folder).output == "seen\n":
        raise Misconfigured("a program in it can read files outside")


def reach_workspace(sandbox: Sandbox, folder: Path, workspace: str) -> None:
    """Whom the executor becomes must be able to work there.

    Raises:
        Misconfigured: it cannot.
    """
    seen = execute(sandbox, command_of(("true",), workspace), folder)
    if seen.state is not State.SUCCEEDED:
        raise Misconfigured(
            f"the executor's user cannot reach the workspace {workspace!r} ({seen.output.strip() or seen.reason})"
        )


def command_of(argv: tuple[str, ...], cwd: str = "/") -> Command:
    """A canary's command: the program is looked up; with `/` the workspace is not there."""
    program = find(argv[0], "coreutils")
    return Command(argv=(program, *argv[1:]), cwd=cwd, is_writable=False, timeout_s=CANARY_S, output_cap_bytes=CHUNK)


def plan_command(plan: Plan, secrets: Mapping[str, str]) -> Command:
    """What a plan runs, with the values of its secrets."""
    return Command(
        argv=plan.argv,
        cwd=plan.cwd,
        is_writable=plan.is_workspace_writable,
        timeout_s=plan.timeout_s,
        output_cap_bytes=plan.output_cap_bytes,
        stdin=plan.stdin,
        reach=Reach.of(plan),
        secrets=secrets,
    )


def probe(sandbox: Sandbox, plan: Plan, folder: Path, secrets: Mapping[str, str]) -> Outcome:
    """Whether a run whose end nobody saw did happen. Read-only."""
    unknown = Outcome(state=State.UNKNOWN, reason="it was started and nobody saw the end", profile=sandbox.profile)
    if not plan.probe:
        return unknown
    seen = execute(
        sandbox,
        Command(
            argv=plan.probe,
            cwd=plan.cwd,
            is_writable=False,
            timeout_s=min(plan.timeout_s, PROBE_S),
            output_cap_bytes=plan.output_cap_bytes,
            stdin=plan.stdin,
            reach=Reach.of(plan),
            secrets=secrets,
        ),
        folder,
    )
    if seen.exit_code == 0:
        reason = "it was interrupted, but the probe says that it happened"
        return Outcome(state=State.SUCCEEDED, reason=reason, profile=sandbox.profile)
    if seen.exit_code == 1:
        reason = "it was interrupted, and the probe says that it did not happen"
        return Outcome(state=State.FAILED, reason=reason, profile=sandbox.profile)
    return unknown


class Stop:
    """A request that a run shall end. It may come at any moment: before it begins, while it runs, or too late."""

    def __init__(self) -> None:
        self.reason = ""
        self.receiver, self._sender = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ask(self, reason: str) -> None:
        """Make it end. Safe in a signal handler."""
        self.reason = reason
        os.write(self._sender, b"x")


def execute(
    sandbox: Sandbox,
    command: Command,
    folder: Path,
    *,
    on_running: Callable[[], None] = lambda: None,
    stop: Stop | None = None,
    note: Note = lambda _: None,
) -> Outcome:
    """Run it. When this returns, no process of it is left, and no secret of its own is in what it wrote."""
    began, mask = time.monotonic(), Mask(dict(command.secrets))
    where = folder if sandbox.user is None else None  # whom it becomes cannot pass through our folder
    with tempfile.TemporaryDirectory(dir=where, prefix="scratch-") as scratch:
        stdin = text_file(command.stdin)
        try:
            if stop is not None and stop.reason:
                raise InterruptedError(stop.reason)
            child = sandbox.start(command, stdin, Path(scratch), note)
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"it could not be started: {error}"
            return Outcome(state=State.FAILED, reason=mask.clean(reason), profile=sandbox.profile)
        finally:
            os.close(stdin)
        reach(Step.PROGRAM_STARTED)
        on_running()
        try:
            output, reason = collect(child, command, began + command.timeout_s, mask.margin, stop)
        finally:
            child.kill()
            code = child.wait()
            if child.stdout is not None:
                child.stdout.close()
            sweep()
    reach(Step.PROGRAM_ENDED)
    if len(output) > command.output_cap_bytes and not reason:
        reason = f"it wrote more than {command.output_cap_bytes} bytes"
    if code < 0 and not reason:
        reason = f"killed by {signal.Signals(-code).name}"
    text = mask.clean(output.decode(errors="replace"), is_cut=bool(reason))
    reach(Step.OUTPUT_MASKED)
    return Outcome(
        state=State.SUCCEEDED if code == 0 and not reason else State.FAILED,
        exit_code=None if reason else code,
        duration_s=round(time.monotonic() - began, 3),
        output=text.encode()[: command.output_cap_bytes].decode(errors="ignore"),
        reason=reason,
        profile=sandbox.profile,
    )


def collect(
    child: subprocess.Popen[bytes], command: Command, deadline: float, margin: int, stop: Stop | None
) -> tuple[bytes, str]:
    """Output until the program ends, and why it must be stopped (empty if it ended by itself).

    Of a flood `margin` bytes more than the cap are kept: the caller cuts after masking, so that no secret is halved.
    """
    assert child.stdout is not None
    pipe, ended = child.stdout.fileno(), os.pidfd_open(child.pid)
    is_exempt = os.geteuid() == 0  # the kernel holds root to no RLIMIT_NPROC
    tick = TICK_S if is_exempt else float("inf")
    output = bytearray()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            if stop is not None:
                selector.register(stop.receiver, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(min(left, tick))}
                if is_exempt and is_crowded(PROCESSES):
                    return bytes(output), f"stopped: it made more than {PROCESSES} processes"
                if stop is not None and stop.reason:
                    return bytes(output), stop.reason
                if pipe in ready:
                    chunk = os.read(pipe, CHUNK)
                    output += chunk
                    if not chunk:
                        selector.unregister(pipe)
                    elif len(output) > command.output_cap_bytes + margin:
                        return bytes(output), f"stopped: it wrote more than {command.output_cap_bytes} bytes"
                elif ended in ready:
                    return bytes(output), ""
    finally:
        os.close(ended)
    return bytes(output), f"stopped after {command.timeout_s} s"


def is_crowded(limit: int) -> bool:
    """Whether more processes than that descend from this one. Cheap while the whole machine has no more."""
    if sum(name.isdigit() for name in os.listdir("/proc")) <= limit:
        return False
    known = parents()
    families: dict[int, list[int]] = {}
    for pid, parent in known.items():
        families.setdefault(parent, []).append(pid)
    count, waiting = 0, [os.getpid()]
    while waiting and count <= limit:
        born = families.get(waiting.pop(), [])
        count += len(born)
        waiting += born
    return count > limit


def sweep() -> None:
    """Kill and reap every child, and the orphans that become our children by it, until there is none."""
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:  # as many as are dead: looking for children is what takes long
                pass
        except ChildProcessError:
            return


def children() -> list[int]:
    """Processes whose parent we are, dead ones that wait to be reaped included."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN: look at all of them
        return [pid for pid, parent in parents().items() if parent == os.getpid()]


def parents() -> dict[int, int]:
    """Every process and its parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it ended while we looked
        found[int(folder.name)] = int(parent)
    return found
