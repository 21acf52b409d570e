"""The bytes of files that come in: in pieces from Telegram to the database, never whole in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from telegram import Bot
from telegram.error import BadRequest, RetryAfter
from telegram.request import HTTPXRequest

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.files import Sent
from bot.adapters.telegram.troubles import TOO_BIG, says
from layers.errors import RateLimited
from layers.types import Attachment

log = logging.getLogger(__name__)

DOWNLOAD_BYTES = 20_000_000
"""What a bot may download (python-telegram-bot, constants.FileSizeLimit)."""
TOO_LARGE = "larger than 20 MB, which is all that a Telegram bot may fetch"
NOT_GIVEN = "Telegram did not give it"
PIECE_BYTES = 1 << 16
TRIES, PAUSE_S, LONGEST_PAUSE_S, FETCH_S = 3, 1.0, 60.0, 120.0


class FileRequest(HTTPXRequest):
    """The library's request, with an answer in pieces: its own download holds a file whole."""

    async def pieces(self, url: str) -> AsyncGenerator[bytes, None]:
        """The body. The address holds the token: nothing may log it, and what is raised is not for showing."""
        async with self._client.stream("GET", url) as answer:
            if answer.status_code != 200:
                raise ConnectionError(f"status {answer.status_code}")
            async for piece in answer.aiter_bytes(PIECE_BYTES):
                yield piece


class Files:
    """Fetches what was sent."""

    def __init__(
        self, bot: Bot, account: Account, keep: Callable[[AsyncIterator[bytes], str, str], Awaitable[Attachment]]
    ) -> None:
        self._bot = bot
        self._account = account
        self._keep = keep
        self._request = FileRequest(read_timeout=20, connect_timeout=10, pool_timeout=FETCH_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._request.shutdown()

    async def fetch(self, wanted: Sent) -> Attachment:
        """Kept; what cannot be had comes back with a note, for the message must not wait for ever."""
        lost = Attachment(digest="", name=wanted.name, content_type=wanted.content_type, size_bytes=wanted.size_bytes)
        if wanted.size_bytes > DOWNLOAD_BYTES:
            return replace(lost, note=TOO_LARGE)
        for n in range(TRIES):
            wait_s = PAUSE_S * 2**n
            try:
                async with asyncio.timeout(FETCH_S):
                    return await self._fetch(wanted)
            except BadRequest as error:
                return replace(lost, note=TOO_LARGE if says(error, *TOO_BIG) else NOT_GIVEN)
            except RateLimited as error:
                wait_s = min(error.retry_after_s, LONGEST_PAUSE_S)
            except Exception as error:  # noqa: BLE001  the texts of the HTTP library's hold the address, and that the token
                log.warning("telegram.not_fetched", extra={"error": type(error).__name__, "try": n + 1})
            await asyncio.sleep(wait_s)
        return replace(lost, note=f"{NOT_GIVEN} in {TRIES} tries; send it again")

    async def _fetch(self, wanted: Sent) -> Attachment:
        self._account.check()
        try:
            file = await self._bot.get_file(wanted.file_id)
        except RetryAfter as error:
            self._account.limited(error, "")
            self._account.check()
            raise
        await self._request.initialize()
        async with aclosing(self._request.pieces(str(file.file_path))) as pieces:
            return await self._keep(pieces, wanted.content_type, wanted.name)
