"""The verb of layer 2: `present` takes a `Diagram`, gives a `Figure`. Nothing leaves without a verdict.

Parsing happens here; layout, drawing and lint in a worker process that dies after its budget. What does not pass is
repaired: first without a model, then by at most two patches of the spec. A judge looks when the wiring gives one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from layers.errors import BulkheadError, Refused, Unavailable
from layers.presentation.judge import Judge, Opinion, Shot
from layers.presentation.judge.service import Purse
from layers.presentation.mermaid import Reading, read_source
from layers.presentation.process import Drawn, Worker, WorkerDied
from layers.presentation.repair import (
    MOST_PATCHES,
    Attempt,
    Patch,
    badness,
    is_repairable,
    ladder,
    patch_prompt,
    read_patch,
)
from layers.presentation.rules import alternative, refuse_undrawable
from layers.presentation.spec import DiagramSpec, Edge, Flowchart, Node
from layers.presentation.types import Diagram, Figure, Finding, Page, Verdict
from layers.presentation.wire import Job

log = logging.getLogger(__name__)

BUDGET_S = 5.0
FAULTLESS = Flowchart(
    title="Three steps",
    nodes=tuple(Node(id=name, label=name) for name in ("Request", "Decision", "Answer")),
    edges=(Edge(source="Request", target="Decision"), Edge(source="Decision", target="Answer")),
)
"""What a judge that objects is shown as well."""
MOST_WORKERS = 2
BOTH_THEMES = ("web",)
"""Surfaces that show each reader the theme that they prefer."""
MOST_CACHED_BYTES = 32_000_000
LONG_TEXT = 5_000
"""Characters above which parsing leaves the event loop."""


class Presenter:
    """Draws, checks, and tells what it found."""

    def __init__(
        self, *, budget_s: float = BUDGET_S, judge: Judge | None = None, patch: Patch | None = None
    ) -> None:
        self._budget_s = budget_s
        self._judge = judge
        self._patch = patch
        self._idle: list[Worker] = []
        self._cache: dict[tuple[str, int, str, bool], Drawn] = {}
        self._slots = asyncio.Semaphore(MOST_WORKERS)

    async def present(self, diagram: Diagram) -> Figure:
        """Draw `diagram`.

        Raises:
            BadInput: the text cannot be read; line, column and what was expected.
            Refused: too big to be legible, or over the budget.
            Unavailable: the worker does not start or fails on this diagram.
        """
        reading = await self._read(diagram)
        spec = reading.spec
        tried = await self._repaired(spec, diagram)
        tried, opinion = await self._judged(tried, diagram)
        first, *further = _pages(tried.drawn, alternative(tried.attempt.spec))
        return Figure(
            png=first.png,
            width=first.width,
            height=first.height,
            alt=first.alt,
            verdict=_verdict(tried, opinion),
            spec=tried.attempt.spec,
            further=tuple(further),
            engine=tried.drawn.answer.engine,
            notes=(*reading.notes(), *tried.attempt.notes, *_otherwise(tried)),
            svg=tried.drawn.svg,
            dark=first.dark,
        )

    async def close(self) -> None:
        """End the workers."""
        while self._idle:
            await self._idle.pop().kill()

    async def _read(self, diagram: Diagram) -> Reading:
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
        return Reading(spec, reading.fixes)

    async def _kept(self, spec: DiagramSpec, rank: int, diagram: Diagram) -> Drawn:
        """Drawn now, or the last time that the same was asked for."""
        key = (spec.model_dump_json(), rank, diagram.surface, diagram.has_svg)
        drawn = self._cache.pop(key, None)
        if drawn is None:
            async with self._slots:
                drawn = await self._drawn(self._job(spec, rank, diagram))
        self._cache[key] = drawn  # the last is what was used last
        while sum(map(_bytes, self._cache.values())) > MOST_CACHED_BYTES:
            del self._cache[next(iter(self._cache))]
        return drawn

    def _job(self, spec: DiagramSpec, rank: int, diagram: Diagram) -> Job:
        return Job(
            spec=spec,
            rank=rank,
            surface=diagram.surface,
            budget_s=self._budget_s,
            is_judged=self._judge is not None,
            has_dark=diagram.surface in BOTH_THEMES and not spec.theme,
            has_svg=diagram.has_svg,
        )

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
        if drawn.answer.refusal:
            raise Refused(drawn.answer.refusal)
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

    async def _repaired(self, spec: DiagramSpec, diagram: Diagram) -> Tried:
        """The first drawing that passes, or the least bad of all that were tried. Only the first may fail."""
        best: Tried | None = None
        for attempt in ladder(spec, diagram.version - 1):
            tried = await self._try(attempt, diagram, is_first=best is None)
            if tried is not None and (best is None or tried.badness < best.badness):
                best = tried
            if best is None or not is_repairable(best.findings):
                break
        assert best is not None  # the first attempt came back, or raised
        for _ in range(MOST_PATCHES):
            if self._patch is None or not is_repairable(best.findings):
                break
            best = await self._patched(best, diagram, self._patch)
        return best

    async def _try(self, attempt: Attempt, diagram: Diagram, *, is_first: bool) -> Tried | None:
        try:
            return Tried(attempt, await self._kept(attempt.spec, attempt.rank, diagram))
        except (Refused, Unavailable):
            if is_first:
                raise
            return None

    async def _patched(self, best: Tried, diagram: Diagram, patch: Patch) -> Tried:
        """The better of `best` and what a model makes of its spec."""
        question = patch_prompt(best.attempt.spec, best.findings)
        try:
            text = await patch(question) if question else None
        except BulkheadError as error:
            log.info("repair.no_patch", extra={"reason": str(error)})
            return best
        spec = read_patch(text, best.attempt.spec) if text else None
        if spec is None:
            return best
        attempt = Attempt(
            spec=spec, rank=0, notes=(*best.attempt.notes, "A model shortened or regrouped this."), by="a patch"
        )
        tried = await self._try(attempt, diagram, is_first=False)
        return tried if tried is not None and tried.badness < best.badness else best

    async def _judged(self, tried: Tried, diagram: Diagram) -> tuple[Tried, Opinion]:
        """What the judge says of the drawing, or of another one that it prefers."""
        if self._judge is None:
            return tried, Opinion()
        if not Verdict(tried.findings).ok:
            return tried, Opinion(sentence="the geometry failed first")
        purse = self._judge.purse()
        opinion = await self._look(tried, diagram, purse)
        if not is_repairable(opinion.findings):
            return tried, opinion
        again = replace(tried.attempt, rank=tried.attempt.rank + 1, by="another layout")
        other = await self._try(again, diagram, is_first=False)
        if other is None or not Verdict(other.findings).ok or other.drawn.pngs == tried.drawn.pngs:
            return tried, opinion
        try:
            preferred = await self._judge.prefer((tried.drawn.looks[0], other.drawn.looks[0]), purse)
        except BulkheadError:
            preferred = None
        if preferred == 0:
            return tried, opinion
        second = await self._look(other, diagram, purse)
        is_better = bool(second.looked_by) and badness(second.findings) < badness(opinion.findings)
        return (other, second) if is_better else (tried, opinion)

    async def _look(self, tried: Tried, diagram: Diagram, purse: Purse) -> Opinion:
        assert self._judge is not None
        return await self._judge.look(_shots(tried), purse, partial(self._faultless, diagram))

    async def _faultless(self, diagram: Diagram) -> Shot:
        """A picture in which nobody who can see finds a defect."""
        attempt = Attempt(spec=FAULTLESS, rank=0)
        return _shots(Tried(attempt, await self._kept(attempt.spec, attempt.rank, diagram)))[0]


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt and what it came to."""

    attempt: Attempt
    drawn: Drawn

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of the lint."""
        return self.drawn.answer.findings

    @property
    def badness(self) -> float:
        """The least is the best."""
        return badness(self.findings)


def _shots(tried: Tried) -> list[Shot]:
    """Every page; the first with its spoilt twin."""
    answer, looks, spec = tried.drawn.answer, tried.drawn.looks, tried.attempt.spec
    shots = [
        Shot(image=image, title=spec.title, kind=spec.kind, texts=page.texts, links=page.links)
        for page, image in zip(answer.pages, looks, strict=False)
    ]
    return [replace(shots[0], twin=looks[-1], defect=answer.defect), *shots[1:]]


def _verdict(tried: Tried, opinion: Opinion) -> Verdict:
    return Verdict(
        (*tried.findings, *opinion.findings), opinion.looked_by, opinion.sentence, opinion.read_back, opinion.cost_usd
    )


def _otherwise(tried: Tried) -> Iterator[str]:
    """What was asked for and would have made it worse."""
    if tried.attempt.spec.style == "right_angled" and tried.drawn.answer.engine not in ("", "graphlay", "tree"):
        yield "Right angles would have left a defect, so the lines are curved."


def _pages(drawn: Drawn, alt: str) -> list[Page]:
    darks = drawn.darks or (b"",) * len(drawn.pngs)
    return [
        Page(png=png, width=page.width, height=page.height, alt=page.alt or alt, dark=dark)
        for png, dark, page in zip(drawn.pngs, darks, drawn.answer.pages, strict=True)
    ]


def _bytes(drawn: Drawn) -> int:
    return len(drawn.svg) + sum(map(len, (*drawn.pngs, *drawn.darks, *drawn.looks)))
