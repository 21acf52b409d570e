"""What providers post to: past the session and the Origin, never past the Host and the cap."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from bot.web import TransportLine, bodies
from layers.errors import NotWritten
from tests.web.conftest import House

MIB = 1 << 20


class Hook:
    """Keeps what came."""

    def __init__(self) -> None:
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self.failing: Exception | None = None

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        if self.failing is not None:
            raise self.failing
        self.got.append((headers, body))
        return 200, "text/plain", b"taken"


@pytest.fixture
async def hook(house: House) -> Hook:
    await house.stop()
    made = Hook()
    house.hooks = {"telegram": made, "slack/events": made}
    house.hosts = ("chat.example.org",)
    await house.start()
    return made


async def test_a_providers_post_needs_no_session_and_no_origin(house: House, hook: Hook) -> None:
    async with house.stranger() as provider:
        headers = {"host": "chat.example.org", "X-Telegram-Bot-Api-Secret-Token": "s3", "content-type": "text/x"}
        answer = await provider.post("/hooks/telegram", content=b"\x00\xff", headers=headers)
    assert (answer.status_code, answer.text) == (200, "taken")
    ((seen, body),) = hook.got
    assert seen["x-telegram-bot-api-secret-token"] == "s3"
    assert body == b"\x00\xff"


async def test_a_hook_may_have_slashes_in_its_name_and_any_other_is_not_found(house: House, hook: Hook) -> None:
    async with house.stranger() as provider:
        assert (await provider.post("/hooks/slack/events", content=b"{}")).status_code == 200
        for path in ("/hooks/", "/hooks/pigeon", "/hooks/telegram/x", "/hooks/../api/messages"):
            assert (await provider.post(path, content=b"{}")).status_code in (403, 404), path
        assert (await provider.get("/hooks/telegram")).status_code == 405
    assert len(hook.got) == 1


async def test_a_hook_answers_to_its_own_host_only(house: House, hook: Hook) -> None:
    async with house.stranger() as provider:
        answer = await provider.post("/hooks/telegram", content=b"{}", headers={"host": "evil.example"})
    assert answer.status_code == 403
    assert hook.got == []


@pytest.mark.parametrize(("size", "status"), [(MIB, 200), (MIB + 1, 413), (5 * MIB, 413)])
async def test_a_post_of_more_than_a_mebibyte_is_refused(house: House, hook: Hook, size: int, status: int) -> None:
    async with house.stranger() as provider:
        assert (await provider.post("/hooks/telegram", content=b"x" * size)).status_code == status
    assert len(hook.got) == (status == 200)


async def test_what_was_not_written_is_not_acknowledged(house: House, hook: Hook) -> None:
    hook.failing = NotWritten("the disk is full")
    async with house.stranger() as provider:
        assert (await provider.post("/hooks/telegram", content=b"{}")).status_code == 503


async def test_the_accounts_are_told_to_who_is_signed_in(house: House) -> None:
    async def lines() -> list[TransportLine]:
        return [
            TransportLine(
                channel="slack", state="revoked", reason="gone", since=1.0, waiting=2, resume="h:resume:slack"
            )
        ]

    await house.stop()
    house.transports = lines
    await house.start()
    async with house.stranger() as stranger:
        assert (await stranger.get("/api/transports")).status_code == 401
    async with house.client() as browser:
        (line,) = (await browser.get("/api/transports")).json()["transports"]
    assert (line["channel"], line["waiting"], line["resume"]) == ("slack", 2, "h:resume:slack")


async def test_a_body_that_does_not_come_is_refused_and_its_connection_closed(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = f"POST /hooks/telegram HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode() + b"{")
    async with asyncio.timeout(10):
        answer = await reader.read()  # to the end of the connection
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert hook.got == []
