"""The server's side of the executor: starts it when first needed, hands it plans, tells how they ended."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from pathlib import Path

import layers
from layers.control.ledger import Ledger
from layers.control.sandbox import LAUNCHER_ENVIRONMENT
from layers.control.types import Outcome, Plan, State
from layers.errors import Misconfigured, Refused, Unavailable
from layers.failpoint import Point, reach

log = logging.getLogger(__name__)

ROOT = Path(layers.__file__).parents[1]
START_S = 60.0
STOP_S = 10.0
LINE_BYTES = 16 << 20


class Executor:
    """One executor process and the way to it. Ends with the server, however that ends."""

    def __init__(self, home: Path, workspace: Path, sandbox: str = "auto") -> None:
        """`sandbox` is `auto`, `bwrap` or `landlock`."""
        self.home = home.resolve()
        self.workspace = workspace.resolve()
        self.sandbox = sandbox
        self.profile = ""
        """The sandbox that was found to hold: `bwrap` or `landlock`; empty before `start`."""
        self._ledger = Ledger(self.home)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()

    def memory(self) -> str:
        """Which executor's memory this is. Another one cannot tell whether a run has begun."""
        return self._ledger.identity()

    async def start(self) -> str:
        """Start the process if it does not run, and try its sandboxes; returns the profile.

        Raises:
            Misconfigured: no sandbox holds on this machine.
        """
        async with self._starting:
            if self._process is not None and self._process.poll() is None:
                return self.profile
            await self._stop()
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-sP", "-m", "layers.control.executor_process", *self._arguments(theirs.fileno())],
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

    def _arguments(self, control: int) -> list[str]:
        return [str(control), str(self.home), str(self.workspace), self.sandbox]

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

    async def run(self, run_id: str, plan: Plan) -> Outcome:
        """Run `plan` under the name `run_id` (`Approval.run_id`, or a fresh one at risk 0) and wait for its end.

        The same name never runs twice: the second time tells how the first ended. What it raises means that nothing
        was run, now or earlier; once a run has begun, whatever goes wrong is an outcome, at worst `unknown`.

        Raises:
            Refused: the executor would not.
            Unavailable: it could not be reached.
            Misconfigured: no sandbox holds.
        """
        request = {"verb": "run", "run_id": run_id, "plan": plan.canonical, "digest": plan.digest}
        try:
            answer = await self._ask(request)
            outcome = Outcome.parse(answer["outcome"]) if answer else await self.look_up(run_id)
        except (Refused, Unavailable, Misconfigured) as error:
            if not self._ledger.has_begun(run_id):
                raise
            reason = f"it was started and its end cannot be looked up: {error}"
            return self._ledger.result(run_id) or Outcome(state=State.UNKNOWN, reason=reason)
        if outcome is None:
            raise Unavailable(f"the executor stopped before {plan.capability} began; nothing was run, try again")
        return outcome

    async def look_up(self, run_id: str) -> Outcome | None:
        """How a run ended; None when it never began, so that it may be run. Waits for one that still runs.

        Raises:
            Unavailable, Misconfigured: as for `run`.
        """
        answer = await self._ask({"verb": "look_up", "run_id": run_id})
        if answer is None:
            raise Unavailable(f"the executor stopped while it looked up {run_id}; try again")
        return Outcome.parse(answer["outcome"]) if answer["outcome"] else None

    async def _ask(self, request: dict[str, str]) -> dict[str, str] | None:
        """Its last answer to one request, over a connection of their own; None when it died."""
        await self.start()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                if self._control is None:
                    raise BrokenPipeError("it is being stopped")
                socket.send_fds(self._control, [b"r"], [theirs.fileno()])
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES)
        except OSError as error:
            ours.close()
            raise Unavailable(f"the executor cannot be reached ({error}); try again") from None
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            return await self._answer(reader)
        except ConnectionError:
            return None
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> dict[str, str] | None:
        """Read until it is done."""
        while line := await reader.readline():
            event: dict[str, str] = json.loads(line)
            if event["event"] == "refused":
                raise Refused(event["why"])
            if event["event"] == "done":
                return event
            reach(Point.EFFECT_RUNNING)
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
