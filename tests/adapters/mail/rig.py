"""The smallest house that a mailbox can live in: the real transport, the real adapter, and a handler of ten lines.

As a module of its own it runs by itself until it is killed: `python -m tests.adapters.mail.rig DATABASE_URL IMAP SMTP`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

from pydantic import SecretStr

from bot.adapters.mail import Book, MailAccount, mail_settings
from bot.adapters.mail.servers import MailSettings
from bot.adapters.ports import Ports, Welcome
from layers.errors import AccountState
from layers.store import Store, open_store
from layers.transport import (
    Courier,
    accept,
    claim,
    conversation_of,
    finish,
    forget_letter,
    letter_to_answer,
    put_account,
    put_letter,
    reap,
    send,
    sent_letter,
)
from layers.types import Button, Inbound, Outbound, OutboundKind, Person, Turn
from tests.adapters.ports import make_ports
from tests.fakes.mail_servers import DOMAIN, PASSWORD

PAGE = "http://127.0.0.1:8080"
KNOWN = {f"mail:{name}@{DOMAIN}": Person(id=name, name=name.title()) for name in ("anna", "ben", "bot", "bot2")}
BUTTONS = (Button(label="Approve", value="a:approve:abc"), Button(label="Deny", value="a:deny:abc"))


def settings(imap: int, smtp: int, name: str = "bot", password: str = PASSWORD, ca_file: str = "") -> MailSettings:
    """Of a mailbox on this machine."""
    urls = (f"imap://{name}@127.0.0.1:{imap}", f"smtp://127.0.0.1:{smtp}")
    return mail_settings(f"{name}@{DOMAIN}", SecretStr(password), urls, is_direct=False, ca_file=ca_file)


def answer(turn: Turn) -> Outbound:
    """An echo."""
    return Outbound(address=turn.inbound.address, key=f"t{turn.id}", text=f"echo: {turn.inbound.text}")


class TinyBot:
    """Mail, an inbox, a handler, an outbox, a courier."""

    def __init__(self, store: Store, where: MailSettings) -> None:
        self.store = store
        self.accepted: list[tuple[Inbound, bool]] = []
        self.changes: list[tuple[AccountState, str]] = []
        self.answer: Callable[[Turn], Outbound] = answer
        self.wake = asyncio.Event()
        self.account = MailAccount(where, self.ports(), self.book(), PAGE)

    def ports(self) -> Ports:
        """The door is this class: strangers are kept for the tests to look at."""
        return replace(make_ports(self.store, "mail", KNOWN, self.never, self.changed), accept=self.accept)

    def book(self) -> Book:
        store = self.store
        return Book(
            put=lambda letter: store.run(put_letter, letter),
            forget=lambda correspondent, id: store.run(forget_letter, correspondent, id),
            conversation_of=partial(conversation_of, store),
            to_answer=partial(letter_to_answer, store),
            sent=partial(sent_letter, store),
        )

    async def never(self, inbound: Inbound) -> bool:
        raise AssertionError(f"{inbound.event_id} went to the other door")

    async def accept(self, inbound: Inbound) -> Welcome:
        person = KNOWN.get(inbound.identity)
        if person is None:
            self.accepted.append((inbound, False))
            return Welcome(person=None)
        taken = await self.store.run(accept, replace(inbound, person=person), False)
        self.accepted.append((inbound, taken.is_new))
        return Welcome(person=person, is_new=taken.is_new)

    async def changed(self, state: AccountState, reason: str) -> None:
        self.changes.append((state, reason))
        await self.store.run(put_account, "mail", state, reason)

    @property
    def events(self) -> list[Inbound]:
        """What was accepted, once each."""
        return [inbound for inbound, is_new in self.accepted if is_new]

    async def work(self) -> None:
        """Answer everything, after a sign of work that mail must not show."""
        unsubscribe = self.store.subscribe("inbox", self.wake.set)
        await self.store.run(reap)
        try:
            while True:
                self.wake.clear()
                for turn in await self.store.run(claim, 50):
                    following: Turn | None = turn
                    while following is not None:
                        said = self.answer(following)
                        working = replace(said, text="Working…", kind=OutboundKind.WORKING, buttons=(), picture=None)
                        await self.store.run(send, working, f"w{following.id}")
                        following = await self.store.run(finish, following, [said])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self.wake.wait()
        finally:
            unsubscribe()


@contextlib.asynccontextmanager
async def running(
    store: Store, where: MailSettings, before: Callable[[TinyBot], None] | None = None
) -> AsyncIterator[TinyBot]:
    """A started bot whose mailbox is being read."""
    bot = TinyBot(store, where)
    if before is not None:
        before(bot)
    tasks = [asyncio.create_task(Courier(store, {"mail": bot.account.channel}).run()), asyncio.create_task(bot.work())]
    await bot.account.start()
    try:
        yield bot
    finally:
        await bot.account.stop()
        while rest := [task for task in tasks if not task.done()]:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=1)  # Python 3.11's wait_for may swallow a cancellation


async def until(holds: Callable[[], Awaitable[object] | object], seconds: float = 25.0) -> None:
    """Wait until something holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        value = holds()
        if await value if asyncio.iscoroutine(value) else value:
            return
        assert loop.time() < deadline, "it never came true"
        await asyncio.sleep(0.05)


async def main() -> None:
    """Run until killed."""
    database, imap, smtp = sys.argv[1:]
    async with running(await open_store(database), settings(int(imap), int(smtp))) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        print("started", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
