"""Messages that did not arrive: the buttons under what transport says of them, and the cards of requests.

A request whose card could not be shown where it was made gets one on the page: nobody decides what nobody sees. Under
a note are Resend and Show. Their handle is an outbox id or the handle of a digest; neither is a secret, so who presses
is checked: a known person, in the conversation that the message belongs to, or an approver anywhere.
"""

from __future__ import annotations

from dataclasses import replace

from bot.dispatcher.cards import APPROVALS, card_at
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.transport import kept_back, may_decide, note_key, outcome, resend, settle_notes, show_late
from layers.types import AGENT, CLOCK, STRANGER, Outbound, OutboundKind

NOTHING_TO_DO = "This was sent already, is on its way, or a newer form of it is there; nothing was done."
DIGITS = 18
"""Of an outbox id: what fits into 64 bits."""


async def press(parts: Parts, work: Work, verb: str, handle: str) -> None:
    """Resend one message, or show what came too late."""
    if verb == "resend" and handle.isascii() and handle.isdigit() and len(handle) <= DIGITS:
        done = await work.step_in("resend", lambda tx: send_again(tx, parts, work, int(handle)))
    elif verb == "show":
        done = await work.step_in("show", lambda tx: show(tx, work, handle))
    else:
        raise Refused("this button is none of Bulkhead's; nothing was done")
    if not done:
        work.say(NOTHING_TO_DO, OutboundKind.ERROR)


def send_again(tx: Tx, parts: Parts, work: Work, outbox_id: int) -> str:
    """Begin a message's delivery anew and take the button away; empty when there is nothing to do."""
    message = outcome(tx, outbox_id)
    check(tx, work, message.conversation_id if message else "")
    if message is None or not resend(tx, outbox_id):
        return ""
    text = f"Sent again, as **{work.turn.inbound.person.name}** asked."
    settle_notes(tx, note_key(outbox_id), (parts.notes, message.conversation_id), text)
    return "done"


def show(tx: Tx, work: Work, handle: str) -> str:
    """Send what came too late, and take the button away; empty when there is nothing left of it."""
    late = kept_back(tx, handle)
    check(tx, work, late[0].conversation_id if late else work.turn.inbound.address.id)
    if not late or not show_late(tx, handle):
        return ""
    text = f"What came too late is sent after all, as **{work.turn.inbound.person.name}** asked."
    settle_notes(tx, note_key(handle), (late[0].conversation_id,), text)
    return "done"


async def show_card(parts: Parts, work: Work) -> None:
    """Put a request before people on the page, and say there where its card is missing."""
    lost = {
        row["conversation_id"]: row["reason"]
        for row in await work.store.fetch_all("bot.undelivered")
        if row["id"] == work.turn.inbound.subject
    }

    def show_it(tx: Tx) -> Outbound | None:
        rules = parts.rules(tx)
        pending = control.show_elsewhere(tx, work.turn.inbound.subject, APPROVALS, lost, rules)
        for place, handle in pending.copies.items():
            message = card_at(tx, parts, pending.approval, place, handle)
            where = " and ".join(control.inline(f"{each} ({why})") for each, why in sorted(lost.items()))
            return replace(message, text=f"**Undelivered**: this card did not arrive in {where}.\n\n{message.text}")
        return None

    work.add(show_it)


def check(tx: Tx, work: Work, conversation: str) -> None:
    """Raises Refused for who has no say about a conversation's messages."""
    inbound = work.turn.inbound
    if inbound.person.id in (AGENT.id, CLOCK.id, STRANGER.id):
        raise Refused("only somebody known here can have a message sent again")
    if inbound.address.id != conversation and not may_decide(tx, inbound.person):
        raise Refused("this message belongs to another conversation; press the button there, or ask an approver")
