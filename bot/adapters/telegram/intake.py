"""The way in: Telegram's long poll, through the library's own `Updater`, with a queue that commits.

The `Updater` confirms a batch to Telegram (by the offset of its next call) after `put` returned for each update of it;
here `put` returns after the commit. Stock polling, whose queue lives in memory, lost 90 of 100 updates when killed.
Two things the `Updater` gets wrong are put right: an update that cannot be parsed would come for ever, and an error
that is not the library's own, raised by `put`, would end the polling silently.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Bot, Update
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from bot.adapters.storable import storable
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.inbound import Heard, is_sound

log = logging.getLogger(__name__)

HEARD = ("message", "edited_message", "callback_query")
"""Kinds of updates that are asked for."""


class DurableQueue(asyncio.Queue[object]):
    """`put` returns once the update is committed; nothing is ever taken out."""

    def __init__(self, hear: Callable[[Update], Heard | None], take: Callable[[Heard], Awaitable[None]]) -> None:
        super().__init__()
        self._hear = hear
        self._take = take

    async def put(self, item: object) -> None:
        """Commit, or skip what cannot be read.

        Raises:
            NetworkError: it was not committed; the library then asks for the same updates again, after a pause.
        """
        if not isinstance(item, Update):
            return
        try:
            heard = self._hear(item)
        except Exception as error:  # noqa: BLE001  whatever it is, the next time it would be the same
            log.error("telegram.poison", extra={"update": item.update_id, "error": type(error).__name__})
            return
        if heard is None:
            return
        if not is_sound(heard):
            log.error("telegram.poison", extra={"update": item.update_id, "error": "an id is none"})
            return
        try:
            await self._take(heard)
        except Exception as error:
            log.exception("telegram.not_committed", extra={"update": item.update_id})
            raise NetworkError(f"not committed ({type(error).__name__})") from None


class PollRequest(HTTPXRequest):
    """The library's request, which leaves of an update that cannot be parsed its number only: the offset moves on."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As the library does it; then each update is tried by itself, for the library would drop the whole batch."""
        answer: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [readable(update) for update in answer["result"] if has_number(update)]
        return answer


def has_number(update: object) -> bool:
    """Whether it is an update at all: one without a number can be neither parsed nor confirmed, the others can."""
    is_one = isinstance(update, dict) and type(update.get("update_id")) is int
    if not is_one:
        log.error("telegram.poison", extra={"error": "no update_id"})
    return is_one


def readable(update: dict[str, Any]) -> dict[str, Any]:
    """The update with texts that can be stored, or an empty one in place of one that cannot be parsed."""
    try:
        clean = storable(update)
        Update.de_json(clean, None)
    except Exception as error:  # noqa: BLE001  whatever it is, it must not come for ever
        log.error("telegram.poison", extra={"update": update["update_id"], "error": type(error).__name__})
        return {"update_id": update["update_id"]}
    return clean


class PollingBot(Bot):
    """The library's bot, which tells how each poll went."""

    def __init__(self, token: str, api_url: str, account: Account) -> None:
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            # a picture of 10 MB is taken in more than the 5 s that are the library's default
            request=HTTPXRequest(read_timeout=20, media_write_timeout=60, pool_timeout=10),
            get_updates_request=PollRequest(connection_pool_size=2, read_timeout=5),
        )
        self._account = account

    async def get_updates(self, *args: Any, **kwargs: Any) -> tuple[Update, ...]:  # noqa: ANN401  the library's own
        """As the library does it; the account hears of each success and failure."""
        if self._account.is_closed:
            raise InvalidToken("closed")  # the one error that ends the library's loop
        try:
            updates = await super().get_updates(*args, **kwargs)
        except TelegramError as error:
            self._account.polled(error)
            raise
        except Exception as error:  # the library would ask again at once, without a pause
            log.exception("telegram.poll_failed")
            raise NetworkError(f"the poll failed ({type(error).__name__})") from None
        self._account.polled(None)
        return updates
