"""What goes out beyond text: albums, files, rich messages; and where: replies, chats that moved or are full."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from telegram.error import RetryAfter

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.layout import layout
from bot.adapters.telegram.troubles import BOT, bucket_of
from layers.errors import AccountState
from layers.types import Address, Attachment, Outbound, OutboundKind, Picture
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import APPROVE, Rig, address, png
from tests.fakes.telegram_server import TelegramServer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TABLE = "| a | b |\n|---|---|\n| @you | 2 |"


def pictures(rig: Rig, count: int) -> tuple[Picture, ...]:
    """Different ones, so that each can be told from the others."""
    for n in range(count):
        rig.media[f"p{n}"] = png(40 + n, 30)
    return tuple(Picture(digest=f"p{n}", alt=f"picture {n}", width=40 + n, height=30) for n in range(count))


def out(text: str, **more: object) -> Outbound:
    return replace(Outbound(address=address(), key="k", text=text), **more)  # type: ignore[arg-type]


async def test_an_album_is_placed_as_one_and_each_picture_is_put_into_its_place(rig: Rig, fake: TelegramServer) -> None:
    await rig.say(out("Two **views**", album=pictures(rig, 2), buttons=(APPROVE,)), "d1")
    await until(lambda: fake.texts() == ["Two views", "picture 0", "picture 1"])
    one, two = sorted(shown.id for shown in fake.chats.shown.values())[1:]
    assert fake.chats.albums[one] == fake.chats.albums[two]
    assert [fake.chats.shown[42, id].file for id in (one, two)] == [rig.media["p0"], rig.media["p1"]]
    text = min(fake.chats.shown.values(), key=lambda shown: shown.id)
    assert [button["text"] for button in text.buttons] == ["Approve"], "in an album nothing can be pressed"


@pytest.mark.parametrize("method", ["sendMediaGroup", "editMessageMedia"])
async def test_an_album_whose_connection_drops_shows_no_picture_twice(
    rig: Rig, fake: TelegramServer, method: str
) -> None:
    fake.drop(method)
    await rig.say(out("Views", album=pictures(rig, 3)), "d1")
    expected = ["picture 0", "picture 1", "picture 2"]
    await until(lambda: [text for text in fake.texts() if text.startswith("picture")] == expected, 20)
    await asyncio.sleep(0.3)
    files = [shown.file for shown in fake.chats.shown.values()]
    assert all(files.count(rig.media[f"p{n}"]) == 1 for n in range(3))


async def test_eleven_pictures_are_an_album_of_ten_and_one(rig: Rig, fake: TelegramServer) -> None:
    await rig.say(out("Many", album=pictures(rig, 11)), "d1")
    await until(lambda: fake.texts() == ["Many", *(f"picture {n}" for n in range(11))], 30)
    assert len(set(fake.chats.albums.values())) == 1
    assert len(fake.chats.albums) == 10


async def test_files_go_along_under_their_names(rig: Rig, fake: TelegramServer) -> None:
    rig.media["f1"] = b"a,b\n" * 100_000
    file = Attachment(digest="f1", name="rows.csv", content_type="text/csv", size_bytes=400_000)
    await rig.say(out("See the file", files=(file,)), "d1")
    await until(lambda: len(fake.texts()) == 2 and fake.last().file == rig.media["f1"])
    assert fake.last().content["media"] == "document"


async def test_a_table_is_a_rich_message_and_the_next_text_is_none(rig: Rig, fake: TelegramServer) -> None:
    await rig.say(out(TABLE, buttons=(APPROVE,)), "d1")
    await until(lambda: fake.texts() and "rich_message" in fake.last().content)
    rich = fake.last().content["rich_message"]
    assert rich["skip_entity_detection"] is True
    assert "<table bordered striped><tr><th>a</th><th>b</th></tr>" in rich["html"]
    assert "@you" not in rich["html"]
    assert [button["text"] for button in fake.last().buttons] == ["Approve"]
    await rig.say(out("done"), "d2")
    await until(lambda: fake.texts() == ["done"])


async def test_a_server_without_rich_messages_is_asked_once(rig: Rig, fake: TelegramServer) -> None:
    fake.chats.knows_rich = False
    await rig.say(out(TABLE), "d1")
    await until(lambda: len(fake.texts()) == 1 and "a" in fake.texts()[0] and "-+-" in fake.texts()[0])
    await rig.say(replace(out(TABLE), key="k2"), "d2")
    await until(lambda: len(fake.texts()) == 2 and "-+-" in fake.texts()[1])
    asked = [call for call in fake.called("editMessageText") if "rich_message" in call.params]
    assert len(asked) == 1


async def test_a_rich_message_that_telegram_does_not_like_is_shown_plainly(rig: Rig, fake: TelegramServer) -> None:
    fake.fail("editMessageText", 400, "Bad Request: RICH_MESSAGE_INVALID")
    await rig.say(out(TABLE), "d1")
    await until(lambda: len(fake.texts()) == 1 and "-+-" in fake.texts()[0])
    await rig.say(replace(out(TABLE), key="k2"), "d2")
    await until(lambda: fake.texts() and "rich_message" in fake.last().content)


async def test_in_a_group_it_is_clear_whom_it_answers(rig: Rig, fake: TelegramServer) -> None:
    update = fake.people.say(
        "/help@bulkhead_bot", chat=-5, entities=[{"type": "bot_command", "offset": 0, "length": 18}]
    )
    fake.people.say("hello")
    await until(lambda: fake.texts(-5) == ["you said: /help"] and fake.texts() == ["you said: hello"])
    replies = {call.params["chat_id"]: call.params.get("reply_parameters") for call in fake.called("sendMessage")}
    to = {"message_id": update["message"]["message_id"], "allow_sending_without_reply": True}
    assert {int(chat): reply for chat, reply in replies.items()} == {-5: to, 42: None}


async def test_a_group_that_became_another_is_followed(rig: Rig, fake: TelegramServer) -> None:
    moved = {"migrate_to_chat_id": -100777}
    fake.fail("sendMessage", 400, "Bad Request: group chat was upgraded to a supergroup chat", **moved)
    await rig.say(replace(out("one"), address=address(-5)), "d1")
    await until(lambda: fake.texts(-100777) == ["one"])
    await rig.say(replace(out("two", key="k2"), address=address(-5)), "d2")
    await until(lambda: fake.texts(-100777) == ["one", "two"])
    fake.fail("editMessageText", 400, "Bad Request: group chat was upgraded to a supergroup chat", **moved)
    await rig.say(replace(out("three", key="k3"), address=address(-6)), "d3")
    await until(lambda: fake.texts(-100777) == ["one", "two", "three"])
    await rig.say(replace(out("one, changed"), address=address(-5)), "d4")
    await until(lambda: fake.texts(-100777) == ["one, changed", "two", "three"])


async def test_calls_outside_of_the_outbox_leave_a_closed_bot_alone(rig: Rig, fake: TelegramServer) -> None:
    await until(lambda: rig.channel.health.state is AccountState.HEALTHY)
    rig.channel._account.limited(RetryAfter(30), "")
    calls = len(fake.calls)
    rig.channel._shower.type_on(address(), "k")
    await rig.channel._shower.answer("q1")
    await rig.channel._name_commands()
    assert [call.method for call in fake.calls[calls:] if call.method != "getUpdates"] == []


def test_three_private_chats_with_a_429_at_once_are_the_whole_bot(database_url: str) -> None:
    async def changed(state: AccountState, reason: str) -> None:
        raise AssertionError

    account, error = Account(changed), RetryAfter(5)
    groups = [account.limited(error, f"-{n}") for n in range(1, 9)]
    assert groups == [bucket_of(f"-{n}") for n in range(1, 9)]
    assert [account.limited(error, chat) for chat in ("1", "1", "2", "3")] == [*map(bucket_of, "112"), BOT]
    assert Account(changed).limited(error, "") == BOT


async def test_a_wrong_token_is_told_at_once(rig: Rig, fake: TelegramServer) -> None:
    await rig.channel.stop()
    rig.health.clear()
    fake.is_revoked = True
    await rig.channel.start()
    await until(lambda: rig.health[-1:] == [AccountState.REVOKED])


async def test_no_network_at_the_start_is_told_at_once_and_mends_itself(rig: Rig, fake: TelegramServer) -> None:
    await until(lambda: rig.health == [AccountState.HEALTHY])
    await rig.channel.stop()
    rig.health.clear()
    fake.fail("getMe", 502, "Bad Gateway")
    await rig.channel.start()
    await until(lambda: rig.health[-2:] == [AccountState.DEGRADED, AccountState.HEALTHY])
    assert rig.health.count(AccountState.DEGRADED) == 2, "connecting, and that it failed"


async def test_a_huge_text_does_not_hold_up_the_others(rig: Rig, fake: TelegramServer) -> None:
    longest, last = 0.0, time.monotonic()
    for n, piece in enumerate(("http://a.b/c ", "- x\n", "@a ")):
        text = piece * (300_000 // len(piece))
        await rig.say(Outbound(address=Address(channel="telegram", conversation="42"), key=f"k{n}", text=text), f"d{n}")
    while sum(bool(shown.file) for shown in fake.chats.shown.values()) < 3:
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    print(f"the loop was held up for {longest:.3f} s at most")


def test_what_a_picture_is_called_mentions_nobody(database_url: str) -> None:
    picture = Picture(digest="d", alt="@somebody tg://x", width=10, height=10)
    for outbound in (out("", picture=picture), out("x " * 1000, picture=picture), out("", album=(picture, picture))):
        for slot in layout(replace(outbound, kind=OutboundKind.MESSAGE)):
            assert "@somebody" not in slot.text
            assert "tg://" not in slot.text
