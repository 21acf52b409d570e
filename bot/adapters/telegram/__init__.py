"""Telegram: an `Update` -> `Inbound`, an `Outbound` -> messages, over python-telegram-bot, by long poll or webhook.

`Telegram(token, ports)` is the channel, `probe` what `bulkhead doctor` asks. It is imported only where a token is set:
the library costs 25 MB.
"""

from bot.adapters.telegram.channel import API_URL, Telegram
from bot.adapters.telegram.probe import probe

__all__ = ["API_URL", "Telegram", "probe"]
