"""The time at which an entry is next due, and how it is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Housekeeping that comes back."""

    name: str
    every_s: float
    """Seconds from start to start; the first run comes after as many."""
    run: Callable[[], Awaitable[object]]


class Clock:
    """The housekeeping of one process, each job at most once at a time. A failure is logged and stops nothing."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = tuple(jobs)
        self._running: set[asyncio.Task[object]] = set()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Start, from inside the event loop."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # else one line per run
        for job in self._jobs:
            self._scheduler.add_job(self._guarded, "interval", (job,), seconds=job.every_s, id=job.name)
        self._scheduler.start()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Start no more jobs; let those under way end, and cancel them after `grace_s` seconds."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        self._scheduler.shutdown(wait=False)

    async def _guarded(self, job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None  # a coroutine that APScheduler runs is a task
        self._running.add(task)
        try:
            await job.run()
        except Exception:  # whatever it is, the next run may do better, and the other jobs must go on
            log.exception("clock.failed", extra={"job": job.name})
        finally:
            self._running.discard(task)
