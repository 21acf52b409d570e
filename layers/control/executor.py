"""The server's side of the executor: starts it when first needed (or finds the service that it is), hands it plans with
their warrants, tells how they ended, and stops them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import layers
from layers.control.ledger import Ledger
from layers.control.sandbox import LAUNCHER_ENVIRONMENT
from layers.control.types import Outcome, Plan, State
from layers.control.vault import VARIABLE
from layers.errors import Misconfigured, Refused, Unavailable
from layers.failpoint import Point, reach

log = logging.getLogger(__name__)

ROOT = Path(layers.__file__).parents[1]
START_S = 60.0
STOP_S = 10.0
LINE_BYTES = 16 << 20


class RefusedLate(Refused):
    """The executor refused to tell of a run that has begun."""


Told = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the executor is, and whom it becomes."""

    sandbox: str = "auto"
    """`auto`, `bwrap` or `landlock`."""
    address: str = ""
    """The Unix socket of an executor that runs by itself; empty: it is a child of this process."""
    user: str = ""
    """See `executor_process.Site`."""


class Executor:
    """The way to one executor process. A child ends with the server, however that ends; a service goes on."""

    module = "layers.control.executor_process"
    """What is started. Tests put one that can be killed in its place."""

    def __init__(self, home: Path, workspace: Path, place: Place | str = "auto") -> None:
        """`place` may be just the name of a sandbox."""
        self.home = home.resolve()
        self.workspace = workspace.resolve()
        self.place = Place(sandbox=place) if isinstance(place, str) else place
        self.profile = ""
        """The sandbox that was found to hold: `bwrap` or `landlock`; empty before `start`."""
        self._ledger = Ledger(self.home)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()

    def memory(self) -> str:
        """Which executor's memory this is. Another one cannot tell whether a run has begun."""
        return f"socket {self.place.address}" if self.place.address else self._ledger.identity()

    async def start(self) -> str:
        """Start the process if it does not run, and try its sandboxes; returns the profile.

        Raises:
            Misconfigured: no sandbox holds on this machine.
            Unavailable: the executor that runs by itself cannot be reached.
        """
        if self.place.address:
            answer = await self._ask({"verb": "hello", "run_id": ""})
            self.profile = str(answer["profile"]) if answer else ""
            return self.profile
        async with self._starting:
            if self._process is not None and self._process.poll() is None:
                return self.profile
            await self._stop()
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-sP", "-m", self.module, self._site(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**LAUNCHER_ENVIRONMENT, "PYTHONPATH": str(ROOT)},
                    cwd="/",
                    start_new_session=True,
                )
            self._control = ours
            await self._greet(ours)
            log.info("executor.started", extra={"profile": self.profile, "executor_pid": self._process.pid})
            return self.profile

    def _site(self, control: int) -> str:
        place = {"sandbox": self.place.sandbox, "user": self.place.user}
        return json.dumps({"home": str(self.home), "workspace": str(self.workspace), "control": control, **place})

    async def _greet(self, control: socket.socket) -> None:
        """Wait for what it found."""
        try:
            async with asyncio.timeout(START_S):
                hello = await asyncio.get_running_loop().sock_recv(control, 65_536)
            ready = json.loads(hello)
        except (TimeoutError, ConnectionError, ValueError):
            await self._stop()
            raise Unavailable("the executor did not start; see its message in the log above") from None
        self.profile = ready["profile"]
        if not self.profile:
            await self._stop()
            raise Misconfigured(f"nothing can be run: {ready['why']}")

    async def run(self, run_id: str, plan: Plan, warrant: str, on_running: Told | None = None) -> Outcome:
        """Run `plan` under the name `run_id` (`Approval.run_id`, or a fresh one at risk 0) and wait for its end.

        `warrant` is what `sign_warrant` made for just this. `on_running` is awaited once the program has begun. The
        same name never runs twice: the second time tells how the first ended. What it raises means that nothing was
        run, now or earlier; once a run has begun, whatever goes wrong is an outcome, at worst `unknown`.

        Raises:
            Refused: the executor would not.
            Unavailable: it could not be reached.
            Misconfigured: no sandbox holds.
        """
        request = {"verb": "run", "run_id": run_id, "plan": plan.canonical, "digest": plan.digest, "warrant": warrant}
        try:
            answer = await self._ask(request, on_running)
            outcome = Outcome.parse(str(answer["outcome"])) if answer else await self.look_up(run_id)
        except Refused as error:
            if not isinstance(error, RefusedLate):
                raise
            return Outcome(state=State.UNKNOWN, reason=f"it was started and its end cannot be looked up: {error}")
        except (Unavailable, Misconfigured) as error:
            if not self._may_have_begun(run_id):
                raise
            reason = f"it was started and its end cannot be looked up: {error}"
            return self._ledger.result(run_id) or Outcome(state=State.UNKNOWN, reason=reason)
        if outcome is None:
            raise Unavailable(f"the executor stopped before {plan.capability} began; nothing was run, try again")
        return outcome

    def _may_have_begun(self, run_id: str) -> bool:
        """A service's ledger is its own: what it cannot be asked may have begun."""
        return bool(self.place.address) or self._ledger.has_begun(run_id)

    async def look_up(self, run_id: str) -> Outcome | None:
        """How a run ended; None when it never began, so that it may be run. Waits for one that still runs.

        Raises:
            Unavailable, Misconfigured: as for `run`.
        """
        return await self._outcome("look_up", run_id)

    async def stop(self, run_id: str) -> Outcome | None:
        """End a run now, or see to it that it never begins: for a revocation, a cancellation, a freeze.

        When this returns nothing of it is left; the outcome is that of the run, also when it ended by itself before.

        Raises:
            Unavailable, Misconfigured: as for `run`. A child that cannot be reached runs nothing any more.
        """
        return await self._outcome("stop", run_id)

    async def stop_all(self) -> list[str]:
        """End whatever runs now; the ids of those runs. New ones may begin: refuse them first."""
        answer = await self._ask({"verb": "running", "run_id": ""})
        runs: list[str] = json.loads(str(answer["runs"])) if answer else []
        await asyncio.gather(*(self.stop(run_id) for run_id in runs))
        return runs

    async def _outcome(self, verb: str, run_id: str) -> Outcome | None:
        answer = await self._ask({"verb": verb, "run_id": run_id})
        if answer is None:
            raise Unavailable(f"the executor stopped while it was asked about {run_id}; try again")
        return Outcome.parse(answer["outcome"]) if answer["outcome"] else None

    async def _ask(self, request: dict[str, str], on_running: Told | None = None) -> dict[str, str] | None:
        """Its last answer to one request, over a connection of their own; None when it died."""
        try:
            reader, writer = await self._connect()
        except OSError as error:
            raise Unavailable(f"the executor cannot be reached ({error}); try again") from None
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            return await self._answer(reader, on_running)
        except ConnectionError:
            return None
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection for one request."""
        if self.place.address:
            return await asyncio.open_unix_connection(self.place.address, limit=LINE_BYTES)
        await self.start()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                if self._control is None:
                    raise BrokenPipeError("it is being stopped")
                socket.send_fds(self._control, [b"r"], [theirs.fileno()])
            return await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES)
        except OSError:
            ours.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader, on_running: Told | None) -> dict[str, str] | None:
        """Read until it is done."""
        while line := await reader.readline():
            event: dict[str, str] = json.loads(line)
            if event["event"] == "refused":
                raise (RefusedLate if event["begun"] else Refused)(event["why"])
            if event["event"] == "done":
                return event
            reach(Point.EFFECT_RUNNING)
            if on_running is not None:
                await on_running()
        return None

    async def close(self) -> None:
        """Stop the process; whatever still runs is killed and will be found as unknown."""
        async with self._starting:
            await self._stop()

    async def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                await asyncio.to_thread(self._process.wait, STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                await asyncio.to_thread(self._process.wait)
            self._process = None


def service_command(
    home: Path, workspace: Path, place: Place, peer: int, environ: Mapping[str, str]
) -> tuple[str, list[str], dict[str, str]]:
    """Program, arguments and environment of an executor that runs by itself and answers the uid `peer` only."""
    site = {
        "home": str(home.resolve()),
        "workspace": str(workspace.resolve()),
        "sandbox": place.sandbox,
        "user": place.user,
        "address": place.address,
        "peer": peer,
    }
    secrets = {name: value for name, value in environ.items() if name.startswith(VARIABLE)}
    arguments = [sys.executable, "-sP", "-m", Executor.module, json.dumps(site)]
    return sys.executable, arguments, {**LAUNCHER_ENVIRONMENT, "PYTHONPATH": str(ROOT), **secrets}
