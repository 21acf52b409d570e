"""The ports of an adapter under test: the real store behind them, and a door that knows a few people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from bot.adapters.ports import Form, Overview, Ports, Welcome
from layers.errors import AccountState, Refused
from layers.store import Store
from layers.transport import (
    get_cursor,
    get_cursors,
    keep_media,
    key_of,
    put_cursor,
    put_reference,
    read_media,
    send,
    takes_part,
)
from layers.types import Inbound, Outbound, Person

NOTE = "nobody knows you here"


def make_ports(
    store: Store,
    channel: str,
    people: Mapping[str, Person],
    accept: Callable[[Inbound], Awaitable[bool]],
    changed: Callable[[AccountState, str], Awaitable[object]],
) -> Ports:
    """`accept` is handed what known people did, and says whether it was new."""

    async def enter(inbound: Inbound) -> Welcome:
        person = people.get(inbound.identity)
        if person is not None:
            return Welcome(person=person, is_new=await accept(replace(inbound, person=person)))
        if inbound.is_direct and inbound.press is None:
            outbound = Outbound(address=inbound.address, key="stranger", text=f"{NOTE}: {inbound.identity}")
            await store.run(send, outbound, f"stranger:{inbound.identity}")
        return Welcome(person=None, note=NOTE)

    async def knows(identity: str) -> bool:
        return identity in people

    async def overview() -> Overview:
        return Overview(waiting=(), accounts=())

    async def no_form(*_: object) -> Form:
        raise Refused("there is nothing to choose here")

    return Ports(
        open_form=no_form,
        fill_form=no_form,
        accept=enter,
        say=lambda outbound, dedupe: store.run(send, outbound, dedupe),
        note=lambda outbound, reference: store.run(put_reference, outbound, reference),
        key_of=lambda conversation, part: store.run(key_of, conversation, part),
        keep=partial(keep_media, store),
        media=partial(read_media, store),
        changed=changed,
        get_cursor=partial(get_cursor, store, channel),
        get_cursors=partial(get_cursors, store, channel),
        put_cursor=lambda name, value: store.run(put_cursor, channel, name, value),
        takes_part=partial(takes_part, store, channel),
        knows=knows,
        overview=overview,
    )


async def one_piece(content: bytes) -> AsyncIterator[bytes]:
    """As an adapter gives what it downloads."""
    yield content
