"""Slack, where its tokens are set. The adapter is imported then only: it costs 25 MB."""

from __future__ import annotations

from importlib import import_module

from bot.adapters.ports import Ports
from bot.app.providers import Account
from bot.config import Settings
from layers.errors import Misconfigured


def make_slack(settings: Settings, ports: Ports) -> Account | None:
    """The app's account; Slack brings each event to one of its sockets, so every process of a fleet has some.

    Raises:
        Misconfigured: one of two tokens is missing.
    """
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if not bot.get_secret_value() and not app.get_secret_value():
        return None
    for token, name, other in ((bot, "BOT", "APP"), (app, "APP", "BOT")):
        if not token.get_secret_value():
            text = f"BULKHEAD_SLACK_{other}_TOKEN is set but BULKHEAD_SLACK_{name}_TOKEN is not"
            raise Misconfigured(f"{text}; Socket Mode needs both")
    slack = import_module("bot.adapters.slack.account")
    url = {"url": settings.slack_api_url} if settings.slack_api_url else {}
    account = slack.SlackAccount(slack.Tokens(bot=bot, app=app), ports, **url)
    secret = bot.get_secret_value() + app.get_secret_value()
    return Account(name="slack", service=account, channel=account.channel, secret=secret)
