"""The smallest house that Slack can live in: the real transport, the real adapter, and a handler of ten lines.

As a module of its own it runs by itself and kills itself where it is told to:
`python -m tests.adapters.slack.bot DATABASE_URL SLACK_URL [before|after]`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from pydantic import SecretStr

from bot.adapters.slack.account import SlackAccount, Tokens
from bot.adapters.slack.sockets import Timing
from layers.errors import AccountState
from layers.store import Store, open_store
from layers.transport import Courier, accept, claim, finish, reap, send
from layers.types import Button, ButtonStyle, Inbound, InboundKind, Outbound, OutboundKind, Person, Picture, Turn
from tests.adapters.ports import make_ports

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 64
OWNER = Person(id="owner", name="Owner")
KNOWN = {"slack:T0HOUSE:U0OWNER": OWNER}
TOKENS = Tokens(bot=SecretStr("xoxb-secret-bot"), app=SecretStr("xapp-secret-app"))
QUICK = Timing(deaf_after_s=75.0, check_every_s=0.1, ping_every_s=0.3, open_within_s=5)
BUTTONS = (
    Button(label="Approve", value="approval:approve:abc", style=ButtonStyle.PRIMARY),
    Button(label="Deny", value="approval:deny:abc", style=ButtonStyle.DANGER),
)


async def media(digest: str) -> AsyncIterator[bytes]:
    yield PNG


def answer(turn: Turn) -> Outbound:
    """What the bot says: a picture, buttons, something long, or an echo."""
    inbound = turn.inbound
    if inbound.kind is InboundKind.PRESS and inbound.press is not None:
        text = f"{inbound.press.value} by {inbound.person.name}"
        return Outbound(address=inbound.address, key=inbound.press.key, text=text)
    text = "long\n" * 1500 if inbound.text == "long" else f"echo: {inbound.text}"
    if inbound.text == "code":
        text = "```python\n" + "x = 1\n" * 5000 + "```"
    has_picture = inbound.text.startswith("picture")
    return Outbound(
        address=inbound.address,
        key=f"t{turn.id}",
        text=text,
        picture=Picture(digest="d" * 64, alt="A & B", width=2, height=1) if has_picture else None,
        buttons=BUTTONS if has_picture or inbound.text.startswith("buttons") else (),
    )


class TinyBot:
    """Slack, an inbox, a handler, an outbox, a courier."""

    def __init__(self, store: Store, url: str, timing: Timing = QUICK) -> None:
        self.store = store
        self.accepted: list[tuple[Inbound, bool]] = []
        self.before_commit: Callable[[Inbound], Awaitable[None]] | None = None
        self.told: list[tuple[AccountState, str]] = []
        ports = replace(make_ports(store, "slack", KNOWN, self.accept, self.changed), media=media)
        self.account = SlackAccount(TOKENS, ports, url=url, timing=timing)
        self.wake = asyncio.Event()

    async def changed(self, state: AccountState, reason: str) -> None:
        self.told.append((state, reason))

    async def accept(self, inbound: Inbound) -> bool:
        if self.before_commit is not None:
            await self.before_commit(inbound)
        taken = await self.store.run(accept, inbound, False)
        self.accepted.append((inbound, taken.is_new))
        return taken.is_new

    @property
    def events(self) -> list[Inbound]:
        """What was accepted, once each."""
        return [inbound for inbound, is_new in self.accepted if is_new]

    async def work(self) -> None:
        """Answer everything: a placeholder first, then the answer."""
        unsubscribe = self.store.subscribe("inbox", self.wake.set)
        await self.store.run(reap)
        try:
            while True:
                self.wake.clear()
                for turn in await self.store.run(claim, 50):
                    await self.answer_all(turn)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self.wake.wait()
        finally:
            unsubscribe()

    async def answer_all(self, turn: Turn) -> None:
        following: Turn | None = turn
        while following is not None:
            said = answer(following)
            if following.inbound.text.startswith("slowly"):
                working = Outbound(address=said.address, key=said.key, text="Working…", kind=OutboundKind.WORKING)
                await self.store.run(send, working, f"w{following.id}")
                where = {"conversation_id": said.address.id, "key": said.key}
                while await self.store.fetch_one("transport.reference", **where) is None:
                    await asyncio.sleep(0.01)  # it is slow work: what nobody saw yet would be overtaken by the answer
            following = await self.store.run(finish, following, [said])


@contextlib.asynccontextmanager
async def running(store: Store, url: str, timing: Timing = QUICK) -> AsyncIterator[TinyBot]:
    """A started bot."""
    bot = TinyBot(store, url, timing)
    tasks = [asyncio.create_task(Courier(store, {"slack": bot.account.channel}).run()), asyncio.create_task(bot.work())]
    await bot.account.start()
    try:
        yield bot
    finally:
        await bot.account.stop()
        while rest := [task for task in tasks if not task.done()]:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=1)  # Python 3.11's wait_for may swallow a cancellation


async def main() -> None:
    """Run until killed; `before` or `after` the commit of the first event, by SIGKILL."""
    database, slack, *where = sys.argv[1:]
    store = await open_store(database)
    async with running(store, slack) as bot:

        async def die(inbound: Inbound) -> None:
            if where == ["after"]:
                await store.run(accept, inbound, False)
            os.kill(os.getpid(), signal.SIGKILL)

        bot.before_commit = die if where else None
        print("started", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
