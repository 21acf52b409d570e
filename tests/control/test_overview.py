"""What waits, as it is shown at one glance: the house's overview."""

from __future__ import annotations

from dataclasses import replace

from bot.app.overview import overview
from layers.control import Context, Plan, request
from layers.errors import AccountState
from layers.store import Store
from layers.transport import put_account, put_reference
from layers.types import Address, Outbound


async def test_what_waits_is_told_with_the_place_of_its_card(store: Store, note: Plan, context: Context) -> None:
    place = Address(channel="slack", conversation="T1/C1", thread="17.1")
    shown = await store.run(request, note, replace(context, conversation_id=place.id))
    hidden = await store.run(request, note, context)
    card = Outbound(address=place, key=f"a{shown.approval.id}", text="?")
    await store.run(put_reference, card, '["C1",["17.2"],{}]')
    await store.run(put_account, "mail", AccountState.REVOKED, "it said so")
    await store.run(put_account, "slack", AccountState.HEALTHY, "")
    found = await overview(store)
    assert {each.address.id: each.reference for each in found.waiting} == {
        place.id: '["C1",["17.2"],{}]',
        hidden.approval.conversation_id: "",
    }
    assert {(each.title, each.risk) for each in found.waiting} == {(note.title, note.risk)}
    assert found.accounts == ("mail is revoked: it said so",)
