"""What a hostile or broken client sends to the page: one sentence back, nothing lost, everybody else served."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.house import House
from tests.whole.people import error, furnish


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("http") / "home")
    furnish(opened.home)
    opened.start()
    try:
        opened.sign_in()
        yield opened
    finally:
        opened.close()


def raw(house: House, head: str, body: bytes = b"", seconds: float = 5) -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", house.port), seconds) as client:
        client.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        answer = b""
        try:
            while b"\r\n\r\n" not in answer:
                part = client.recv(65536)
                if not part:
                    break
                answer += part
        except ConnectionResetError:
            pass
        return answer


@pytest.mark.parametrize(
    ("headers", "status", "hint"),
    [
        ({"host": "evil.example"}, 403, "is not this page"),
        ({"host": ""}, 403, "is not this page"),
        ({"origin": "https://evil.example"}, 403, "may not post here"),
        ({"origin": "null"}, 403, "may not post here"),
        ({"content-type": "text/plain"}, 403, "is not taken"),
        ({"content-type": "application/x-www-form-urlencoded"}, 403, "is not taken"),
        ({"sec-fetch-site": "cross-site"}, 403, "another site"),
    ],
)
def test_a_post_that_our_page_did_not_send_is_refused(
    house: House, headers: dict[str, str], status: int, hint: str
) -> None:
    ours = {"origin": f"http://127.0.0.1:{house.port}", "content-type": "application/json"}
    body = json.dumps({"id": str(uuid.uuid4()), "conversation": "main", "text": "hello from afar"})
    answer = house.client.post("/api/messages", content=body, headers=ours | headers)
    assert (answer.status_code, hint in answer.json()["error"]) == (status, True)
    assert "hello from afar" not in json.dumps(house.history())


ID = "3f0e8f7e-8d8b-4f6e-9d2a-5a3a1d2b7c11"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 200_000,
        b'{"id": ' + b'{"a":' * 50_000,
        b"\xff\xfe\x00",
        b'{"id": "not a uuid", "text": "x"}',
        b'{"id": "' + ID.encode() + b'", "text": "\\ud800"}',
        b'{"id": "' + ID.encode() + b'", "text": ""}',
        b'{"id": "' + ID.encode() + b'", "text": 5}',
        b'{"id": "' + ID.encode() + b'", "text": "x", "conversation": "../etc"}',
        b'{"id": "' + ID.encode() + b'", "text": "x", "conversation": "main\\n"}',
        b'{"id": "' + ID.encode() + b'", "text": "x", "admin": true}',
        b'{"id": "' + ID.encode() + b'", "text": NaN}',
    ],
    ids=lambda body: repr(body[-30:]),
)
def test_a_body_that_is_no_message_is_refused_in_one_sentence(house: House, body: bytes) -> None:
    headers = {"origin": f"http://127.0.0.1:{house.port}", "content-type": "application/json"}
    for path in ("/api/messages", "/api/presses", "/auth"):
        answer = house.client.post(path, content=body, headers=headers)
        assert answer.status_code in (401, 422), answer.text
        assert len(answer.json()["error"].splitlines()) == 1
        assert len(answer.json()["error"]) < 400


@pytest.mark.parametrize("size", [70_000, 2_000_000, 20_000_000])
def test_a_message_that_is_too_long_is_refused(house: House, size: int) -> None:
    answer = house.say("x" * size, "long")
    assert (answer.status_code, "at most 64 KiB" in answer.json()["error"]) == (413, True)
    assert house.history("long") == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/history?conversation=../x",
        "/api/history?conversation=%00",
        "/api/history?before=-1",
        "/api/history?before=99999999999999999999",
        "/api/events?after=x",
        "/media/..%2f..%2fetc%2fpasswd",
        "/media/%00",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/nowhere",
    ],
)
def test_a_strange_address_is_refused(house: House, path: str) -> None:
    answer = house.client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]


@pytest.mark.parametrize("cookie", ["", "x", "\xff" * 50, "a" * 5000])
def test_nobody_reads_without_a_session(house: House, cookie: str) -> None:
    name = f"bulkhead_{house.port}"
    for path in ("me", "history", "pending", "conversations", "events"):
        answer = httpx.get(
            f"http://127.0.0.1:{house.port}/api/{path}", headers={"cookie": f"{name}={cookie}".encode("latin-1")}
        )
        assert answer.status_code == 401


def test_headers_without_end_are_cut_off(house: House) -> None:
    head = f"GET /healthz HTTP/1.1\nHost: 127.0.0.1:{house.port}\n" + "\n".join(
        f"x-{n}: {'y' * 1000}" for n in range(500)
    )
    answer = raw(house, head)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert house.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "head", ["\x00\x01\x02", "GET", "GET / HTTP/9.9", "POST /api/messages HTTP/1.1\nContent-Length: -5"]
)
def test_what_is_no_http_is_refused(house: House, head: str) -> None:
    assert b" 200 " not in raw(house, head).split(b"\r\n")[0]
    assert house.client.get("/healthz").status_code == 200


def test_slow_bodies_keep_nobody_else_waiting(house: House) -> None:
    head = (
        f"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nOrigin: http://127.0.0.1:{house.port}\r\n"
        f"Cookie: bulkhead_{house.port}={house.client.cookies[f'bulkhead_{house.port}']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    slow = [socket.create_connection(("127.0.0.1", house.port), 5) for _ in range(50)]
    try:
        for client in slow:
            client.sendall(head.encode())
        started = time.monotonic()
        assert house.ask("/pending", "quick")["kind"] == "message"
        assert time.monotonic() - started < 3
    finally:
        for client in slow:
            client.close()
    assert house.client.get("/healthz").status_code == 200


def test_a_message_posted_twice_is_one(house: House) -> None:
    id = str(uuid.uuid4())
    for text in ("/pending", "/pending", "/status"):
        assert house.say(text, "twice", id).status_code == 202
    house.wait_for(lambda event: "Nothing waits" in event.get("html", ""), "twice")
    assert [event["kind"] for event in house.history("twice")] == ["own", "message"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/diagram\nflowchart LR\n  a --> b\n  c -->", "Line 4, column 8: expected a node after the arrow"),
        ("/diagram\njourney\n  title a day", "these can: flowchart"),
        ("/diagram\nflowchart LR\n" + "\n".join(f"n{n}-->n{n + 1}" for n in range(4000)), "at most 500 nodes"),
        ("/diagram", "/diagram"),
        ("/patch\n--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n", ".."),
        ("/patch\n--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n", ".git"),
        ("/patch\nnothing", "diff"),
        ("/run nothing.here", "nothing.here"),
        ("/run workspace.append text=UPPER", "UPPER"),
        ("/run workspace.append", "text="),
        ("/run workspace.append text=a more=b", "more"),
        ("/run workspace.make target=;reboot", ";reboot"),
        ("/digram", "/diagram"),
        ('/schedule "99 9 * * mon" Europe/Berlin /pending', "minute"),
        ('/schedule "0 9 * * mon" Europe/Berln /pending', "Europe/Berlin"),
        ("/schedule remove 99", "no schedule 99"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_done_is_one_clear_sentence(house: House, text: str, hint: str) -> None:
    conversation = f"bad-{uuid.uuid4().hex[:8]}"
    assert house.say(text, conversation).status_code == 202
    said = error(house, conversation).replace("<code>", "`").replace("</code>", "`")
    assert hint in said
    assert len(house.history(conversation)) == 2, "what was said and its refusal: nothing is lost"
