"""The durable log of a conversation, read three ways: history, the stream of what is new, the list of conversations.

An event shows or replaces the visible message named by its key. The log is the table `page_event`; a stream resumes
after any id, so a reload, a lost connection or a restarted server loses nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from layers.store import Row, Store

PAGE = 200
HEARTBEAT_S = 15.0
STREAM_LIFE_S = 3600.0
"""After this the browser reconnects, and a session that ended meanwhile is noticed."""
STREAMS_CAP = 128
TITLE_LENGTH = 60


async def history(store: Store, conversation: str, before: int | None) -> dict[str, object]:
    """The newest 200 visible messages (older than `before`), in order of first appearance, and where to go on from.

    `last` is read first: what arrives in between is told twice, by history and stream, and never not at all.
    """
    last = await last_id(store, conversation)
    ceiling = 2**62 if before is None else before
    rows = await store.fetch_all("web.history", conversation_id=conversation, before=ceiling, count=PAGE + 1)
    shown = list(reversed(rows[:PAGE]))
    earlier = shown[0]["first_id"] if len(rows) > PAGE else None
    return {"events": [visible(row, row["first_at"]) for row in shown], "last": last, "earlier": earlier}


async def last_id(store: Store, conversation: str) -> int:
    """The newest event's id; 0 where there is none."""
    row = await store.fetch_one("web.last_event", conversation_id=conversation)
    return int(row["id"]) if row else 0


async def conversations(store: Store, channel: str) -> list[dict[str, object]]:
    """The page's conversations, the most recent first, each named by how it began."""
    rows = await store.fetch_all("web.conversations", count=PAGE)
    prefix = f"{channel}:"
    return [
        {"id": row["conversation_id"].removeprefix(prefix), "title": title(row["first_body"]), "at": row["last_at"]}
        for row in rows
        if row["conversation_id"].startswith(prefix)
    ]


def title(first_body: str | None) -> str:
    """How the first thing a person said begins; empty where nobody has said anything."""
    if first_body is None:
        return ""
    line = " ".join(str(json.loads(first_body).get("text", "")).split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def visible(row: Row, at: float) -> dict[str, object]:
    """A row as the browser gets it."""
    return {**json.loads(row["body"]), "id": row["id"], "key": row["key"], "at": at}


class Streams:
    """The open event streams of this process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.open: set[asyncio.Event] = set()
        self.closing = False

    def close(self) -> None:
        """End every stream, so that a stopping server need not wait for readers who never leave."""
        self.closing = True
        for woken in self.open:
            woken.set()

    @property
    def is_full(self) -> bool:
        """Whether one more reader would be too many."""
        return len(self.open) >= STREAMS_CAP

    async def follow(self, conversation: str, after: int, woken: asyncio.Event) -> AsyncIterator[str]:
        """Everything after the id `after`, then whatever comes, as lines of text/event-stream."""
        until = asyncio.get_running_loop().time() + STREAM_LIFE_S
        yield "retry: 1000\n\n"
        if after > await last_id(self.store, conversation):
            # The log this id came from is gone (another database): the page has to start over.
            yield "event: reset\ndata: {}\n\n"
            after = 0
        while not self.closing and asyncio.get_running_loop().time() < until:
            woken.clear()
            rows = await self.store.fetch_all("web.events_after", conversation_id=conversation, after=after, count=PAGE)
            for row in rows:
                after = row["id"]
                yield f"id: {after}\ndata: {json.dumps(visible(row, row['at']))}\n\n"
            if len(rows) < PAGE:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):  # wait_for of Python 3.11 can swallow a cancellation
                        await woken.wait()
                except TimeoutError:
                    yield ": still here\n\n"


class EventStream(StreamingResponse):
    """One reader of one conversation, unsubscribed however the reading ends."""

    def __init__(self, streams: Streams, conversation: str, after: int) -> None:
        self.streams = streams
        self.woken = asyncio.Event()
        super().__init__(
            streams.follow(conversation, after, self.woken),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the reader leaves, the hour is over or the server stops."""
        self.streams.open.add(self.woken)
        unsubscribe: Callable[[], None] = self.streams.store.subscribe("page", self.woken.set)
        if self.streams.closing:
            self.woken.set()
        try:
            await super().__call__(scope, receive, send)
        finally:
            unsubscribe()
            self.streams.open.discard(self.woken)
