"""Who may say who is let in."""

from __future__ import annotations

import pytest

from bot.commands import Pair
from bot.dispatcher.people import pair
from bot.dispatcher.work import Work
from layers.errors import Refused
from layers.routing import Stop
from layers.store import Store
from layers.types import Address, Inbound, InboundKind, Person, Turn


@pytest.mark.parametrize(
    ("channel", "kind", "why"),
    [("mail", InboundKind.MESSAGE, "by mail"), ("web", InboundKind.SCHEDULE, "a schedule decides nothing")],
)
async def test_neither_a_mail_nor_a_schedule_lets_anybody_in(
    store: Store, channel: str, kind: InboundKind, why: str
) -> None:
    address = Address(channel=channel, conversation="main")
    owner = Person(id="owner", name="Owner")
    inbound = Inbound(address=address, event_id="1", person=owner, kind=kind, text="/pair ABCD-EFGH")
    work = Work(store, Turn(id=1, epoch=1, inbound=inbound), [], Stop())
    with pytest.raises(Refused, match=why):
        pair(work, Pair(code="ABCDEFGH", choice="in"))
