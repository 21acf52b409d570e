"""Free text: the agent's loop, with its doings going through the same hands as the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial

from bot.agent import Act, Draw, Edit, Outcome, Send
from bot.attached import listing, with_files
from bot.dispatcher.draft import Draft, closed
from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers.errors import NotWritten, Refused, Unavailable
from layers.routing import Attempt, Message, NoAnswer, NoModel, OverBudget, Reply, Role, rules_of
from layers.transport import Line, StepKind, conversations_of, read_media
from layers.types import OutboundKind

HISTORY_LINES = 40
"""Lines of the transcript that the agent is offered; it takes the newest that fit its own limit."""


class Tools:
    """The agent's toolbox: refusals are told to the model, who may mend them, and not to the person."""

    def __init__(self, hands: Hands, draft: Draft) -> None:
        self._hands = hands
        self._draft = draft

    def show(self, text: str) -> Callable[[str], None]:
        """Let the answer be seen as it grows."""
        return self._draft.begin(text)

    async def draw(self, effect: Draw) -> str:
        """Post a picture."""
        return await told(self._hands.draw(effect.source, effect.title))

    async def act(self, effect: Act) -> str:
        """Observe, or ask a person."""
        return await told(self._hands.act(effect.capability, effect.parameters, effect.reason))

    async def edit(self, effect: Edit) -> str:
        """Put a patch before a person."""
        return await told(self._hands.edit(effect.diff, effect.summary, workspace=effect.workspace))

    async def send(self, effect: Send) -> str:
        """Write into another conversation."""
        return await told(self._hands.send(effect.conversation, effect.content, effect.urgency))


async def told(doing: Awaitable[str]) -> str:
    """What the model is told of a doing that may be refused."""
    try:
        return await doing
    except NotWritten:
        raise  # not for the model: the turn comes again
    except (Refused, Unavailable) as error:
        return f"refused: {error}"


class Journal:
    """Each reply is one step of the turn's journal: a resumed turn takes the same way again."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def model_step(self, n: int, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """The stored reply, or that of `call`, stored."""

        async def run() -> str:
            return (await call()).to_json()

        return Reply.from_json(await self._work.step(StepKind.MODEL, f"model {n}", run))


async def talk(parts: Parts, work: Work, hands: Hands | None = None, text: str = "") -> None:
    """Ask the agent; say what it says, and write down what `/why` will tell.

    `text` stands for the message where a button asked for it; `hands` then know what it was about.
    """
    inbound = work.turn.inbound
    started = time.monotonic()
    hands = hands or Hands(parts, work, inbound.person, is_agent=True)
    said = await with_files(text or inbound.text, inbound.attachments, partial(read_media, parts.store))
    turn = replace(work.turn, inbound=replace(inbound, text=said))
    history = await transcript(parts, inbound.address.id)
    places = await parts.store.run(conversations_of, inbound.person.id)
    rules = tuple(rule.text for rule in await parts.store.run(rules_of, inbound.address.id))
    draft = Draft()
    try:
        async with work.working("Working on it", draft):
            outcome = await parts.agent.step(
                turn, history=history, journal=Journal(work), tools=Tools(hands, draft), places=places, rules=rules
            )
    except (NoModel, OverBudget, NoAnswer) as error:
        work.forget()
        if isinstance(error, NoAnswer) and draft.text:
            work.say(f"{closed(draft.text)}\n\n(The answer broke off here.)")  # people have read it: it stays, marked
        work.say(str(error), OutboundKind.ERROR if isinstance(error, NoAnswer) else OutboundKind.MESSAGE)
        work.route = unanswered(error, (time.monotonic() - started) * 1e3)
        return
    work.say(outcome.text or "(The model did what is above and said nothing.)")
    work.lines = [
        Line(role="user", content=listing(inbound.text, inbound.attachments)),
        Line(role="assistant", content=remembered(outcome)),
    ]
    work.route = route(outcome, (time.monotonic() - started) * 1e3)


async def transcript(parts: Parts, conversation: str) -> list[Message]:
    """What was said before, oldest first."""
    rows = await parts.store.fetch_all("transport.last_lines", conversation_id=conversation, limit=HISTORY_LINES)
    return [Message(role=Role(row["role"]), content=row["content"]) for row in reversed(rows)]


def remembered(outcome: Outcome) -> str:
    """What the agent will know of this turn: its words, and that it drew or asked for something."""
    done = [effect for effect in outcome.effects if not hasattr(effect, "text")]
    notes = [f"[{type(effect).__name__.lower()}: {short(effect)}]" for effect in done]
    return "\n".join(part for part in (outcome.text, *notes) if part)


def short(effect: object) -> str:
    """An effect in a few words."""
    match effect:
        case Act(capability=capability):
            return capability
        case Edit(summary=summary):
            return summary[:200]
        case Draw(title=title):
            return title[:200]
        case Send(conversation=conversation):
            return f"to {conversation}"
    return ""


def route(outcome: Outcome, ms: float) -> str:
    """What `/why` tells, as JSON."""
    last = outcome.replies[-1]
    costs = [reply.cost_usd for reply in outcome.replies]
    return json.dumps(
        {
            "model": last.model,
            "shape": last.shape.value,
            "cues": [cue.name for cue in last.cues],
            "chosen": last.chosen,
            "held": list(last.held),
            "broken": list(last.broken),
            "steps": [step for reply in outcome.replies for step in reply.steps],
            "calls": len(outcome.replies),
            "tokens_in": sum(reply.tokens.read for reply in outcome.replies),
            "tokens_out": sum(reply.tokens.written for reply in outcome.replies),
            "cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None),
            "ms": ms,
            "failures": failures(attempt for reply in outcome.replies for attempt in reply.attempts),
        }
    )


def unanswered(error: Refused | Unavailable, ms: float) -> str:
    """The same of a turn that no model answered."""
    attempts = error.attempts if isinstance(error, NoAnswer) else ()
    reason = "every model that was asked failed" if attempts else str(error)
    return json.dumps({"model": "", "reason": reason, "ms": ms, "failures": failures(attempts)})


def failures(attempts: Iterable[Attempt]) -> list[str]:
    """Who failed and how."""
    return [f"{attempt.model}: {attempt.error}" for attempt in attempts if not attempt.ok]
