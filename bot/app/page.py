"""The page and the console's socket in front of a house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.adapters.console import ConsoleServer
from bot.adapters.web import to_inbound
from bot.app.house import House
from bot.app.making import VERSION
from bot.web import PageServer, PageServices, create_app, listen, mint_link
from layers import control
from layers.types import Person


class Passphrases:
    """Control's passphrases, off the event loop: each try takes its time."""

    def __init__(self, home: Path) -> None:
        self._kept = control.Passphrases(home / "keys")

    async def has(self, person: str) -> bool:
        """Whether that person has set one."""
        return await asyncio.to_thread(self._kept.has, person)

    async def prove(self, person: str, passphrase: str, again: str) -> None:
        """Accept theirs, or set their first. Raises Refused."""
        await asyncio.to_thread(self._kept.prove, person, passphrase, again)


@asynccontextmanager
async def open_page(house: House) -> AsyncIterator[str]:
    """Serve the page; yields the one-use link of the first approver, or of the first person."""
    settings = house.settings
    listener = listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    is_ready = False
    services = PageServices(
        store=house.store,
        to_inbound=to_inbound,
        accept=house.dispatcher.accept,
        pending=house.pending,
        transports=house.transports,
        hooks=house.hooks,
        passphrases=Passphrases(settings.home),
        ready=lambda: is_ready,
        persons=house.file.persons.get,
        port=port,
        hosts=tuple(filter(None, [settings.public_url.partition("://")[2]])),
        version=VERSION,
    )
    server = PageServer(create_app(services), listener)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host

    async def link(person: Person) -> str:
        token = await mint_link(house.store, person.id)
        return f"{settings.public_url or f'http://{host}:{port}'}/#token={token}"

    console = ConsoleServer(house.console, house.operator, link)
    try:
        await server.start()
        await console.start(settings.home)
        is_ready = True
        yield await link(house.operator())
    finally:
        await console.stop()
        await server.stop()
