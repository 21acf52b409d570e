"""Files and albums that come in, with the real library against the fake server, on a real store."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.telegram.shelf import SHELF
from layers.transport import get_cursors, read_media
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import Rig, png
from tests.fakes.telegram_server import TOKEN, TelegramServer

REPO = Path(__file__).parents[3]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def send(fake: TelegramServer, chat: int = 42, user: int = 42, **more: Any) -> None:
    """Somebody sends what is no text."""
    fake.people.push("message", {**fake.chats.frame(chat, user), **more})


def document(fake: TelegramServer, content: bytes, name: str = "notes.txt") -> dict[str, Any]:
    return fake.chats.keep(content, file_name=name, mime_type="text/plain")


def photo(fake: TelegramServer, content: bytes = b"") -> list[dict[str, Any]]:
    return [
        fake.chats.keep(b"thumb", width=9, height=9),
        fake.chats.keep(content or png(), width=40, height=30),
        fake.chats.keep(b"middle", width=20, height=15),
    ]


async def test_a_document_is_kept_and_its_caption_is_read(rig: Rig, fake: TelegramServer) -> None:
    content = bytes(range(256)) * 5000
    send(fake, document=document(fake, content), caption="see this", caption_entities=[bold(4, 4)])
    await until(lambda: fake.texts() == ["see this notes.txt:1280000"])
    (attachment,) = rig.heard[0].attachments
    assert b"".join([piece async for piece in read_media(rig.store, attachment.digest)]) == content
    assert (attachment.content_type, rig.heard[0].text) == ("text/plain", "see this")


def bold(offset: int, length: int) -> dict[str, Any]:
    return {"type": "bold", "offset": offset, "length": length}


async def test_of_a_photo_the_largest_size_is_taken_and_every_other_kind_has_a_name(
    rig: Rig, fake: TelegramServer
) -> None:
    send(fake, photo=photo(fake))
    send(fake, voice=fake.chats.keep(b"v", duration=1))
    send(fake, video=fake.chats.keep(b"vv", duration=1, width=1, height=1, file_name="../../etc/passwd"))
    send(fake, sticker=fake.chats.keep(b"s", type="regular", width=1, height=1, is_animated=False, is_video=True))
    await until(lambda: len(rig.heard) == 4)
    names = [attachment.name for inbound in rig.heard for attachment in inbound.attachments]
    assert names == ["photo.jpg", "voice.ogg", "_.._etc_passwd", "sticker.webm"]
    assert rig.heard[0].attachments[0].size_bytes == len(png())
    assert rig.heard[1].text == ""


async def test_a_file_too_large_for_a_bot_is_named_and_said_to_be_so(rig: Rig, fake: TelegramServer) -> None:
    send(fake, document={**document(fake, b"x", "huge.iso"), "file_size": 30_000_000}, caption="backup")
    await until(lambda: len(fake.texts()) == 2 and "…" not in fake.texts())
    assert any("huge.iso: larger than 20 MB" in text for text in fake.texts())
    assert rig.heard[0].attachments[0].digest == ""
    assert fake.called("getFile") == []


async def test_a_file_that_breaks_off_is_fetched_again(rig: Rig, fake: TelegramServer) -> None:
    fake.drop("file")
    send(fake, document=document(fake, b"a" * 300_000))
    await until(lambda: len(rig.heard) == 1)
    assert rig.heard[0].attachments[0].size_bytes == 300_000


async def test_what_a_stranger_sends_is_not_fetched(rig: Rig, fake: TelegramServer) -> None:
    send(fake, 5000, 5000, document=document(fake, b"evil"), caption="hi")
    await until(lambda: len(fake.texts(5000)) == 1 and "telegram:5000" in fake.texts(5000)[0])
    assert fake.called("getFile") == []


async def test_an_album_is_one_event(rig: Rig, fake: TelegramServer) -> None:
    send(fake, photo=photo(fake), media_group_id="g1", caption="holidays")
    send(fake, photo=photo(fake), media_group_id="g1")
    await asyncio.sleep(0.5)
    send(fake, photo=photo(fake), media_group_id="g1")
    fake.people.say("what is on them?")
    await until(lambda: fake.texts()[-1:] == ["you said: what is on them?"])
    assert [len(inbound.attachments) for inbound in rig.heard] == [3, 0], "the question waited for the pictures"
    assert rig.heard[0].text == "holidays"
    assert len(rig.heard[0].aliases) == 2
    assert await get_cursors(rig.store, "telegram", SHELF) == {}


async def test_an_album_in_a_group_is_heard_when_any_part_of_it_is_for_the_bot(rig: Rig, fake: TelegramServer) -> None:
    mention = {"type": "mention", "offset": 0, "length": 13}
    send(fake, -5, 42, photo=photo(fake), media_group_id="g1")
    send(fake, -5, 42, photo=photo(fake), media_group_id="g1", caption="@bulkhead_bot look", caption_entities=[mention])
    send(fake, -5, 42, photo=photo(fake), media_group_id="g2", caption="just us")
    send(fake, -5, 42, photo=photo(fake), media_group_id="g2")
    fake.people.say("end")
    await until(lambda: rig.heard and rig.heard[-1].attachments and len(rig.heard[-1].attachments) == 2)
    await asyncio.sleep(1.2)
    assert [inbound.text for inbound in rig.heard if inbound.attachments] == ["look"]
    assert len(fake.called("getFile")) == 2, "what is not for the bot is not fetched"


async def test_other_chats_do_not_wait_for_a_file(rig: Rig, fake: TelegramServer) -> None:
    fake.slow("getFile", 3.0)
    send(fake, document=document(fake, b"slow"))
    fake.people.say("quick", chat=43, user=43)
    started = time.monotonic()
    await until(lambda: fake.texts(43) == ["you said: quick"])
    assert time.monotonic() - started < 3.0
    assert fake.texts() == []
    await until(lambda: len(fake.texts()) == 1)


async def test_the_token_in_a_files_address_is_not_logged(
    rig: Rig, fake: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fake.drop("file")
    send(fake, document=document(fake, b"a"))
    lost = document(fake, b"b")
    fake.chats.files.pop(lost["file_id"])
    send(fake, document=lost)
    await until(lambda: len(rig.heard) == 2)
    assert rig.heard[1].attachments[0].note
    assert TOKEN not in caplog.text + "".join(str(record.__dict__) for record in caplog.records)


@pytest.mark.parametrize("moment", ["fetched", "deliver.after"])
def test_a_process_killed_between_a_file_and_its_event_loses_nothing_and_doubles_nothing(
    fake: TelegramServer, database_url: str, moment: str
) -> None:
    send(fake, document=document(fake, b"12345"), caption="one")
    send(fake, photo=photo(fake), media_group_id="g", caption="two")
    send(fake, photo=photo(fake), media_group_id="g")
    fake.people.say("three")
    program = [sys.executable, "-m", "tests.adapters.telegram.rig", database_url, fake.url]
    killed = subprocess.run([*program, moment], cwd=REPO, timeout=60, check=False)
    assert killed.returncode == -9
    size = len(png())
    wanted = ["one notes.txt:5", f"two photo.jpg:{size} photo.jpg:{size}", "you said: three"]
    with subprocess.Popen(program, cwd=REPO) as process:
        try:
            deadline = time.monotonic() + 40
            while [text for text in fake.texts() if text != "…"] != wanted and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(1.5)
        finally:
            process.kill()
    assert [text for text in fake.texts() if text != "…"] == wanted
