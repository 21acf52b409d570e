"""A mailbox, started and stopped: hears what comes in, and is the courier's channel."""

from __future__ import annotations

import asyncio

from bot.adapters.mail.letters import Clerk
from bot.adapters.mail.ports import Book
from bot.adapters.mail.reading import Reader
from bot.adapters.mail.sending import Post
from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.standing import Standing
from bot.adapters.mail.writing import From
from bot.adapters.ports import Ports
from layers.errors import AccountState


class MailAccount:
    """One mailbox. `channel` goes to the courier."""

    def __init__(self, settings: MailSettings, ports: Ports, book: Book, page: str) -> None:
        """`page` is the URL that mails lead to."""
        self._settings = settings
        self._ports = ports
        self._standing = Standing(ports.changed)
        sender = From(address=settings.address, page=page)
        self._clerk = Clerk(sender, ports, book)
        self._reading: asyncio.Task[None] | None = None
        self.channel = Post(settings, ports, book, self._standing, sender)

    @property
    def state(self) -> AccountState:
        """How the account is."""
        return self._standing.state

    @property
    def reason(self) -> str:
        """Why it is so, for its owner."""
        return self._standing.reason

    async def start(self) -> None:
        """Connect and read in the background; after trouble that a person settled, too."""
        await self.stop()
        self._standing.reopen()
        reader = Reader(self._settings, self._ports, self._clerk, self._standing)
        self._reading = asyncio.create_task(reader.run(), name="mail")

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
