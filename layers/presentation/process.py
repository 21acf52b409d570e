"""The server's side of one drawing worker: start it, give it a job, kill it with everything it started.

The server itself never imports matplotlib or pygraphviz.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from layers.errors import Unavailable
from layers.failpoint import Point, reach
from layers.presentation.wire import LENGTH, Answer, Job, frame, length_of

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
START_S = 30.0
"""A first start may have to build matplotlib's font cache."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR")
"""The worker needs no secret, so it gets none."""
NOISE_LINES = 20


class WorkerDied(Exception):
    """The process ended before it answered."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came back."""

    answer: Answer
    pngs: tuple[bytes, ...]
    """One for each page."""
    svg: bytes
    looks: tuple[bytes, ...] = ()
    """For the judge: each page as it will be delivered, then the first page spoilt."""
    darks: tuple[bytes, ...] = ()
    """The pages in the dark theme: all or none."""


class Worker:
    """One process, one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._noise: deque[str] = deque(maxlen=NOISE_LINES)
        self._listener = asyncio.create_task(self._listen())
        self.jobs = 0

    @classmethod
    async def start(cls) -> Worker:
        """A worker that has imported everything.

        Raises:
            Unavailable: it does not come up; the text has the last thing it said.
        """
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "layers.presentation.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(START_S):
                await worker._answer()
        except (TimeoutError, WorkerDied):
            await worker.kill()
            said = worker._noise[-1] if worker._noise else "it said nothing"
            raise Unavailable(f"the drawing worker does not start ({said}); run `bulkhead doctor`") from None
        except BaseException:
            await worker.kill()
            raise
        return worker

    @property
    def is_alive(self) -> bool:
        """True while the process runs."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process, which leads a process group of its own."""
        return self._process.pid

    async def run(self, job: Job) -> Drawn:
        """Do one job. Whatever goes wrong, the process is dead afterwards.

        Raises:
            TimeoutError: the budget is used up.
            WorkerDied: the process ended in the middle.
        """
        self.jobs += 1
        try:
            async with asyncio.timeout(job.budget_s):
                await self._send(job)
                reach(Point.DRAW_STARTED)
                drawn = await self._answer()
                reach(Point.DRAW_DONE)
                return drawn
        except BaseException:
            await self.kill()
            raise

    async def kill(self) -> None:
        """End the process and everything it started, now."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        await self._listener
        if self._process.stdin:
            self._process.stdin.close()

    async def _send(self, job: Job) -> None:
        if self._process.stdin is None:
            raise WorkerDied
        try:
            self._process.stdin.write(frame(job.model_dump_json().encode()))
            await self._process.stdin.drain()
        except ConnectionError:
            raise WorkerDied from None

    async def _answer(self) -> Drawn:
        answer = Answer.model_validate_json(await self._frame())
        pngs = [await self._frame() for _ in answer.pages]
        svg = await self._frame()
        darks = [await self._frame() for _ in range(answer.darks)]
        looks = [await self._frame() for _ in range(answer.looks)]
        return Drawn(answer, tuple(pngs), svg, tuple(looks), tuple(darks))

    async def _frame(self) -> bytes:
        if self._process.stdout is None:
            raise WorkerDied
        try:
            prefix = await self._process.stdout.readexactly(LENGTH.size)
            return await self._process.stdout.readexactly(length_of(prefix))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            raise WorkerDied from None

    async def _listen(self) -> None:
        """Keep the last lines of stderr: Graphviz chats there."""
        if self._process.stderr is None:
            return
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._noise.append(text[:300])
                log.debug("worker.noise", extra={"line": text[:300], "worker_pid": self.pid})
