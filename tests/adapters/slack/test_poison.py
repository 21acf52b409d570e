"""Payloads that no Slack would send: each is answered with 200, and what can be read of them is kept."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.adapters.slack.shortcut import CALLBACK, Place
from layers.store import Store
from tests.adapters.slack.bot import BY_HTTP, running
from tests.adapters.slack.conftest import Until
from tests.adapters.slack.test_hooks import direct, post, signed
from tests.fakes.slack_server import SlackServer

HALF, NUL, FORM = "a\ud800b", "a\0b", "application/x-www-form-urlencoded"


def event(top: dict[str, Any] | None = None, **more: Any) -> bytes:
    body = json.loads(direct("hello"))
    body["event"] |= more
    return json.dumps(body | (top or {})).encode()


def form(payload: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def press(**action: Any) -> bytes:
    pushed = {"action_id": "bulkhead:1", "action_ts": "1.1", "block_id": "b", "value": "a:approve:x"} | action
    place = {"channel_id": "D1", "message_ts": "17.1"}
    who = {"user": {"id": "U0OWNER"}, "team": {"id": "T0HOUSE"}}
    return form({"type": "block_actions", **who, "container": place, "actions": [pushed]})


def submitted(metadata: str, state: dict[str, Any]) -> bytes:
    view = {"id": "V1", "callback_id": CALLBACK, "private_metadata": metadata, "state": state}
    return form({"type": "view_submission", "user": {"id": "U0OWNER"}, "team": {"id": "T0HOUSE"}, "view": view})


@pytest.mark.parametrize(
    "body",
    [
        event({"team_id": HALF}),
        event({"team_id": "T" * 100_000}, user="U0NOBODY"),
        event({"event_id": HALF}),
        event({"event_id": NUL}),
        event(client_msg_id=HALF),
        event(client_msg_id=NUL),
        event(files=[{"id": "F1", "name": HALF, "mimetype": NUL, "size": 10**30}]),
        press(action_ts=HALF),
        press(action_ts=NUL),
        press(action_ts="9" * 100_000),
        press(block_id=HALF),
        submitted("7", {}),
        submitted("[" * 100_000, {}),
        submitted('["D1", "17.1", "\\ud800"]', {"values": {"question": {"text": {"value": HALF}}}}),
    ],
    ids=lambda body: str(len(body)),
)
async def test_odd_payloads_are_acknowledged(body: bytes, store: Store, slack: SlackServer) -> None:
    async with running(store, slack.url, tokens=BY_HTTP) as bot:
        kind = FORM if body.startswith(b"payload=") else "application/json"
        assert (await post(bot.account, body, signed(body, kind)))[0] == 200


async def test_half_a_letter_in_a_message_does_not_lose_the_message(
    store: Store, slack: SlackServer, until: Until
) -> None:
    async with running(store, slack.url, tokens=BY_HTTP) as bot:
        assert (await post(bot.account, event(text=f"kept {HALF} {NUL}")))[0] == 200
        mended = "a\N{REPLACEMENT CHARACTER}b"
        await until(lambda: slack.workspace.said("D1") == [f"echo: kept {mended} {mended}"])


@pytest.mark.parametrize("text", ["7", "null", "[" * 100_000, "[1]", '["a", "b"]', "{}"], ids=lambda text: text[:5])
def test_what_we_did_not_write_is_no_place(text: str) -> None:
    assert Place.load(text) is None
