"""`/stop` and the Stop button: a person wants no more of the answer that is being given.

Their word holds from the moment it is accepted: it is written down with the turn that it is about, wherever that is
being worked on. The event's own turn comes later and tells what came of it; a refusal is told at once.
"""

from __future__ import annotations

from bot.dispatcher.parts import Parts
from bot.dispatcher.work import STOP, Work
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.transport import TurnEnd, at_work, became_of, may_decide, send, stop_turn
from layers.types import Inbound, InboundKind, Outbound, OutboundKind

NOTHING = "No answer is being given here. `/stop` ends a model's answer, `/cancel <request>` what was approved."
TOO_LATE = "It had ended already. `/stop` ends a model's answer, `/cancel <request>` what was approved."


def heed_stop(tx: Tx, inbound: Inbound, inbox_id: int) -> None:
    """Have the turn stopped that the event is about, or say why not."""
    found = at_work(tx, inbound.address.id, inbox_id)
    if found is None or (inbound.press is not None and inbound.press.value != f"{STOP}{found[0]}"):
        return
    turn_id, asked = found
    person = inbound.person
    if person.id != asked.person.id and not may_decide(tx, person):
        text = f"Only {control.inline(asked.person.name)}, who is being answered, or an approver may stop this."
        refusal = Outbound(
            address=inbound.address, key=f"t{inbox_id}", text=text, kind=OutboundKind.ERROR, answers=inbound.event_id
        )
        send(tx, refusal, f"t{inbox_id}.0", inbox_id)  # the turn's own first message goes by that name too
    elif stop_turn(tx, turn_id, inbox_id):
        control.audit.append(tx, person.id, "stop", f"turn:{turn_id}", {"asked_by": asked.person.id})


def tell(work: Work) -> None:
    """`/stop`: what came of it."""
    work.answer(lambda tx: {None: NOTHING, TurnEnd.DONE: TOO_LATE}.get(became_of(tx, work.turn.id), "Stopped."))


async def press(_parts: Parts, work: Work, verb: str, _turn: str) -> None:
    """The button: the message it hangs under says what came of it, unless it came too late."""
    if verb != "stop":
        raise Refused("this button is none of Bulkhead's; nothing was done")
    key, inbound = work.key(), work.turn.inbound

    def late(tx: Tx) -> Outbound | None:
        if became_of(tx, work.turn.id) is TurnEnd.STOPPED:
            return None
        return Outbound(
            address=inbound.address, key=key, text=TOO_LATE, kind=OutboundKind.ERROR, answers=inbound.event_id
        )

    work.add(late)


def is_press(inbound: Inbound) -> bool:
    """Whether it is the button."""
    return inbound.kind is InboundKind.PRESS and inbound.press is not None and inbound.press.value.startswith(STOP)
