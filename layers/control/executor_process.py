"""The executor: a process of its own, `python -m layers.control.executor_process`, that runs what it is handed.

It has no address: the server passes one end of a socket pair for every request over the pair it was started with, so
nobody else can ask. For each it forks a process that claims the run, runs it, keeps the outcome, and only then
answers. When the server ends, however it ends, the first pair is at its end and everything that still runs is killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from layers.control import landlock
from layers.control.ledger import Ledger
from layers.control.programs import check_programs
from layers.control.reach import check_reach
from layers.control.rules import ENVIRONMENT
from layers.control.runner import choose, execute, plan_command, probe, sweep
from layers.control.sandbox import Sandbox
from layers.control.types import Outcome, Plan, digest_of
from layers.errors import BulkheadError, Misconfigured, Refused

log = logging.getLogger(__name__)

REQUEST_BYTES = 4 << 20


class Desk:
    """What one forked process does with one request."""

    def __init__(self, ledger: Ledger, workspace: str, sandbox: Sandbox) -> None:
        self.ledger = ledger
        self.workspace = workspace
        self.sandbox = sandbox

    def serve(self, connection: socket.socket) -> None:
        """Read the request, answer it."""
        with connection, connection.makefile("rb") as stream:
            raw = json.loads(stream.readline(REQUEST_BYTES))
            try:
                outcome = self.run(raw, connection) if raw["verb"] == "run" else self.look_up(raw["run_id"])
                tell(connection, {"event": "done", "outcome": outcome.json if outcome else None})
            except BulkheadError as error:
                tell(connection, {"event": "refused", "why": str(error)})

    def run(self, raw: dict[str, str], connection: socket.socket) -> Outcome | None:
        """Claim, run, keep. A run that was begun before is looked up instead: it never begins twice."""
        if digest_of(raw["plan"]) != raw["digest"]:
            raise Refused("the plan does not match its digest; nothing was run")
        if self.ledger.has_begun(raw["run_id"]):
            return self.look_up(raw["run_id"])
        plan = Plan.parse(raw["plan"])
        check(plan, self.workspace)
        held = self.ledger.claim(raw["run_id"], plan)
        if held is None:
            return self.look_up(raw["run_id"])
        with held:
            outcome = execute(
                self.sandbox,
                plan_command(plan),
                self.ledger.folder,
                on_running=lambda: tell(connection, {"event": "running"}),
            )
            self.ledger.finish(raw["run_id"], outcome)
        return outcome

    def look_up(self, run_id: str) -> Outcome | None:
        """How a run ended, asking its probe if nobody saw it; None when it never began. Waits for one that runs."""
        plan = self.ledger.wait(run_id)
        if plan is None:
            return None
        outcome = self.ledger.result(run_id)
        if outcome is None:
            outcome = probe(self.sandbox, plan, self.ledger.folder)
        return outcome


def check(plan: Plan, workspace: str) -> None:
    """Refuse a plan that no manifest could have made, whoever handed it in.

    Raises:
        Refused: what is wrong with it.
    """
    programs = [command[0] for command in (plan.argv, plan.probe) if command]
    if not plan.argv or not all(program.startswith("/") for program in programs):
        raise Refused(f"{plan.capability} has no absolute program to run; nothing was run")
    if plan.cwd not in (workspace, "/"):
        raise Refused(f"{plan.capability} would run in {plan.cwd!r}, which is not the workspace {workspace!r}")
    if plan.environment != ENVIRONMENT:
        raise Refused(f"{plan.capability} asks for an environment that the sandbox does not give")
    check_reach(plan)
    check_programs(plan.programs)


def tell(connection: socket.socket, event: dict[str, str | None]) -> None:
    """One line to whoever asked; if they are gone, the ledger still has it."""
    try:
        connection.sendall(json.dumps(event).encode() + b"\n")
    except (BrokenPipeError, ConnectionResetError):
        log.warning("executor.asker_gone", extra={"event": event["event"]})


def end(control: socket.socket) -> None:
    """SIGTERM: leave the loop as if the server had gone. It raises nothing, so that it cannot cut the sweep short."""
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)


def reap(_number: int, _frame: FrameType | None) -> None:
    """SIGCHLD: bury those that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def fork(desk: Desk, control: socket.socket, connection: socket.socket) -> None:
    """Serve one request in a process of its own."""
    parent = os.getpid()
    if os.fork():
        return
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        landlock.die_with_parent(signal.SIGKILL)
        landlock.adopt_orphans()
        if os.getppid() == parent:  # else it died before it could take us along
            desk.serve(connection)
            status = 0
    except BaseException:
        log.exception("executor.request_failed")
    finally:
        os._exit(status)


def main(arguments: list[str]) -> int:
    """`executor_process CONTROL_FD HOME WORKSPACE SANDBOX`; serves until the control socket is at its end."""
    logging.basicConfig(format="executor %(levelname)s %(message)s")
    control = socket.socket(fileno=int(arguments[0]))
    landlock.die_with_parent(signal.SIGTERM)
    landlock.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: end(control))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ledger = Ledger(Path(arguments[1]))
    try:
        ledger.prepare()
        sandbox = choose(arguments[3], ledger.folder)
    except (OSError, Misconfigured) as error:
        tell(control, {"event": "ready", "profile": "", "why": str(error)})
        return 1
    tell(control, {"event": "ready", "profile": sandbox.profile, "why": ""})
    desk = Desk(ledger, arguments[2], sandbox)
    signal.signal(signal.SIGCHLD, reap)
    try:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                return 0
            for descriptor in descriptors:
                with socket.socket(fileno=descriptor) as connection:
                    fork(desk, control, connection)
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sweep()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
