"""Free text: the agent's loop, with its doings going through the same hands as the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from bot.agent import Act, Draw, Edit, Outcome, Send
from bot.attached import listing, with_files
from bot.dispatcher.draft import Draft, closed, words_of
from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control
from layers.errors import BulkheadError, NotWritten, Refused, Unavailable
from layers.routing import Attempt, Message, NoAnswer, NoModel, OverBudget, Reply, Role, Stop, Stopped, rules_of
from layers.transport import Line, StepKind, TurnEnd, conversations_of, read_media, shown
from layers.types import OutboundKind

HISTORY_LINES = 40
"""Lines of the transcript that the agent is offered; it takes the newest that fit its own limit."""


class Tools:
    """The agent's toolbox: refusals are told to the model, who may mend them, and not to the person."""

    def __init__(self, hands: Hands, draft: Draft, stop: Stop) -> None:
        self._hands = hands
        self._draft = draft
        self.stop = stop

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
        self.replies: list[Reply] = []
        """All of this turn so far."""

    async def model_step(self, n: int, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """The stored reply, or that of `call`, stored."""

        async def run() -> str:
            return (await call()).to_json()

        self.replies.append(Reply.from_json(await self._work.step(StepKind.MODEL, f"model {n}", run)))
        return self.replies[-1]


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
    draft, journal = Draft(), Journal(work)
    tools = Tools(hands, draft, work.stop)
    try:
        work.stop.check()
        async with work.working("Working on it", draft, can_stop=True):
            outcome = await parts.agent.step(
                turn, history=history, journal=journal, tools=tools, places=places, rules=rules
            )
    except Stopped as error:
        await put_down(work, error, draft)
        work.route = unanswered(error, journal.replies, (time.monotonic() - started) * 1e3)
        return
    except (NoModel, OverBudget, NoAnswer) as error:
        work.forget()
        if isinstance(error, NoAnswer) and draft.text:
            work.say(f"{closed(draft.text)}\n\n(The answer broke off here.)")  # people have read it: it stays, marked
        work.say(str(error), OutboundKind.ERROR if isinstance(error, NoAnswer) else OutboundKind.MESSAGE)
        work.route = unanswered(error, journal.replies, (time.monotonic() - started) * 1e3)
        return
    work.say(outcome.text or "(The model did what is above and said nothing.)")
    work.lines = [
        Line(role="user", content=listing(inbound.text, inbound.attachments)),
        Line(role="assistant", content=remembered(outcome)),
    ]
    work.route = route(outcome, (time.monotonic() - started) * 1e3)


async def put_down(work: Work, error: Stopped, draft: Draft) -> None:
    """What people have seen of the answer stays, marked, and is remembered as that."""
    work.forget()
    work.end = TurnEnd.STOPPED
    inbound, text = work.turn.inbound, draft.text
    if not text and work.turn.attempt > 1:  # it was seen before a crash
        seen = await work.store.run(shown, inbound.address.id, f"t{work.turn.id}")
        text = words_of(seen.text) if seen is not None else ""
    mark = f"Stopped by {control.inline(error.by)}"
    work.say(f"{closed(text)}\n\n({mark}.)" if text.strip() else f"{mark} before a word was shown.")
    work.lines = [
        Line(role="user", content=listing(inbound.text, inbound.attachments)),
        Line(role="assistant", content=f"{closed(text)}\n[stopped by a person]".strip()),
    ]


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


def unanswered(error: BulkheadError, replies: Sequence[Reply], ms: float) -> str:
    """The same of a turn that no model answered to its end: `replies` came before that."""
    judged, last = (error.judged, error.attempts) if isinstance(error, NoAnswer | Stopped) else (None, ())
    attempts = [*(attempt for reply in replies for attempt in reply.attempts), *last]
    return json.dumps(
        {
            "model": "",
            "reason": str(error).removesuffix("."),
            "shape": judged.shape.value if judged else "",
            "cues": [cue.name for cue in judged.cues] if judged else [],
            "steps": [step for reply in replies for step in reply.steps],
            "tried": [tried(attempt) for attempt in attempts],
            "cost_usd": sum(attempt.cost_usd or 0.0 for attempt in attempts),
            "unpriced": sum((attempt.ok or attempt.is_stopped) and attempt.cost_usd is None for attempt in attempts),
            "ms": ms,
        }
    )


def tried(attempt: Attempt) -> str:
    """Who was asked, what came of it, how long it took and what it cost."""
    if not attempt.is_asked:
        return f"{attempt.model}: not asked, {attempt.error}"
    said = "answered" if attempt.ok else attempt.error.removesuffix(".")
    price = "price unknown" if attempt.cost_usd is None else f"${attempt.cost_usd:.4f}"
    billed = f", {price}" if attempt.ok or attempt.is_stopped else ""
    return f"{attempt.model}: {said} ({attempt.ms:.0f} ms{billed})"


def failures(attempts: Iterable[Attempt]) -> list[str]:
    """Who failed and how."""
    return [f"{attempt.model}: {attempt.error}" for attempt in attempts if not attempt.ok]
