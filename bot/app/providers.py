"""The providers' accounts: started, stopped, and in a fleet had by one process where a provider allows one only."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot import schedule
from bot.adapters.ports import Ports
from bot.app.door import Door
from layers.errors import AccountState, BulkheadError
from layers.store import Store
from layers.transport import (
    LocalChannel,
    RemoteChannel,
    get_cursor,
    get_cursors,
    keep_media,
    key_of,
    put_account,
    put_cursor,
    put_reference,
    read_media,
    send,
)

log = logging.getLogger(__name__)

ROLE_S = 30.0
"""How long the role of an exclusive account is held without a word: the pause after a crash of its holder."""
ROLE_EVERY_S = 10.0


class Service(Protocol):
    """Whatever hears what comes in."""

    async def start(self) -> None:
        """Connect; returns at once where the provider cannot be reached now, and goes on trying."""

    async def stop(self) -> None:
        """Hear no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account at one provider."""

    name: str
    """Of its channel."""
    service: Service
    channel: RemoteChannel
    secret: str
    """Its tokens; never logged. A changed one means that a person did something about the account."""
    is_exclusive: bool = False
    """Whether only one process of a fleet may hear."""

    @property
    def fingerprint(self) -> str:
        """What tells one secret from another, and nothing else."""
        return hashlib.sha256(f"bulkhead:{self.name}:{self.secret}".encode()).hexdigest()[:16]


Make = Callable[[Ports], Account | None]


class Providers:
    """The accounts that are configured, and their channels for the courier."""

    def __init__(self, store: Store, door: Door, makes: Sequence[tuple[str, Make]]) -> None:
        self._store = store
        self._door = door
        self._accounts = [account for name, make in makes if (account := make(self._ports(name))) is not None]
        self._channels: dict[str, LocalChannel | RemoteChannel | None] = {each.name: None for each in self._accounts}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def channels(self) -> dict[str, LocalChannel | RemoteChannel | None]:
        """By name; filled and emptied while the house runs."""
        return self._channels

    async def start(self) -> None:
        """Hear what comes in; what is exclusive only while this process holds its role."""
        for account in self._accounts:
            if account.is_exclusive:
                self._tasks.append(asyncio.create_task(self._hold(account), name=f"{account.name}-role"))
            else:
                await self._begin(account)

    async def stop(self) -> None:
        """Hear no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for account in self._accounts:
            if not account.is_exclusive:
                await account.service.stop()

    async def _begin(self, account: Account) -> None:
        await self._changed(account.name, AccountState.HEALTHY, "")  # the operator's start is the person's word
        await account.service.start()
        self._channels[account.name] = account.channel

    async def _hold(self, account: Account) -> None:
        """Take the role, keep it, and have the channel for as long."""
        is_held = False
        try:
            while True:
                holds = await self._role(account.name)
                if holds and not is_held:
                    await self._begin(account)
                elif is_held and not holds:
                    self._channels[account.name] = None
                    await account.service.stop()
                is_held = holds
                await asyncio.sleep(ROLE_EVERY_S)
        finally:
            self._channels[account.name] = None
            await account.service.stop()
            await self._store.run(schedule.release_role, account.name, self._store.worker)

    async def _role(self, name: str) -> bool:
        """Whether the role is ours for the next `ROLE_S`; not while the database does not answer."""
        try:
            epoch = await self._store.run(schedule.hold_role, name, self._store.worker, ROLE_S)
        except BulkheadError:
            log.warning("provider.role_unknown", extra={"channel": name})
            return False
        return epoch is not None

    def _ports(self, name: str) -> Ports:
        """What the adapter of that name is handed."""
        store = self._store
        return Ports(
            accept=self._door.accept,
            say=lambda outbound, dedupe: store.run(send, outbound, dedupe),
            note=lambda outbound, reference: store.run(put_reference, outbound, reference),
            key_of=lambda conversation, part: store.run(key_of, conversation, part),
            keep=partial(keep_media, store),
            media=partial(read_media, store),
            changed=partial(self._changed, name),
            knows=self._door.knows,
            get_cursor=partial(get_cursor, store, name),
            get_cursors=partial(get_cursors, store, name),
            put_cursor=lambda cursor, value: store.run(put_cursor, name, cursor, value),
        )

    async def _changed(self, name: str, state: AccountState, reason: str) -> None:
        """Write down how an account is: `/status` shows it, and one that needs a person is called no more."""
        level = logging.INFO if state is AccountState.HEALTHY else logging.ERROR
        log.log(level, "account.changed", extra={"channel": name, "state": state.value})
        await self._store.run(put_account, name, state, reason)


@asynccontextmanager
async def open_providers(providers: Providers) -> AsyncIterator[None]:
    """Started, and stopped before the dispatcher is."""
    await providers.start()
    try:
        yield
    finally:
        await providers.stop()
