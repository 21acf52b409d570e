"""The desk from another process than the server's: by the console's socket; where no server is, by the database."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from pydantic import BaseModel

from bot.adapters.console import NoServer, Request, request
from bot.app.house import open_coordinator, operator_of
from bot.app.making import prepare_home, workspaces_of
from bot.config import Settings
from bot.desk import Asked, Claim, Held, Named, Own, Reading, Space, Standing, Submission, answer
from bot.dispatcher import HouseDesk
from layers.errors import InUse, Unavailable
from layers.store import Store, open_store

CHUNK_S = 20.0
"""Seconds of one question by the socket while somebody waits: a server that stops is noticed, and asked again."""
PAUSE_S = 1.0
TRIES = 10


class FarDesk:
    """See `bot.desk.Desk`. What is handed in while no server runs waits for the next one."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        """`stack` is closed by whoever made it, at the end."""
        self._settings = settings
        self._stack = stack
        self._kept: HouseDesk | None = None

    async def workspaces(self) -> list[Space]:
        """Every workspace."""
        return [Space.model_validate(space) for space in await self._ask("workspaces")]

    async def read(self, named: Named) -> Reading:
        """Files."""
        return Reading.model_validate(await self._ask("read", named))

    async def submit(self, submission: Submission) -> Standing:
        """Hand in. A server that stops meanwhile may have taken it: under the same key it is asked again."""
        for _ in range(2):
            try:
                return Standing.model_validate(await self._ask("submit", submission))
            except Unavailable:
                await asyncio.sleep(PAUSE_S)
        return Standing.model_validate(await self._ask("submit", submission))

    async def status(self, id: str) -> Standing:
        """How it stands."""
        return Standing.model_validate(await self._ask("status", Asked(id=id)))

    async def wait(self, asked: Asked) -> Standing:
        """How it stands once it is decided, or when time is up; over a server's restart too."""
        until = time.monotonic() + asked.timeout_s
        while True:
            left = max(0.0, until - time.monotonic())
            chunk = asked.model_copy(update={"timeout_s": min(left, CHUNK_S)})
            try:
                # without a server nothing becomes of it, and a file that is held here would keep one from starting
                ask = self._by_socket if self._is_alone and left else self._ask
                told = Standing.model_validate(await ask("wait", chunk))
            except Unavailable:
                if not left:
                    raise
                await asyncio.sleep(min(left, PAUSE_S))
            else:
                if not left or not told.is_open or (asked.until_tried and told.state != "proposed"):
                    return told

    async def lease(self, claim: Claim) -> Held:
        """Ask, and wait for one's turn."""
        return Held.model_validate(await self._ask("lease", claim))

    async def renew(self, own: Own) -> Held:
        """A sign of life."""
        return Held.model_validate(await self._ask("renew", own))

    async def release(self, own: Own) -> Held:
        """Give it back."""
        return Held.model_validate(await self._ask("release", own))

    @property
    def _is_alone(self) -> bool:
        """Whether only one process can have the database."""
        return self._settings.store_url.startswith("sqlite:")

    async def _ask(self, call: str, given: BaseModel | None = None) -> Any:  # noqa: ANN401  what JSON can hold
        for _ in range(TRIES):
            try:
                return await self._by_socket(call, given)
            except NoServer:
                with contextlib.suppress(InUse):  # a server that is just starting has the database, and no socket yet
                    return await self._by_database(call, given)
            await asyncio.sleep(PAUSE_S)
        return await self._by_socket(call, given)

    async def _by_socket(self, call: str, given: BaseModel | None = None) -> Any:  # noqa: ANN401
        values = given.model_dump(mode="json") if given else {}
        message = Request(verb="desk", call=call, given=values)
        answers = [each async for each in request(self._settings.home, message)]
        return answers[0]["told"]

    async def _by_database(self, call: str, given: BaseModel | None = None) -> Any:  # noqa: ANN401
        values = given.model_dump(mode="json") if given else {}
        if self._is_alone:  # for a moment only
            async with near_desk(self._settings) as desk:
                return await answer(desk, call, values)
        if self._kept is None:
            self._kept = await self._stack.enter_async_context(near_desk(self._settings))
        return await answer(self._kept, call, values)


@asynccontextmanager
async def near_desk(settings: Settings) -> AsyncIterator[HouseDesk]:
    """A desk on the database itself: what is handed in is tried by whichever server comes.

    Raises:
        Misconfigured, Unavailable: as `open_store`.
    """
    file = prepare_home(settings)
    store: Store = await open_store(settings.store_url)
    try:
        coordinator = await open_coordinator(settings, file, store)
        spaces = workspaces_of(settings, file)
        yield HouseDesk(store, coordinator, spaces, partial(operator_of, file), lambda take: store.run(take, False))
    finally:
        await store.close()


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[FarDesk]:
    """The desk of this home's server, or of its database."""
    async with AsyncExitStack() as stack:
        yield FarDesk(settings, stack)
