"""The assistant's container: suggested prompts, a status while we work, a title from the first message.

All of it is ornament: what Slack refuses here is logged, and no message waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from bot.adapters.ports import Ports
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.manifest import PROMPTS
from bot.adapters.slack.payloads import AssistantThread
from layers.errors import BulkheadError
from layers.types import Address

log = logging.getLogger(__name__)

STATUS = "is working…"
STATUS_CHARS = 100
TITLE_CHARS = 80
REFRESH_S = 90.0
"""Slack takes a status away after two minutes."""
LONGEST_S = 1800.0
"""A status that nobody ends is given up."""
KEPT = 500

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Assistant:
    """What is shown around the messages of the assistant's threads."""

    def __init__(self, api: SlackApi, ports: Ports, spawn: Spawn) -> None:
        self._api = api
        self._ports = ports
        self._spawn = spawn
        self._known: OrderedDict[str, bool] = OrderedDict()
        self._working: dict[str, asyncio.Task[None]] = {}

    async def begin(self, at: AssistantThread) -> None:
        """Somebody opened the container: remember it, and suggest something."""
        name = name_of(at.channel_id, at.thread_ts)
        await self._ports.put_cursor(name, "1")
        self._remember(name, is_one=True)
        prompts = [{"title": title, "message": message} for title, message in PROMPTS]
        where = {"channel_id": at.channel_id, "thread_ts": at.thread_ts}
        self._spawn(self._try("assistant.threads.setSuggestedPrompts", **where, prompts=prompts))

    async def is_one(self, address: Address) -> bool:
        """Whether a conversation is a thread of the container; also after a restart."""
        channel = channel_of(address)
        if not address.thread or not channel.startswith("D"):
            return False
        name = name_of(channel, address.thread)
        if name not in self._known:
            self._remember(name, is_one=bool(await self._ports.get_cursor(name)))
        return self._known[name]

    def _remember(self, name: str, *, is_one: bool) -> None:
        self._known[name] = is_one
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def name(self, address: Address, text: str) -> None:
        """Call a thread by its first message."""
        title = " ".join(text.split())
        title = title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…"
        if title:
            self._spawn(self._try("assistant.threads.setTitle", **where(address), title=title))

    async def work(self, address: Address, text: str = "") -> None:
        """Show that we work, until `done`."""
        if not await self.is_one(address):
            return
        status = " ".join(text.split())[:STATUS_CHARS] or STATUS
        if (running := self._working.pop(address.id, None)) is not None:
            running.cancel()
        if len(self._working) < KEPT:
            self._working[address.id] = self._spawn(self._keep(address, status))

    async def done(self, address: Address) -> None:
        """The answer is there. Slack takes the status away itself where a message is posted, but not for an edit."""
        if (running := self._working.pop(address.id, None)) is not None:
            running.cancel()
            self._spawn(self._try("assistant.threads.setStatus", **where(address), status=""))

    async def _keep(self, address: Address, status: str) -> None:
        for _ in range(int(LONGEST_S / REFRESH_S)):
            await self._try("assistant.threads.setStatus", **where(address), status=status)
            await asyncio.sleep(REFRESH_S)
        self._working.pop(address.id, None)

    async def _try(self, method: str, **arguments: object) -> None:
        try:
            await self._api.call(method, "", **arguments)
        except BulkheadError as error:
            log.info("slack.assistant_refused", extra={"method": method, "error": type(error).__name__})


def channel_of(address: Address) -> str:
    """Slack's id of the channel in `T1/C2`."""
    return address.conversation.partition("/")[2]


def where(address: Address) -> dict[str, str]:
    """A thread as the assistant's methods want it."""
    return {"channel_id": channel_of(address), "thread_ts": address.thread}


def name_of(channel: str, thread: str) -> str:
    """The cursor that says that a thread is the assistant's."""
    return f"assistant:{channel}:{thread}"
