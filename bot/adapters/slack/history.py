"""What was said while nobody listened: conversations.history and .replies, through the same door as what Slack tells.

Slack brings an event again three times within five minutes; a longer silence, or a stop, is caught up here. How far
each place (a channel, or a thread) was read is a cursor. The door deduplicates, so reading too much does no harm.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bot.adapters.ports import Ports
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.reading import Me
from layers.errors import AccountTrouble, BulkheadError, RateLimited, Unavailable

log = logging.getLogger(__name__)

PLACES, THREADS, KEPT = 200, 50, 2000
PAGE, PAGES = 100, 5
"""Messages that are asked for at once, and how often for one place. Slack gives 15 at once to apps that are sold
outside its directory."""
OLDEST_S = 86400.0
"""What is older is not answered any more."""
OVERLAP_S = 300.0
"""Slack repeats an event for that long: what was not committed may be older than what was."""
BURST, PACE_S = 20, 1.2
"""Calls at once and seconds between the ones after them: tier 3 is 50 a minute."""
PAUSES_S = (1.0, 5.0, 30.0)
NOTE_EVERY_S = 2.0
SUSPENDED_S = 30.0
"""A nap of `NOTE_EVERY_S` that took longer than this: the machine slept."""
ALIVE, ALIVE_EVERY_S = "alive", 30.0
KINDS = "im,mpim,public_channel,private_channel"
PLACE = re.compile(r"([A-Z0-9]{2,32})(?::(\d+\.\d+))?")

Take = Callable[[Mapping[str, Any]], Awaitable[object]]
T = TypeVar("T")


class History:
    """Remembers where it left off in each place."""

    def __init__(self, api: SlackApi, ports: Ports, take: Take) -> None:
        self._api = api
        self._ports = ports
        self._take = take
        self._seen: OrderedDict[str, str] = OrderedDict()
        """Place -> `ts` of the last message taken: `C1`, `C1:17.1`; the latest last."""
        self._changed: set[str] = set()
        self._heard_until = 0.0
        """Epoch seconds of the last moment without a silence; 0 where nobody knows."""
        self._silences = self._caught_up = 0
        """How many there were, and after how many of them everything was read."""
        self._alive_at = 0.0
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """What earlier runs noted."""
        found = await self._ports.get_cursors("")
        places = [(place, stamp) for place, stamp in found.items() if PLACE.fullmatch(place)]
        for place, stamp in sorted(places, key=lambda item: float(item[1]))[-KEPT:]:
            if float(stamp) > float(self._seen.get(place, "0")):
                self._seen[place] = stamp
        self._heard_until = self._heard_until or float(found.get(ALIVE) or 0)
        self.note_silence()

    async def note(self, place: str, stamp: str, *, can_wait: bool = False) -> None:
        """A message of this `ts` was taken. A new place is written down at once unless that `can_wait`; others soon."""
        is_new = place not in self._seen
        if not is_new and float(self._seen[place]) >= float(stamp):
            return
        self._seen[place] = stamp
        self._seen.move_to_end(place)
        self._changed.add(place)
        if is_new and not can_wait:
            await self._flush()

    async def keep(self, is_alive: Callable[[], bool], catch_up: Callable[[], None]) -> None:
        """Write down how far everything was read, every now and then; after a silence, first have it caught up.

        Meanwhile nothing is written down: a message that was taken says nothing of those before it.
        """
        while True:
            began = time.time()
            await asyncio.sleep(NOTE_EVERY_S)
            if not is_alive() or time.time() - began > SUSPENDED_S:
                self.note_silence()
            elif self._is_behind:
                if not self._lock.locked():
                    catch_up()
            else:
                self._heard_until = time.time()
                await self._flush()
                if time.monotonic() - self._alive_at > ALIVE_EVERY_S:
                    self._alive_at = time.monotonic()
                    await self._put(ALIVE, f"{self._heard_until:.6f}")

    async def close(self, *, is_alive: bool) -> None:
        """Write down the rest."""
        await self._flush()
        if is_alive and not self._is_behind:
            await self._put(ALIVE, f"{time.time():.6f}")

    def note_silence(self) -> None:
        """Nothing may have come for a while: from then on has to be caught up."""
        self._silences += 1

    @property
    def _is_behind(self) -> bool:
        return self._silences > self._caught_up

    async def _flush(self) -> None:
        while self._changed and not self._is_behind:
            place = self._changed.pop()
            await self._put(place, self._seen[place])
        while len(self._seen) > KEPT and not self._changed:
            self._seen.popitem(last=False)

    async def _put(self, name: str, value: str) -> None:
        """A cursor that is not written costs a second look after the next start, no message."""
        try:
            await self._ports.put_cursor(name, value)
        except BulkheadError as error:
            log.warning("slack.cursor_not_written", extra={"error": type(error).__name__})

    async def catch_up(self, me: Me) -> None:
        """Take what was said since the silence began, the latest places first; also where nobody spoke to us yet."""
        async with self._lock:
            silences, until = self._silences, self._heard_until or time.time()
            reading = Reading(self._api, self._take, me)
            seen = sorted(self._seen.items(), key=lambda item: float(item[1]), reverse=True)
            places = {place: min(float(stamp), until) for place, stamp in seen}
            if self._heard_until:
                for each in await reading.places():
                    places.setdefault(each, until)
            channels = [place for place in places if ":" not in place]
            threads = {place: start for place, start in places.items() if ":" in place}
            for channel in channels[:PLACES]:
                for root, start in await reading.channel(channel, start_of(places[channel])):
                    threads.setdefault(f"{channel}:{root}", start)
            newest = sorted(
                threads, key=lambda place: float(self._seen.get(place, "0")) or threads[place], reverse=True
            )
            for place in newest[:THREADS]:
                channel, _, root = place.partition(":")
                await reading.thread(channel, root, start_of(threads[place]))
            self._caught_up = silences
            await self._flush()
            left = {"channels": max(0, len(channels) - PLACES), "threads": max(0, len(newest) - THREADS)}
            log.info("slack.caught_up", extra={"messages": reading.taken, "calls": reading.calls})
            if any(left.values()) or reading.cut:
                log.warning("slack.not_all_caught_up", extra={**left, "cut": reading.cut})


def start_of(until: float) -> float:
    """From where to read a place that was read `until` then."""
    return max(until - OVERLAP_S, time.time() - OLDEST_S)


class Reading:
    """One catching up: patient with Slack, and it goes on where one place cannot be read."""

    def __init__(self, api: SlackApi, take: Take, me: Me) -> None:
        self._api = api
        self._take = take
        self._me = me
        self.calls = self.taken = self.cut = 0
        """Calls made, messages handed over, and places of which there was more than is read."""

    async def places(self) -> list[str]:
        """The conversations that we are in."""
        try:
            answer = await self._call("users.conversations", types=KINDS, exclude_archived=True, limit=PLACES)
        except BulkheadError as error:
            log.warning("slack.places_unknown", extra={"error": type(error).__name__})
            return []
        return [str(each["id"]) for each in answer.get("channels", ())]

    async def channel(self, channel: str, oldest: float) -> list[tuple[str, float]]:
        """Take what was said in a channel; its threads that concern us, and since when."""
        messages = await self._read("conversations.history", channel, oldest)
        return [(str(each["ts"]), oldest) for each in messages if self._has_news(each, channel, oldest)]

    async def thread(self, channel: str, root: str, oldest: float) -> None:
        """Take what was said in a thread."""
        await self._read("conversations.replies", channel, oldest, ts=root)

    def _has_news(self, root: Mapping[str, Any], channel: str, oldest: float) -> bool:
        """Whether a thread was answered, and begins with us, with a mention of us, or in a direct conversation."""
        is_answered = float(root.get("latest_reply") or 0) > oldest
        is_ours = root.get("user") == self._me.user or f"<@{self._me.user}>" in str(root.get("text"))
        return is_answered and (is_ours or channel.startswith("D"))

    async def _read(self, method: str, channel: str, oldest: float, **more: str) -> list[Mapping[str, Any]]:
        """Every message of a place, oldest first, each taken."""
        try:
            messages = await self._pages(method, channel=channel, oldest=f"{oldest:.6f}", **more)
            kind = "im" if channel.startswith("D") else "channel"
            for message in messages:
                event = {**message, "type": "message", "channel": channel, "channel_type": kind}
                body = {"team_id": self._me.team, "event": event}
                await self._patiently(lambda body=body: self._take(body))  # type: ignore[misc]
                self.taken += 1
        except AccountTrouble:
            raise
        except BulkheadError as error:
            log.warning("slack.not_caught_up", extra={"channel": channel, "error": type(error).__name__})
            return []
        return messages

    async def _pages(self, method: str, **arguments: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(PAGES):
            answer = await self._call(method, **arguments, limit=PAGE, cursor=cursor or None)
            found += answer.get("messages", ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        else:
            self.cut += 1
        return sorted(found, key=lambda message: float(message.get("ts") or 0))

    async def _call(self, method: str, **arguments: object) -> Mapping[str, Any]:
        self.calls += 1
        if self.calls > BURST:
            await asyncio.sleep(PACE_S)
        return await self._patiently(lambda: self._api.call(method, "", **arguments))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        for pause_s in PAUSES_S:
            try:
                return await work()
            except AccountTrouble:
                raise
            except RateLimited as error:
                await asyncio.sleep(error.retry_after_s)
            except Unavailable:
                await asyncio.sleep(pause_s)
        return await work()
