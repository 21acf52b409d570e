"""What was said while nobody listened: conversations.history, through the same door as what Slack tells of itself.

Slack brings an event again three times within five minutes; a longer silence is caught up here. The door deduplicates,
so reading too much does no harm. Answers in threads are not part of a channel's history and are not caught up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.adapters.slack.api import SlackApi
from layers.errors import AccountTrouble, BulkheadError, RateLimited

log = logging.getLogger(__name__)

CHANNELS_KEPT = 200
MESSAGES = 100
"""Of each channel; Slack gives 15 at once to apps that are sold outside its directory."""


class History:
    """Remembers where it left off in each channel."""

    def __init__(self, api: SlackApi, take: Callable[[Mapping[str, Any]], Awaitable[object]]) -> None:
        self._api = api
        self._take = take
        self._seen: OrderedDict[str, str] = OrderedDict()

    def note(self, channel: str, stamp: str) -> None:
        """A message of this `ts` was taken."""
        if float(self._seen.get(channel, "0")) < float(stamp):
            self._seen[channel] = stamp
        self._seen.move_to_end(channel)
        while len(self._seen) > CHANNELS_KEPT:
            self._seen.popitem(last=False)

    async def catch_up(self, team: str) -> None:
        """Take what was said since, in the channels where somebody spoke to us, the latest first."""
        for channel, stamp in reversed(list(self._seen.items())):
            try:
                messages = await self._read(channel, stamp)
                for message in reversed(messages):
                    kind = "im" if channel.startswith("D") else "channel"
                    event = {**message, "type": "message", "channel": channel, "channel_type": kind}
                    await self._take({"team_id": team, "event": event})
            except AccountTrouble:
                return
            except BulkheadError as error:
                log.warning("slack.not_caught_up", extra={"channel": channel, "error": type(error).__name__})

    async def _read(self, channel: str, stamp: str) -> list[Mapping[str, Any]]:
        """Newest first, as Slack gives them; a 429 is waited for once."""
        arguments: dict[str, Any] = {"channel": channel, "oldest": stamp, "limit": MESSAGES}
        try:
            answer = await self._api.call("conversations.history", channel, **arguments)
        except RateLimited as error:
            await asyncio.sleep(error.retry_after_s)
            answer = await self._api.call("conversations.history", channel, **arguments)
        found: list[Mapping[str, Any]] = answer["messages"]
        return found
