"""The verb of layer 2: `present` takes a `Diagram`, gives a `Figure`. Nothing leaves without a verdict.

Parsing happens here; layout, drawing and lint in a worker process that dies after its budget. A vision model looks
when the wiring gives one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from layers.errors import BulkheadError, Refused, Unavailable
from layers.presentation.mermaid import read_source
from layers.presentation.process import Drawn, Worker, WorkerDied
from layers.presentation.rules import alternative, refuse_undrawable
from layers.presentation.spec import DiagramSpec
from layers.presentation.types import Diagram, Figure, Finding, Page, Verdict
from layers.presentation.wire import Job

log = logging.getLogger(__name__)

Look = Callable[[bytes, str], Awaitable[tuple[str, str, tuple[Finding, ...]]]]
"""(png, what it should show) -> (which model looked, its sentence, its findings)."""

BUDGET_S = 5.0
MOST_WORKERS = 2
MOST_CACHED_BYTES = 32_000_000
LONG_TEXT = 5_000
"""Characters above which parsing leaves the event loop."""


class Presenter:
    """Draws, checks, and tells what it found."""

    def __init__(self, *, budget_s: float = BUDGET_S, look: Look | None = None) -> None:
        self._budget_s = budget_s
        self._look = look
        self._idle: list[Worker] = []
        self._cache: dict[tuple[str, int, str], Drawn] = {}
        self._slots = asyncio.Semaphore(MOST_WORKERS)

    async def present(self, diagram: Diagram) -> Figure:
        """Draw `diagram`.

        Raises:
            BadInput: the text cannot be read; line, column and what was expected.
            Refused: too big to be legible, or over the budget.
            Unavailable: the worker does not start or fails on this diagram.
        """
        spec = await self._read(diagram)
        drawn = await self._kept(spec, diagram.version - 1, diagram.surface)
        first, *further = _pages(drawn, alternative(spec))
        verdict = await self._looked(first.png, spec, Verdict(drawn.answer.findings))
        return Figure(
            png=first.png,
            width=first.width,
            height=first.height,
            alt=first.alt,
            verdict=verdict,
            spec=spec,
            further=tuple(further),
            svg=drawn.svg,
        )

    async def close(self) -> None:
        """End the workers."""
        while self._idle:
            await self._idle.pop().kill()

    async def _read(self, diagram: Diagram) -> DiagramSpec:
        if len(diagram.source) > LONG_TEXT:
            reading = await asyncio.to_thread(read_source, diagram.source)
        else:
            reading = read_source(diagram.source)
        spec = reading.spec
        if reading.fixes:
            log.info("source.fixed", extra={"diagram": spec.kind, "fixes": len(reading.fixes)})
        if diagram.title and not spec.title:
            spec = spec.model_copy(update={"title": diagram.title})
        refuse_undrawable(spec)
        return spec

    async def _kept(self, spec: DiagramSpec, rank: int, surface: str) -> Drawn:
        """Drawn now, or the last time that the same was asked for."""
        key = (spec.model_dump_json(), rank, surface)
        drawn = self._cache.pop(key, None)
        if drawn is None:
            async with self._slots:
                drawn = await self._drawn(Job(spec=spec, rank=rank, surface=surface, budget_s=self._budget_s))
        self._cache[key] = drawn  # the last is what was used last
        while sum(map(_bytes, self._cache.values())) > MOST_CACHED_BYTES:
            del self._cache[next(iter(self._cache))]
        return drawn

    async def _drawn(self, job: Job) -> Drawn:
        spec = job.spec
        try:
            drawn = await self._in_a_worker(job)
        except TimeoutError:
            counts = " and ".join(f"{count} {part}" for part, count in spec.counts().items() if count)
            log.warning("draw.over_budget", extra={"diagram": spec.kind, **spec.counts()})
            raise Refused(
                f"Drawing {counts} took longer than {self._budget_s:g} s and was stopped: leave some out, or split the"
                " diagram into several."
            ) from None
        if drawn.answer.failure:
            raise Unavailable(
                f"the drawing worker failed on this diagram ({drawn.answer.failure}); the source is unharmed, try a"
                " simpler form of it"
            )
        return drawn

    async def _in_a_worker(self, job: Job) -> Drawn:
        """Run the job, once more in a fresh process when one that had been idle turns out to be gone."""
        while True:
            worker = await self._worker()
            is_fresh = worker.jobs == 0
            try:
                drawn = await worker.run(job)
            except WorkerDied:
                log.warning("draw.worker_died", extra={"worker_pid": worker.pid, "fresh": is_fresh})
                if is_fresh:
                    raise Unavailable("the drawing worker ended in the middle of the job; ask again") from None
                continue
            self._idle.append(worker)
            return drawn

    async def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await worker.kill()
        return await Worker.start()

    async def _looked(self, png: bytes, spec: DiagramSpec, verdict: Verdict) -> Verdict:
        if self._look is None:
            return verdict
        if not verdict.ok:
            return Verdict(verdict.findings, opinion="the geometry failed first")
        try:
            looked_by, opinion, findings = await self._look(png, spec.title)
        except BulkheadError as error:
            return Verdict(verdict.findings, opinion=str(error))
        return Verdict((*verdict.findings, *findings), looked_by, opinion)


def _pages(drawn: Drawn, alt: str) -> list[Page]:
    return [
        Page(png=png, width=page.width, height=page.height, alt=page.alt or alt)
        for png, page in zip(drawn.pngs, drawn.answer.pages, strict=True)
    ]


def _bytes(drawn: Drawn) -> int:
    return len(drawn.svg) + sum(map(len, drawn.pngs))
