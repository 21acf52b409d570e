"""Since when a card has been where somebody can read it: from its content on, whatever is edited later."""

from __future__ import annotations

from dataclasses import replace

from layers.store import Store, Tx
from layers.transport import send, shown_at
from layers.transport.marks import mark_placed, mark_sent
from layers.transport.types import Delivery
from layers.types import OutboundKind
from tests.transport.provider import Provider, message, settle
from tests.transport.test_courier import Local


async def test_a_card_is_shown_from_its_content_on_and_an_edit_moves_nothing(store: Store) -> None:
    card = replace(message("card"), kind=OutboundKind.CARD, key="a1")
    assert await store.run(shown_at, card.address.id, "a1") is None
    sent = await store.run(send, card, "one")
    delivery = Delivery(outbox_id=sent.outbox_id, dedupe="one", outbound=card, attempts=0, kind="card")

    def look(tx: Tx) -> float | None:
        at = shown_at(tx, card.address.id, "a1")
        return None if at is None else tx.now - at

    await store.run(mark_placed, delivery, "ref")
    assert await store.run(look) == 0.0, "placed, and its content may arrive at this moment"
    await store.run(mark_sent, delivery, "ref")
    first = await store.run(shown_at, card.address.id, "a1")
    await store.run(mark_sent, delivery, "ref")
    assert await store.run(shown_at, card.address.id, "a1") == first is not None


async def test_the_page_keeps_account_of_its_cards_as_well(store: Store) -> None:
    channels = {"remote": Provider(), "web": Local()}
    for channel in channels:
        card = replace(message("x", channel=channel), kind=OutboundKind.CARD, key="a2")
        await store.run(send, card, f"two.{channel}")
    await settle(store, channels)
    for channel in channels:
        assert await store.run(shown_at, message("x", channel=channel).address.id, "a2")
