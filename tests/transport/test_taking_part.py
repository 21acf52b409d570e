"""What an adapter may ask of the store: where we take part, and how far everything was read."""

from __future__ import annotations

from layers.store import Store
from layers.transport import accept, get_cursors, put_cursor, put_reference, takes_part
from layers.types import Address, Inbound, Outbound, Person

OWNER = Person(id="owner", name="Owner")


async def test_a_conversation_is_known_by_what_was_said_to_us_or_by_us(store: Store) -> None:
    heard = Address(channel="slack", conversation="T1/C1", thread="17.1")
    spoken = Address(channel="slack", conversation="T1/C1", thread="18.1")
    assert not await takes_part(store, "slack", heard.id, "C1:17.1")
    await store.run(accept, Inbound(address=heard, event_id="C1:17.2", person=OWNER, text="hi"))
    await store.run(put_reference, Outbound(address=spoken, key="t1", text="hi"), "[]")
    assert await takes_part(store, "slack", heard.id, "")
    assert await takes_part(store, "slack", spoken.id, "")
    assert not await takes_part(store, "slack", "slack:T1/C1:19.1", "C1:19.1")


async def test_an_event_that_was_taken_elsewhere_makes_its_thread_known(store: Store) -> None:
    channel = Address(channel="slack", conversation="T1/C1")
    await store.run(accept, Inbound(address=channel, event_id="C1:17.1", person=OWNER, text="hi"))
    assert await takes_part(store, "slack", "slack:T1/C1:17.1", "C1:17.1")
    assert not await takes_part(store, "telegram", "telegram:1", "C1:17.1")


async def test_the_cursors_of_a_channel_are_its_own(store: Store) -> None:
    for channel, name, value in (("slack", "C1", "1"), ("slack", "C1", "2"), ("slack", "D1", "3"), ("mail", "x", "4")):
        await store.run(put_cursor, channel, name, value)
    assert await get_cursors(store, "slack", "") == {"C1": "2", "D1": "3"}
