"""Slack over HTTP: signed requests, committed before the 200, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.slack.account import SlackAccount
from bot.adapters.slack.hooks import FORM, Hook, payload_of
from layers.errors import AccountState, Unavailable
from layers.store import Store
from layers.types import Inbound, InboundKind
from tests.adapters.ports import NOTE
from tests.adapters.slack.bot import BY_HTTP, running
from tests.adapters.slack.conftest import Until
from tests.fakes.slack_server import SlackServer

JSON = "application/json"
SECRET = BY_HTTP.signing.get_secret_value()


def signed(body: bytes, content_type: str = JSON, secret: str = SECRET, age_s: float = 0.0) -> dict[str, str]:
    at = str(int(time.time() - age_s))
    digest = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "content-type": content_type,
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={digest}",
    }


def direct(text: str, ts: str = "17.1", user: str = "U0OWNER") -> bytes:
    message = {"type": "message", "channel": "D1", "channel_type": "im", "ts": ts, "user": user, "text": text}
    return json.dumps({"type": "event_callback", "team_id": "T0HOUSE", "event_id": "Ev1", "event": message}).encode()


async def post(account: SlackAccount, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, str, bytes]:
    return await account.hooks()["slack"](headers or signed(body), body)


async def test_an_event_over_http_is_answered_and_no_socket_is_opened(
    store: Store, slack: SlackServer, until: Until
) -> None:
    async with running(store, slack.url, tokens=BY_HTTP) as bot:
        assert (await post(bot.account, direct("hello")))[0] == 200
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])
        assert slack.called("apps.connections.open") == []
        assert bot.account.health.state is AccountState.HEALTHY


async def test_what_is_not_committed_is_answered_503_and_taken_when_it_comes_again(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:

        async def fail(inbound: Inbound) -> None:
            raise Unavailable("the database is gone")

        bot.before_commit = fail
        body = direct("hello")
        assert (await post(bot.account, body))[0] == 503
        bot.before_commit = None
        again = {**signed(body), "x-slack-retry-num": "1", "x-slack-retry-reason": "http_error"}
        assert (await post(bot.account, body, again))[0] == 200
        assert (await post(bot.account, body, again))[0] == 200
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])
        assert len(bot.events) == 1


@pytest.mark.parametrize(
    "headers",
    [
        lambda: signed(direct("hello"), secret="another"),
        lambda: signed(direct("hello"), age_s=301),
        lambda: signed(direct("hello"), age_s=-900),
        lambda: {**signed(direct("hello")), "x-slack-signature": "v0=" + "0" * 64},
        lambda: {**signed(direct("hello")), "x-slack-signature": "v0=é"},
        lambda: {**signed(direct("hello")), "x-slack-request-timestamp": "now"},
        lambda: {**signed(direct("hello")), "x-slack-request-timestamp": "9" * 5000},
        lambda: {"content-type": JSON},
    ],
)
async def test_a_request_that_slack_did_not_make_just_now_is_refused(
    headers: Callable[[], dict[str, str]], lite: Store, slack: SlackServer
) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:
        assert (await post(bot.account, direct("hello"), headers()))[0] == 401
        assert bot.accepted == []


async def test_the_signature_covers_the_body_as_it_came() -> None:
    taken: list[Any] = []

    async def take(body: Mapping[str, Any]) -> str:
        taken.append(body)
        return ""

    hook = Hook(SecretStr(SECRET), take)
    body = b'{"type":  "event_callback"}'
    assert (await hook.handle(signed(body), body))[0] == 200
    assert (await hook.handle(signed(body), body.replace(b"  ", b" ")))[0] == 401
    assert (await hook.handle(signed(b"\xff\xfe"), b"\xff\xfe"))[0] == 401
    assert len(taken) == 1


async def test_slack_can_check_the_address(lite: Store, slack: SlackServer) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:
        assert await post(bot.account, body) == (200, "text/plain; charset=utf-8", b"3eZbrw1a")
        assert (await post(bot.account, body, {"content-type": JSON}))[0] == 401


async def test_commands_and_presses_come_as_forms(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:
        fields = {"command": "/bulkhead", "text": "run host.uptime", "team_id": "T0HOUSE", "channel_id": "C1"}
        command = urlencode({**fields, "user_id": "U0OWNER", "trigger_id": "1.2"}).encode()
        assert await post(bot.account, command, signed(command, FORM)) == (200, "text/plain; charset=utf-8", b"")
        by_stranger = urlencode({**fields, "user_id": "U0OTHER", "trigger_id": "1.3"}).encode()
        status, kind, note = await post(bot.account, by_stranger, signed(by_stranger, FORM))
        assert (status, kind, json.loads(note)) == (200, JSON, {"response_type": "ephemeral", "text": NOTE})
        press = {
            "type": "block_actions",
            "user": {"id": "U0OWNER", "team_id": "T0HOUSE"},
            "team": {"id": "T0HOUSE"},
            "container": {"channel_id": "C1", "message_ts": "17.5"},
            "actions": [{"action_id": "bulkhead:0", "action_ts": "18.1", "block_id": "t7~0~abc", "value": "a:b:c"}],
        }
        body = urlencode({"payload": json.dumps(press)}).encode()
        assert (await post(bot.account, body, signed(body, FORM)))[0] == 200
        await until(lambda: len(bot.events) == 2)
        assert [event.kind for event in bot.events] == [InboundKind.MESSAGE, InboundKind.PRESS]


async def test_a_web_server_serves_it_as_it_is(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:

        async def serve(request: Request) -> Response:
            handle = bot.account.hooks()[request.path_params["name"]]
            status, kind, content = await handle(dict(request.headers), await request.body())
            return Response(content, status, media_type=kind)

        app = Starlette(routes=[Route("/hooks/{name}", serve, methods=["POST"])])
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bulkhead.test") as client:
            body = direct("hello")
            answer = await client.post("/hooks/slack", content=body, headers=signed(body))
            assert (answer.status_code, answer.text) == (200, "")
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])


async def test_too_many_events_are_a_state_and_not_the_end(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:
        body = json.dumps({"type": "app_rate_limited", "team_id": "T0HOUSE", "minute_rate_limited": 1}).encode()
        assert (await post(bot.account, body))[0] == 200
        assert bot.account.health.state is AccountState.DEGRADED
        assert bot.told[-1][0] is AccountState.DEGRADED
        assert (await post(bot.account, direct("hello")))[0] == 200
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])


async def test_a_body_that_cannot_be_read_is_refused(lite: Store, slack: SlackServer) -> None:
    async with running(lite, slack.url, tokens=BY_HTTP) as bot:
        for body in (b"", b"[]", b"{", b"[" * 100_000, b"null"):
            assert (await post(bot.account, body))[0] == 400


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, "", "text/html"]))
def test_no_body_makes_the_reader_stumble(body: bytes, kind: str) -> None:
    found = payload_of(kind, body)
    assert found is None or isinstance(found, dict)
