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
from typing import BinaryIO

from layers.errors import Refused
from layers.presentation.judge.delivered import as_delivered, spoilt
from layers.presentation.making import made
from layers.presentation.wire import Answer, Job, frame, read_frame

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
        is_paged = job.surface not in UNPAGED
        done = made(job.spec, job.rank, is_paged=is_paged, has_dark=job.has_dark, has_svg=job.has_svg)
        answer = Answer(pages=done.pages, findings=done.findings, engine=done.engine, darks=len(done.darks))
        blobs = (*done.pngs, done.svg, *done.darks)
        return _for_a_judge(job, answer, blobs) if job.is_judged else (answer, blobs)
    except Refused as refused:
        return Answer(refusal=str(refused)), (b"",)
    except Exception as error:
        log.exception("draw.failed")
        return Answer(failure=type(error).__name__), (b"",)


def _for_a_judge(job: Job, answer: Answer, blobs: tuple[bytes, ...]) -> tuple[Answer, tuple[bytes, ...]]:
    """Each page as it will be delivered, and the first one spoilt."""
    twin, defect = spoilt(blobs[0])
    looks = tuple(as_delivered(png, job.surface) for png in (*blobs[: len(answer.pages)], twin))
    return answer.model_copy(update={"looks": len(looks), "defect": defect}), (*blobs, *looks)


def _send(answers: BinaryIO, answer: Answer, blobs: tuple[bytes, ...]) -> None:
    """JSON, then the blobs: pages, SVG, dark pages, pictures for a judge."""
    answers.write(b"".join(frame(blob) for blob in (answer.model_dump_json().encode(), *blobs)))
    answers.flush()


if __name__ == "__main__":
    main()
