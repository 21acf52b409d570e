"""Is the callback authentic? Forged, replayed and misdirected requests against the real server's open doors."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import httpx
import pytest

from bot.adapters.telegram.webhook import secret_of
from tests.control.attacks.surfaces import Asked, Page, Slack, Surface, Telegram, World, ask, push
from tests.fakes import slack_server, telegram_server
from tests.fakes.house import House
from tests.fakes.slack_workspace import APP, TEAM
from tests.whole.people import until

SECRET = "shhh-signing"
FORM = "application/x-www-form-urlencoded"
HEADER = "x-telegram-bot-api-secret-token"


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory, shared: object) -> Iterator[World]:
    """A server that the providers call: Slack by HTTP, Telegram by webhook. The tests are the providers."""
    with ExitStack() as stack:
        slack = stack.enter_context(slack_server.running(slack_server.load_spec(shared)))  # type: ignore[arg-type]
        telegram = stack.enter_context(telegram_server.running())
        home = tmp_path_factory.mktemp("called") / "home"
        settings = {"BULKHEAD_SLACK_SIGNING_SECRET": SECRET, "BULKHEAD_PUBLIC_URL": "https://bulkhead.example.org"}
        made = World(home, slack, telegram, **settings)
        stack.callback(made.close)
        made.start()
        until(lambda: telegram.chats.webhook and slack.called("auth.test"))
        yield made


def hook(world: World, name: str, body: bytes, headers: dict[str, str]) -> int:
    """What a provider, or somebody who says so, posts."""
    return world.house.client.post(f"/hooks/{name}", content=body, headers=headers).status_code


def signed(body: bytes, kind: str = FORM, secret: str = SECRET, age_s: float = 0.0) -> dict[str, str]:
    at = str(int(time.time() - age_s))
    digest = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"content-type": kind, "x-slack-request-timestamp": at, "x-slack-signature": f"v0={digest}"}


class ByHttp(Slack):
    """Slack as it calls an address."""

    def say(self, text: str, who: str = "owner") -> None:
        """A slash command."""
        fields = {"command": "/bulkhead", "text": text.removeprefix("/"), "team_id": TEAM, "channel_id": self.channel}
        body = urlencode({**fields, "user_id": self.users[who], "trigger_id": uuid.uuid4().hex}).encode()
        assert hook(self.world, "slack", body, signed(body)) == 200

    def pressed(self, asked: Asked, label: str) -> bytes:
        """The body of a press."""
        message = self.card(asked)
        block = next(block for block in message["blocks"] if block["type"] == "actions")
        element = next(each for each in block["elements"] if each["text"]["text"] == label)
        payload = {
            "type": "block_actions",
            "user": {"id": "U1", "team_id": TEAM},
            "team": {"id": TEAM, "domain": "house"},
            "container": {"type": "message", "channel_id": self.channel, "message_ts": message["ts"]},
            "actions": [{**element, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}],
            "api_app_id": APP,
        }
        return urlencode({"payload": json.dumps(payload)}).encode()


def test_A1_what_slack_has_not_signed_is_answered_401_and_never_parsed(called: World) -> None:
    slack = ByHttp(called)
    asked = ask(slack)
    body = slack.pressed(asked, "Approve")
    good = signed(body)
    for headers in (
        {"content-type": FORM},
        {**good, "x-slack-signature": "v0=" + "0" * 64},
        signed(body, secret="another"),
        signed(body, secret=""),
        {**good, "x-slack-signature": good["x-slack-signature"][:20]},
        signed(body + b" "),
        {**good, "x-slack-request-timestamp": str(int(time.time()) - 1)},
        {**good, "x-slack-signature": good["x-slack-signature"].replace("v0=", "v1=")},
    ):
        assert hook(called, "slack", body, headers) == 401
        assert hook(called, "slack", b"{" * 10_000, headers) == 401, "before anything is parsed"
    assert called.state(asked.id) == "pending"
    assert hook(called, "slack", body, signed(body)) == 200
    assert called.became(asked.id, "succeeded")


def test_A2_an_old_signature_and_one_of_the_future_are_refused(called: World) -> None:
    slack = ByHttp(called)
    asked = ask(slack)
    body = slack.pressed(asked, "Approve")
    for age_s in (301, 3600, -310):
        assert hook(called, "slack", body, signed(body, age_s=age_s)) == 401
    assert called.state(asked.id) == "pending"
    assert hook(called, "slack", body, signed(body, age_s=290)) == 200
    assert called.became(asked.id, "succeeded")


def test_A3_the_same_signed_request_again_has_one_effect_and_settles_no_other(called: World) -> None:
    slack = ByHttp(called)
    asked = ask(slack)
    body = slack.pressed(asked, "Approve")
    headers = signed(body)
    refused = len(called.trail("refused"))
    assert [hook(called, "slack", body, headers) for _ in range(6)] == [200] * 6
    assert called.became(asked.id, "succeeded")
    again = ask(slack)  # the replay of a command is no second request either
    assert hook(called, "slack", body, headers) == 200
    push_deny = slack.pressed(again, "Deny")
    assert hook(called, "slack", push_deny, signed(push_deny)) == 200
    assert called.became(again.id, "denied")
    assert called.effects(asked.word) == 1
    assert len(called.trail("refused")) == refused, "one event, and so one decision and one reply"


def test_A4_by_socket_mode_no_http_door_is_open_and_by_http_no_socket(world: World, called: World) -> None:
    body = b'{"type": "url_verification", "challenge": "x"}'
    for headers in (signed(body, "application/json"), signed(body, "application/json", secret=""), {}):
        assert hook(world, "slack", body, headers) == 404
        assert hook(world, "telegram", body, {**headers, HEADER: secret_of(telegram_server.TOKEN)}) == 404
    assert called.slack.called("apps.connections.open") == []
    assert {call.token for call in world.slack.called("apps.connections.open")} == {"xapp-1-fake"}


def test_A5_without_telegrams_secret_an_update_is_none(called: World) -> None:
    text = f"/run workspace.append text=a{uuid.uuid4().hex}"
    message = {**called.telegram.chats.frame(42, 42), "text": text}
    body = json.dumps({"update_id": int(time.time()), "message": message}).encode()
    before = called.rows("SELECT count(*) FROM approval")
    assert hook(called, "telegram", body, {}) == 403
    for secret in ("", "wrong", telegram_server.TOKEN, secret_of(telegram_server.TOKEN)[:-1]):
        assert hook(called, "telegram", body, {HEADER: secret}) == 403
    time.sleep(0.2)
    assert called.rows("SELECT count(*) FROM approval") == before
    assert hook(called, "telegram", body, {HEADER: secret_of(telegram_server.TOKEN)}) == 200
    until(lambda: called.rows("SELECT count(*) FROM approval") != before)


ELSEWHERE = (
    ({"host": "evil.example"}, 403),
    ({"host": "127.0.0.1.nip.io"}, 403),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": ""}, 403),
    ({"origin": "null"}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"content-type": "text/plain"}, 403),
    ({"content-type": FORM}, 403),
    ({"cookie": "none=1"}, 401),
)


def test_A9_another_site_a_rebound_name_or_another_user_of_the_machine_cannot_press(world: World) -> None:
    page = Page(world)
    asked = ask(page)
    port = world.house.port
    cookies = "; ".join(f"{name}={value}" for name, value in world.house.client.cookies.items())
    ours = {"origin": f"http://127.0.0.1:{port}", "content-type": "application/json", "cookie": cookies}
    value = page.value(asked, "Approve")
    body = json.dumps({"id": str(uuid.uuid4()), "conversation": "yard", "key": f"a{asked.id}", "value": value})
    url = f"http://127.0.0.1:{port}/api/presses"
    for headers, status in ELSEWHERE:
        assert httpx.post(url, content=body, headers=ours | headers).status_code == status
    assert httpx.get(url, params={"value": value}, headers=ours).status_code in (404, 405)
    assert world.state(asked.id) == "pending"
    assert httpx.post(url, content=body, headers=ours).status_code == 202
    assert world.became(asked.id, "succeeded")


def test_A9_a_used_link_and_a_guessed_session_open_nothing(world: World) -> None:
    token = world.house.url.partition("#token=")[2]
    assert len(token) >= 22
    for guess in (token, token[:-1], "", "0" * len(token)):
        assert world.house.post("/auth", {"token": guess}).status_code == 401
    assert world.house.client.get("/api/me").status_code == 200, "who was in stays in"


WORDS = ["/approve {id}", "/approve", "\u2014approve {id}", "/APPROVE {id}", "/deny {id}", "/approve \u2013-id {id}"]


def test_A11_what_is_typed_decides_nothing(surface: Surface) -> None:
    world, asked = surface.world, ask(surface)
    for words in WORDS:
        surface.say(words.format(id=asked.id))
    push(surface, asked, "Deny")
    assert world.became(asked.id, "denied", "approved", "succeeded") == "denied"
    assert not [entry for entry in world.trail("approve", "cancel") if entry["ref"] == asked.id]


def test_A8_an_approval_dressed_up_as_another_button_is_bound_to_its_own_card(world: World) -> None:
    """A handle that somebody got hold of, under a harmless label of another message: nothing is decided."""
    slack = Slack(world)
    asked, bait = ask(slack), ask(slack)
    with world.refused(asked.id):
        slack.press(bait, slack.value(asked, "Approve"))
    for each in (asked, bait):
        push(slack, each, "Deny")
        assert world.became(each.id, "denied")


def test_C5_two_pollers_of_one_bot_are_a_state_and_no_crash_loop(world: World) -> None:
    surface = Telegram(world)

    def polls() -> int:
        return len(world.telegram.called("getUpdates"))

    async def steal() -> int:
        async with httpx.AsyncClient() as client:
            url = f"{world.telegram.url}/bot{telegram_server.TOKEN}/getUpdates"
            return (await client.post(url, data={"timeout": 1})).status_code

    before, at = polls(), time.monotonic()
    assert asyncio.run(steal()) in (200, 409)
    assert polls() - before < 20 + 10 * (time.monotonic() - at)
    asked = ask(surface)
    push(surface, asked, "Approve")
    assert world.became(asked.id, "succeeded")
    assert world.effects(asked.word) == 1


def test_C5_a_second_server_on_the_same_home_does_not_start_and_the_first_one_goes_on(world: World) -> None:
    env = {name: value for name, value in world.house.env.items() if name != "BULKHEAD_DATABASE_URL"}
    second = House(world.house.home, env=env)
    second.start(wait=False)
    try:
        assert second.process is not None
        assert second.process.wait(30) != 0
    finally:
        second.close()
    surface = Telegram(world)
    asked = ask(surface)
    push(surface, asked, "Approve")
    assert world.became(asked.id, "succeeded")
    assert world.effects(asked.word) == 1
