"""The page and the console's socket in front of a house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bot.adapters.console import ConsoleServer
from bot.adapters.web import to_inbound
from bot.app.house import House
from bot.app.making import VERSION
from bot.app.overview import model_lines, patch_view
from bot.desk import answer
from bot.dispatcher import Ordered, put_freeze
from bot.web import FreezeLine, PageServer, PageServices, create_app, listen, mint_link
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


class Freezer:
    """Control's freeze, straight to the database: it waits for no turn."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def look(self) -> FreezeLine:
        """How it is now."""
        found = await control.look_freeze(self._house.store)
        row = await self._house.store.fetch_one("people.person", id=found.by)
        return FreezeLine(on=found.is_on, by=row["name"] if row else found.by, at=found.at, reason=found.reason)

    async def put(self, person: Person, *, on: bool, reason: str) -> None:
        """Freeze, or end it; what runs is stopped at once here, and by each other process's own clock."""
        house, reason = self._house, await asyncio.to_thread(control.scrub, reason)
        ordered = Ordered(person=person, on=on, reason=reason)
        await house.store.run(lambda tx: put_freeze(tx, ordered, house.rules(tx)))
        if on:
            await house.executor.stop_all()


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
        models=partial(model_lines, house.router, house.store),
        patch=partial(patch_view, house.store),
        hooks=house.hooks,
        passphrases=Passphrases(settings.home),
        freezer=Freezer(house),
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

    console = ConsoleServer(house.console, house.operator, link, partial(answer, house.desk))
    try:
        await server.start()
        await console.start(settings.home)
        is_ready = True
        yield await link(house.operator())
    finally:
        await console.stop()
        await server.stop()
