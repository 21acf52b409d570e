"""Who may be asked, and in which order, once the shape has named its models: locality, budgets, pins, obedience, cache.

A `Task` and its candidates in, those that may be asked out; afterwards what it cost is written down. Without a ledger
(`bulkhead route`, `bulkhead draw`) nothing is known, nothing is written, and no budget holds.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layers.routing.beliefs import CACHE_S, is_cheaper_to_stay, is_free, nearly, obedient_first, over
from layers.routing.checking import Answer
from layers.routing.ledger import Ledger
from layers.routing.routes import Routes
from layers.routing.staying import Staying
from layers.routing.types import Caller, Model, NoModel, OverBudget, Reply, Task

MOST_CONVERSATIONS = 10_000
"""Whose last model is remembered."""
WHOSE = {"day": "Everybody here together", "person": "You", "channel": "This channel"}
HAVE = {"day": "have", "person": "have", "channel": "has"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Who may be asked."""

    models: tuple[Model, ...]
    spent: Mapping[str, float] = field(default_factory=dict)
    """USD before the call, by limit."""
    why: str = ""
    """Why the first one is first, where it is not the shape: `pinned`, `cheaper to stay`."""


class Policy:
    """Decides between the routes and the wire."""

    def __init__(self, routes: Routes, ledger: Ledger | None, staying: Staying) -> None:
        self._routes = routes
        self._staying = staying
        self._ledger = ledger
        self._limits = routes.budgets.limits()
        self._last: OrderedDict[str, tuple[str, float, int]] = OrderedDict()
        """Conversation -> the model that answered last, when, and how many tokens it read."""

    async def pin(self, caller: Caller) -> str:
        """The model that the conversation is pinned to; empty where there is none."""
        if self._ledger is None or not caller.conversation:
            return ""
        return await self._ledger.pin(caller.conversation)

    async def admit(self, task: Task, models: Sequence[Model], pin: str = "") -> Admitted:
        """The models for `task` that may be asked, best first.

        Args:
            task: whose caller and clauses count.
            models: in the order of the shape.
            pin: the name of the one that comes first if it may be asked.

        Raises:
            NoModel: what is said here must stay on this machine, and nothing on it answers.
            OverBudget: the money is spent, and every model costs some.
        """
        caller = task.caller
        if self._routes.is_local_only(caller.conversation) or self._staying.holds(task):
            models = [model for model in models if model.is_local]
            if not models:
                raise NoModel(
                    "This must stay on this machine (`local_only` in routes.toml, or of a workspace in bulkhead.toml), "
                    "and no model on it can answer. Start Ollama here, or write where other models may be asked."
                )
        if self._ledger is None or not models:
            return Admitted(models=tuple(models))
        spent = await self._ledger.spent(caller) if self._limits else {}
        if used_up := over(spent, self._limits):
            models = [model for model in models if is_free(model)]
            if not models:
                raise OverBudget(told(used_up, spent, self._limits, "may spend no more"))
        if task.clauses:
            models = obedient_first(models, task.clauses, await self._ledger.beliefs(time.time()))
        first, why = self._first(caller, models, pin)
        return Admitted(models=(first, *(model for model in models if model is not first)), spent=spent, why=why)

    async def settle(self, task: Task, admitted: Admitted, answer: Answer) -> str:
        """Write down what was asked and what was kept; what the person should know of the account, if anything."""
        if self._ledger is None:
            return ""
        after = await self._ledger.note(task.caller, answer.attempts)
        for model, verdicts in answer.verdicts:
            await self._ledger.judge(model, verdicts)
        passed = nearly(admitted.spent, after, self._limits)
        return told(passed, after, self._limits, "will get no paid answer beyond that") if passed else ""

    def remember(self, caller: Caller, reply: Reply) -> None:
        """Keep in mind whose cache holds the conversation."""
        if caller.conversation:
            self._last[caller.conversation] = (reply.model, time.monotonic(), reply.tokens.read)
            self._last.move_to_end(caller.conversation)
            if len(self._last) > MOST_CONVERSATIONS:
                self._last.popitem(last=False)

    def _first(self, caller: Caller, models: Sequence[Model], pin: str) -> tuple[Model, str]:
        by_name = {model.name: model for model in models}
        if pinned := by_name.get(pin):
            return pinned, "pinned"
        name, at, tokens = self._last.get(caller.conversation, ("", 0.0, 0))
        last = by_name.get(name)
        if last is None or last is models[0] or last.tier is not models[0].tier or time.monotonic() - at > CACHE_S:
            return models[0], ""
        return (last, "cheaper to stay") if is_cheaper_to_stay(last, models[0], tokens) else (models[0], "")


def told(key: str, spent: Mapping[str, float], limits: Mapping[str, float], then: str) -> str:
    """One sentence on a limit."""
    return (
        f"{WHOSE[key]} {HAVE[key]} spent ${spent[key]:.2f} of the ${limits[key]:.2f} for today on models, and {then}; "
        "the day ends at midnight UTC. The operator sets `[budgets]` in routes.toml."
    )
