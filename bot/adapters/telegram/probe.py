"""What `bulkhead doctor` asks Telegram: whether the token is good, and how messages come in."""

from __future__ import annotations

from telegram import Bot, WebhookInfo
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.adapters.telegram.troubles import ours
from bot.adapters.telegram.webhook import PATH, told_of, why_not
from layers.errors import Misconfigured, Unavailable

PATIENCE_S = 10.0


async def probe(token: str, api_url: str, public_url: str = "") -> str:
    """One line on what was found; nothing is changed at Telegram.

    Raises:
        BulkheadError: what is wrong, in Telegram's own words, and what to do.
    """
    try:
        request = HTTPXRequest(read_timeout=PATIENCE_S, connect_timeout=PATIENCE_S)
        async with Bot(token, base_url=f"{api_url}/bot", request=request) as bot:
            info = await bot.get_webhook_info()
            name, can_read = f"@{bot.bot.username}", bool(bot.bot.can_read_all_group_messages)
    except InvalidToken:
        raise Misconfigured(
            "Telegram answers 401 Unauthorized to BULKHEAD_TELEGRAM_TOKEN: it is mistyped or was revoked; "
            "@BotFather shows the bot's token under /mybots"
        ) from None
    except TelegramError as error:
        raise ours(error, "") from None
    groups = "it is shown every message of its groups" if can_read else "in groups it sees what is meant for it only"
    return f"{name}; {way_in(info, public_url)}; {groups}"


def way_in(info: WebhookInfo, public_url: str) -> str:
    """How messages come in.

    Raises:
        Unavailable: they do not.
    """
    ours_is = public_url.rstrip("/") + PATH
    reason = why_not(public_url)
    if not info.url:
        return f"it polls ({reason})" if reason else "it polls until the server starts"
    if reason or info.url != ours_is:
        return f"Telegram calls {info.url} now; starting the server changes that"
    if info.pending_update_count and info.last_error_date is not None:
        raise Unavailable(f"{told_of(info)}; {info.pending_update_count} messages wait")
    return f"Telegram calls {info.url}"
