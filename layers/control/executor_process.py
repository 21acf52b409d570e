"""The executor: a process of its own, `python -m layers.control.executor_process`, that runs what it is handed.

As the server's child it has no address: the server passes one end of a socket pair for every request over the pair it
was started with, so nobody else can ask; when the server ends, however it ends, everything that still runs is killed.
As a service of its own it listens on a Unix socket and answers one uid. Whoever asks, it runs nothing without a warrant
that control's key has signed. For each request it forks a process that claims the run, runs it, keeps the outcome, and
only then answers.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import pwd
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from layers.control import landlock
from layers.control.ledger import RUN_ID, Ledger, note
from layers.control.masking import patterns
from layers.control.programs import check_programs
from layers.control.reach import check_reach
from layers.control.rules import ENVIRONMENT
from layers.control.runner import Stop, choose, execute, plan_command, probe, sweep
from layers.control.sandbox import Note, Sandbox, User
from layers.control.types import Outcome, Plan, State, digest_of
from layers.control.vault import Vault
from layers.control.warrant import check_warrant, read_warrant
from layers.errors import BulkheadError, Misconfigured, Refused
from layers.failpoint import Step, reach

log = logging.getLogger(__name__)

REQUEST_BYTES = 4 << 20
PATIENCE_S = 1.0
"""What a run gets to end by itself once it is told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an executor works, as its one argument tells it."""

    home: str
    """Holds its ledger and its secrets."""
    workspace: str
    sandbox: str = "auto"
    user: str = ""
    """Whom to become before a sandbox is made, where this process is root. Empty: the workspace's owner."""
    control: int = -1
    """The descriptor of the server's socket pair, for an executor that is the server's child."""
    address: str = ""
    """Where to listen, for an executor of its own."""
    peer: int = -1
    """The only uid that may ask there."""


class Desk:
    """What one forked process does with one request."""

    def __init__(self, ledger: Ledger, site: Site, sandbox: Sandbox, vault: Vault) -> None:
        self.ledger = ledger
        self.site = site
        self.sandbox = sandbox
        self.vault = vault
        self.stopping = Stop()

    def serve(self, connection: socket.socket) -> None:
        """Read the request, answer it."""
        signal.signal(signal.SIGTERM, lambda *_: self.stopping.ask("stopped: it was revoked while it ran"))
        with connection, connection.makefile("rb") as stream:
            raw = json.loads(stream.readline(REQUEST_BYTES))
            try:
                tell(connection, {"event": "done", **self.answer(raw, connection)})
            except BulkheadError as error:
                has_begun = bool(RUN_ID.fullmatch(raw["run_id"])) and self.ledger.has_begun(raw["run_id"])
                tell(connection, {"event": "refused", "why": str(error), "begun": "yes" if has_begun else None})
        reach(Step.ANSWER_SENT)

    def answer(self, raw: dict[str, str], connection: socket.socket) -> dict[str, str | None]:
        """What the verb asks for."""
        if raw["verb"] == "hello":
            return {"profile": self.sandbox.profile}
        if raw["verb"] == "running":
            return {"runs": json.dumps(self.ledger.running())}
        verbs = {"run": partial(self.run, raw, connection), "stop": partial(self.stop, raw["run_id"])}
        outcome = verbs.get(raw["verb"], partial(self.look_up, raw["run_id"]))()
        return {"outcome": outcome.json if outcome else None}

    def run(self, raw: dict[str, str], connection: socket.socket) -> Outcome | None:
        """Check, claim, run, keep. A run that was begun before is looked up instead: it never begins twice."""
        run_id = raw["run_id"]
        if digest_of(raw["plan"]) != raw["digest"]:
            raise Refused("the plan does not match its digest; nothing was run")
        if self.ledger.has_begun(run_id):
            return self.look_up(run_id)
        reach(Step.REQUEST_TAKEN)
        plan = Plan.parse(raw["plan"])
        check(plan, self.site.workspace)
        warrant = read_warrant(raw["warrant"], self.ledger.trusted_key(Path(self.site.home)))
        check_warrant(warrant, run_id, plan, time.time())
        self.vault.demand(plan.secrets)
        reach(Step.WARRANT_CHECKED)
        held = self.ledger.claim(run_id, plan, warrant.nonce)
        if held is None:
            return self.look_up(run_id)
        with held:
            reach(Step.RUN_CLAIMED)
            outcome = self.perform(plan, connection, partial(note, held))
            self.ledger.finish(run_id, outcome)
            reach(Step.RESULT_KEPT)
        return outcome

    def perform(self, plan: Plan, connection: socket.socket, note: Note) -> Outcome:
        """The effect. From here on whatever goes wrong is an outcome."""

        def told() -> None:
            tell(connection, {"event": "running"})
            reach(Step.PROGRAM_TOLD)

        try:
            command = plan_command(plan, self.vault.read(plan.secrets))
            reach(Step.SECRETS_READ)
            folder = self.ledger.folder
            return execute(self.sandbox, command, folder, on_running=told, stop=self.stopping, note=note)
        except BulkheadError as error:  # before the program was started
            return Outcome(state=State.FAILED, reason=f"{error}; nothing was run", profile=self.sandbox.profile)

    def look_up(self, run_id: str) -> Outcome | None:
        """How a run ended, asking its probe if nobody saw it; None when it never began. Waits for one that runs."""
        plan = self.ledger.wait(run_id)
        outcome = self.ledger.result(run_id)
        if plan is None:
            never = Outcome(state=State.FAILED, reason="stopped before it began; nothing was run")
            return outcome or (never if self.ledger.has_begun(run_id) else None)
        if outcome is None:
            if not self.ledger.end(run_id):
                return Outcome(state=State.UNKNOWN, reason="nobody saw the end, and its program cannot be ended yet")
            try:
                secrets = self.vault.read(plan.secrets) if plan.probe else {}
                outcome = probe(self.sandbox, plan, self.ledger.folder, secrets)
            except BulkheadError as error:
                outcome = Outcome(state=State.UNKNOWN, reason=f"nobody saw the end, and its probe cannot run: {error}")
        return outcome

    def stop(self, run_id: str) -> Outcome | None:
        """End a run, or see to it that it never begins. When this returns, nothing of it is left."""
        self.ledger.forbid(run_id)
        deadline = time.monotonic() + PATIENCE_S
        while self.ledger.signal(run_id, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL):
            time.sleep(0.02)
        return self.look_up(run_id)


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


def tell(connection: socket.socket, event: Mapping[str, str | None]) -> None:
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


def fork(desk: Desk, gate: socket.socket, connection: socket.socket) -> None:
    """Serve one request in a process of its own."""
    parent = os.getpid()
    if os.fork():
        return
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gate.close()
        landlock.die_with_parent(signal.SIGKILL)
        landlock.adopt_orphans()
        if os.getppid() == parent:  # else it died before it could take us along
            desk.serve(connection)
            status = 0
    except BaseException:
        log.exception("executor.request_failed")
    finally:
        os._exit(status)


def next_request(gate: socket.socket, site: Site) -> socket.socket | None:
    """The connection of whoever asks next and may; None at the end."""
    if not site.address:
        message, descriptors, _, _ = socket.recv_fds(gate, 1, 1)
        return socket.socket(fileno=descriptors[0]) if message and descriptors else None
    while True:
        try:
            connection, _ = gate.accept()
        except OSError:
            return None
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", credentials)[1]
        if uid == site.peer:
            return connection
        log.warning("executor.stranger_refused", extra={"peer_uid": uid})
        connection.close()


def open_gate(site: Site) -> socket.socket:
    """Where requests come in: the server's socket pair, or a socket that anybody can reach and one user may use."""
    if not site.address:
        landlock.die_with_parent(signal.SIGTERM)
        return socket.socket(fileno=site.control)
    gate = socket.socket(socket.AF_UNIX)
    Path(site.address).unlink(missing_ok=True)
    gate.bind(site.address)
    os.chmod(site.address, 0o666)  # who may ask is decided by SO_PEERCRED, which cannot be forged
    gate.listen(64)
    return gate


def user_of(site: Site) -> User | None:
    """Whom to become before a sandbox is made; None where this process is not root, or nobody else is there to be.

    Raises:
        Misconfigured: there is no such user, or it is root.
    """
    if os.geteuid() != 0:
        return None
    if not site.user:
        owner = os.stat(site.workspace)
        return User(uid=owner.st_uid, gid=owner.st_gid) if owner.st_uid != 0 else None
    try:
        entry = pwd.getpwuid(int(site.user)) if site.user.isdigit() else pwd.getpwnam(site.user)
    except KeyError:
        raise Misconfigured(f"BULKHEAD_EXECUTOR_USER is {site.user!r}; this machine has no such user") from None
    if entry.pw_uid == 0:
        raise Misconfigured("BULKHEAD_EXECUTOR_USER is root; name a user with no powers, or leave it empty")
    return User(uid=entry.pw_uid, gid=entry.pw_gid)


def main(arguments: list[str]) -> int:
    """`executor_process SITE` (a `Site` as JSON); serves until the server is gone, or SIGTERM."""
    logging.basicConfig(format="executor %(levelname)s %(message)s")
    site = Site(**json.loads(arguments[0]))
    gate = open_gate(site)
    landlock.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: end(gate))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ledger = Ledger(Path(site.home))
    try:
        ledger.prepare()
        sandbox = choose(site.sandbox, ledger.folder, site.workspace, user_of(site))
    except (OSError, Misconfigured) as error:
        log.error("executor.cannot_start: %s", error)
        if not site.address:
            tell(gate, {"event": "ready", "profile": "", "why": str(error)})
        return 1
    if not site.address:
        tell(gate, {"event": "ready", "profile": sandbox.profile, "why": ""})
    desk = Desk(ledger, site, sandbox, Vault(Path(site.home), os.environ))
    signal.signal(signal.SIGCHLD, reap)
    gc.disable()  # a collection would touch, and so copy, every page that a fork shares with us
    gc.freeze()
    try:
        while connection := next_request(gate, site):
            with connection:
                fork(desk, gate, connection)
            patterns()  # costs a third of a second once: not before the first answer, and not in every fork
        return 0
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sweep()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
