"""The buttons under what transport says of messages that did not arrive: Resend, and Show.

A button's handle is an outbox id or the handle of a digest; neither is a secret, so who presses is checked: a known
person, in the conversation that the message belongs to, or an approver anywhere.
"""

from __future__ import annotations

from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers.errors import Refused
from layers.store import Tx
from layers.transport import kept_back, note_key, outcome, resend, settle_notes, show_late
from layers.types import AGENT, CLOCK, STRANGER, OutboundKind

NOTHING_TO_DO = "This was sent already, is on its way, or a newer form of it is there; nothing was done."
DIGITS = 18
"""Of an outbox id: what fits into 64 bits."""


async def press(parts: Parts, work: Work, verb: str, handle: str) -> None:
    """Resend one message, or show what came too late."""
    if verb == "resend" and handle.isascii() and handle.isdigit() and len(handle) <= DIGITS:
        done = await work.step_in("resend", lambda tx: send_again(tx, parts, work, int(handle)))
    elif verb == "show":
        done = await work.step_in("show", lambda tx: show(tx, parts, work, handle))
    else:
        raise Refused("this button is none of Bulkhead's; nothing was done")
    if not done:
        work.say(NOTHING_TO_DO, OutboundKind.ERROR)


def send_again(tx: Tx, parts: Parts, work: Work, outbox_id: int) -> str:
    """Begin a message's delivery anew and take the button away; empty when there is nothing to do."""
    message = outcome(tx, outbox_id)
    check(parts, work, message.conversation_id if message else "")
    if message is None or not resend(tx, outbox_id):
        return ""
    text = f"Sent again, as **{work.turn.inbound.person.name}** asked."
    settle_notes(tx, note_key(outbox_id), (parts.notes, message.conversation_id), text)
    return "done"


def show(tx: Tx, parts: Parts, work: Work, handle: str) -> str:
    """Send what came too late, and take the button away; empty when there is nothing left of it."""
    late = kept_back(tx, handle)
    check(parts, work, late[0].conversation_id if late else work.turn.inbound.address.id)
    if not late or not show_late(tx, handle):
        return ""
    text = f"What came too late is sent after all, as **{work.turn.inbound.person.name}** asked."
    settle_notes(tx, note_key(handle), (late[0].conversation_id,), text)
    return "done"


def check(parts: Parts, work: Work, conversation: str) -> None:
    """Raises Refused for who has no say about a conversation's messages."""
    inbound = work.turn.inbound
    if inbound.person.id in (AGENT.id, CLOCK.id, STRANGER.id):
        raise Refused("only somebody known here can have a message sent again")
    is_approver = inbound.person.id in {approver.id for approver in parts.rules.approvers}
    if inbound.address.id != conversation and not is_approver:
        raise Refused("this message belongs to another conversation; press the button there, or ask an approver")
