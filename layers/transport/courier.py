"""The courier: takes due outbox rows and hands each to its channel, in order within a conversation.

Whatever becomes of a delivery is written down before its row is let go: sent, due again later, or dead. A channel that
hangs or breaks holds up its own conversations only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec

from layers.errors import AccountTrouble, BulkheadError, Misconfigured, RateLimited, Refused, Unavailable
from layers.failpoint import Point, reach
from layers.store import Store, Tx
from layers.transport.accounts import park, postpone
from layers.transport.outbox import free_deliveries, mark_failed, mark_placed, mark_sent, take_due
from layers.transport.types import Channels, Delivery, RemoteChannel
from layers.types import OutboundKind

log = logging.getLogger(__name__)

P = ParamSpec("P")

BATCH = 64
"""Rows per transaction."""
POLL_S = 1.0
"""How long a row of another process, or one that became due again, may lie unnoticed."""
DELIVER_S = 60.0
"""How long a provider may take. A message it takes after that may be sent twice."""


class Courier:
    """Runs until stopped; see `run`."""

    def __init__(self, store: Store, channels: Channels, patience_s: float = DELIVER_S) -> None:
        self._store = store
        self._channels = channels
        self._patience_s = patience_s
        self._wake = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        """By outbox id."""

    async def run(self) -> None:
        """Deliver for ever; cancel to stop."""
        unsubscribe = self._store.subscribe("outbox", self._wake.set)
        try:
            while True:
                self._wake.clear()
                try:
                    handled = await self._round()
                except Exception:
                    log.exception("courier.round_failed")
                    handled = 0
                if handled < BATCH:
                    await self._wait()
        finally:
            unsubscribe()
            left = list(self._in_flight.values())
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 can swallow a cancellation
                await self._wake.wait()
        except TimeoutError:
            await self._mark(free_deliveries, self._in_flight.keys())

    async def _round(self) -> int:
        """Take what is due; remote deliveries go on beside the next round. Returns the number of rows handled."""
        reach(Point.DELIVER_BEFORE)
        taken, handled = await self._store.run(take_due, self._channels, BATCH)
        if handled:
            reach(Point.SENT_AFTER_COMMIT)
        for delivery in taken:
            task = asyncio.create_task(self._deliver(delivery), name=f"deliver-{delivery.outbox_id}")
            self._in_flight[delivery.outbox_id] = task
            task.add_done_callback(partial(self._forget, delivery.outbox_id))
        return handled

    def _forget(self, outbox_id: int, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(outbox_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("courier.delivery_crashed", extra={"outbox": outbox_id}, exc_info=error)

    async def _deliver(self, delivery: Delivery) -> None:
        """One remote delivery, marked on its own."""
        channel: RemoteChannel | None = self._channels.get(delivery.outbound.address.channel)  # type: ignore[assignment]
        try:
            if channel is None and delivery.outbound.address.channel in self._channels:
                raise Unavailable("another process has this channel now")  # it went away after the row was taken
            if channel is None:
                raise Misconfigured(f"no channel is named {delivery.outbound.address.channel!r}")
            async with asyncio.timeout(self._patience_s):
                reference = await self._show(channel, delivery)
        except RateLimited as error:
            await self._mark(postpone, delivery, error)
        except AccountTrouble as error:
            log.error("courier.account_trouble", extra={"state": error.state.value, "outbox": delivery.outbox_id})
            await self._mark(park, delivery, error)
        except TimeoutError:
            await self._mark(mark_failed, delivery, f"no answer within {self._patience_s:g} s", False)
        except BulkheadError as error:
            is_final = isinstance(error, Misconfigured | Refused)
            log.warning("courier.failed", extra={"outbox": delivery.outbox_id, "final": is_final})
            await self._mark(mark_failed, delivery, str(error), is_final)
        except Exception as error:  # a channel's own mistake is no reason to lose the message
            log.exception("courier.channel_broke", extra={"outbox": delivery.outbox_id})
            await self._mark(mark_failed, delivery, type(error).__name__, False)
        else:
            reach(Point.DELIVER_AFTER)
            await self._mark(mark_sent, delivery, reference)

    async def _show(self, channel: RemoteChannel, delivery: Delivery) -> str:
        """Placeholder, record its id, edit: no provider has an idempotency key, but editing twice is editing once."""
        reference, outbound = delivery.reference, delivery.outbound
        if not reference:
            reference = await channel.place(outbound)
            await self._mark(mark_placed, delivery, reference)
            if outbound.kind is OutboundKind.WORKING:
                return reference
        return await channel.edit(reference, outbound)

    async def _mark(self, fn: Callable[Concatenate[Tx, P], object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Write it down, however long the database is away: forgetting would send twice, or never."""
        while True:
            try:
                await self._store.run(fn, *args, **kwargs)
            except BulkheadError as error:
                log.warning("courier.mark_failed", extra={"error": type(error).__name__})
                await asyncio.sleep(POLL_S)
            else:
                return
