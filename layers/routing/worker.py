"""The way to litellm: a child process that is started once a model needs it, and again when it died.

A `Model` and a `Task` in, `Chunk`s out. The child gets the environment without what is Bulkhead's own, so no token of
a chat platform comes near it; it ends by itself when this process is gone. Cancelling tells it to let go.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

from layers.errors import Misconfigured, Unavailable
from layers.routing.openai_wire import retry_after_s
from layers.routing.protocol import Chunk, Failure, body_of, error_of
from layers.routing.types import Model, Task

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "LANG", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
OURS = "BULKHEAD_"
"""What the names of our own settings begin with. No provider needs one of them."""
LONGEST_LINE = 64 * 2**20
START_S = 120.0
"""Seconds the import may take: 5 to 8 on an idle machine, more than a minute on one that is not."""
END_S = 2.0
NOISE_LINES = 5
DIED = "the model worker stopped in the middle; it is started again for the next question"


class ModelWorker:
    """A lazy door to litellm."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._listeners: list[asyncio.Task[None]] = []
        self._waiting: dict[int, asyncio.Queue[dict[str, object]]] = {}
        self._ids = itertools.count(1)
        self._noise: deque[str] = deque(maxlen=NOISE_LINES)

    @property
    def pid(self) -> int | None:
        """The child, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def warm(self) -> None:
        """Start the child in the background, once."""
        if self._starting is None or (self._starting.done() and self.pid is None):
            self._starting = asyncio.create_task(self._start(), name="model-worker")
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def ready(self) -> None:
        """Return once the child has loaded what it needs.

        Raises:
            Unavailable: it takes too long.
            Misconfigured: litellm cannot be loaded.
        """
        self.warm()
        assert self._starting is not None
        await asyncio.shield(self._starting)

    async def stream(self, model: Model, task: Task) -> AsyncGenerator[Chunk, None]:
        """The answer of `model`, asked once, as it comes.

        Raises:
            Unavailable: the model failed, or the worker did.
            Misconfigured: the key or the name is wrong.
            Refused: the provider will not answer this request.
        """
        self.warm()
        assert self._starting is not None
        process = await asyncio.shield(self._starting)
        assert process.stdin is not None
        id, answers = next(self._ids), asyncio.Queue[dict[str, object]]()
        self._waiting[id] = answers
        asked = {
            "id": id, "wire": model.wire, "key_env": model.key_env, "api_base": model.api_base,
            "timeout_s": task.timeout_s, "body": body_of(task),
        }  # fmt: skip
        has_ended = False
        try:
            await self._send(process, asked)
            while "end" not in (told := await answers.get()):
                if isinstance(error := told.get("error"), dict):
                    has_ended = True
                    wait_s = retry_after_s(error.get("retry_after", ""))
                    raise error_of(error["kind"], error["text"], wait_s, model.name)
                yield Chunk.model_validate(told["chunk"])
            has_ended = True
        finally:
            del self._waiting[id]
            if not has_ended and process.returncode is None:
                process.stdin.write(json.dumps({"cancel": id}).encode() + b"\n")

    async def close(self) -> None:
        """End the child."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._process is not None:
            await end(self._process)
        await asyncio.gather(*self._listeners, return_exceptions=True)
        self._process, self._starting, self._listeners = None, None, []

    async def _send(self, process: asyncio.subprocess.Process, asked: Mapping[str, object]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
        except ConnectionError:
            raise Unavailable(DIED) from None

    async def _start(self) -> asyncio.subprocess.Process:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        theirs = {name: value for name, value in self._environ.items() if not name.startswith(OURS)}
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "layers.routing.litellm_model"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=kept | theirs | {"PYTHONPATH": str(ROOT)},
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        assert process.stdout is not None
        self._listeners = [asyncio.create_task(self._hear_noise(process))]
        try:
            async with asyncio.timeout(START_S):
                hello = await process.stdout.readline()
        except BaseException as error:
            await end(process, at_once=True)
            if isinstance(error, TimeoutError):
                raise Unavailable(f"the model worker was not ready within {START_S:g} s; try again") from None
            raise
        if not hello:
            await end(process, at_once=True)
            said = self._noise[-1] if self._noise else "it said nothing"
            raise Misconfigured(f"litellm cannot be loaded ({said}); run `make run` again to repair .venv")
        self._listeners.append(asyncio.create_task(self._hear(process)))
        log.info("model_worker.started", extra={"worker_pid": process.pid})
        return process

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Hand each line to whoever waits for it; at the end everybody learns that there is nothing more."""
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                told = json.loads(line)
                if queue := self._waiting.get(told.get("id", 0)):
                    queue.put_nowait(told)
        except ValueError:  # a line that is too long, or none of ours
            log.exception("model_worker.babbles", extra={"worker_pid": process.pid})
        finally:
            await end(process, at_once=True)
            for queue in self._waiting.values():
                queue.put_nowait({"error": {"kind": Failure.UNAVAILABLE, "text": DIED}})

    async def _hear_noise(self, process: asyncio.subprocess.Process) -> None:
        """Keep the last lines of what it prints: they say why it did not start. They are not logged: keys."""
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self._noise.append(line.decode(errors="replace").strip()[:200])


async def end(process: asyncio.subprocess.Process, *, at_once: bool = False) -> None:
    """Let the child end by itself, or make it."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(0 if at_once else END_S):
            await process.wait()
    except TimeoutError:
        if process.returncode is None:
            process.kill()
        await process.wait()
