"""What must wait before it is an event: files that are still to be fetched, and the rest of an album.

Telegram brings an album as several messages and says nowhere that it was the last one; and while a file is fetched no
other chat should wait. So such a message is first put on a shelf, a row of the database, and with that it may be
acknowledged. A worker for each chat takes the chat's messages down in their order: it waits until an album has had no
new part for a moment, fetches the files, has the event accepted, and only then clears the shelf. Whatever a crash
leaves there is taken down after the next start. Which parts are one event is written down before it is accepted, so
that it is the same event then, and a part that came too late for it is never taken for a part of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace

from bot.adapters.ports import Ports, Welcome
from bot.adapters.telegram.files import Sent
from bot.adapters.telegram.inbound import Heard
from layers.types import Address, Attachment

log = logging.getLogger(__name__)

SHELF, ALBUM = "shelf/", "album/"
ALBUM_S = 1.0
"""An album with no new part for so long is complete; a later part becomes an event of its own."""
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0
LEFT_S = 60.0
"""What lies there for so long was left by a process that is gone."""
REMEMBERED_S = 2 * 86_400.0
"""Telegram brings a message again for a day; for longer nobody needs to know which parts were one event."""

Row = tuple[str, float, Heard]
"""Name, epoch seconds when it came, what it is."""
Accept = Callable[[Heard, tuple[Attachment, ...], tuple[str, ...]], Awaitable[Welcome]]
"""(what was heard, its files, further ids of it) -> what the door says."""


class Shelf:
    """One for the bot; where several processes take updates, each has one over the same rows."""

    def __init__(self, ports: Ports, fetch: Callable[[Sent], Awaitable[Attachment]], accept: Accept) -> None:
        self._ports = ports
        self._fetch = fetch
        self._accept = accept
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    async def takes(self, heard: Heard, is_alone: bool) -> bool:
        """Whether it was put on the shelf, which is committed then; if not, it is an event at once.

        Args:
            is_alone: Whether no other process takes updates, so that the workers here are all there are.
        """
        if heard.press is not None or not await self._must_wait(heard, is_alone):
            return False
        body = json.dumps({"at": time.time(), "heard": asdict(heard)}, separators=(",", ":"))
        await self._ports.put_cursor(f"{prefix(heard)}{heard.message_id:012d}/{heard.event_id}", body)
        self._work(heard.address.conversation)
        return True

    async def _must_wait(self, heard: Heard, is_alone: bool) -> bool:
        if heard.files or heard.album:
            return await self._ports.knows(heard.identity)
        if is_alone:
            return heard.address.conversation in self._workers
        return bool(await self._ports.get_cursors(prefix(heard)))

    async def resume(self, left_s: float = 0.0) -> None:
        """Take down what was left there for at least so long."""
        rows = await self._rows(SHELF)
        for name, body in (await self._ports.get_cursors(ALBUM)).items():
            if time.time() - json.loads(body)["at"] > REMEMBERED_S:
                await self._ports.put_cursor(name, "")
        for chat in {heard.address.conversation for _, at, heard in rows if time.time() - at >= left_s}:
            self._work(chat)

    async def stop(self) -> None:
        """What lies there stays there."""
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _work(self, chat: str) -> None:
        if chat in self._workers:
            self._again.add(chat)
        else:
            self._workers[chat] = asyncio.create_task(self._empty(chat), name=f"telegram-shelf-{chat}")

    async def _empty(self, chat: str) -> None:
        """Take down all that is there for a chat, in order."""
        wait_s = FIRST_RETRY_S
        try:
            while True:
                self._again.discard(chat)
                try:
                    is_empty = await self._take_one(chat)
                    wait_s = FIRST_RETRY_S
                except Exception as error:
                    log.exception("telegram.shelf_failed", extra={"error": type(error).__name__})
                    await asyncio.sleep(wait_s)
                    wait_s, is_empty = min(2 * wait_s, LONGEST_RETRY_S), False
                if is_empty and chat not in self._again:
                    return
        finally:
            del self._workers[chat]

    async def _take_one(self, chat: str) -> bool:
        """The chat's next event; True when there is none."""
        rows = await self._rows(f"{SHELF}{chat}/")
        if not rows:
            return True
        first = rows[0][2]
        ids = await self._together(first, rows) if first.album else [first.event_id]
        if not ids:
            return False
        group = [row for row in rows if row[2].event_id in ids]
        await self._deliver([heard for _, _, heard in group], ids)
        for name, _, _ in group:
            await self._ports.put_cursor(name, "")
        return False

    async def _together(self, first: Heard, rows: Sequence[Row]) -> list[str]:
        """The event ids that are one event with `first`, as was decided once; none yet: a moment was waited."""
        name = f"{ALBUM}{first.address.conversation}/{first.album}"
        groups: list[list[str]] = json.loads(await self._ports.get_cursor(name) or '{"groups": []}')["groups"]
        for group in groups:
            if first.event_id in group:
                return group
        parts = [(at, heard.event_id) for _, at, heard in rows if heard.album == first.album]
        rest_s = ALBUM_S - (time.time() - max(at for at, _ in parts))
        if rest_s > 0:
            await asyncio.sleep(min(rest_s, ALBUM_S))
            return []
        decided = {event_id for group in groups for event_id in group}
        groups.append([event_id for _, event_id in parts if event_id not in decided])
        await self._ports.put_cursor(name, json.dumps({"at": time.time(), "groups": groups}))
        return groups[-1]

    async def _deliver(self, group: Sequence[Heard], ids: Sequence[str]) -> None:
        if not any(heard.is_addressed for heard in group):
            return  # an album in a group that was not meant for the bot
        files = [await self._fetch(each) for heard in group for each in heard.files]
        text = "\n\n".join(heard.text for heard in group if heard.text)
        await self._accept(replace(group[0], text=text, event_id=ids[0]), tuple(files), tuple(ids[1:]))

    async def _rows(self, under: str) -> list[Row]:
        found: list[Row] = []
        for name, body in (await self._ports.get_cursors(under)).items():
            try:
                data = json.loads(body)
                found.append((name, float(data["at"]), load(data["heard"])))
            except (ValueError, KeyError, TypeError):
                log.exception("telegram.shelf_unreadable", extra={"row": name})
                await self._ports.put_cursor(name, "")
        return found


def prefix(heard: Heard) -> str:
    """Where a chat's rows are."""
    return f"{SHELF}{heard.address.conversation}/"


def load(data: Mapping[str, object]) -> Heard:
    """What was dumped, but for the press, which never waits."""
    fields = dict(data)
    fields["address"] = Address(**data["address"])  # type: ignore[arg-type]
    fields["files"] = tuple(Sent(**each) for each in data["files"])  # type: ignore[attr-defined]
    return Heard(**fields)  # type: ignore[arg-type]
