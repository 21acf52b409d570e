"""An answer that is checked before it counts: asked, judged, repaired once, asked of the next model up, or confessed.

A `Task`, its models and its `Contract` in; an `Answer` out. Where a hard clause may break, nothing is shown before the
check; otherwise words are shown as they come. An answer that breaks nothing and is doubtful all the same (it hedges,
its sums are wrong, it refuses, it loops) goes one model up as well, unless somebody has seen it already. So where there
is a stronger model, calculations and opening words, in which most doubts show themselves, are not shown at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from layers.routing.contract import (
    Clause,
    Contract,
    Kind,
    Violation,
    confession,
    contract_of,
    described,
    refused,
    repair_prompt,
    verify,
)
from layers.routing.failover import Failover
from layers.routing.flaws import is_refusal
from layers.routing.ledger import Verdict
from layers.routing.showing import OPENING_CHARS, Pane, Told
from layers.routing.signals import asks_for_result, doubt
from layers.routing.stopping import Stop
from layers.routing.types import Attempt, Message, Model, Reply, Role, Task, Tier, Tokens

OF_TOOLS = {Kind.TOOL_ARGUMENTS, Kind.TOOL_NEVER}
STRENGTH = {Tier.SMALL: 0, Tier.MIDDLE: 1, Tier.LARGE: 2}


@dataclass(slots=True)
class Answer:
    """What came of a task."""

    stop: Stop = field(default_factory=Stop)
    """Once it is set, nobody is asked any more."""
    reply: Reply | None = None
    """The best of the answers."""
    attempts: tuple[Attempt, ...] = ()
    shown: str = ""
    broken: tuple[Violation, ...] = ()
    """What the best of them still breaks."""
    steps: list[str] = field(default_factory=list)
    """What was done because an answer broke a clause, for `/why`."""
    verdicts: list[tuple[str, list[Verdict]]] = field(default_factory=list)
    """(model, what its first answer kept), for the ledger. A repaired answer says little of obedience."""

    def finished(self, contract: Contract) -> Reply:
        """The reply with all that was found out on the way to it."""
        assert self.reply is not None
        broken = {described(each.clause) for each in self.broken}
        ok = [attempt for attempt in self.attempts if attempt.ok]
        costs = [attempt.cost_usd for attempt in ok]
        return replace(
            self.reply,
            # a call that was forbidden is not made, also where nobody wanted anything else
            tool_calls=self.reply.tool_calls if is_fit(self.broken) else (),
            attempts=self.attempts,
            cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
            tokens=Tokens(
                read=sum(attempt.tokens.read for attempt in ok), written=sum(attempt.tokens.written for attempt in ok)
            ),
            held=tuple(told for clause in contract.clauses if (told := described(clause)) not in broken),
            broken=tuple(sorted(broken)),
            steps=tuple(self.steps),
            confession="" if is_fit(self.broken) else confession([each for each in self.broken if each.clause.is_hard]),
        )


def contract_for(task: Task) -> Contract:
    """What the answer to `task` is held to. Arguments of tools are not in it: whoever decodes a call judges those."""
    if not task.has_contract:
        return Contract(clauses=())
    said = [message.content for message in task.messages if message.role is Role.USER]
    contract = contract_of(said, rules=task.rules, tools=task.tools)
    clauses = tuple(clause for clause in contract.clauses if clause.kind is not Kind.TOOL_ARGUMENTS)
    return replace(contract, clauses=clauses)


def kinds_of(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """The types of the clauses that are about text, as the ledger knows them."""
    return tuple(sorted({clause.kind.value for clause in clauses if clause.kind not in OF_TOOLS}))


def judged(contract: Contract, reply: Reply) -> tuple[Violation, ...]:
    """What an answer breaks. One that calls tools is a step on the way: its calls are judged, its words are not."""
    if reply.tool_calls:
        return refused(contract.clauses, reply.tool_calls)
    return verify(contract.clauses, reply.text)


def is_fit(broken: Iterable[Violation]) -> bool:
    """Whether the answer may be shown, and its calls made."""
    return not any(each.clause.is_hard for each in broken)


def verdicts_of(contract: Contract, reply: Reply, broken: Iterable[Violation]) -> list[Verdict]:
    """What the ledger learns of it: nothing from an answer that only calls tools."""
    if reply.tool_calls:
        return []
    worst = {each.clause.kind.value for each in broken}
    return [Verdict(clause=kind, held=kind not in worst) for kind in kinds_of(contract.clauses)]


def stronger(models: Sequence[Model], name: str, failed: Iterable[str]) -> list[Model]:
    """Who is asked after the model called `name`: a higher tier first, then the others in their order."""
    past = {name, *failed}
    level = next((STRENGTH[model.tier] for model in models if model.name == name), 0)
    left = [model for model in models if model.name not in past]
    return sorted(left, key=lambda model: STRENGTH[model.tier] <= level)


def mended(task: Task, reply: Reply, broken: Sequence[Violation]) -> Task:
    """The task again, with the answer and what is wrong with it."""
    said = Message(role=Role.ASSISTANT, content=reply.text or "(a call that must not be made)")
    asked = Message(role=Role.USER, content=repair_prompt(broken))
    return replace(task, messages=(*task.messages, said, asked))


class Checker:
    """Asks until an answer is fit, three times at most."""

    def __init__(self, failover: Failover, doubtful_from: float) -> None:
        self._failover = failover
        self._doubtful_from = doubtful_from

    async def answer(
        self, task: Task, models: Sequence[Model], contract: Contract, told: Told | None, stop: Stop
    ) -> Answer:
        """The first fit answer, or the best there was. `reply` is None where every model failed."""
        is_held = any(clause.is_hard for clause in contract.clauses)
        answer = Answer(stop=stop)
        pane = Pane(None if is_held else told, self._guard(task, models))
        first = await self._ask(answer, task, models, contract, pane)
        answer.shown = pane.shown
        if first is not None and not is_fit(answer.broken) and is_held:
            repaired = mended(task, first, answer.broken)
            answer.steps.append(f"{first.model} broke {names(answer.broken)} and was told")
            same = [model for model in models if model.name == first.model]
            await self._ask(answer, repaired, same, contract)
            if not is_fit(answer.broken):
                failed = [attempt.model for attempt in answer.attempts if not attempt.ok]
                if up := stronger(models, first.model, failed):
                    answer.steps.append(f"{first.model} broke {names(answer.broken)} again: one model up")
                    await self._ask(answer, task, up, contract)
        elif first is not None and not first.tool_calls:
            await self._escalate(answer, task, models, contract)
        if told is not None and answer.reply is not None and not answer.shown and not stop.by:
            told(answer.reply.text)
            answer.shown = answer.reply.text
        return answer

    def _guard(self, task: Task, models: Sequence[Model]) -> Callable[[str], bool] | None:
        """Tells of the text so far that it may still be taken back; None where nobody stronger would be asked."""
        level = STRENGTH[models[0].tier]
        if self._doubtful_from == inf or not any(STRENGTH[model.tier] > level for model in models):
            return None
        if asks_for_result(question_of(task)):
            return lambda text: True
        return lambda text: len(text) < OPENING_CHARS or is_refusal(text)

    async def _escalate(self, answer: Answer, task: Task, models: Sequence[Model], contract: Contract) -> None:
        """Ask a model of a higher tier where the answer is doubtful; its answer counts if it is fit."""
        weak = answer.reply
        assert weak is not None
        level = next(STRENGTH[model.tier] for model in models if model.name == weak.model)
        failed = [attempt.model for attempt in answer.attempts if not attempt.ok]
        up = [model for model in stronger(models, weak.model, failed) if STRENGTH[model.tier] > level]
        doubtful = doubt(question_of(task), weak.text, is_cut=weak.is_cut)
        if not up or doubtful.score < self._doubtful_from:
            return
        why = ", ".join([*(flaw.name for flaw in doubtful.flaws), *(each.name for each in doubtful.signals)][:2])
        if answer.shown:
            answer.steps.append(f"{weak.model} was doubtful ({why}), which showed when it had been read: it stays")
            return
        answer.steps.append(f"{weak.model} was doubtful ({why}): one model up")
        reply = await self._ask(answer, task, up, contract)
        if reply is not None and is_fit(broken := judged(contract, reply)):
            answer.reply, answer.broken = reply, broken

    async def _ask(
        self,
        answer: Answer,
        task: Task,
        models: Sequence[Model],
        contract: Contract,
        pane: Pane | None = None,
    ) -> Reply | None:
        """One round; keeps the answer if it is better than the one before. What it costs is noted in any case."""
        taken_s = sum(attempt.ms for attempt in answer.attempts) / 1e3
        left = replace(task, budget_s=max(task.budget_s - taken_s, 0.0))
        reply, attempts = await self._failover.answer(left, models, pane or Pane(None), answer.stop)
        answer.attempts += attempts
        if reply is None:
            return None
        broken = judged(contract, reply)
        if reply.model not in (model for model, _ in answer.verdicts):
            answer.verdicts.append((reply.model, verdicts_of(contract, reply, broken)))
        if answer.reply is None or hard(broken) < hard(answer.broken):
            answer.reply, answer.broken = reply, broken
        return reply


def question_of(task: Task) -> str:
    """What the person said last."""
    return next((each.content for each in reversed(task.messages) if each.role is Role.USER), "")


def hard(broken: Iterable[Violation]) -> int:
    """How many hard clauses are broken."""
    return sum(each.clause.is_hard for each in broken)


def names(broken: Iterable[Violation]) -> str:
    """The broken clauses in a few words."""
    return ", ".join(f"'{described(each.clause)}'" for each in broken if each.clause.is_hard)
