"""The verbs of routing: `complete` a task on the model its shape asks for, `look` at a picture, `explain` a choice.

A model that fails is followed by the next one, and rests for a while: it is then tried last, not never.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from layers.errors import Misconfigured, Refused, Unavailable
from layers.routing.discover import Found, base_url, discover, served_model
from layers.routing.litellm_model import LiteLLM
from layers.routing.providers import KEY_OF
from layers.routing.routes import AUTO, Entry, Routes
from layers.routing.rules import REST_S, can_do, rest_s, shape_of, suited
from layers.routing.types import (
    Attempt,
    BadAnswer,
    Explanation,
    Judged,
    Message,
    Model,
    NoAnswer,
    NoModel,
    Reply,
    Role,
    Shape,
    Task,
)

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 4
"""How many models one task may cost."""
STALE_S, EMPTY_STALE_S = 300.0, 5.0
"""How long what was found holds. An Ollama started after us is noticed soon."""
CONNECT = (
    "No model is connected, so free text gets no answer. Set a key such as ANTHROPIC_API_KEY, OPENAI_API_KEY or "
    "GEMINI_API_KEY in the environment and restart, or start Ollama on this machine. Commands work without one: /help."
)
BLIND = (
    "None of the connected models is known to read pictures. Name one that does under `vision` in routes.toml, or set "
    "`vision = true` for it there."
)

class Router:
    """Knows the models there are and which to ask."""

    def __init__(self, *, environ: Mapping[str, str], routes: Routes) -> None:
        self._environ = environ
        self._routes = routes
        self._client = LiteLLM(environ)
        self._found: Found | None = None
        self._found_at = 0.0
        self._finding = asyncio.Lock()
        self._failures: dict[str, tuple[int, float]] = {}
        """Failures in a row, and when the model last failed."""

    async def models(self, *, refresh: bool = False) -> tuple[Model, ...]:
        """Every model there is, local ones first."""
        return (await self.found(refresh=refresh)).models

    async def found(self, *, refresh: bool = False) -> Found:
        """The models, and one sentence for each place that was asked in vain."""
        async with self._finding:
            age_s = time.monotonic() - self._found_at
            if self._found and not refresh and age_s < (STALE_S if self._found.models else EMPTY_STALE_S):
                return self._found
            found = await discover(self._environ, self._routes.addresses())
            models = {model.name: model for model in found.models}
            for name, entry in self._routes.models.items():
                if name in models or entry.api_base:
                    models[name] = described(models.get(name) or self._named(name), entry)
            self._found, self._found_at = replace(found, models=tuple(models.values())), time.monotonic()
            return self._found

    async def is_connected(self) -> bool:
        """Whether there is a model to ask: one that was found, or one that routes.toml names."""
        return bool(await self.models() or self._named_models())

    async def warm(self) -> None:
        """Find the models and, if there are any, load what is needed to ask them in the background."""
        if await self.is_connected():
            self._client.warm()

    async def complete(self, task: Task) -> Reply:
        """The answer of the first model that gives a usable one.

        Raises:
            NoModel: none is connected that can do this.
            NoAnswer: all that were asked failed.
        """
        judged = Judged(shape=task.shape, cues=()) if task.shape else shape_of(task.messages)
        sees = any(message.images for message in task.messages)
        candidates = [
            model
            for model in await self._candidates(judged.shape)
            if can_do(model, sees=sees, calls_tools=bool(task.tools))
        ]
        if not candidates:
            raise NoModel(BLIND if sees and await self.models() else CONNECT)
        reply, attempts = await self._first_answer(task, candidates)
        if reply is None:
            raise NoAnswer(failed(attempts), attempts)
        return replace(reply, shape=judged.shape, cues=judged.cues, attempts=attempts)

    async def explain(self, text: str) -> Explanation:
        """Where `text` would go and why."""
        started = time.perf_counter()
        judged = shape_of((Message(role=Role.USER, content=text),))
        judge_us = (time.perf_counter() - started) * 1e6
        models = tuple(model.name for model in await self._candidates(judged.shape))
        return Explanation(judged=judged, models=models, judge_us=judge_us)

    async def look(
        self, task: Task, is_usable: Callable[[str], bool], avoid: Container[str] = frozenset()
    ) -> Reply | None:
        """The first usable answer of a model that is known to see, or None where there is none but those in `avoid`.

        Raises:
            NoAnswer: every model that was asked failed or did not answer in the asked form.
        """
        named = self._routes.names(Shape.VISION)
        candidates = [
            model
            for model in await self._candidates(Shape.VISION)
            if model.name not in avoid and (model.vision or (model.vision is None and model.name in named))
        ]
        attempts: tuple[Attempt, ...] = ()
        for model in candidates[:MOST_ATTEMPTS]:
            reply, more = await self._first_answer(task, [model])
            attempts += more
            if reply and is_usable(reply.text):
                return replace(reply, attempts=attempts)
        if attempts:
            raise NoAnswer(failed(attempts), attempts)
        return None

    async def close(self) -> None:
        """Close what was opened."""
        await self._client.close()

    async def _first_answer(self, task: Task, candidates: Sequence[Model]) -> tuple[Reply | None, tuple[Attempt, ...]]:
        attempts: list[Attempt] = []
        for model in self._rested_first(candidates)[:MOST_ATTEMPTS]:
            started = time.perf_counter()
            try:
                reply = await self._client.complete(model, task)
            except (Unavailable, Misconfigured, Refused) as error:
                self._note_failure(model, error)
                ms = (time.perf_counter() - started) * 1e3
                attempts.append(Attempt(model=model.name, ok=False, error=str(error), ms=ms))
            else:
                self._failures.pop(model.name, None)
                ms = (time.perf_counter() - started) * 1e3
                attempts.append(Attempt(model=model.name, ok=True, ms=ms, cost_usd=reply.cost_usd))
                return reply, tuple(attempts)
        return None, tuple(attempts)

    async def _candidates(self, shape: Shape) -> list[Model]:
        """The models for `shape` in the order of routes.toml."""
        found = {model.name: model for model in await self.models()}
        ordered: dict[str, Model] = {}
        for name in self._routes.names(shape):
            if name == AUTO:
                for model in suited(found.values(), shape):
                    ordered.setdefault(model.name, model)
            else:
                ordered.setdefault(name, found.get(name) or self._named(name))
        return list(ordered.values())

    def _named_models(self) -> set[str]:
        """The models that routes.toml names."""
        return {name for shape in Shape for name in self._routes.names(shape)} - {AUTO}

    def _named(self, name: str) -> Model:
        """A model that routes.toml names and nobody offered."""
        server, _, rest = name.partition("/")
        if base := self._routes.addresses().get(server):
            return served_model(server, rest, base if base.endswith("/v1") else f"{base}/v1")
        key = next((key for key in KEY_OF.get(server, ()) if self._environ.get(key)), "")
        base = base_url(self._environ) if server == "openai" else ""
        model = Model(name=name, wire=name, source="routes.toml", key_env=key, api_base=base)
        return described(model, self._routes.models.get(name, Entry()))

    def _rested_first(self, models: Sequence[Model]) -> list[Model]:
        now = time.monotonic()

        def is_resting(model: Model) -> bool:
            failures, at = self._failures.get(model.name, (0, 0.0))
            return now < at + rest_s(failures)

        return sorted(models, key=is_resting)

    def _note_failure(self, model: Model, error: Exception) -> None:
        log.warning("model.failed", extra={"model": model.name, "error_type": type(error).__name__})
        if isinstance(error, (BadAnswer, Refused)):  # the model is up; this one task did not suit it
            return
        failures, _ = self._failures.get(model.name, (0, 0.0))
        longest = len(REST_S) if isinstance(error, Misconfigured) else failures + 1  # a wrong key stays wrong
        self._failures[model.name] = (longest, time.monotonic())


def described(model: Model, entry: Entry) -> Model:
    """`model` with what routes.toml says of it."""
    told = entry.model_dump(include={"key_env", "vision", "tools", "tier", "api_base"}, exclude_none=True)
    if entry.api_base:
        told |= {"wire": f"openai/{model.name.partition('/')[2] or model.name}", "source": "routes.toml"}
    if entry.usd_per_million_in is not None or entry.usd_per_million_out is not None:
        told["usd_per_million"] = (entry.usd_per_million_in or 0.0, entry.usd_per_million_out or 0.0)
    return replace(model, **told)


def failed(attempts: Sequence[Attempt]) -> str:
    """One sentence for people: who was asked and why it came to nothing."""
    reasons = "; ".join(f"{attempt.model}: {attempt.error or 'no answer in the asked form'}" for attempt in attempts)
    return f"No model answered ({reasons}). Try again in a minute, or check `bulkhead doctor`."
