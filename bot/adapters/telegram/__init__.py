"""Telegram: an `Update` -> `Inbound`, an `Outbound` -> messages, over python-telegram-bot and long polling.

`Telegram(token, ports)` is the channel. It is imported only where a token is set: the library costs 25 MB.
"""

from bot.adapters.telegram.channel import Telegram
from bot.adapters.telegram.ports import Health, Ports

__all__ = ["Health", "Ports", "Telegram"]
