"""The page's durable log on both databases: read, followed, resumed, written at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.adapters.web import add_event
from bot.web import mint_link
from layers.store import Store, Tx
from layers.types import Address, Outbound, OutboundKind
from tests.web.conftest import House, message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    """A page that runs, on each kind of database."""
    built = House(store)
    await built.start()
    yield built
    await built.stop()


async def test_two_browsers_racing_for_one_link_get_one_session(house: House) -> None:
    token = await mint_link(house.store, "owner")
    async with house.stranger() as stranger:
        answers = await asyncio.gather(*(stranger.post("/auth", json={"token": token}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_a_message_posted_twice_is_one_message(house: House, client: httpx.AsyncClient) -> None:
    body = message("hello")
    answers = await asyncio.gather(*(client.post("/api/messages", json=body) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [202] * 5
    assert {answer.json()["id"] for answer in answers} == {body["id"]}
    events = (await client.get("/api/history")).json()["events"]
    assert [(event["kind"], event["text"], event["name"]) for event in events] == [("own", "hello", "Ada")]


async def test_a_link_token_is_no_session_and_neither_is_at_rest(house: House, client: httpx.AsyncClient) -> None:
    link = await mint_link(house.store, "owner")
    session = client.cookies[f"bulkhead_{house.port}"]
    async with house.stranger() as stranger:
        assert (await stranger.get("/api/me", headers={"cookie": f"bulkhead_{house.port}={link}"})).status_code == 401
    for token, kind in ((link, "link"), (session, "session")):
        assert await house.store.fetch_one("web.token", token_hash=token, kind=kind) is None
        assert await house.store.fetch_one(
            "web.token", token_hash=hashlib.sha256(token.encode()).hexdigest(), kind=kind
        )


async def test_history_shows_the_newest_of_each_key_in_order_of_first_appearance(
    house: House, client: httpx.AsyncClient
) -> None:
    await house.say("working", key="t1", kind=OutboundKind.WORKING)
    await house.say("second", key="t2")
    await house.say("answer", key="t1")
    await house.say("elsewhere", conversation="other")
    answer = (await client.get("/api/history", params={"conversation": "main"})).json()
    assert [(event["key"], event["html"]) for event in answer["events"]] == [
        ("t1", "<p>answer</p>\n"),
        ("t2", "<p>second</p>\n"),
    ]
    assert answer["earlier"] is None
    assert answer["last"] == answer["events"][0]["id"]


async def test_a_long_history_comes_in_pages_that_meet_without_a_gap(house: House, client: httpx.AsyncClient) -> None:
    def fill(tx: Tx) -> None:
        for n in range(450):
            add_event(tx, "web:main", f"t{n}", json.dumps({"kind": "message", "html": str(n)}), f"d{n}")
        for n in range(0, 450, 3):
            add_event(tx, "web:main", f"t{n}", json.dumps({"kind": "message", "html": f"{n}!"}), f"e{n}")

    await house.store.run(fill)
    seen: list[str] = []
    before = None
    while True:
        page = (await client.get("/api/history", params={} if before is None else {"before": before})).json()
        seen = [event["html"] for event in page["events"]] + seen
        before = page["earlier"]
        if before is None:
            break
        assert len(page["events"]) == 200
    assert seen == [f"{n}!" if n % 3 == 0 else str(n) for n in range(450)]


async def test_conversations_are_listed_by_how_they_began(house: House, client: httpx.AsyncClient) -> None:
    await house.say("an alarm", conversation="one")
    await house.say("an alarm", conversation="three")
    await client.post("/api/messages", json=message("first words\nmore", conversation="one"))
    await client.post("/api/messages", json=message("x" * 90, conversation="two"))
    listed = (await client.get("/api/conversations")).json()["conversations"]
    assert [(chat["id"], chat["title"]) for chat in listed] == [
        ("two", "x" * 59 + "…"),
        ("one", "first words more"),
        ("three", ""),
    ]


async def test_delivering_twice_is_one_event_and_gives_the_same_reference(
    house: House, client: httpx.AsyncClient
) -> None:
    outbound = Outbound(address=Address(channel="web", conversation="main"), key="t1", text="once")
    first = await house.deliver(outbound, "o1")
    assert await house.deliver(outbound, "o1") == first
    assert len((await client.get("/api/history")).json()["events"]) == 1


async def test_media_needs_a_session_and_is_kept_by_the_browser_for_good(
    house: House, client: httpx.AsyncClient
) -> None:
    digest = await house.keep(PNG)
    assert await house.keep(PNG) == digest == hashlib.sha256(PNG).hexdigest()
    answer = await client.get(f"/media/{digest}")
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    assert (await client.get(f"/media/{'0' * 64}")).status_code == 404
    script = await house.keep(b"<script>alert(1)</script>", "text/html")
    answer = await client.get(f"/media/{script}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, query: str = "", **headers: str
) -> AsyncIterator[AsyncIterator[tuple[int, dict]]]:
    async with client.stream("GET", f"/api/events?{query}", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")

        async def events() -> AsyncIterator[tuple[int, dict]]:
            number = 0
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("event: "):
                    yield -1, {"event": line[7:]}
                elif line.startswith("data: ") and number:
                    yield number, json.loads(line[6:])

        yield events()


async def take(events: AsyncIterator[tuple[int, dict]], count: int) -> list[tuple[int, dict]]:
    return [await asyncio.wait_for(anext(events), 10) for _ in range(count)]


async def test_the_stream_tells_what_comes_and_resumes_after_any_id(house: House, client: httpx.AsyncClient) -> None:
    async with following(client) as events:
        for n in range(3):
            await house.say(str(n))
        got = await take(events, 3)
    assert [event["html"] for _, event in got] == [f"<p>{n}</p>\n" for n in range(3)]
    await house.say("while away")
    async with following(client, **{"last-event-id": str(got[0][0])}) as events:
        assert [event["html"] for _, event in await take(events, 3)] == [
            "<p>1</p>\n",
            "<p>2</p>\n",
            "<p>while away</p>\n",
        ]
    async with following(client, f"after={got[2][0]}") as events:
        assert [event["html"] for _, event in await take(events, 1)] == ["<p>while away</p>\n"]


async def test_the_stream_resumes_over_a_restart_of_the_server(house: House, client: httpx.AsyncClient) -> None:
    async with following(client) as events:
        await house.say("before")
        [(last, _)] = await take(events, 1)
        await house.stop()
    await house.say("meanwhile")
    await house.start()
    async with following(client, **{"last-event-id": str(last)}) as events:
        assert [event["html"] for _, event in await take(events, 1)] == ["<p>meanwhile</p>\n"]


async def test_the_stream_keeps_conversations_apart(house: House, client: httpx.AsyncClient) -> None:
    async with following(client, "conversation=one") as events:
        await house.say("for two", conversation="two")
        await house.say("for one", conversation="one")
        assert [event["html"] for _, event in await take(events, 1)] == ["<p>for one</p>\n"]


async def test_a_stream_from_another_database_is_told_to_start_over(house: House, client: httpx.AsyncClient) -> None:
    await house.say("only one")
    async with following(client, "after=999999") as events:
        got = await take(events, 2)
    assert got[0] == (-1, {"event": "reset"})
    assert got[1][1]["html"] == "<p>only one</p>\n"


async def test_a_slow_writer_cannot_slip_in_behind_what_a_reader_has_seen(
    house: House, client: httpx.AsyncClient
) -> None:
    def write(tx: Tx, name: str, pause_s: float) -> None:
        add_event(tx, "web:main", name, json.dumps({"kind": "message", "html": name}), name)
        time.sleep(pause_s)

    async with following(client) as events:
        slow = asyncio.create_task(house.store.run(write, "slow", 0.6))
        await asyncio.sleep(0.2)
        await house.store.run(write, "quick", 0.0)
        await slow
        assert [event["key"] for _, event in await take(events, 2)] == ["slow", "quick"]


async def test_many_writers_at_once_and_a_reader_who_resumes_misses_nothing(
    house: House, client: httpx.AsyncClient
) -> None:
    total = 120
    seen: list[int] = []

    async def read() -> None:
        last = 0
        while len(seen) < total:
            async with following(client, f"after={last}") as events:
                for number, _ in await take(events, min(7, total - len(seen))):
                    seen.append(number)
                    last = number

    reader = asyncio.create_task(read())
    await asyncio.gather(*(house.say(str(n)) for n in range(total)))
    await asyncio.wait_for(reader, 30)
    assert len(set(seen)) == total
    assert seen == sorted(seen)


async def test_stopping_does_not_wait_for_open_streams(house: House, client: httpx.AsyncClient) -> None:
    async with following(client) as events:
        await house.say("hello")
        await take(events, 1)
        began = time.monotonic()
        await house.stop()
        assert time.monotonic() - began < 2.0
