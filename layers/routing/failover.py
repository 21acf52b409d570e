"""One answer out of several models: who is asked after whom, who rests, and what time is left.

Candidates in their order and a `Task` in, a `Reply` or nothing and every `Attempt` out. What a failure means is a
table: a caller's mistake ends the search, an outage goes on, a limit with a time is kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from layers.errors import BulkheadError, Misconfigured, RateLimited, Refused, Unavailable
from layers.routing.blame import fault_of
from layers.routing.openai_wire import OpenAIWire
from layers.routing.protocol import Chunk, Gathering, TooLong, Unable
from layers.routing.rules import REST_S, rest_s
from layers.routing.showing import Pane, taken_up
from layers.routing.stopping import Stop
from layers.routing.types import Attempt, BadAnswer, Fault, Model, Reply, Stopped, Task
from layers.routing.worker import ModelWorker

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 4
"""How many models one task may cost."""
PATIENCE_S = 10.0
"""How long a provider that names a time is waited for, when nobody else answers."""


class Wire(Protocol):
    """A way to models."""

    def warm(self) -> None:
        """Begin to load what it needs, in the background."""
        ...

    async def ready(self) -> None:
        """Return once it can be used."""
        ...

    def stream(self, model: Model, task: Task) -> AsyncGenerator[Chunk, None]:
        """The answer as it comes."""
        ...


class Wires:
    """Asks each model over the wire that suits it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._straight = OpenAIWire(environ)
        self.worker = ModelWorker(environ)

    def to(self, model: Model) -> Wire:
        """Straight where OpenAI's protocol is spoken at an address of its own; litellm for everything else."""
        return self._straight if model.api_base and model.wire.startswith("openai/") else self.worker

    async def ask(self, model: Model, task: Task, pane: Pane) -> Reply:
        """The answer of `model`, asked once; its words are shown as they come.

        Raises:
            Unavailable: the model failed, or it is a BadAnswer; another one may do better.
            Misconfigured: the key or the name is wrong.
            Refused: the provider will not answer this request.
        """
        wire = self.to(model)
        await wire.ready()
        answer = Gathering()
        try:
            async with asyncio.timeout(task.timeout_s), aclosing(wire.stream(model, task)) as chunks:
                async for chunk in chunks:
                    pane.feed(answer.add(chunk))
        except TimeoutError:
            raise Unavailable(f"no answer within {task.timeout_s:.3g} s") from None
        return answer.reply(model)

    async def close(self) -> None:
        """Close the connections and end the child."""
        await self._straight.close()
        await self.worker.close()


class Rests:
    """Which models are left alone for now. Kept in memory: after a restart everybody gets a chance."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}
        """Failures in a row, and when the model last failed."""
        self._until: dict[str, float] = {}
        """Until when a provider has asked to be left alone."""

    def order(self, models: Sequence[Model]) -> list[Model]:
        """The rested ones first, then those that failed lately, then those whose provider named a time."""
        now = time.monotonic()

        def rank(model: Model) -> tuple[float, bool]:
            failures, at = self._failures.get(model.name, (0, 0.0))
            return self.wait_s(model), now < at + rest_s(failures)

        return sorted(models, key=rank)

    def wait_s(self, model: Model) -> float:
        """Seconds that its provider still wants to be left alone."""
        return max(self._until.get(model.name, 0.0) - time.monotonic(), 0.0)

    def note(self, model: Model, error: BulkheadError) -> None:
        """Remember a failure, if it says something of the model and not of the task."""
        if isinstance(error, Stopped):
            return
        log.warning("model.failed", extra={"model": model.name, "error_type": type(error).__name__})
        if isinstance(error, BadAnswer | Refused):
            return
        if isinstance(error, RateLimited):
            self._until[model.name] = time.monotonic() + error.retry_after_s
            return
        failures, _ = self._failures.get(model.name, (0, 0.0))
        longest = len(REST_S) if isinstance(error, Misconfigured) else failures + 1  # a wrong key stays wrong
        self._failures[model.name] = (longest, time.monotonic())

    def clear(self, model: Model) -> None:
        """It answered."""
        self._failures.pop(model.name, None)
        self._until.pop(model.name, None)


class Failover:
    """Asks one model after the other."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._rests = Rests()

    async def answer(
        self, task: Task, candidates: Sequence[Model], pane: Pane, stop: Stop
    ) -> tuple[Reply | None, tuple[Attempt, ...]]:
        """The first usable reply or None, and every attempt. What was shown of an answer, `pane` knows."""
        attempts = list[Attempt]()
        deadline = time.monotonic() + task.budget_s
        waiting = self._rests.order(candidates)
        while waiting and not stop.by and sum(attempt.is_asked for attempt in attempts) < MOST_ATTEMPTS:
            model = waiting.pop(0)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                attempts.append(unasked(model, f"the {task.budget_s:.3g} s for this turn are used up", Fault.TIME))
                break
            wait_s = self._rests.wait_s(model)
            if wait_s > min(PATIENCE_S, left_s):
                why = f"the provider asks to be left alone for {wait_s:.0f} s more"
                attempts.append(unasked(model, why, Fault.BUSY))
                continue
            limited = replace(task, timeout_s=min(task.timeout_s, left_s - wait_s))
            started = time.perf_counter()
            try:
                async with stop.over():
                    await asyncio.sleep(wait_s)
                    reply = await self._wires.ask(model, taken_up(limited, pane.shown) if pane.shown else limited, pane)
            except (Unavailable, Misconfigured, Refused, Stopped) as error:
                pane.broke()
                self._rests.note(model, error)
                attempts.append(failure(model, error, (time.perf_counter() - started) * 1e3))
                waiting = after(error, model, waiting)
            else:
                self._rests.clear(model)
                ms = (time.perf_counter() - started) * 1e3
                attempts.append(answered(reply, ms))
                pane.end()
                reply = replace(reply, text=pane.shown.strip()) if pane.is_taken_up else reply
                return reply, tuple(attempts)
        return None, tuple(attempts)


def answered(reply: Reply, ms: float) -> Attempt:
    """A model that did."""
    return Attempt(model=reply.model, ok=True, ms=ms, cost_usd=reply.cost_usd, tokens=reply.tokens)


def failure(model: Model, error: BulkheadError, ms: float) -> Attempt:
    """A model that did not, or was not let finish."""
    return Attempt(model=model.name, ok=False, error=str(error), ms=ms, fault=fault_of(error))


def unasked(model: Model, why: str, fault: Fault) -> Attempt:
    """A model that was passed over."""
    return Attempt(model=model.name, ok=False, error=why, is_asked=False, fault=fault)


def after(error: BulkheadError, model: Model, waiting: list[Model]) -> list[Model]:
    """Who may still be asked once `model` failed with `error`."""
    if isinstance(error, TooLong):
        return [each for each in waiting if is_roomier(each, model)]
    if isinstance(error, Refused) and not isinstance(error, Unable):
        return []  # the request is wrong, and would be at the next one's
    return waiting


def is_roomier(model: Model, than: Model) -> bool:
    """Whether `model` may read more; what is not known is worth a try."""
    if model.context_tokens is None or than.context_tokens is None:
        return True
    return model.context_tokens > than.context_tokens
