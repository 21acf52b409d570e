"""What `bulkhead doctor` says of Slack's tokens, and the manifest that they come from."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from bot.adapters.slack.manifest import EVENTS, SCOPES, manifest
from bot.adapters.slack.probe import probe
from bot.app.slack import is_set_up, probe_slack
from bot.config import Settings
from layers.errors import Misconfigured, Refused, Unavailable
from tests.fakes.slack_server import SlackServer

BOT, APP = SecretStr("xoxb-secret-bot"), SecretStr("xapp-secret-app")


async def test_good_tokens_say_who_the_bot_is(slack: SlackServer) -> None:
    slack.workspace.scopes = ",".join(SCOPES)
    assert "House, by Socket Mode" in await probe(BOT, APP, url=slack.url)
    assert "House, by HTTP" in await probe(BOT, None, url=slack.url)
    assert [call.method for call in slack.calls] == ["auth.test", "apps.connections.open", "auth.test"]


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("auth.test", "invalid_auth", "BULKHEAD_SLACK_BOT_TOKEN: Slack does not know it: copy it again"),
        ("auth.test", "account_inactive", "install it again"),
        ("auth.test", "token_revoked", "somebody revoked it"),
        ("auth.test", "org_login_required", "CHALLENGED|being moved"),
        ("apps.connections.open", "invalid_auth", "BULKHEAD_SLACK_APP_TOKEN: Slack does not know it"),
        ("apps.connections.open", "missing_scope", "connections:write"),
    ],
)
async def test_what_slack_says_against_a_token_comes_with_what_to_do(
    slack: SlackServer, method: str, error: str, said: str
) -> None:
    slack.fail(method=method, error=error)
    with pytest.raises(Misconfigured, match=said) as caught:
        await probe(BOT, APP, url=slack.url)
    assert "secret" not in str(caught.value)


async def test_missing_scopes_are_named(slack: SlackServer) -> None:
    slack.workspace.scopes = ",".join(sorted({*SCOPES} - {"files:read", "im:history"}))
    with pytest.raises(Misconfigured, match="lacks files:read, im:history; paste"):
        await probe(BOT, APP, url=slack.url)


async def test_tokens_in_each_others_place_are_seen_without_a_call(slack: SlackServer) -> None:
    with pytest.raises(Misconfigured, match="BOT_TOKEN must begin with xoxb-; what is set is an app-level token"):
        await probe(APP, BOT, url=slack.url)
    with pytest.raises(Misconfigured, match="APP_TOKEN must begin with xapp-; what is set is something else"):
        await probe(BOT, SecretStr("hello"), url=slack.url)
    assert slack.calls == []


async def test_a_slack_that_cannot_be_asked_is_no_verdict_on_the_token(slack: SlackServer) -> None:
    slack.fail(method="auth.test", is_drop=True)
    with pytest.raises(Unavailable):
        await probe(BOT, APP, url=slack.url)


async def test_the_doctor_asks_the_configured_slack(slack: SlackServer) -> None:
    slack.workspace.scopes = ",".join(SCOPES)
    settings = Settings(slack_bot_token=BOT, slack_signing_secret=SecretStr("shh"), slack_api_url=slack.url)
    assert "by HTTP" in await probe_slack(settings)
    assert await probe_slack(Settings(slack_bot_token=SecretStr(""))) == "not set up"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(slack_app_token=APP), "APP_TOKEN is set but BULKHEAD_SLACK_BOT_TOKEN is not"),
        (Settings(slack_signing_secret=APP), "SIGNING_SECRET is set but BULKHEAD_SLACK_BOT_TOKEN is not"),
        (Settings(slack_bot_token=BOT), "HTTP needs BULKHEAD_SLACK_SIGNING_SECRET"),
    ],
)
def test_half_a_setting_up_says_what_is_missing(settings: Settings, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        is_set_up(settings)


def test_the_manifest_for_http_names_one_address_and_no_socket() -> None:
    found = manifest(http="https://chat.example.org")
    hook = "https://chat.example.org/hooks/slack"
    assert found["settings"]["socket_mode_enabled"] is False
    assert found["settings"]["event_subscriptions"]["request_url"] == hook
    assert found["settings"]["interactivity"]["request_url"] == hook
    assert found["features"]["slash_commands"][0]["url"] == hook
    assert hook not in json.dumps(manifest())
    for address in ("http://chat.example.org", "https://chat.example.org/x", "chat.example.org", "https://a b"):
        with pytest.raises(Refused, match="no address for Slack"):
            manifest(http=address)


def test_the_manifest_subscribes_to_what_is_read_and_asks_for_its_scopes() -> None:
    found = manifest()
    assert found["features"]["app_home"]["home_tab_enabled"] is True
    assert found["features"]["shortcuts"][0]["callback_id"] == "bulkhead_ask"
    needs = {"message.channels": "channels:history", "message.groups": "groups:history", "message.im": "im:history"}
    assert {needs[event] for event in EVENTS if event in needs} <= set(SCOPES)
    assert found["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
