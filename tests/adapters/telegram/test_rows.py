"""What rests on the database, on both of them: one event, its message's key, its parts, two pollers."""

from __future__ import annotations

import asyncio

from layers.errors import AccountState
from layers.types import Outbound
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import Rig, address
from tests.fakes.telegram_server import TelegramServer


async def test_the_same_message_delivered_twice_is_one_event(rig: Rig, fake: TelegramServer) -> None:
    update = fake.people.say("once")
    fake.people.again(update)
    fake.people.say("then")
    await until(lambda: fake.texts() == ["you said: once", "you said: then"])
    assert len(rig.heard) == 2


async def test_a_press_names_its_message_and_is_answered_at_once(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("card")
    await until(lambda: fake.texts() == ["Deploy?"] and fake.last().buttons)
    card = fake.last()
    assert [button["callback_data"] for button in card.buttons] == ["a:approve:xyz", "a:deny:xyz"]
    assert [button["style"] for button in card.buttons] == ["primary", "danger"]
    fake.people.press(card, "a:approve:xyz")
    await until(lambda: fake.texts() == ["approve by P42"])
    assert fake.last().id == card.id
    assert card.buttons == []
    assert len(fake.chats.answered) == 1


async def test_parts_of_a_long_text_are_not_doubled_when_the_connection_drops_between_them(
    rig: Rig, fake: TelegramServer
) -> None:
    fake.people.say("work")  # the placeholder of the next text is there already
    await until(lambda: fake.texts() == ["Worked"])
    fake.drop("editMessageText")
    fake.drop("sendMessage")
    await rig.say(Outbound(address=address(), key="t1", text="word " * 2000), "d1")
    await until(lambda: words(fake) >= 2000)
    await asyncio.sleep(0.5)
    assert words(fake) == 2000
    assert fake.texts().count("…") <= 1, "the one whose answer never came"


def words(fake: TelegramServer) -> int:
    return " ".join(fake.texts()).split().count("word")


async def test_a_second_poller_is_a_state_and_nothing_is_lost_or_doubled(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("one")
    await until(lambda: fake.texts() == ["you said: one"])
    other = Rig(rig.store, fake.url)
    await other.channel.start()  # what it commits, the first one's handler and courier go on with
    await until(lambda: AccountState.CONFLICT in (rig.channel.health.state, other.channel.health.state))
    for n in range(5):
        fake.people.say(f"m{n}")
        await asyncio.sleep(0.1)
    await until(lambda: len(fake.texts()) == 6 and "…" not in fake.texts())
    await other.channel.stop()
    assert sorted(fake.texts()) == sorted(["you said: one", *[f"you said: m{n}" for n in range(5)]])
