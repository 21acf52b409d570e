"""An account's service in the processes of a fleet: who runs it, who stops it, who may start it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bot.adapters.ports import Ports
from bot.app.door import Door
from bot.app.forms import Forms
from bot.app.providers import Account, Providers, open_providers
from bot.dispatcher import Dispatcher
from bot.dispatcher.work import Work
from layers.control import Rules
from layers.errors import AccountState
from layers.store import Store, open_store
from layers.transport import account, put_account, resume
from layers.types import Outbound, Person

OWNER = Person(id="owner", name="Owner")


class Line:
    """A provider's line: up or down, and how often it was taken up."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.is_up = False
        self.starts = 0
        self.failing: Exception | None = None

    async def start(self) -> None:
        if self.failing is not None:
            raise self.failing
        self.starts += 1
        await self.ports.changed(AccountState.HEALTHY, "")
        self.is_up = True

    async def stop(self) -> None:
        self.is_up = False

    async def place(self, outbound: Outbound) -> str:
        return "1"

    async def edit(self, reference: str, outbound: Outbound) -> str:
        return reference


class Process:
    """One process of a fleet, as far as providers go."""

    def __init__(self, store: Store, secret: str, *, is_exclusive: bool = False) -> None:
        self.store = store
        self.line: Line

        async def nothing(work: Work) -> None:
            """No turn is worked on here."""

        def make(ports: Ports) -> Account:
            self.line = Line(ports)
            return Account(
                name="pigeon", service=self.line, channel=self.line, secret=secret, is_exclusive=is_exclusive
            )

        door = Door(store, Dispatcher(store, nothing, 1))
        forms = Forms(store, lambda tx: Rules(approvers=()))
        self.providers = Providers(store, door, forms, (("pigeon", make),))


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[Line]:
    async with open_providers(process.providers):
        yield process.line


async def eventually(is_true: Callable[[], object], seconds: float = 15) -> None:
    for _ in range(int(seconds / 0.02)):
        if is_true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


async def state(store: Store) -> AccountState:
    row = await store.run(account, "pigeon")
    assert row is not None
    return row.state


async def test_a_closed_account_is_stopped_and_its_channel_taken_away_until_a_person_resumes(store: Store) -> None:
    process = Process(store, "s1")
    async with running(process) as line:
        await eventually(lambda: line.is_up)
        assert process.providers.channels["pigeon"] is line
        await line.ports.changed(AccountState.CHALLENGED, "show yourself")
        await eventually(lambda: not line.is_up)
        assert process.providers.channels["pigeon"] is None
        await line.ports.changed(AccountState.HEALTHY, "")
        assert await state(store) is AccountState.CHALLENGED
        assert await store.run(resume, "pigeon", OWNER) == ""
        await eventually(lambda: line.is_up)
        assert (line.starts, await state(store)) == (2, AccountState.HEALTHY)


async def test_closed_and_resumed_at_once_starts_it_again_all_the_same(store: Store) -> None:
    process = Process(store, "s1")
    async with running(process) as line:
        await eventually(lambda: line.is_up)
        await store.run(put_account, "pigeon", AccountState.SUSPENDED, "gone")
        await store.run(resume, "pigeon", OWNER)
        await eventually(lambda: line.is_up and line.starts == 2)


async def test_a_restart_does_not_resume_and_a_new_secret_does(store: Store) -> None:
    async with running(Process(store, "s1")) as line:
        await eventually(lambda: line.is_up)
        await line.ports.changed(AccountState.REVOKED, "token revoked")
    async with running(Process(store, "s1")) as line:
        await asyncio.sleep(0.3)
        assert line.starts == 0
    async with running(Process(store, "s2")) as line:
        await eventually(lambda: line.is_up)
        assert await state(store) is AccountState.HEALTHY


async def test_a_service_that_cannot_start_is_shown_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.providers.LOOK_EVERY_S", 0.1)
    process = Process(store, "s1")
    process.line.failing = OSError("no such wire")
    async with running(process) as line:
        await eventually(lambda: process.providers.channels["pigeon"] is None)
        row = None
        while row is None or "did not start" not in row.reason:
            await asyncio.sleep(0.02)
            row = await store.run(account, "pigeon")
        assert row.state is AccountState.DEGRADED
        line.failing = None
        await eventually(lambda: line.is_up)


async def test_what_one_process_sees_stops_it_in_all_and_a_resume_starts_it_in_all(postgres_url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await open_store(postgres_url) for _ in range(3)]
        for each in stores:
            stack.push_async_callback(each.close)
        lines = [await stack.enter_async_context(running(Process(each, "s1"))) for each in stores]
        await eventually(lambda: all(line.is_up for line in lines))
        await lines[1].ports.changed(AccountState.SUSPENDED, "switched off")
        await eventually(lambda: not any(line.is_up for line in lines))
        await stores[2].run(resume, "pigeon", OWNER)
        await eventually(lambda: all(line.is_up for line in lines))


async def test_what_only_one_may_run_is_run_by_one_also_after_a_resume(postgres_url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await open_store(postgres_url) for _ in range(2)]
        for each in stores:
            stack.push_async_callback(each.close)
        lines = [await stack.enter_async_context(running(Process(each, "s1", is_exclusive=True))) for each in stores]
        await eventually(lambda: sum(line.is_up for line in lines) == 1)
        await stores[1].run(put_account, "pigeon", AccountState.REVOKED, "gone")
        await eventually(lambda: not any(line.is_up for line in lines))
        await stores[0].run(resume, "pigeon", OWNER)
        await eventually(lambda: sum(line.is_up for line in lines) == 1)
        await asyncio.sleep(0.3)
        assert sum(line.is_up for line in lines) == 1
