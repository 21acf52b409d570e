"""Updates that no Telegram would send: none of them may stand in the way of what comes after it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.adapters.telegram.intake import PollRequest
from bot.adapters.telegram.webhook import secret_of
from layers.store import Store
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import Rig
from tests.adapters.telegram.test_webhook import PUBLIC, called, post, served
from tests.fakes.telegram_server import TOKEN, TelegramServer

HALF, NUL = "a\ud800b", "a\0b"
PERSON = {"id": 42, "is_bot": False, "first_name": "P"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


def chat(id: object) -> dict[str, Any]:
    return {"chat": {"id": id, "type": "private", "first_name": "P"}}


POISON: tuple[dict[str, Any], ...] = (
    chat(HALF),
    chat(NUL),
    chat({"a": 1}),
    {"message_id": HALF},
    {"message_id": "7" * 100_000},
    {"message_id": "7", "photo": PHOTO},
    {"from": PERSON | {"id": HALF}},
    {"from": PERSON | {"id": NUL}},
    {"message_thread_id": HALF, "is_topic_message": True},
    {"photo": PHOTO, "media_group_id": HALF},
    {"photo": PHOTO, "media_group_id": "x" * 100_000},
    {"photo": PHOTO, "media_group_id": ["x"]},
)


def send(fake: TelegramServer, more: dict[str, Any]) -> None:
    fake.people.push("message", fake.chats.frame(42, 42) | {"text": "odd"} | more)


async def test_ids_that_are_none_hold_up_nobody(rig: Rig, fake: TelegramServer) -> None:
    for more in POISON:
        send(fake, more)
    for id in (HALF, NUL, "9" * 100_000, 7):
        message = fake.chats.frame(42, 42) | {"text": "x"}
        query = {"id": id, "from": PERSON, "chat_instance": "1", "message": message, "data": "a:approve:x"}
        fake.people.push("callback_query", query)
    fake.people.say("after them")
    await until(lambda: fake.texts() and fake.texts()[-1] == "you said: after them")
    await until(lambda: fake.unconfirmed == 0)


async def test_half_a_letter_in_a_message_does_not_lose_the_message(rig: Rig, fake: TelegramServer) -> None:
    fake.people.say(f"kept {HALF} {NUL}")
    await until(lambda: fake.texts() and "kept a\N{REPLACEMENT CHARACTER}b" in fake.texts()[-1])


@pytest.mark.parametrize("odd", [7, None, "x", [], {}, {"update_id": "1"}, {"update_id": None}], ids=repr)
def test_what_is_no_update_is_left_out_of_its_batch(odd: object) -> None:
    answer = {"ok": True, "result": [odd, {"update_id": 5}]}
    assert PollRequest.parse_json_payload(json.dumps(answer).encode())["result"] == [{"update_id": 5}]


async def test_by_webhook_poison_comes_once_too(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    async with called(rig, fake) as deliverer:
        for more in POISON:
            send(fake, more)
        fake.people.say("after them")
        await until(lambda: fake.texts() and fake.texts()[-1] == "you said: after them")
        assert set(deliverer.answers) == {200}


async def test_a_post_that_is_no_update_is_not_brought_again(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    long = b'{"update_id": ' + b"9" * 5000 + b"}"
    async with called(rig, fake), served(rig) as base:
        for body in (b"[" * 100_000, b'{"update_id": 1e999}', b'{"update_id": null}', long, b"[[]]"):
            assert await post(base, body, secret_of(TOKEN)) == 200, body[:20]
