"""Deny asks why: nothing waits for the answer, which is kept with the request and told to whoever asked."""

from __future__ import annotations

import asyncio
from functools import partial

from bot.dispatcher.cards import approval_message, undecidable
from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.replies import IN_A_GROUP, Talk
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.store import Tx
from layers.transport import Line, Question, ask_back, remember, send
from layers.types import Address, Outbound

ASK = f"Why? Your next message to me here is told to whoever asked; `skip` ends. {IN_A_GROUP}"
LONGEST = 500
"""Characters of a reason."""


def ask(work: Work, approval: control.Approval) -> None:
    """Ask whoever has just denied a request."""
    inbound, key = work.turn.inbound, work.key()
    question = Question(
        about=f"a:deny:{approval.id}", conversation_id=inbound.address.id, key=key, under=f"a{approval.id}"
    )
    work.write(partial(ask_back, person=inbound.person, question=question))
    work.say(ASK, key=key)


async def take(parts: Parts, work: Work, talk: Talk, _verb: str, approval_id: str, text: str) -> None:
    """Keep the reason, show it on the card, and tell it to whoever asked: an agent answers at once.

    Raises:
        Refused: it is not they who have denied the request, or they have said why.
    """
    person, here = work.turn.inbound.person, work.turn.inbound.address.id
    words = (await asyncio.to_thread(control.scrub, text))[:LONGEST]
    approval = await work.store.run(control.by_id, approval_id)

    def keep(tx: Tx) -> Outbound:
        denied = control.say_why(tx, approval_id, person, words)
        if denied.plan.kind == "patch":
            note = f"{person.name} said no: {words}"
            coordination.explain(tx, str(denied.plan.parameters["proposal"]), note)
        return approval_message(tx, parts, work, undecidable(denied))

    work.add(keep)
    if approval.conversation_id != here:
        work.write(partial(tell, work=work, approval=approval, words=words))
    elif approval.by_agent and await parts.has_model():
        hands = Hands(parts, work, person, is_agent=True)
        await talk(hands, f"(I denied your request {approval.id}, {approval.plan.title}.) {words}")
        return
    work.say("Kept, and told to whoever asked.")


def tell(tx: Tx, work: Work, approval: control.Approval, words: str) -> None:
    """Say it where the request was made; an agent that works there will know."""
    turn, name = work.turn, work.turn.inbound.person.name
    said = f"{name} denied request {approval.id}, {approval.plan.title}: {control.inline(words)}"
    told = Outbound(address=Address.parse(approval.conversation_id), key=f"why{approval.id}", text=said)
    send(tx, told, f"t{turn.id}.why", turn.id)
    if approval.by_agent:
        remember(tx, approval.conversation_id, turn.id, [Line(role="user", content=f"({said})")])
