"""A person's message as the answer to what a button asked back: of a picture, or why a request was denied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers.transport import asked_back, end_question
from layers.types import InboundKind

Talk = Callable[[Hands, str], Awaitable[None]]
"""(hands, what to tell the agent): the agent answers."""
Take = Callable[[Parts, Work, Talk, str, str, str], Awaitable[None]]
"""Takes (..., the question's verb, its id, the person's words). Raises Refused, and then the question stays."""
IN_A_GROUP = "Where others talk too, reply to this."
DROPPED = ("cancel", "never mind", "skip")


async def answer(parts: Parts, work: Work, talk: Talk, takes: Mapping[str, Take]) -> bool:
    """Take the message as the answer to a button, if one waits for it; True when it was.

    What a schedule sends is nobody's answer, and neither is an older message that was edited. `takes` has the first
    part of a question's `about`.
    """
    inbound = work.turn.inbound
    text = without_quote(inbound.text)
    if inbound.kind is not InboundKind.MESSAGE or inbound.is_edit or not text:
        return False
    question = await work.store.run(asked_back, inbound.address, inbound.person)
    if question is None:
        return False
    noun, verb, id = question.about.split(":", 2)
    if text.casefold() in DROPPED:
        work.say("Dropped; nothing was changed.")
    else:
        await takes[noun](parts, work, talk, verb, id, text)
    work.write(partial(end_question, question=question, person=inbound.person))
    return True


def without_quote(text: str) -> str:
    """What a person wrote below the message that they reply to: an adapter quotes that one above."""
    lines = text.splitlines()
    while lines and lines[0].startswith(">"):
        del lines[0]
    return "\n".join(lines).strip()
