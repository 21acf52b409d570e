"""The page's HTTP surface on a real socket, on both databases."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from bot.adapters.web import add_event
from bot.web import listen, mint_link
from bot.web.bodies import BODY_CAP_BYTES
from layers.errors import Misconfigured, Unavailable
from layers.store import Tx
from layers.types import Address, Outbound, OutboundKind
from tests.web.conftest import GUEST, OWNER, House, in_minutes, message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


# ---- the door ----


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost", "127.0.0.1.nip.io:{port}"])
async def test_a_rebound_host_name_is_refused_on_every_route(house: House, host: str) -> None:
    async with house.stranger() as stranger:
        for path in ("/", "/healthz", "/static/page.js", "/api/me"):
            answer = await stranger.get(path, headers={"host": host.format(port=house.port)})
            assert answer.status_code == 403
            assert "is not this page; open it by" in answer.json()["error"]


async def test_a_second_host_header_is_refused(house: House) -> None:
    answer = await raw(house, f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_each_name_of_loopback_opens_the_page(house: House, name: str) -> None:
    async with house.stranger() as stranger:
        answer = await stranger.get("/", headers={"host": f"{name}:{house.port}"})
        assert answer.status_code == 200


async def test_a_configured_host_opens_the_page(house: House) -> None:
    await house.stop()
    house.hosts = ("bulkhead.lan",)
    await house.start()
    async with house.stranger() as stranger:
        for host in ("bulkhead.lan", f"bulkhead.lan:{house.port}"):
            assert (await stranger.get("/", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"origin": "http://evil.example"}, "may not post here"),
        ({"origin": "http://127.0.0.1:1"}, "may not post here"),
        ({"origin": "null"}, "may not post here"),
        ({"origin": ""}, "may not post here"),
        ({"sec-fetch-site": "same-site"}, "another site sent this"),
        ({"content-type": "text/plain"}, "post application/json"),
        ({"content-type": "application/x-www-form-urlencoded"}, "post application/json"),
    ],
)
@pytest.mark.parametrize("path", ["/auth", "/api/messages", "/api/presses", "/api/leave"])
async def test_posts_from_elsewhere_are_refused(
    house: House, client: httpx.AsyncClient, path: str, headers: dict[str, str], why: str
) -> None:
    answer = await client.post(path, content=json.dumps(message("x")), headers={"content-type": "application/json", **headers})
    assert answer.status_code == 403
    assert why in answer.json()["error"]
    assert house.taken == []


async def test_every_answer_carries_the_headers_that_keep_a_browser_honest(house: House, client: httpx.AsyncClient) -> None:
    for path in ("/", "/static/page.css", "/api/me", "/nowhere", "/media/none"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


async def test_static_files_do_not_lead_out_of_their_folder(client: httpx.AsyncClient) -> None:
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fqueries.sql"):
        assert (await client.get(path)).status_code == 404


# ---- sessions ----


@pytest.mark.parametrize(
    "path", ["/api/me", "/api/history", "/api/events", "/api/pending", "/api/conversations", f"/media/{'0' * 64}"]
)
async def test_nothing_is_told_without_a_session(house: House, path: str) -> None:
    async with house.stranger() as stranger:
        for cookies in ({}, {f"bulkhead_{house.port}": "guess"}):
            answer = await stranger.get(path, cookies=cookies) if not cookies else await with_cookie(stranger, path, cookies)
            assert answer.status_code == 401
            assert "bulkhead link" in answer.json()["error"]
        assert (await stranger.post("/api/messages", json=message("hi"))).status_code == 401
    assert house.taken == []


async def with_cookie(stranger: httpx.AsyncClient, path: str, cookies: dict[str, str]) -> httpx.Response:
    name, value = next(iter(cookies.items()))
    return await stranger.get(path, headers={"cookie": f"{name}={value}"})


async def test_the_link_works_once_and_its_cookie_is_out_of_reach_of_scripts(house: House) -> None:
    token = await mint_link(house.store, "owner")
    async with house.stranger() as first, house.stranger() as second:
        answer = await first.post("/auth", json={"token": token})
        cookie = answer.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/", f"bulkhead_{house.port}="))
        assert (await first.get("/api/me")).json() == {"person": {"id": "owner", "name": "Ada"}, "version": "0.1.0"}
        again = await second.post("/auth", json={"token": token})
        assert again.status_code == 401
        assert again.json()["error"] == "this link was used before; run `bulkhead link` for a new one"


async def test_two_browsers_racing_for_one_link_get_one_session(house: House) -> None:
    token = await mint_link(house.store, "owner")
    async with house.stranger() as stranger:
        answers = await asyncio.gather(*(stranger.post("/auth", json={"token": token}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_an_old_or_unknown_link_is_refused_and_says_so(house: House) -> None:
    def age(tx: Tx, token_hash: str) -> None:
        tx.run("web.add_token", token_hash=token_hash, kind="link", person="owner", now=tx.now - 901, expires_at=tx.now - 1)

    await house.store.run(age, hashlib.sha256(b"old").hexdigest())
    async with house.stranger() as stranger:
        old = await stranger.post("/auth", json={"token": "old"})
        unknown = await stranger.post("/auth", json={"token": "nope"})
        broken = await stranger.post("/auth", json={"tok": 1})
    assert (old.status_code, unknown.status_code, broken.status_code) == (401, 401, 422)
    assert "is too old" in old.json()["error"]
    assert "is not known" in unknown.json()["error"]


async def test_a_link_token_is_no_session_and_neither_is_at_rest(house: House, client: httpx.AsyncClient) -> None:
    link = await mint_link(house.store, "owner")
    session = client.cookies[f"bulkhead_{house.port}"]
    async with house.stranger() as stranger:
        assert (await with_cookie(stranger, "/api/me", {f"bulkhead_{house.port}": link})).status_code == 401
    for token, kind in ((link, "link"), (session, "session")):
        assert await house.store.fetch_one("web.token", token_hash=token, kind=kind) is None
        assert await house.store.fetch_one("web.token", token_hash=hashlib.sha256(token.encode()).hexdigest(), kind=kind)


async def test_a_session_survives_a_restart_of_the_server(house: House, client: httpx.AsyncClient) -> None:
    await house.stop()
    await house.start()
    assert (await client.get("/api/me")).status_code == 200


async def test_an_expired_session_and_a_person_who_left_are_refused(house: House, client: httpx.AsyncClient) -> None:
    def end(tx: Tx) -> None:
        tx.run("web.add_token", token_hash=hashlib.sha256(b"late").hexdigest(), kind="session", person="owner",
               now=tx.now - 99, expires_at=tx.now - 1)  # fmt: skip

    await house.store.run(end)
    async with house.stranger() as stranger:
        assert (await with_cookie(stranger, "/api/me", {f"bulkhead_{house.port}": "late"})).status_code == 401
    del house.people["owner"]
    answer = await client.get("/api/me")
    assert answer.status_code == 401
    assert "no longer under [people]" in answer.json()["error"]


async def test_signing_out_ends_the_session_on_the_server(house: House, client: httpx.AsyncClient) -> None:
    cookie = {f"bulkhead_{house.port}": client.cookies[f"bulkhead_{house.port}"]}
    assert (await client.post("/api/leave", json={})).status_code == 200
    async with house.stranger() as stranger:
        assert (await with_cookie(stranger, "/api/me", cookie)).status_code == 401


# ---- posts ----


async def test_a_message_posted_twice_is_one_message(house: House, client: httpx.AsyncClient) -> None:
    body = message("hello")
    answers = await asyncio.gather(*(client.post("/api/messages", json=body) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [202] * 5
    assert {answer.json()["id"] for answer in answers} == {body["id"]}
    events = (await client.get("/api/history")).json()["events"]
    assert [(event["kind"], event["text"], event["name"]) for event in events] == [("own", "hello", "Ada")]


async def test_a_press_carries_its_value_its_key_and_who_pressed(house: House) -> None:
    async with await house.client(GUEST) as guest:
        body = {"id": str(uuid4()), "conversation": "ops", "key": "a7", "value": "approval:approve:x1"}
        assert (await guest.post("/api/presses", json=body)).status_code == 202
    [press] = house.taken
    assert press.person == GUEST
    assert press.address.id == "web:ops"
    assert press.press is not None
    assert (press.press.key, press.press.value) == ("a7", "approval:approve:x1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": "7"}, "id was refused"),
        ({"conversation": "../etc"}, "conversation was refused"),
        ({"conversation": "x" * 65}, "conversation was refused"),
        ({"text": 7}, "text was refused"),
        ({"text": " \n\t"}, "the message is empty"),
        ({"admin": True}, "admin was refused"),
    ],
)
async def test_a_bad_body_gets_one_sentence(
    house: House, client: httpx.AsyncClient, change: dict[str, object], why: str
) -> None:
    answer = await client.post("/api/messages", json={**message("x"), **change})
    assert answer.status_code == 422
    assert why in answer.json()["error"]
    assert house.taken == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"text": "\\ud800"}', b"[" * 50_000])
async def test_what_is_not_json_gets_one_sentence(house: House, client: httpx.AsyncClient, content: bytes) -> None:
    for path in ("/api/messages", "/api/presses", "/auth"):
        answer = await client.post(path, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert len(answer.json()["error"]) < 300
    assert house.taken == []


async def test_64_kib_of_text_is_taken_and_one_byte_more_is_refused(house: House, client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/messages", json=message("x" * 65_536))).status_code == 202
    assert (await client.post("/api/messages", json=message("é" * 32_768))).status_code == 202
    for text in ("x" * 65_537, "é" * 32_769):
        answer = await client.post("/api/messages", json=message(text))
        assert answer.status_code == 413
        assert answer.json()["error"] == "a message holds at most 64 KiB of text; shorten it or send it in parts"
    assert len(house.taken) == 2


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_message_of_2_mb_is_refused_with_a_sentence(
    house: House, client: httpx.AsyncClient, is_chunked: bool
) -> None:
    body = json.dumps(message("x" * 2_000_000)).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await client.post(
        "/api/messages", content=chunks() if is_chunked else body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert "at most 64 KiB" in answer.json()["error"]
    assert house.taken == []
    assert len(body) > BODY_CAP_BYTES
    assert (await client.post("/api/messages", json=message("still here"))).status_code == 202


async def test_a_page_that_posts_in_a_loop_is_slowed_down(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/api/messages", content=b"{}", headers={"content-type": "application/json"})
               for _ in range(330)]  # fmt: skip
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429 or sum(answer.status_code == 429 for answer in answers) > 0


async def test_a_layer_that_is_unavailable_says_so_and_a_bug_tells_nothing(house: House, client: httpx.AsyncClient) -> None:
    house.failing = Unavailable("the database does not answer; try again")
    answer = await client.post("/api/messages", json=message("x"))
    assert (answer.status_code, answer.json()["error"]) == (503, "the database does not answer; try again")
    house.failing = ZeroDivisionError("secret detail")
    answer = await client.post("/api/messages", json=message("x"))
    assert answer.status_code == 500
    assert "secret" not in answer.text


# ---- reading ----


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
    await client.post("/api/messages", json=message("first words\nmore", conversation="one"))
    await client.post("/api/messages", json=message("x" * 90, conversation="two"))
    listed = (await client.get("/api/conversations")).json()["conversations"]
    assert [(chat["id"], chat["title"]) for chat in listed] == [("two", "x" * 59 + "…"), ("one", "first words")]


@pytest.mark.parametrize("query", ["conversation=A", "conversation=", "conversation=%00", "before=x", "before=-1", "before=9e9"])
async def test_a_bad_query_gets_one_sentence(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/history?{query}")
    assert answer.status_code == 422
    assert "use" in answer.json()["error"]


async def test_delivering_twice_is_one_event_and_gives_the_same_reference(house: House, client: httpx.AsyncClient) -> None:
    outbound = Outbound(address=Address(channel="web", conversation="main"), key="t1", text="once")
    first = await house.channel.deliver(outbound, "o1")
    assert await house.channel.deliver(outbound, "o1") == first
    assert len((await client.get("/api/history")).json()["events"]) == 1


async def test_media_needs_a_session_and_is_kept_by_the_browser_for_good(house: House, client: httpx.AsyncClient) -> None:
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


async def test_health_is_200_only_when_ready_and_needs_no_session(house: House) -> None:
    async with house.stranger() as stranger:
        answer = await stranger.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        house.is_ready = False
        assert (await stranger.get("/healthz")).status_code == 503


async def test_pending_cards_are_listed(house: House, client: httpx.AsyncClient) -> None:
    from bot.web import PendingCard

    house.cards.append(PendingCard(id="a1", title="workspace.make", conversation="web:main", expires_at=in_minutes(9)))
    answer = (await client.get("/api/pending")).json()
    assert answer["pending"][0]["title"] == "workspace.make"
    assert abs(answer["now"] - time.time()) < 60


async def test_a_port_in_use_is_one_sentence(house: House) -> None:
    with pytest.raises(Misconfigured, match="is in use; stop what holds it or choose another with --port"):
        listen("127.0.0.1", house.port)
    with pytest.raises(Misconfigured, match="is not a port"):
        listen("127.0.0.1", 70_000)


# ---- the stream ----


@asynccontextmanager
async def following(client: httpx.AsyncClient, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[tuple[int, dict]]]:
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
        assert [event["html"] for _, event in await take(events, 3)] == ["<p>1</p>\n", "<p>2</p>\n", "<p>while away</p>\n"]
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


async def test_many_writers_at_once_and_a_reader_who_resumes_misses_nothing(house: House, client: httpx.AsyncClient) -> None:
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


async def raw(house: House, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(text.encode())
    await writer.drain()
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_the_owner_is_who_the_link_was_minted_for(house: House) -> None:
    async with await house.client(OWNER) as owner, await house.client(GUEST) as guest:
        await owner.post("/api/messages", json=message("a"))
        await guest.post("/api/messages", json=message("b"))
    assert [inbound.person.id for inbound in house.taken] == ["owner", "guest"]
