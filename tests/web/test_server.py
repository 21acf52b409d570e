"""The page's HTTP surface on a real socket, on both databases."""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from starlette.exceptions import HTTPException

from bot.web import PendingCard, listen, mint_link
from bot.web.bodies import BODY_CAP_BYTES, Allowance
from layers.errors import Misconfigured, Unavailable
from layers.store import Tx
from tests.web.conftest import GUEST, OWNER, House, in_minutes, message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


# ---- the door ----


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost", "127.0.0.1.nip.io:{port}"]
)
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
    answer = await client.post(
        path, content=json.dumps(message("x")), headers={"content-type": "application/json", **headers}
    )
    assert answer.status_code == 403
    assert why in answer.json()["error"]
    assert house.taken == []


async def test_every_answer_carries_the_headers_that_keep_a_browser_honest(
    house: House, client: httpx.AsyncClient
) -> None:
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
        for headers in ({}, {"cookie": f"bulkhead_{house.port}=guess"}):
            answer = await stranger.get(path, headers=headers)
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


async def test_an_old_or_unknown_link_is_refused_and_says_so(house: House) -> None:
    def age(tx: Tx, token_hash: str) -> None:
        tx.run(
            "web.add_token", token_hash=token_hash, kind="link", person="owner", now=tx.now - 901, expires_at=tx.now - 1
        )

    await house.store.run(age, hashlib.sha256(b"old").hexdigest())
    async with house.stranger() as stranger:
        old = await stranger.post("/auth", json={"token": "old"})
        unknown = await stranger.post("/auth", json={"token": "nope"})
        broken = await stranger.post("/auth", json={"tok": 1})
    assert (old.status_code, unknown.status_code, broken.status_code) == (401, 401, 422)
    assert "is too old" in old.json()["error"]
    assert "is not known" in unknown.json()["error"]


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


async def test_a_press_carries_its_value_its_key_and_who_pressed(house: House) -> None:
    async with house.client(GUEST) as guest:
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


async def test_a_layer_that_is_unavailable_says_so_and_a_bug_tells_nothing(
    house: House, client: httpx.AsyncClient
) -> None:
    house.failing = Unavailable("the database does not answer; try again")
    answer = await client.post("/api/messages", json=message("x"))
    assert (answer.status_code, answer.json()["error"]) == (503, "the database does not answer; try again")
    house.failing = ZeroDivisionError("secret detail")
    answer = await client.post("/api/messages", json=message("x"))
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_page_that_posts_in_a_loop_is_slowed_down_and_others_are_not() -> None:
    allowance = Allowance(per_s=0.001, burst=3)
    for _ in range(3):
        allowance.take("owner")
    with pytest.raises(HTTPException, match="too many posts at once"):
        allowance.take("owner")
    allowance.take("guest")


@pytest.mark.parametrize(
    "query", ["conversation=A", "conversation=", "conversation=%00", "before=x", "before=-1", "before=9e9"]
)
async def test_a_bad_query_gets_one_sentence(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/history?{query}")
    assert answer.status_code == 422
    assert "use" in answer.json()["error"]


async def test_health_is_200_only_when_ready_and_needs_no_session(house: House) -> None:
    async with house.stranger() as stranger:
        answer = await stranger.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        house.is_ready = False
        assert (await stranger.get("/healthz")).status_code == 503


async def test_pending_cards_are_listed(house: House, client: httpx.AsyncClient) -> None:
    house.cards.append(PendingCard(id="a1", title="workspace.make", conversation="web:main", expires_at=in_minutes(9)))
    answer = (await client.get("/api/pending")).json()
    assert answer["pending"][0]["title"] == "workspace.make"
    assert abs(answer["now"] - time.time()) < 60


async def test_an_answer_leaves_at_once(house: House) -> None:
    """Nagle's algorithm with delayed acknowledgements makes every answer 40 ms late; see serving.listen."""
    async with house.stranger() as stranger:
        took = []
        for _ in range(12):
            began = time.perf_counter()
            await stranger.get("/healthz")
            took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.035


async def test_a_port_in_use_is_one_sentence(house: House) -> None:
    with pytest.raises(Misconfigured, match="is in use; stop what holds it or choose another with --port"):
        listen("127.0.0.1", house.port)
    with pytest.raises(Misconfigured, match="is not a port"):
        listen("127.0.0.1", 70_000)


async def test_the_owner_is_who_the_link_was_minted_for(house: House) -> None:
    async with house.client(OWNER) as owner, house.client(GUEST) as guest:
        await owner.post("/api/messages", json=message("a"))
        await guest.post("/api/messages", json=message("b"))
    assert [inbound.person.id for inbound in house.taken] == ["owner", "guest"]


async def raw(house: House, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(text.encode())
    await writer.drain()
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    return answer
