"""The real library against the fake server over sockets, on a real store: what people see."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layers.errors import AccountState
from layers.types import Outbound
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import Rig, address
from tests.fakes.telegram_server import TOKEN, TelegramServer

REPO = Path(__file__).parents[3]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # test_rows.py is about both


async def test_a_message_is_answered_by_a_placeholder_and_one_edit(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("hello")
    await until(lambda: fake.texts() == ["you said: hello"])
    assert [version["text"] for version in fake.last().versions] == ["…", "you said: hello"]
    await until(lambda: rig.channel.health.state is AccountState.HEALTHY)
    assert {command["command"] for command in fake.chats.commands} >= {"help", "run", "diagram"}


async def test_an_edited_message_is_a_new_event_and_a_report_of_no_change_is_not(
    rig: Rig, fake: TelegramServer
) -> None:
    update = fake.people.say("helo")
    fake.people.edit(update, "helo")
    fake.people.edit(update, "hello")
    fake.people.edit(update, "far too late", after_s=3600)
    fake.people.say("end")
    await until(lambda: fake.texts() == ["you said: helo", "you said: hello", "you said: end"])


async def test_a_press_that_telegram_forgot_still_counts(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("card")
    await until(lambda: fake.texts() == ["Deploy?"] and fake.last().buttons)
    fake.fail("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
    fake.people.press(fake.last(), "a:deny:xyz")
    await until(lambda: fake.texts() == ["deny by P42"])


async def test_a_picture_and_its_buttons_are_one_message(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("picture small")
    await until(lambda: fake.texts() == ["See"])
    shown = fake.last()
    assert shown.content["media"] == "photo"
    assert shown.file == rig.media["small"]
    assert [button["text"] for button in shown.buttons] == ["Approve"]
    fake.people.press(shown, "a:approve:xyz")  # the answer has no picture: the one that is there stays
    await until(lambda: fake.texts() == ["approve by P42"])
    assert fake.last().id == shown.id


async def test_a_picture_that_is_no_photo_to_telegram_is_a_document(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("picture long")
    await until(lambda: fake.texts() == ["See"])
    assert fake.last().content["media"] == "document"


async def test_a_long_text_is_several_messages_and_a_very_long_one_a_file(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("long 10000")
    await until(lambda: len(fake.texts()) == 3 and sum(len(text) for text in fake.texts()) > 9900)
    silent = [call.params.get("disable_notification", False) for call in fake.called("sendMessage")]
    assert silent == [False, True, True]
    await rig.say(Outbound(address=address(), key="t1", text="short"), "d1")
    await until(lambda: fake.texts() == ["short"])
    fake.people.say("long 90000", chat=43)
    await until(lambda: len(fake.texts(43)) == 3 and fake.last(43).file)
    assert len(fake.last(43).file) == 90000
    await rig.say(Outbound(address=address(43), key="t2", text="z " * 3000), "d2")
    await until(lambda: len(fake.texts(43)) == 2 and "z z" in fake.texts(43)[1])


async def test_markdown_is_text_with_entities(rig: Rig, fake: TelegramServer) -> None:
    await rig.say(Outbound(address=address(), key="k", text="**bold** `code` @channel <b>raw</b> 🎉 *it*"), "d1")
    await until(lambda: fake.texts() and fake.texts() != ["…"])
    assert "bold code" in fake.texts()[0]
    assert "<b>raw</b>" in fake.texts()[0]
    kinds = [entity["type"] for entity in fake.last().content["entities"]]
    assert kinds == ["bold", "code", "italic"]


async def test_typing_is_shown_while_work_goes_on(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("work")
    await until(lambda: fake.texts() == ["Worked"])
    assert fake.last().versions[0]["text"] == "Working ..."
    assert [call.params["action"] for call in fake.called("sendChatAction")] == ["typing"]


async def test_a_topic_is_a_conversation_of_its_own(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("here", message_thread_id=9, is_topic_message=True)
    fake.people.say("there")
    await until(lambda: sorted(fake.texts()) == ["you said: here", "you said: there"])
    assert sorted(inbound.address.id for inbound in rig.heard) == ["telegram:42", "telegram:42:9"]
    assert {shown.text: shown.thread for shown in fake.chats.shown.values()}["you said: here"] == 9


async def test_a_stranger_gets_one_sentence_and_no_more(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("hi", chat=5000, user=5000)
    fake.people.say("hi?", chat=5000, user=5000)
    fake.people.say("@bulkhead_bot hi", chat=-5, user=5000, entities=[{"type": "mention", "offset": 0, "length": 13}])
    fake.people.say("end")
    await until(lambda: fake.texts() == ["you said: end"] and len(fake.texts(5000)) == 1)
    assert "telegram:5000" in fake.texts(5000)[0]
    assert fake.texts(-5) == []
    assert len(rig.heard) == 1


async def test_a_429_of_one_chat_does_not_hold_up_the_others(rig: Rig, fake: TelegramServer) -> None:
    fake.limit(42, 3)
    fake.people.say("limited")
    await until(lambda: fake.calls_into_closed == 1)
    started = time.monotonic()
    for chat in range(50, 60):
        fake.people.say("free", chat=chat, user=chat)
    await until(lambda: all(fake.texts(chat) == ["you said: free"] for chat in range(50, 60)))
    assert fake.texts() == [], "the others were not waiting for it"
    assert time.monotonic() - started < 3
    await until(lambda: fake.texts() == ["you said: limited"])
    assert fake.calls_into_closed == 1


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_a_connection_dropped_after_processing_doubles_no_answer(
    rig: Rig, fake: TelegramServer, method: str
) -> None:
    fake.drop(method)
    fake.people.say("hello")
    await until(lambda: fake.texts().count("you said: hello") == 1 and not fake._drops[method])
    orphans = [text for text in fake.texts() if text != "you said: hello"]
    await asyncio.sleep(1.5)  # a second try would have come by now
    assert fake.texts().count("you said: hello") == 1
    assert orphans == (["…"] if method == "sendMessage" else [])


async def test_a_message_that_somebody_deleted_is_shown_again(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("card")
    await until(lambda: fake.texts() == ["Deploy?"] and fake.last().buttons)
    card = fake.last()
    fake.chats.shown.clear()
    fake.people.press(card, "a:approve:xyz")
    await until(lambda: fake.texts() == ["approve by P42"])


async def test_a_blocked_bot_gives_up_on_that_chat_only(rig: Rig, fake: TelegramServer) -> None:
    fake.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    fake.people.say("hello")
    fake.people.say("hello", chat=43, user=43)
    await until(lambda: fake.texts(43) or fake.texts())
    row = None
    for _ in range(100):
        row = await rig.store.fetch_one("transport.counts")
        if row and row["failed"] == 1:
            break
        await asyncio.sleep(0.05)
    assert row is not None
    assert row["failed"] == 1


async def test_after_a_401_nothing_is_called_until_a_person_settles_it(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say("hello")
    await until(lambda: fake.texts() == ["you said: hello"])
    fake.is_revoked = True
    await until(lambda: rig.health[-1] is AccountState.REVOKED)
    assert "BULKHEAD_TELEGRAM_TOKEN" in rig.channel.health.reason
    await rig.say(Outbound(address=address(), key="k", text="later"), "d1")
    calls = len(fake.calls)
    await asyncio.sleep(1.5)
    assert len(fake.calls) == calls
    fake.is_revoked = False
    await rig.channel.start()
    await until(lambda: rig.channel.health.state is AccountState.HEALTHY)
    await rig.store.run(open_account)  # not before: the courier would find the account closed still, and park it again
    fake.people.say("again")
    await until(lambda: "you said: again" in fake.texts())


def open_account(tx):
    tx.run("transport.put_account", channel="telegram", state="healthy", reason="", closed_until=0.0, now=tx.now)
    tx.wake("outbox")


async def test_an_update_that_cannot_be_read_is_skipped(rig: Rig, fake: TelegramServer) -> None:
    fake.people.push("message", {"message_id": "no number", "date": "never"})
    fake.people.say("\udc80 and \0")
    fake.people.push("message", {"message_id": 5})
    fake.people.say("after")
    await until(lambda: fake.texts()[-1:] == ["you said: after"])
    await until(lambda: fake.unconfirmed == 0)


async def test_what_cannot_be_committed_comes_again(rig: Rig, fake: TelegramServer) -> None:
    accept, failures = rig.accept, [OSError("the database is away")]

    async def flaky(inbound):
        if failures:
            raise failures.pop()
        return await accept(inbound)

    rig.accept = flaky  # type: ignore[method-assign]
    fake.people.say("kept")
    await until(lambda: fake.texts() == ["you said: kept"])


async def test_no_token_and_no_text_in_any_log(
    rig: Rig, fake: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.people.push("message", {"message_id": "no number", "text": "a secret"})
    fake.people.say("a secret")
    fake.drop("editMessageText")
    await until(lambda: fake.texts() == ["you said: a secret"])
    fake.is_revoked = True
    await until(lambda: rig.channel.health.state is AccountState.REVOKED)
    await rig.channel.stop()
    told = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert TOKEN not in told
    assert "a secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("bot", "layers", "telegram"))
    )


@pytest.mark.parametrize("moment", ["accept", "note", "deliver.after"])
def test_a_process_killed_at_the_worst_moments_loses_nothing_and_doubles_nothing(
    fake: TelegramServer, database_url: str, moment: str
) -> None:
    """Between getting updates and committing them; between the parts of a message; between an edit and its mark."""
    for n in range(5):
        fake.people.say(f"m{n}")
    fake.people.say("long 10000")
    program = [sys.executable, "-m", "tests.adapters.telegram.rig", database_url, fake.url]
    killed = subprocess.run([*program, moment], cwd=REPO, timeout=60, check=False)
    assert killed.returncode == -9
    assert moment != "accept" or fake.unconfirmed == 6
    with subprocess.Popen(program, cwd=REPO) as process:
        try:
            deadline = time.monotonic() + 40
            while " ".join(fake.texts()).count("word") < 2000 and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.3)
        finally:
            process.kill()
    said = [text for text in fake.texts() if text != "…"]
    assert said[:5] == [f"you said: m{n}" for n in range(5)]
    assert " ".join(said[5:]).split() == ["word"] * 2000
    assert fake.texts().count("…") <= 1
