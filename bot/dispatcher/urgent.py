"""What cannot wait until its conversation is free: done in the transaction that accepts it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bot.commands import StopAnswer, governing, parse
from bot.dispatcher.frost import Ordered, put_freeze
from bot.dispatcher.stopping import heed_stop, is_press
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.types import Inbound, InboundKind

URGENT = ("/freeze", "/cancel", "/stop", "/bulkhead")
"""How a text begins that may have to be heeded at once; Slack's one command holds any other."""


def heed(tx: Tx, inbound: Inbound, inbox_id: int, rules: Callable[[Tx], control.Rules]) -> None:
    """Let `/freeze`, `/cancel` and `/stop` hold from the moment they are accepted: their turn may wait behind the very
    run or answer that they are meant for. It comes later and answers; it also tells of any refusal.
    """
    if is_press(inbound):
        heed_stop(tx, inbound, inbox_id)
    if inbound.kind is not InboundKind.MESSAGE or not inbound.text.lstrip()[:9].lower().startswith(URGENT):
        return
    with suppress(Refused):
        match parse(inbound.text):
            case governing.CancelRequest(request=request):
                control.halt(tx, request, inbound.person, rules(tx))
            case StopAnswer():
                heed_stop(tx, inbound, inbox_id)
            case governing.Freeze(on=True, reason=reason):
                ordered = Ordered(person=inbound.person, on=True, reason=control.scrub(reason))
                put_freeze(tx, ordered, rules(tx), here=inbound.address.id)
