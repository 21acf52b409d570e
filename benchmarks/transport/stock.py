"""The bots that the libraries' own tutorials end with: `python -m benchmarks.transport.stock telegram URL TOKEN`.

They echo, keep nothing, and lose what they were working on when they are killed. Default settings throughout.
"""

from __future__ import annotations

import asyncio
import sys

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient
from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters


async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """python-telegram-bot's echobot."""
    if update.message is not None and update.message.text is not None:
        await update.message.reply_text(update.message.text)


def telegram(url: str, token: str) -> None:
    """Poll for ever."""
    builder = ApplicationBuilder().token(token).base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    application = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.run_polling()


async def slack(url: str, token: str, app_token: str) -> None:
    """Listen for ever."""
    app = AsyncApp(client=AsyncWebClient(token=token, base_url=url))

    @app.event("message")
    async def message(event: dict[str, str], say: AsyncSay) -> None:
        await say(event["text"])

    await AsyncSocketModeHandler(app, app_token).start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1] == "telegram":
        telegram(*sys.argv[2:4])
    else:
        asyncio.run(slack(*sys.argv[2:5]))
