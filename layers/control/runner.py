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
from collections.abc import Callable
from pathlib import Path

from layers.control.reach import Reach
from layers.control.sandbox import Bubblewrap, Command, Landlock, Sandbox, find
from layers.control.types import Outcome, Plan, State
from layers.errors import BulkheadError, Misconfigured

PROFILES: dict[str, Callable[[], Sandbox]] = {"bwrap": Bubblewrap, "landlock": Landlock}
"""In the order of preference."""
PROBE_S = 30
CANARY_S = 10
CHUNK = 65_536


def choose(wanted: str, folder: Path) -> Sandbox:
    """The first sandbox that really holds here. `wanted` is `auto` or a profile's name.

    Raises:
        Misconfigured: none does, and why.
    """
    reasons = []
    for name, make in PROFILES.items():
        if wanted in ("auto", name):
            try:
                sandbox = make()
                canary(sandbox, folder)
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
    if "seen" in execute(sandbox, command_of(("cat", str(secret))), folder).output:
        raise Misconfigured("a program in it can read files outside")


def command_of(argv: tuple[str, ...]) -> Command:
    """A canary's command: the program is looked up, the workspace is not there."""
    program = find(argv[0], "coreutils")
    return Command(argv=(program, *argv[1:]), cwd="/", is_writable=False, timeout_s=CANARY_S, output_cap_bytes=CHUNK)


def plan_command(plan: Plan) -> Command:
    """What a plan runs."""
    return Command(
        argv=plan.argv,
        cwd=plan.cwd,
        is_writable=plan.is_workspace_writable,
        timeout_s=plan.timeout_s,
        output_cap_bytes=plan.output_cap_bytes,
        stdin=plan.stdin,
        reach=Reach.of(plan),
    )


def probe(sandbox: Sandbox, plan: Plan, folder: Path) -> Outcome:
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


def execute(sandbox: Sandbox, command: Command, folder: Path, on_running: Callable[[], None] = lambda: None) -> Outcome:
    """Run it. When this returns, no process of it is left."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as scratch:
        stdin = text_file(command.stdin)
        try:
            child = sandbox.start(command, stdin, Path(scratch))
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"it could not be started: {error}"
            return Outcome(state=State.FAILED, reason=reason, profile=sandbox.profile)
        finally:
            os.close(stdin)
        on_running()
        try:
            output, reason = collect(child, command, began + command.timeout_s)
        finally:
            child.kill()
            code = child.wait()
            if child.stdout is not None:
                child.stdout.close()
            sweep()
    if code < 0 and not reason:
        reason = f"killed by {signal.Signals(-code).name}"
    return Outcome(
        state=State.SUCCEEDED if code == 0 and not reason else State.FAILED,
        exit_code=None if reason else code,
        duration_s=round(time.monotonic() - began, 3),
        output=output.decode(errors="replace"),
        reason=reason,
        profile=sandbox.profile,
    )


def text_file(text: str) -> int:
    """An open file in memory with `text` in it: unlike a pipe it needs nobody to feed it, and can be opened again."""
    descriptor = os.memfd_create("stdin")
    content = memoryview(text.encode())
    while content:
        content = content[os.write(descriptor, content) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def collect(child: subprocess.Popen[bytes], command: Command, deadline: float) -> tuple[bytes, str]:
    """Output until the program ends, and why it must be stopped (empty if it ended by itself)."""
    assert child.stdout is not None
    pipe, ended = child.stdout.fileno(), os.pidfd_open(child.pid)
    output = bytearray()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left)}
                if pipe in ready:
                    chunk = os.read(pipe, CHUNK)
                    output += chunk
                    if not chunk:
                        selector.unregister(pipe)
                    elif len(output) > command.output_cap_bytes:
                        reason = f"stopped: it wrote more than {command.output_cap_bytes} bytes"
                        return bytes(output[: command.output_cap_bytes]), reason
                elif ended in ready:
                    return bytes(output), ""
    finally:
        os.close(ended)
    return bytes(output), f"stopped after {command.timeout_s} s"


def sweep() -> None:
    """Kill and reap every child, and the orphans that become our children by it, until there is none."""
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children() -> list[int]:
    """Processes whose parent we are, dead ones that wait to be reaped included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it ended while we looked
        if int(parent) == os.getpid():
            found.append(int(folder.name))
    return found
