"""The whole house in this process: buttons of what did not arrive, and writing to somebody for the first time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.adapters.console import Request, to_inbound
from bot.app import House, open_house
from bot.config import Settings
from layers.store import Row, Tx
from layers.transport import is_known_contact, send, take_seat
from layers.types import Address, Outbound, OutboundKind
from tests.fakes import model_server
from tests.fakes.environment import KEYS
from tests.whole.people import furnish

BOB = "mail:bob@example.org"


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with model_server.running() as server:
        yield server.base_url


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_url: str) -> AsyncIterator[House]:
    """Two people, of whom one approves; a model that wants to write to Bob."""
    for name in list(os.environ):
        if any(key in name for key in KEYS):
            monkeypatch.delenv(name)
    furnish(tmp_path / "home", model_url, "tool-send")
    async with open_house(Settings(home=tmp_path / "home", discover_models=False)) as opened:
        yield opened


async def ask(house: House, text: str, person: str = "owner", conversation: str = "main") -> list[Outbound]:
    """What comes back, of a message or of a press (`o:...`, `a:...`)."""
    verb = "press" if text[1:2] == ":" else "ask"
    request = Request(verb=verb, conversation=conversation, text=text, value=text)
    answers = house.console.ask(to_inbound(request, house.operator(person)))
    return [answer async for answer in answers if answer.kind is not OutboundKind.WORKING]


async def ended(house: House, state: str, text: str = "precious") -> int:
    """A message of the console's conversation `other` that ended like that; its outbox id."""

    def put(tx: Tx) -> int:
        outbound = Outbound(address=Address(channel="console", conversation="other"), key=text, text=text)
        id = send(tx, outbound, f"{state}-{text}").outbox_id
        if state == "expired":
            tx.run("transport.expire", id=id, digest="h4ndle")
        else:
            tx.run("transport.end_delivery", id=id, state=state, error="because")
        return id

    return await house.store.run(put)


async def row_of(house: House, id: int) -> Row:
    row = await house.store.fetch_one("transport.outbox_by_id", id=id)
    assert row is not None
    return row


async def test_resend_is_for_the_conversations_people_and_for_approvers(house: House) -> None:
    id = await ended(house, "unknown")
    (answer,) = await ask(house, f"o:resend:{id}", "anna")
    assert "belongs to another conversation" in answer.text
    assert (await row_of(house, id))["state"] == "unknown"
    await ask(house, f"o:resend:{id}", "anna", "other")
    assert (await row_of(house, id))["state"] == "sent"


async def test_a_second_press_on_resend_does_nothing_and_says_so(house: House) -> None:
    id = await ended(house, "failed")
    assert await ask(house, f"o:resend:{id}", conversation="main") == []
    (answer,) = await ask(house, f"o:resend:{id}")
    assert "nothing was done" in answer.text


async def test_a_button_that_nobody_made_does_nothing(house: House) -> None:
    for value in ("o:resend:999999", "o:resend:1e9", "o:resend:" + "9" * 40, "o:burn:1", "o:show:-"):
        (answer,) = await ask(house, value)
        assert answer.kind is OutboundKind.ERROR
        assert "nothing was done" in answer.text


async def test_show_sends_what_came_too_late_once(house: House) -> None:
    ids = [await ended(house, "expired", text) for text in ("one", "two")]
    (refused,) = await ask(house, "o:show:h4ndle", "anna")
    assert "belongs to another conversation" in refused.text
    assert await ask(house, "o:show:h4ndle") == []
    assert [(await row_of(house, id))["state"] for id in ids] == ["sent", "sent"]
    (answer,) = await ask(house, "o:show:h4ndle")
    assert "nothing was done" in answer.text


async def test_a_first_message_to_somebody_waits_for_a_person_who_sees_every_word_of_it(house: House) -> None:
    said = await ask(house, "write to Bob, please", "anna")
    (card,) = [each for each in said if each.kind is OutboundKind.CARD]
    assert BOB in card.text
    assert "Hello Bob" in card.text
    approve = next(button.value for button in card.buttons if button.label == "Approve")
    (refused,) = await ask(house, approve, "anna")
    assert "may not decide" in refused.text
    assert not await house.store.run(is_known_contact, "mail", "bob@example.org")
    ended_card = (await ask(house, approve))[-1]
    assert "Done" in ended_card.text
    assert await house.store.run(is_known_contact, "mail", "bob@example.org")
    rows = await house.store.run(lambda tx: tx.all("transport.seats", person="anna"))
    assert BOB in [row["conversation_id"] for row in rows]
    assert "already decided" in (await ask(house, approve))[-1].text


async def test_where_a_person_sits_the_agent_writes_without_asking(house: House) -> None:
    await house.store.run(take_seat, "owner", BOB)
    said = await ask(house, "write to Bob, please")
    assert all(each.kind is not OutboundKind.CARD for each in said)
    row = await house.store.fetch_one("transport.outbox_by_dedupe", dedupe="t1.0")
    assert row is not None
    sent = await row_of(house, row["id"])
    assert (sent["conversation_id"], sent["key"]) == (BOB, "m1.1")
