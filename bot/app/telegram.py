"""Telegram, where its token is set. The adapter is imported then only: it costs 25 MB."""

from __future__ import annotations

from importlib import import_module

from bot.adapters.ports import Ports
from bot.app.providers import Account
from bot.config import Settings


def make_telegram(settings: Settings, ports: Ports) -> Account | None:
    """The bot's account; one process of a fleet polls for it."""
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    url = {"api_url": settings.telegram_api_url} if settings.telegram_api_url else {}
    telegram = import_module("bot.adapters.telegram").Telegram(token, ports, **url)
    return Account(name="telegram", service=telegram, channel=telegram, secret=token, is_exclusive=True)
