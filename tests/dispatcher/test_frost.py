"""What stops everything is taken at once and from everywhere; what lets something happen is not taken by mail."""

from __future__ import annotations

import pytest

from bot.commands import governing
from bot.dispatcher import Ordered, heed, put_freeze
from bot.dispatcher.governing import govern
from bot.dispatcher.work import Work
from layers import control
from layers.errors import Refused
from layers.routing import Stop
from layers.store import Store
from layers.transport import FilePerson, synchronise
from layers.types import Address, Inbound, InboundKind, Person, Turn

OWNER, ANNA = Person(id="owner", name="Owner"), Person(id="anna", name="Anna")
RULES = control.Rules(approvers=(OWNER,))


def said(text: str, person: Person = OWNER, channel: str = "web", kind: InboundKind = InboundKind.MESSAGE) -> Inbound:
    address = Address(channel=channel, conversation="main")
    return Inbound(address=address, event_id=text, person=person, kind=kind, text=text)


async def take(store: Store, inbound: Inbound) -> control.Freeze:
    await store.run(lambda tx: heed(tx, inbound, 0, lambda _: RULES))
    return await control.look_freeze(store)


async def test_a_freeze_holds_from_the_moment_it_is_taken_in(store: Store) -> None:
    await store.run(synchronise, [FilePerson(person=OWNER, is_approver=True)])
    for other in (
        said("/freezer"),
        said("/unfreeze"),
        said("freeze"),
        said("/freeze", ANNA),
        said("/freeze", kind=InboundKind.SCHEDULE),
    ):
        assert not (await take(store, other)).is_on
    frozen = await take(store, said("  /Freeze it  runs `away`", channel="mail"))
    assert (frozen.is_on, frozen.by, frozen.reason) == (True, "owner", "it runs `away`")
    assert "away" in frozen.line


async def test_of_two_words_about_the_freeze_the_later_one_holds_whichever_had_its_turn_last(store: Store) -> None:
    await store.run(synchronise, [FilePerson(person=OWNER, is_approver=True)])
    before = (await take(store, said("/freeze"))).at
    assert await store.run(lambda tx: put_freeze(tx, Ordered(person=OWNER, on=False), RULES))
    since = await control.look_freeze(store)
    late = Ordered(person=OWNER, on=True, at=before)
    assert not await store.run(lambda tx: put_freeze(tx, late, RULES))
    assert await control.look_freeze(store) == since
    await take(store, said("/freeze again"))
    late = Ordered(person=OWNER, on=False, at=since.at)
    assert not await store.run(lambda tx: put_freeze(tx, late, RULES))
    assert (await control.look_freeze(store)).is_on


@pytest.mark.parametrize("command", [governing.Freeze(on=False), governing.GiveGrant("workspace.make")])
async def test_a_mail_neither_unfreezes_nor_grants(store: Store, command: governing.Governed) -> None:
    work = Work(store, Turn(id=1, epoch=1, inbound=said("/x", channel="mail")), [], Stop())
    with pytest.raises(Refused, match="nothing is decided by mail"):
        await govern(None, work, command, None)  # type: ignore[arg-type]  # refused before either is looked at
