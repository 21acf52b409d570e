"""The verbs of routing: `complete` a task on the model its shape asks for, `look` at a picture, `explain` a choice.

A model that fails is followed by the next one, and rests for a while: it is then tried last, not never.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from layers.routing.blame import failed
from layers.routing.checking import Answer, Checker, contract_for, kinds_of
from layers.routing.difficulty import judge, view_of
from layers.routing.discover import Found, base_url, discover, served_model
from layers.routing.failover import MOST_ATTEMPTS, Failover, Wires
from layers.routing.ledger import Ledger
from layers.routing.policy import Policy
from layers.routing.providers import KEY_OF
from layers.routing.routes import AUTO, Entry, Routes
from layers.routing.rules import can_do, shape_of, suited
from layers.routing.showing import Pane, Told
from layers.routing.signals import threshold
from layers.routing.staying import Staying
from layers.routing.stopping import Stop
from layers.routing.types import (
    Attempt,
    Explanation,
    Judged,
    Message,
    Model,
    NoAnswer,
    NoModel,
    Reply,
    Role,
    Shape,
    Stopped,
    Task,
)

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

NOTHING_STAYS = Staying()


class Router:
    """Knows the models there are and which to ask."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        routes: Routes,
        ledger: Ledger | None = None,
        staying: Staying = NOTHING_STAYS,
    ) -> None:
        self._environ = environ
        self._routes = routes
        self._wires = Wires(environ)
        self._failover = Failover(self._wires)
        self._checker = Checker(self._failover, threshold(routes.escalation.share))
        self._policy = Policy(routes, ledger, staying)
        self._is_watched = bool(routes.local_only) or staying.is_anything
        self._found: Found | None = None
        self._found_at = 0.0
        self._finding = asyncio.Lock()

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
        """Find the models and begin to load, in the background, what those need that would be asked first."""
        first = [(await self._candidates(shape))[:1] for shape in Shape]
        for wire in {self._wires.to(model) for models in first for model in models}:
            wire.warm()

    async def complete(self, task: Task, told: Told | None = None, stop: Stop | None = None) -> Reply:
        """The answer of the first model that gives a usable one.

        Args:
            task: what is asked.
            told: gets the words as they come. What it got stays: when a model breaks off, the next one goes on there.
            stop: once it is set, whoever is asked is let go of, and nobody else is asked.

        Raises:
            NoModel: none is connected that can do this.
            OverBudget: the day's money is spent.
            NoAnswer: all that were asked failed.
            Stopped: `stop` was set before there was an answer.
        """
        judged = Judged(shape=task.shape, cues=()) if task.shape else shape_of(task.messages, tools=task.tools)
        sees = any(message.images for message in task.messages)
        pin = await self._policy.pin(task.caller)
        candidates = [
            model
            for model in await self._candidates(judged.shape, pin)
            if can_do(model, sees=sees, calls_tools=bool(task.tools))
        ]
        if not candidates:
            raise NoModel(BLIND if sees and await self.models() else CONNECT)
        contract = contract_for(task)
        task = replace(task, clauses=(*task.clauses, *kinds_of(contract.clauses)))
        admitted = await self._policy.admit(task, candidates, pin)
        answer = await self._checker.answer(task, admitted.models, contract, told, stop or Stop())
        notice = await self._policy.settle(task, admitted, answer)
        if answer.stop.by:
            raise Stopped(answer.stop.by, answer.attempts, judged)
        if answer.reply is None:
            raise NoAnswer(failed(answer.attempts), answer.attempts, judged)
        reply = answer.finished(contract)
        self._policy.remember(task.caller, reply)
        return replace(reply, shape=judged.shape, cues=judged.cues, notice=notice, chosen=admitted.why)

    async def explain(self, text: str) -> Explanation:
        """Where `text` would go and why."""
        view = view_of(text)  # before the clock: the first question reads the weights
        started = time.perf_counter()
        judged, hard = shape_of((Message(role=Role.USER, content=text),)), judge(text, view)
        judge_us = (time.perf_counter() - started) * 1e6
        models = tuple(model.name for model in await self._candidates(judged.shape))
        return Explanation(judged=judged, models=models, score=hard.score, reasons=hard.cues, judge_us=judge_us)

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
            if model.name not in avoid
            and (model.vision or (model.vision is None and model.name in named))
            # nobody says here from which conversation a picture is, or of what: where one is marked, all of them stay
            and (model.is_local or not self._is_watched)
        ]
        if not candidates:
            return None
        attempts: tuple[Attempt, ...] = ()
        admitted = await self._policy.admit(task, candidates)
        for model in admitted.models[:MOST_ATTEMPTS]:
            reply, more = await self._failover.answer(task, [model], Pane(None), Stop())
            attempts += more
            await self._policy.settle(task, admitted, Answer(attempts=more))
            if reply and is_usable(reply.text):
                return replace(reply, attempts=attempts)
        raise NoAnswer(failed(attempts), attempts)

    async def close(self) -> None:
        """Close what was opened."""
        await self._wires.close()

    async def _candidates(self, shape: Shape, pin: str = "") -> list[Model]:
        """The models for `shape` in the order of routes.toml, after the one that the conversation is pinned to."""
        found = {model.name: model for model in await self.models()}
        ordered: dict[str, Model] = {}
        for name in (*((pin,) if pin else ()), *self._routes.names(shape)):
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


def described(model: Model, entry: Entry) -> Model:
    """`model` with what routes.toml says of it."""
    told = entry.model_dump(exclude={"usd_per_million_in", "usd_per_million_out"}, exclude_none=True)
    if entry.api_base:
        told |= {"wire": f"openai/{model.name.partition('/')[2] or model.name}", "source": "routes.toml"}
    if entry.usd_per_million_in is not None or entry.usd_per_million_out is not None:
        told["usd_per_million"] = (entry.usd_per_million_in or 0.0, entry.usd_per_million_out or 0.0)
    return replace(model, **told)
