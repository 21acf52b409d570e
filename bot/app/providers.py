"""The providers' accounts: started, stopped, and in a fleet had by one process where a provider allows one only.

One task for each account keeps its service as it should be: running while the account may be called and, where it is
exclusive, while this process has its role. Whoever closes or resumes an account wakes that task in every process.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from bot import schedule
from bot.adapters.ports import Hook, Ports
from bot.app.door import Door
from bot.app.forms import Forms
from bot.app.overview import overview
from layers.errors import AccountState, BulkheadError
from layers.store import Store
from layers.transport import (
    AccountRow,
    LocalChannel,
    RemoteChannel,
    account,
    enrol,
    forget,
    get_cursor,
    get_cursors,
    keep_media,
    key_of,
    put_account,
    put_cursor,
    put_reference,
    read_media,
    send,
    takes_part,
)

log = logging.getLogger(__name__)

ROLE_S = 30.0
"""How long the role of an exclusive account is held without a word: the pause after a crash of its holder."""
HOOKS = "/hooks/"
LOOK_EVERY_S = 10.0
"""How often an account is looked at without being woken."""


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
    """Whether only one process of a fleet may hear. Not where the provider calls us: it may reach any of them."""
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    """Path -> what a POST there is given to, in every process; each begins with `/hooks/`."""

    @property
    def fingerprint(self) -> str:
        """What tells one secret from another, and nothing else."""
        return hashlib.sha256(f"bulkhead:{self.name}:{self.secret}".encode()).hexdigest()[:16]


Make = Callable[[Ports], Account | None]


class Keeper:
    """Keeps one account's service as it should be; see the module."""

    def __init__(self, store: Store, account: Account, is_open: Callable[[bool], None]) -> None:
        """`is_open` is told whether the courier may hand out what is to be said there."""
        self._store = store
        self._account = account
        self._is_open = is_open
        self._generation: int | None = None
        """That of the service while it runs."""
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        unsubscribe = self._store.subscribe("accounts", self._wake.set)
        try:
            while True:
                self._wake.clear()
                try:
                    await self._look()
                except BulkheadError:
                    log.warning("provider.unknown", extra={"channel": self._account.name})
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            unsubscribe()
            await self._end()
            if self._account.is_exclusive:
                await self._store.run(schedule.release_role, self._account.name, self._store.worker)

    async def _look(self) -> None:
        """Make it what it should be."""
        row = await self._store.run(account, self._account.name) if await self._has_role() else None
        wanted = row.generation if row is not None and self._may_run(row) else None
        if self._generation is not None and wanted != self._generation:
            await self._end()
        if wanted is not None and self._generation is None:
            await self._begin(wanted)

    def _may_run(self, row: AccountRow) -> bool:
        return not row.is_closed and row.fingerprint == self._account.fingerprint

    async def _has_role(self) -> bool:
        """Whether the role is ours for the next `ROLE_S`; not while the database does not answer."""
        if not self._account.is_exclusive:
            return True
        name = self._account.name
        try:
            epoch = await self._store.run(schedule.hold_role, name, self._store.worker, ROLE_S)
        except BulkheadError:
            log.warning("provider.role_unknown", extra={"channel": name})
            return False
        return epoch is not None

    async def _begin(self, generation: int) -> None:
        name = self._account.name
        log.info("provider.starts", extra={"channel": name})
        await self._store.run(put_account, name, AccountState.DEGRADED, "connecting")
        self._generation = generation
        self._is_open(True)
        try:
            await self._account.service.start()
        except Exception as error:  # whatever it is, the next look tries again
            log.exception("provider.not_started", extra={"channel": name})
            await self._end()
            reason = str(error) if isinstance(error, BulkheadError) else type(error).__name__
            await self._store.run(put_account, name, AccountState.DEGRADED, f"it did not start: {reason}")

    async def _end(self) -> None:
        if self._generation is None:
            return
        self._generation = None
        self._is_open(False)
        try:
            await self._account.service.stop()
        except Exception:
            log.exception("provider.not_stopped", extra={"channel": self._account.name})


class Providers:
    """The accounts that are configured, and their channels for the courier."""

    def __init__(self, store: Store, door: Door, forms: Forms, makes: Sequence[tuple[str, Make]]) -> None:
        self._store = store
        self._door = door
        self._forms = forms
        self._accounts = [account for name, make in makes if (account := make(self._ports(name))) is not None]
        self._channels: dict[str, LocalChannel | RemoteChannel | None] = {each.name: None for each in self._accounts}
        self._hooks = {name.removeprefix(HOOKS): hook for each in self._accounts for name, hook in each.hooks.items()}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def channels(self) -> dict[str, LocalChannel | RemoteChannel | None]:
        """By name; filled and emptied while the house runs."""
        return self._channels

    @property
    def hooks(self) -> Mapping[str, Hook]:
        """What providers may post to, by what follows `/hooks/`."""
        return self._hooks

    async def start(self) -> None:
        """Write the accounts down, and hear what comes in; connecting goes on beside."""
        await self._store.run(forget, frozenset(each.name for each in self._accounts))
        for each in self._accounts:
            row = await self._store.run(enrol, each.name, each.fingerprint)
            if row.is_closed:
                log.error("account.is_closed", extra={"channel": each.name, "state": row.state.value})
            keeper = Keeper(self._store, each, partial(self._open, each))
            self._tasks.append(asyncio.create_task(keeper.run(), name=f"{each.name}-keeper"))

    async def stop(self) -> None:
        """Hear no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open(self, each: Account, is_open: bool) -> None:
        self._channels[each.name] = each.channel if is_open else None

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
            get_cursor=partial(get_cursor, store, name),
            get_cursors=partial(get_cursors, store, name),
            put_cursor=lambda cursor, value: store.run(put_cursor, name, cursor, value),
            takes_part=partial(takes_part, store, name),
            knows=self._door.knows,
            open_form=self._forms.open,
            fill_form=self._forms.fill,
            overview=partial(overview, store),
        )

    async def _changed(self, name: str, state: AccountState, reason: str) -> None:
        """Write down how an account is; one that needs a person is called no more, and its owner is told."""
        level = logging.INFO if state is AccountState.HEALTHY else logging.ERROR
        log.log(level, "account.changed", extra={"channel": name, "state": state.value, "reason": reason})
        await self._store.run(put_account, name, state, reason)


@asynccontextmanager
async def open_providers(providers: Providers) -> AsyncIterator[None]:
    """Started, and stopped before the dispatcher is."""
    await providers.start()
    try:
        yield
    finally:
        await providers.stop()
