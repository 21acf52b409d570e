"""A real page on a real socket: the server, a store, and a person who knows how to sign in.

`House.accept` journals in one transaction what the page posts, as the wiring does; what an agent would say, the tests
say through the real channel.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bot.adapters.web import WebChannel, add_event, own_message, to_inbound
from bot.web import PageServer, PageServices, PendingCard, TransportLine, create_app, listen, mint_link
from bot.web.pages import Hook, no_transports
from layers.store import Store, Tx, open_store
from layers.transport import put_media
from layers.types import Address, Button, Inbound, Outbound, OutboundKind, Person, Picture

OWNER = Person(id="owner", name="Ada")
GUEST = Person(id="guest", name="Grace")
PEOPLE = {person.id: person for person in (OWNER, GUEST)}


def journal(tx: Tx, inbound: Inbound) -> int:
    """What accepting does here: a message is shown; a press leaves a line that says who pressed what."""
    if inbound.press is None:
        own_message(tx, inbound)
        row = tx.one("web.event_by_dedupe", dedupe=f"{inbound.address.id}/u{inbound.event_id}")
        assert row is not None
        return int(row["id"])
    html = f"<p>{inbound.person.name} pressed {inbound.press.value} on {inbound.press.key}</p>"
    body = json.dumps({"kind": "message", "html": html})
    return add_event(tx, inbound.address.id, f"p{inbound.event_id}", body, f"press/{inbound.event_id}")


@dataclass
class House:
    """The page and what stands behind it."""

    store: Store
    port: int = 0
    server: PageServer | None = None
    taken: list[Inbound] = field(default_factory=list)
    cards: list[PendingCard] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=lambda: dict(PEOPLE))
    is_ready: bool = True
    hosts: tuple[str, ...] = ()
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    transports: Callable[[], Awaitable[list[TransportLine]]] = no_transports
    failing: Exception | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        listener = listen("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        services = PageServices(
            store=self.store,
            to_inbound=to_inbound,
            accept=self.accept,
            pending=self.pending,
            ready=lambda: self.is_ready,
            persons=self.people.get,
            port=self.port,
            hosts=self.hosts,
            hooks=self.hooks,
            transports=self.transports,
            version="0.1.0",
        )
        self.server = PageServer(create_app(services), listener)
        await self.server.start()

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop()
            self.server = None

    async def accept(self, inbound: Inbound) -> int:
        if self.failing is not None:
            raise self.failing
        self.taken.append(inbound)
        return await self.store.run(journal, inbound)

    async def pending(self) -> list[PendingCard]:
        return list(self.cards)

    async def link(self, person: Person = OWNER) -> str:
        return f"{self.url}/#token={await mint_link(self.store, person.id)}"

    async def say(
        self,
        text: str,
        key: str = "",
        kind: OutboundKind = OutboundKind.MESSAGE,
        conversation: str = "main",
        picture: Picture | None = None,
        buttons: tuple[Button, ...] = (),
    ) -> str:
        """Deliver as the courier does; the event's id."""
        outbound = Outbound(
            address=Address(channel="web", conversation=conversation),
            key=key or f"t{uuid4().hex[:8]}",
            text=text,
            kind=kind,
            picture=picture,
            buttons=buttons,
        )
        return await self.deliver(outbound, uuid4().hex)

    async def deliver(self, outbound: Outbound, dedupe: str) -> str:
        """Show it; the event's id."""
        channel = WebChannel()
        return await self.store.run(channel.write, outbound, channel.render(outbound), dedupe)

    async def keep(self, content: bytes, content_type: str = "image/png") -> str:
        return await self.store.run(put_media, content_type, content)

    def stranger(self) -> httpx.AsyncClient:
        """A client without a session whose posts look as the page's own."""
        return httpx.AsyncClient(base_url=self.url, headers={"origin": self.url}, trust_env=False, timeout=20)

    @asynccontextmanager
    async def client(self, person: Person = OWNER) -> AsyncIterator[httpx.AsyncClient]:
        """A client that is signed in."""
        async with self.stranger() as client:
            answer = await client.post("/auth", json={"token": await mint_link(self.store, person.id)})
            assert answer.status_code == 200, answer.text
            yield client


@asynccontextmanager
async def open_house(template: Path, path: Path) -> AsyncIterator[House]:
    """A page that runs on a SQLite file of its own."""
    shutil.copy(template, path)
    store = await open_store(f"sqlite:///{path}")
    built = House(store)
    await built.start()
    yield built
    await built.stop()
    await store.close()


@pytest.fixture
async def house(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A page that runs on SQLite."""
    async with open_house(sqlite_template, tmp_path / "page.db") as built:
        yield built


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in person at `house`."""
    async with house.client() as signed_in:
        yield signed_in


def message(text: str, **more: object) -> dict[str, object]:
    """What the page posts for a message."""
    return {"id": str(uuid4()), "conversation": "main", "text": text, **more}


def in_minutes(minutes: float) -> float:
    """Epoch seconds."""
    return time.time() + minutes * 60
