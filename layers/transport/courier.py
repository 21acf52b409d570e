"""The courier: takes due outbox rows and hands each to its channel, in order within a conversation.

Whatever becomes of a delivery is written down before its row is let go. A channel that hangs or breaks holds up its own
conversations only. Between rounds the courier sleeps until it is woken, or until the next row or bucket comes due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec

from layers.errors import (
    AccountTrouble,
    BulkheadError,
    Misconfigured,
    NotReached,
    RateLimited,
    Refused,
    Unavailable,
)
from layers.failpoint import Point, reach
from layers.store import Store, Tx
from layers.transport.marks import free_deliveries, give_up, mark_failed, mark_placed, mark_sent, park, postpone
from layers.transport.pace import forget_buckets
from layers.transport.rules import State
from layers.transport.taking import NO_RULES, Rules, take_due
from layers.transport.types import Channels, Delivery, RemoteChannel, Searchable, Taken
from layers.types import OutboundKind

log = logging.getLogger(__name__)

P = ParamSpec("P")

BATCH = 64
"""Rows per transaction."""
RETRY_S = 1.0
"""Pause after the database did not answer."""
LOOK_S = 15.0
"""How long an idle courier sleeps at most: then it looks for rows whose wake, or whose taking, nobody heard of."""
FORGET_S = 3600.0
"""How often buckets are forgotten that nobody draws from."""
DELIVER_S = 60.0
"""How long a provider may take. Nobody knows then whether it took the message."""
SEARCH_S = 10.0
"""How long a channel may look for a message that may be there."""


class Courier:
    """Runs until stopped; see `run`."""

    def __init__(
        self, store: Store, channels: Channels, patience_s: float = DELIVER_S, rules: Rules = NO_RULES
    ) -> None:
        self._store = store
        self._channels = channels
        self._patience_s = patience_s
        self._rules = rules
        self._wake = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        """By outbox id."""
        self._forget_at = 0.0

    async def run(self) -> None:
        """Deliver for ever; cancel to stop."""
        unsubscribe = self._store.subscribe("outbox", self._wake.set)
        try:
            await self._tidy()
            while True:
                self._wake.clear()
                try:
                    found = await self._round()
                except Exception:
                    log.exception("courier.round_failed")
                    found = Taken(wait_s=RETRY_S)
                if not found.is_more:
                    await self._wait(found.wait_s)
        finally:
            unsubscribe()
            left = list(self._in_flight.values())
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _wait(self, wait_s: float | None) -> None:
        """Until something is there to be done; a millisecond more, so that what was waited for is due."""
        is_idle = wait_s is None or wait_s > LOOK_S
        try:
            # wait_for of Python 3.11 can swallow a cancellation
            async with asyncio.timeout(LOOK_S if wait_s is None or is_idle else wait_s + 0.001):
                await self._wake.wait()
        except TimeoutError:
            if is_idle:
                await self._tidy()

    async def _tidy(self) -> None:
        """Free what was taken by a transaction whose answer was lost; forget buckets now and then."""
        try:
            await self._store.run(free_deliveries, self._in_flight.keys())
            now = asyncio.get_running_loop().time()
            if now >= self._forget_at:
                await self._store.run(forget_buckets)
                self._forget_at = now + FORGET_S
        except Exception:
            log.exception("courier.tidy_failed")

    async def _round(self) -> Taken:
        """Take what is due; remote deliveries go on beside the next round."""
        reach(Point.DELIVER_BEFORE)
        found = await self._store.run(take_due, self._channels, BATCH, self._rules)
        if found.handled:
            reach(Point.SENT_AFTER_COMMIT)
        for delivery in found.deliveries:
            task = asyncio.create_task(self._deliver(delivery), name=f"deliver-{delivery.outbox_id}")
            self._in_flight[delivery.outbox_id] = task
            task.add_done_callback(partial(self._forget, delivery.outbox_id))
        return found

    def _forget(self, outbox_id: int, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(outbox_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("courier.delivery_crashed", extra={"outbox": outbox_id}, exc_info=error)

    async def _deliver(self, delivery: Delivery) -> None:
        """One remote delivery, marked on its own."""
        notes = self._rules.notes
        try:
            async with asyncio.timeout(self._patience_s):
                reference = await self._show(self._channel_of(delivery), delivery)
        except RateLimited as error:
            await self._mark(postpone, delivery, error)
        except AccountTrouble as error:
            log.error("courier.account_trouble", extra={"state": error.state.value, "outbox": delivery.outbox_id})
            await self._mark(park, delivery, error)
        except TimeoutError:
            await self._mark(mark_failed, delivery, f"no answer within {self._patience_s:g} s", True, notes)
        except (Misconfigured, Refused) as error:
            log.warning("courier.refused", extra={"outbox": delivery.outbox_id})
            await self._mark(give_up, delivery, State.FAILED, str(error), notes)
        except BulkheadError as error:
            is_ambiguous = not isinstance(error, NotReached)
            log.warning("courier.failed", extra={"outbox": delivery.outbox_id, "ambiguous": is_ambiguous})
            await self._mark(mark_failed, delivery, str(error), is_ambiguous, notes)
        except Exception as error:  # a channel's own mistake is no reason to lose the message
            log.exception("courier.channel_broke", extra={"outbox": delivery.outbox_id})
            await self._mark(mark_failed, delivery, type(error).__name__, True, notes)
        else:
            reach(Point.DELIVER_AFTER)
            await self._mark(mark_sent, delivery, reference)

    def _channel_of(self, delivery: Delivery) -> RemoteChannel:
        """Where it goes; it may have gone elsewhere since the row was taken."""
        name = delivery.outbound.address.channel
        channel: RemoteChannel | None = self._channels.get(name)  # type: ignore[assignment]
        if channel is None:
            raise NotReached(f"another process has {name!r} now")
        return channel

    async def _show(self, channel: RemoteChannel, delivery: Delivery) -> str:
        """Placeholder, record its id, edit: no provider has an idempotency key, but editing twice is editing once."""
        reference, outbound = delivery.reference, delivery.outbound
        if not reference:
            reference = await self._find(channel, delivery)
            if not reference:
                reach(Point.PLACE_BEFORE)
                reference = await channel.place(outbound)
                reach(Point.PLACE_AFTER)
                if outbound.kind is OutboundKind.WORKING:
                    return reference  # its text is there; the mark that it is sent records the reference too
            await self._mark(mark_placed, delivery, reference)
            reach(Point.PLACED_AFTER_COMMIT)
        return await channel.edit(reference, outbound)

    async def _find(self, channel: RemoteChannel, delivery: Delivery) -> str:
        """Where an earlier try put it, if one may have and the channel can tell. Nothing found is no proof."""
        if not delivery.is_doubtful or not isinstance(channel, Searchable):
            return ""
        try:
            async with asyncio.timeout(min(SEARCH_S, self._patience_s / 2)):
                return await channel.find(delivery.outbound) or ""
        except (AccountTrouble, RateLimited):
            raise
        except (TimeoutError, Unavailable, Refused) as error:
            log.warning("courier.not_searched", extra={"outbox": delivery.outbox_id, "error": type(error).__name__})
            return ""

    async def _mark(self, fn: Callable[Concatenate[Tx, P], object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Write it down, however long the database is away: forgetting would send twice, or never."""
        while True:
            try:
                await self._store.run(fn, *args, **kwargs)
            except BulkheadError as error:
                log.warning("courier.mark_failed", extra={"error": type(error).__name__})
                await asyncio.sleep(RETRY_S)
            else:
                return
