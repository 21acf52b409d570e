"""Telegram calls us: over a real socket, with the real library, by a fake Telegram that brings again what it must."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.telegram import probe
from bot.adapters.telegram.webhook import PATH, secret_of, why_not
from layers.errors import AccountState, Misconfigured, Unavailable
from layers.store import Store
from tests.adapters.telegram.conftest import until
from tests.adapters.telegram.rig import Rig, png
from tests.fakes.telegram_media import Deliverer
from tests.fakes.telegram_server import TOKEN, TelegramServer

PUBLIC = "https://bulkhead.example.org"


@contextlib.asynccontextmanager
async def served(rig: Rig) -> AsyncIterator[str]:
    """The hooks of a rig behind a small server, as bot/web serves them; its origin."""
    hooks = rig.channel.hooks()

    async def answer(request: Request) -> Response:
        status, kind, body = await hooks[request.url.path](dict(request.headers), await request.body())
        return Response(body, status, media_type=kind)

    app = Starlette(routes=[Route(path, answer, methods=["POST"]) for path in hooks])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def called(rig: Rig, fake: TelegramServer) -> AsyncIterator[Deliverer]:
    """A started rig, with Telegram at its door."""
    async with served(rig) as base:
        await rig.start()
        try:
            await until(lambda: fake.chats.webhook and rig.channel.health.state is AccountState.HEALTHY)
            async with Deliverer(fake, base).running() as deliverer:
                yield deliverer
        finally:
            await rig.stop()


async def post(base: str, body: bytes, secret: str | bytes) -> int:
    async with httpx.AsyncClient() as client:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return (await client.post(base + PATH, content=body, headers=headers)).status_code  # type: ignore[arg-type]


async def test_updates_are_brought_committed_and_answered(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    async with called(rig, fake):
        assert fake.chats.webhook["url"] == PUBLIC + PATH
        assert fake.chats.webhook["allowed_updates"] == ["message", "edited_message", "callback_query"]
        assert not fake.chats.webhook.get("drop_pending_updates")
        fake.people.say("card")
        await until(lambda: fake.texts() == ["Deploy?"] and fake.last().buttons)
        fake.people.press(fake.last(), "a:approve:xyz")
        await until(lambda: fake.texts() == ["approve by P42"])
        fake.people.push("message", {**fake.chats.frame(42, 42), "document": fake.chats.keep(png(), file_name="a.png")})
        await until(lambda: len(fake.texts()) == 2 and "a.png" in fake.texts()[1])
    assert fake.called("getUpdates") == []
    assert TOKEN not in fake.chats.webhook["url"]


async def test_what_is_not_committed_is_brought_again(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    accept, failures = rig.accept, [OSError("the database is away")] * 2

    async def flaky(inbound):
        if failures:
            raise failures.pop()
        return await accept(inbound)

    rig.accept = flaky  # type: ignore[method-assign]
    async with called(rig, fake) as deliverer:
        fake.people.say("kept")
        await until(lambda: fake.texts() == ["you said: kept"])
        assert deliverer.answers == [503, 503, 200]


async def test_only_telegram_is_let_in_and_poison_comes_once(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    update = {"update_id": 1, "message": {**fake.chats.frame(42, 42), "text": "forged"}}
    async with served(rig) as base:
        assert await post(base, json.dumps(update).encode(), secret_of(TOKEN)) == 503, "not started"
        await rig.start()
        await until(lambda: rig.channel.health.state is AccountState.HEALTHY)
        for secret in ("", "wrong", TOKEN, "\u00e9".encode("latin-1")):
            assert await post(base, json.dumps(update).encode(), secret) == 403
        for poison in (
            b"",
            b"{",
            b"[]",
            b"7",
            b'{"update_id": "x"}',
            b'{"update_id": 1, "message": {"message_id": "x"}}',
        ):
            assert await post(base, poison, secret_of(TOKEN)) == 200
        assert rig.heard == []
        await rig.stop()


async def test_two_processes_take_updates_and_an_album_is_one_event(store: Store, fake: TelegramServer) -> None:
    one, two = Rig(store, fake.url, PUBLIC), Rig(store, fake.url, PUBLIC)
    async with served(one) as first, served(two) as second:
        await one.start()
        await two.channel.start()
        await until(lambda: fake.chats.webhook and two.channel.health.state is AccountState.HEALTHY)
        async with Deliverer(fake, first, second).running():
            for n in range(2):
                part = {"photo": [fake.chats.keep(png(), width=40, height=30)], "media_group_id": "g"}
                fake.people.push("message", {**fake.chats.frame(42, 42), **part, "caption": f"c{n}"})
            fake.people.say("and now?")
            await until(lambda: "you said: and now?" in fake.texts() and "…" not in fake.texts())
        await one.stop()
        await two.channel.stop()
    heard = sorted([*one.heard, *two.heard], key=lambda inbound: inbound.event_id)
    assert [len(inbound.attachments) for inbound in heard] == [2, 0]
    assert heard[0].text == "c0\n\nc1"


async def test_an_address_that_telegram_refuses_is_not_the_end(store: Store, fake: TelegramServer) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    fake.fail("setWebhook", 400, "Bad Request: bad webhook: Failed to resolve host: Name or service not known")
    await rig.start()
    fake.people.say("hello")
    await until(lambda: fake.texts() == ["you said: hello"])
    assert rig.channel.health.state is AccountState.HEALTHY
    await rig.stop()


async def test_going_back_to_polling_takes_the_webhook_away_and_drops_nothing(
    store: Store, fake: TelegramServer
) -> None:
    fake.chats.webhook = {"url": "https://old.example.org/hooks/telegram"}
    fake.people.say("waited")
    rig = Rig(store, fake.url)
    assert rig.channel.hooks() == {}
    await rig.start()
    await until(lambda: fake.texts() == ["you said: waited"])
    assert fake.chats.webhook == {}
    assert not any(call.params.get("drop_pending_updates") for call in fake.called("deleteWebhook"))
    await rig.stop()


async def test_a_webhook_that_somebody_changed_is_a_conflict_and_is_set_again(
    store: Store, fake: TelegramServer
) -> None:
    rig = Rig(store, fake.url, PUBLIC)
    await rig.start()
    await until(lambda: fake.chats.webhook and rig.channel.health.state is AccountState.HEALTHY)
    hook = rig.channel._webhook
    assert hook is not None
    fake.chats.webhook = {"url": "https://thief.example.net/"}
    await hook.look()
    assert rig.channel.health.state is AccountState.CONFLICT
    assert fake.chats.webhook["url"] == PUBLIC + PATH
    fake.chats.last_error = (2_000_000_000, "Connection timed out")
    await hook.look()
    assert rig.channel.health.state is AccountState.DEGRADED
    assert "Connection timed out" in rig.channel.health.reason
    fake.chats.last_error = (0, "")
    await hook.look()
    assert rig.channel.health.state is AccountState.HEALTHY
    await rig.stop()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://bulkhead.example.org", ""),
        ("https://bulkhead.example.org:8443", ""),
        ("https://93.184.216.34", ""),
        ("", "not set"),
        ("http://bulkhead.example.org", "https only"),
        ("https://bulkhead.example.org:8080", "443, 80, 88, 8443"),
        ("https://localhost", "not in the public network"),
        ("https://chat.corp.internal", "not in the public network"),
        ("https://192.168.1.5", "not in the public network"),
        ("https://[fd00::1]", "not in the public network"),
    ],
)
def test_where_telegram_cannot_call_it_is_polled_and_said_why(url: str, why: str) -> None:
    assert why in why_not(url)
    assert bool(why) == bool(why_not(url))


async def test_the_doctor_says_what_telegram_says(fake: TelegramServer) -> None:
    assert "@bulkhead_bot; it polls (BULKHEAD_PUBLIC_URL is not set)" in await probe(TOKEN, fake.url)
    fake.chats.webhook = {"url": PUBLIC + PATH}
    assert f"Telegram calls {PUBLIC}{PATH};" in await probe(TOKEN, fake.url, PUBLIC)
    fake.chats.last_error = (1_700_000_000, "SSL error {certificate verify failed}")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        await probe(TOKEN, fake.url, PUBLIC)
    fake.is_revoked = True
    with pytest.raises(Misconfigured, match="401 Unauthorized"):
        await probe(TOKEN, fake.url)
    with pytest.raises(Unavailable, match="could not be reached"):
        await probe(TOKEN, "http://127.0.0.1:9")
