"""Telegram: an `Update` -> `Inbound`, an `Outbound` -> messages, over python-telegram-bot and long polling.

`Telegram(token, ports)` is the channel. It is imported only where a token is set: the library costs 25 MB.
"""

from bot.adapters.telegram.channel import Telegram

__all__ = ["Telegram"]
