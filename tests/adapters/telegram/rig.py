"""The real channel between a fake Bot API server and a real store: accept, a tiny handler, the courier.

`python -m tests.adapters.telegram.rig <database> <api url> [moment]` runs it as a process of its own, which dies by
SIGKILL at that moment, see `dies`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

from PIL import Image

from bot.adapters.telegram import Telegram
from layers import failpoint
from layers.errors import AccountState
from layers.store import Store, open_store
from layers.transport import Courier, accept, claim, finish, put_reference, reap, send
from layers.types import (
    Address,
    Button,
    ButtonStyle,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Person,
    Picture,
)
from tests.adapters.ports import make_ports
from tests.fakes.telegram_server import TOKEN

PEOPLE = {f"telegram:{n}": Person(id=f"p{n}", name=f"P{n}") for n in (*range(40, 120), 7)}
APPROVE = Button(label="Approve", value="a:approve:xyz", style=ButtonStyle.PRIMARY)
DENY = Button(label="Deny", value="a:deny:xyz", style=ButtonStyle.DANGER)


def png(width: int = 40, height: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


class Rig:
    """`start`, then talk to the fake server."""

    def __init__(self, store: Store, url: str, public_url: str = "") -> None:
        self.store = store
        self.heard: list[Inbound] = []
        self.health: list[AccountState] = []
        self.media = {"small": png(), "long": png(4000, 10)}
        made = make_ports(store, "telegram", PEOPLE, lambda inbound: self.accept(inbound), self.changed)
        ports = replace(made, media=self.read_media, note=lambda outbound, reference: self.note(outbound, reference))
        self.channel = Telegram(TOKEN, ports, url, public_url)
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.store.run(reap)
        self._tasks = [
            asyncio.create_task(Courier(self.store, {"telegram": self.channel}).run()),
            asyncio.create_task(self._work()),
        ]
        await self.channel.start()

    async def stop(self) -> None:
        await self.channel.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self, inbound: Inbound) -> bool:
        accepted = await self.store.run(accept, inbound, False)
        if accepted.is_new:
            self.heard.append(inbound)
        self._wake.set()
        return accepted.is_new

    async def note(self, outbound: Outbound, reference: str) -> None:
        await self.store.run(put_reference, outbound, reference)

    async def read_media(self, digest: str) -> AsyncIterator[bytes]:
        yield self.media[digest]

    async def changed(self, state: AccountState, reason: str) -> None:
        self.health.append(state)

    async def say(self, outbound: Outbound, dedupe: str) -> None:
        await self.store.run(send, outbound, dedupe)

    async def _work(self) -> None:
        """One event, its answers, the next."""
        while True:
            self._wake.clear()
            for turn in await self.store.run(claim, 50):
                following = turn
                while following is not None:
                    answers = answers_to(following.inbound, f"t{following.id}")
                    if answers[0].kind is OutboundKind.WORKING:
                        await self._show(answers.pop(0), f"w{following.id}")
                    following = await self.store.run(finish, following, answers)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 0.2)

    async def _show(self, working: Outbound, dedupe: str) -> None:
        """Until it is seen: the answer would overtake what nobody saw yet."""
        await self.say(working, dedupe)
        where = {"conversation_id": working.address.id, "key": working.key}
        while await self.store.fetch_one("transport.reference", **where) is None:
            await asyncio.sleep(0.01)


def answers_to(inbound: Inbound, key: str) -> list[Outbound]:
    """What the tiny handler says."""
    address = inbound.address
    if inbound.attachments:
        files = " ".join(f"{file.name}:{file.size_bytes}" for file in inbound.attachments)
        return [Outbound(address=address, key=key, text=f"`{inbound.text}` {files}", answers=inbound.event_id)]
    if inbound.kind is InboundKind.PRESS:
        assert inbound.press is not None
        verb = inbound.press.value.split(":")[1]
        return [Outbound(address=address, key=inbound.press.key, text=f"{verb} by {inbound.person.name}")]
    match inbound.text.split():
        case ["card"]:
            return [Outbound(address=address, key=key, text="Deploy?", kind=OutboundKind.CARD, buttons=(APPROVE, DENY))]
        case ["picture", digest]:
            size = {"small": (40, 30), "long": (4000, 10)}[digest]
            picture = Picture(digest=digest, alt="a picture", width=size[0], height=size[1])
            return [Outbound(address=address, key=key, text="See", picture=picture, buttons=(APPROVE,))]
        case ["long", count]:
            return [Outbound(address=address, key=key, text="word " * (int(count) // 5))]
        case ["work"]:
            working = Outbound(address=address, key=key, text="Working ...", kind=OutboundKind.WORKING)
            return [working, Outbound(address=address, key=key, text="Worked")]
    return [Outbound(address=address, key=key, text=f"you said: {inbound.text}", answers=inbound.event_id)]


def address(chat: int = 42, thread: str = "") -> Address:
    return Address(channel="telegram", conversation=str(chat), thread=thread)


def dies(rig: Rig, moment: str) -> None:
    """Have the process killed before the third event's commit, after the first longer reference, or at a failpoint."""
    accept_it, note_it = rig.accept, rig.note

    async def accept(inbound: Inbound) -> bool:
        if len(rig.heard) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return await accept_it(inbound)

    async def note(outbound: Outbound, reference: str) -> None:
        await note_it(outbound, reference)
        os.kill(os.getpid(), signal.SIGKILL)

    def reached(point: failpoint.Point) -> None:
        if point == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment == "accept":
        rig.accept = accept  # type: ignore[method-assign]
    elif moment == "fetched":  # a file is in the database, its event is not
        keep = rig.channel._files._keep

        async def kept(*args):
            await keep(*args)
            os.kill(os.getpid(), signal.SIGKILL)

        rig.channel._files._keep = kept
    elif moment == "note":
        rig.note = note  # type: ignore[method-assign]
    elif moment:
        failpoint.hook = reached


async def main(database: str, url: str, moment: str = "") -> None:
    """Run until killed."""
    store = await open_store(database)
    rig = Rig(store, url)
    dies(rig, moment)
    await rig.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
