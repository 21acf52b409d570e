"""The model loop. A `Turn` and what was said before in, an `Outcome` out; effects happen through the caller's toolbox.

Each answer of the model is journalled before anything follows from it, so a turn that is resumed takes the same way
again. The loop ends by itself: a number of steps, an amount of money, and never the same call three times.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from pydantic import ValidationError

from bot.prompt import (
    ARGUMENTS,
    TOOLS,
    ActArguments,
    DrawArguments,
    EditArguments,
    Offer,
    SendArguments,
    places_prompt,
    rules_prompt,
    system_prompt,
    workspaces_prompt,
)
from layers.errors import BadInput, Refused
from layers.failpoint import Point, reach
from layers.routing import Caller, Message, Reply, Role, Router, Stop, Task, ToolCall
from layers.types import Turn, Urgency

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Words for people, in markdown."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A picture."""

    source: str
    """Mermaid."""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A capability that is asked for."""

    capability: str
    parameters: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to the workspace that is proposed."""

    diff: str
    summary: str
    workspace: str = ""
    """As people call it; empty means the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Words for another conversation. When and whether they leave is none of the agent's business."""

    conversation: str
    """An `Address.id`."""
    content: str
    """Markdown."""
    urgency: Urgency = Urgency.NORMAL


Effect = Say | Draw | Act | Edit | Send


class Toolbox(Protocol):
    """How effects happen, one after the other. Each verb gives what the model is told; a `Refused` is told as well."""

    stop: Stop
    """Set once people want no more of it."""

    def show(self, text: str) -> Callable[[str], None]:
        """Let people see the answer as it grows: it begins with `text`; what is returned takes each new piece."""
        ...

    async def draw(self, effect: Draw) -> str:
        """Post the picture."""
        ...

    async def act(self, effect: Act) -> str:
        """Run it where nobody needs to decide, else put it before a person."""
        ...

    async def edit(self, effect: Edit) -> str:
        """Put the proposal before a person."""
        ...

    async def send(self, effect: Send) -> str:
        """Write to somebody whom the person knows, else put it before a person."""
        ...


class Journal(Protocol):
    """Remembers what a model answered, so that a resumed turn does not ask again."""

    async def model_step(self, n: int, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """The stored reply of step `n` of this turn, or that of `call`, stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one turn may take."""

    steps: int = 8
    """Answers of a model."""
    cost_usd: float = 0.50
    """Answers whose price is not known count as 0."""
    call_s: float = 120.0
    """Seconds for one call of a model."""
    models_s: float = 600.0
    """Seconds for all calls of a turn together, with those that failed; tools do not count."""
    same_call: int = 3
    """How often the same call may be wanted; the last one is not made."""
    history_bytes: int = 16_000
    """How much of what was said before is sent along, newest first."""
    tool_answer_chars: int = 8_000
    """How much of a tool's answer the model gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the turn ended."""

    effects: tuple[Effect, ...]
    """In order. All but the `Say`s have happened."""
    replies: tuple[Reply, ...]
    stopped: str = ""
    """What the person was told when a limit ended the loop; empty when the model ended it."""

    @property
    def text(self) -> str:
        """Everything that is to be said."""
        return said(self.effects)

    @property
    def cost_usd(self) -> float:
        """What is known of the price."""
        return spent(self.replies)


@dataclass(slots=True)
class Progress:
    """One turn underway."""

    messages: list[Message]
    effects: list[Effect] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def said(self) -> str:
        """What it has said so far."""
        return said(self.effects)

    def say(self, text: str) -> None:
        """Add words, if there are any."""
        if text:
            self.effects.append(Say(text=text))

    def outcome(self, stopped: str = "") -> Outcome:
        """The end of the turn."""
        self.say(stopped)
        for reply in self.replies:
            self.say(reply.notice)
        return Outcome(effects=tuple(self.effects), replies=tuple(self.replies), stopped=stopped)


class Agent:
    """Works on one turn after the other; keeps nothing between them."""

    def __init__(
        self, router: Router, offers: Sequence[Offer], limits: Limits | None = None, workspaces: Sequence[str] = ()
    ) -> None:
        """`workspaces` are named where there are several."""
        self._router = router
        self._system = Message(role=Role.SYSTEM, content=system_prompt(offers) + workspaces_prompt(workspaces))
        self._limits = limits or Limits()

    async def step(
        self,
        turn: Turn,
        *,
        history: Sequence[Message],
        journal: Journal,
        tools: Toolbox,
        places: Sequence[str] = (),
        rules: Sequence[str] = (),
    ) -> Outcome:
        """Work on `turn` until the model has nothing more to do, or a limit ends it.

        Args:
            turn: what happened; its text is put to the model.
            history: what people and the agent said before, oldest first.
            journal: keeps each reply before it is acted on.
            tools: where effects happen.
            places: ids of the conversations that the person it works for is in.
            rules: the standing rules of the conversation.

        Raises:
            NoModel, NoAnswer, Stopped: as `Router.complete`.
        """
        said = Message(role=Role.USER, content=turn.inbound.text)
        system = replace(self._system, content=self._system.content + places_prompt(places) + rules_prompt(rules))
        limit_s = self._limits.call_s
        asked = Task(messages=(), tools=TOOLS, rules=tuple(rules), timeout_s=limit_s, caller=caller_of(turn))
        run = Progress(messages=[system, *recent(history, self._limits.history_bytes), said])
        for n in range(self._limits.steps):
            left_s = self._limits.models_s - waited_s(run.replies)
            if left_s <= 0:
                return self._stop(run, f"the models have taken {self._limits.models_s:.0f} s for this turn")
            task = replace(asked, messages=tuple(run.messages), budget_s=left_s)
            reply = await journal.model_step(n, partial(self._ask, task, tools.show(run.said), tools.stop))
            run.replies.append(reply)
            run.say(reply.text)
            run.say(reply.confession)
            if not reply.tool_calls:
                return run.outcome("(The answer was cut at the model's length limit.)" if reply.is_cut else "")
            run.messages.append(Message(role=Role.ASSISTANT, content=reply.text, tool_calls=reply.tool_calls))
            if spent(run.replies) >= self._limits.cost_usd:
                return self._stop(run, f"this turn has cost ${spent(run.replies):.2f}")
            for call in reply.tool_calls:
                if self._is_repeated(run, call):
                    return self._stop(run, f"I wanted the same `{call.name}` {self._limits.same_call} times")
                answer = await self._do(run, call, tools)
                short = answer[: self._limits.tool_answer_chars]
                run.messages.append(Message(role=Role.TOOL, content=short, tool_call_id=call.id))
        return self._stop(run, f"I have taken {self._limits.steps} steps without coming to an end")

    async def _ask(self, task: Task, told: Callable[[str], None], stop: Stop) -> Reply:
        reach(Point.MODEL_CALLED)
        reply = await self._router.complete(task, told, stop)
        reach(Point.MODEL_ANSWERED)
        return reply

    async def _do(self, run: Progress, call: ToolCall, tools: Toolbox) -> str:
        """Make the call happen; what the model is told of it."""
        tools.stop.check()
        try:
            effect = decode(call)
            match effect:
                case Draw():
                    answer = await tools.draw(effect)
                case Act():
                    answer = await tools.act(effect)
                case Edit():
                    answer = await tools.edit(effect)
                case Send():
                    answer = await tools.send(effect)
        except Refused as error:
            return f"refused: {error}"
        run.effects.append(effect)
        return answer

    def _is_repeated(self, run: Progress, call: ToolCall) -> bool:
        """Count the call; whether it was wanted too often."""
        key = f"{call.name} {json.dumps(dict(call.arguments), sort_keys=True)}"
        run.calls[key] += 1
        return run.calls[key] >= self._limits.same_call

    def _stop(self, run: Progress, why: str) -> Outcome:
        """End the loop and ask the person."""
        log.info("agent.stopped", extra={"steps": len(run.replies), "cost_usd": spent(run.replies)})
        return run.outcome(f"I stopped here: {why}. Shall I go on, and what should I do differently?")


def decode(call: ToolCall) -> Draw | Act | Edit | Send:
    """The effect that a tool call stands for.

    Raises:
        BadInput: there is no such tool, or its arguments are not as its schema says. The text is for the model.
    """
    if call.name not in ARGUMENTS:
        raise BadInput(f"there is no tool {call.name!r}; there are {', '.join(ARGUMENTS)}")
    try:
        arguments = ARGUMENTS[call.name].model_validate(call.arguments)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors()[:5])
        raise BadInput(f"the arguments of {call.name} are wrong: {problems}") from None
    match arguments:
        case DrawArguments():
            return Draw(source=arguments.mermaid, title=arguments.title)
        case ActArguments():
            return Act(capability=arguments.capability, parameters=arguments.parameters, reason=arguments.reason)
        case EditArguments():
            return Edit(diff=arguments.diff, summary=arguments.summary, workspace=arguments.workspace)
        case SendArguments():
            return Send(
                conversation=arguments.conversation, content=arguments.content, urgency=Urgency(arguments.urgency)
            )
    raise AssertionError(arguments)


def said(effects: Sequence[Effect]) -> str:
    """The words among them."""
    return "\n\n".join(effect.text for effect in effects if isinstance(effect, Say))


def spent(replies: Sequence[Reply]) -> float:
    """What is known of the price of `replies`, in USD."""
    return sum(reply.cost_usd or 0.0 for reply in replies)


def waited_s(replies: Sequence[Reply]) -> float:
    """Seconds that models have taken. From the journal, so that a resumed turn has no more of them."""
    return sum(attempt.ms for reply in replies for attempt in reply.attempts) / 1e3


def caller_of(turn: Turn) -> Caller:
    """On whose account the turn asks models."""
    inbound = turn.inbound
    return Caller(person=inbound.person.id, channel=inbound.address.channel, conversation=inbound.address.id)


def recent(history: Sequence[Message], most_bytes: int) -> list[Message]:
    """The newest messages that fit, oldest first, beginning with what a person said."""
    kept: list[Message] = []
    for message in reversed(history):
        most_bytes -= len(message.content.encode(errors="replace"))
        if most_bytes < 0:
            break
        kept.append(message)
    while kept and kept[-1].role is not Role.USER:
        kept.pop()
    return kept[::-1]
