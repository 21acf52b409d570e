"""Slack, where its tokens are set. The adapter is imported then only: it costs 25 MB."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from bot.adapters.ports import Ports
from bot.app.providers import Account
from bot.config import Settings
from layers.errors import Misconfigured


def make_slack(settings: Settings, ports: Ports) -> Account | None:
    """The app's account. Every process of a fleet has one: Slack brings each event to one socket, or to one address.

    Raises:
        Misconfigured: something of what belongs together is missing.
    """
    bot, app, signing = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    if not is_set_up(settings):
        return None
    slack = import_module("bot.adapters.slack.account")
    tokens = slack.Tokens(bot=bot, app=app, signing=signing)
    account = slack.SlackAccount(tokens, ports, **_url(settings))
    secret = "".join(each.get_secret_value() for each in (bot, app, signing))
    return Account(name="slack", service=account, channel=account.channel, secret=secret)


def is_set_up(settings: Settings) -> bool:
    """Whether there is a Slack app at all.

    Raises:
        Misconfigured: something of what belongs together is missing.
    """
    bot = bool(settings.slack_bot_token.get_secret_value())
    app = bool(settings.slack_app_token.get_secret_value())
    signing = bool(settings.slack_signing_secret.get_secret_value())
    if not bot and not app and not signing:
        return False
    if not bot:
        name = "APP_TOKEN" if app else "SIGNING_SECRET"
        raise Misconfigured(f"BULKHEAD_SLACK_{name} is set but BULKHEAD_SLACK_BOT_TOKEN is not; Slack needs both")
    if not app and not signing:
        text = "BULKHEAD_SLACK_BOT_TOKEN is set but BULKHEAD_SLACK_APP_TOKEN is not; Socket Mode needs both"
        raise Misconfigured(f"{text}, and HTTP needs BULKHEAD_SLACK_SIGNING_SECRET instead")
    return True


async def probe_slack(settings: Settings) -> str:
    """Ask Slack what it thinks of the tokens; one sentence on what was found.

    Raises:
        BulkheadError: what Slack says against them, and what to do.
    """
    if not is_set_up(settings):
        return "not set up"
    probe = import_module("bot.adapters.slack.probe")
    app = settings.slack_app_token if not settings.slack_signing_secret.get_secret_value() else None
    found: str = await probe.probe(settings.slack_bot_token, app, **_url(settings))
    return found


def _url(settings: Settings) -> dict[str, Any]:
    return {"url": settings.slack_api_url} if settings.slack_api_url else {}
