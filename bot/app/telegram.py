"""Telegram, where its token is set. The adapter is imported then only: it costs 25 MB."""

from __future__ import annotations

from importlib import import_module

from bot.adapters.ports import Ports
from bot.app.providers import Account
from bot.config import Settings


def make_telegram(settings: Settings, ports: Ports) -> Account | None:
    """The bot's account. One process of a fleet polls for it; where Telegram calls us, every one takes its updates."""
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    url = {"api_url": settings.telegram_api_url} if settings.telegram_api_url else {}
    made = import_module("bot.adapters.telegram").Telegram(token, ports, public_url=settings.public_url, **url)
    return Account(name="telegram", service=made, channel=made, secret=token, is_exclusive=made.is_exclusive)


async def probe_telegram(settings: Settings) -> str:
    """What `bulkhead doctor` finds at Telegram; empty where no token is set.

    Raises:
        BulkheadError: what is wrong, and what to do.
    """
    token = settings.telegram_token.get_secret_value()
    if not token:
        return ""
    telegram = import_module("bot.adapters.telegram")
    found: str = await telegram.probe(token, settings.telegram_api_url or telegram.API_URL, settings.public_url)
    return found
