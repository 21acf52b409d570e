"""The drawing worker: `python -m layers.presentation.worker`. Jobs come in on stdin, pictures leave on stdout.

A process of its own because Graphviz is not thread-safe, can be busy for minutes without listening to anybody, and
because matplotlib's memory should go when nobody draws. It ends when stdin closes, after `IDLE_S` without a job, and
some time after a job's budget: SIGALRM keeps its default action, which ends a process even inside C code.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import sys
import warnings
from dataclasses import replace
from typing import BinaryIO

from layers.presentation.drawing import draw, draw_svg
from layers.presentation.graph import graph_of, words_of
from layers.presentation.judge.delivered import as_delivered, spoilt
from layers.presentation.judge.readback import links_of, texts_of
from layers.presentation.layout import Pages, laid_out
from layers.presentation.lint import lint
from layers.presentation.lint.pixels import inspect
from layers.presentation.types import Finding
from layers.presentation.wire import Answer, DrawnPage, Job, frame, read_frame

log = logging.getLogger(__name__)

IDLE_S = 600
MOST_MEMORY_BYTES = 1_500_000_000
UNPAGED = ("print",)
"""Surfaces that nobody reads on a phone."""
GRACE_S = 2.0
"""After the budget, before the worker ends itself: time for the server to kill it with a better sentence."""


def main() -> None:
    """Serve jobs until there is no more to do."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    warnings.simplefilter("ignore")  # missing glyphs are findings; matplotlib would warn of each one
    with contextlib.suppress(ValueError, OSError):  # macOS has no limit of address space
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall between two frames
    serve(sys.stdin.buffer, answers)


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer every job, one at a time. The first answer, without a job, says that the imports are done."""
    _send(answers, Answer(), (b"",))
    while True:
        signal.setitimer(signal.ITIMER_REAL, IDLE_S)
        payload = read_frame(jobs)
        if payload is None:
            return
        job = Job.model_validate_json(payload)
        signal.setitimer(signal.ITIMER_REAL, job.budget_s + GRACE_S)
        _send(answers, *_done(job))


def _done(job: Job) -> tuple[Answer, tuple[bytes, ...]]:
    try:
        graph = graph_of(job.spec)
        if graph is None:
            return Answer(failure=f"no renderer for {job.spec.kind}"), (b"",)
        answer, pngs, svg = _drawn(job, laid_out(graph, job.rank, is_paged=job.surface not in UNPAGED))
        return _for_a_judge(job, answer, (*pngs, svg)) if job.is_judged else (answer, (*pngs, svg))
    except Exception as error:
        log.exception("draw.failed")
        return Answer(failure=type(error).__name__), (b"",)


def _drawn(job: Job, pages: Pages) -> tuple[Answer, tuple[bytes, ...], bytes]:
    """Every page drawn and judged, and the whole as a file where there are several."""
    pngs: list[bytes] = []
    told: list[DrawnPage] = []
    findings: list[Finding] = []
    is_one = len(pages.shown) == 1
    for number, page in enumerate(pages.shown, start=1):
        png, scene = draw(page.scene)
        pngs.append(png)
        pixels = scene.pixels
        told.append(
            DrawnPage(
                width=pixels.width if pixels else 0,
                height=pixels.height if pixels else 0,
                alt="" if is_one else words_of(page.graph),
                texts=tuple(texts_of(page.graph)) if job.is_judged else (),
                links=tuple(links_of(page.graph)) if job.is_judged else (),
            )
        )
        found = (*lint(scene, page.graph), *inspect(png, scene))
        findings += found if is_one else [replace(one, text=f"page {number}: {one.text}") for one in found]
    svg = b"" if is_one else draw_svg(pages.whole.scene)
    return Answer(pages=tuple(told), findings=tuple(findings)), tuple(pngs), svg


def _for_a_judge(job: Job, answer: Answer, blobs: tuple[bytes, ...]) -> tuple[Answer, tuple[bytes, ...]]:
    """Each page as it will be delivered, and the first one spoilt."""
    twin, defect = spoilt(blobs[0])
    looks = tuple(as_delivered(png, job.surface) for png in (*blobs[: len(answer.pages)], twin))
    return answer.model_copy(update={"looks": len(looks), "defect": defect}), (*blobs, *looks)


def _send(answers: BinaryIO, answer: Answer, blobs: tuple[bytes, ...]) -> None:
    """JSON, then the blobs: pages, SVG, pictures for a judge."""
    answers.write(b"".join(frame(blob) for blob in (answer.model_dump_json().encode(), *blobs)))
    answers.flush()


if __name__ == "__main__":
    main()
