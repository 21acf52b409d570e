"""The courier: takes due outbox rows and hands each to its channel, in order within a conversation."""

from __future__ import annotations

import asyncio
import logging

from layers.errors import AccountTrouble, BulkheadError, Misconfigured, RateLimited, Refused
from layers.failpoint import Point, reach
from layers.store import Store
from layers.transport.outbox import mark_failed, mark_placed, mark_sent, park, postpone, take_due
from layers.transport.types import Channels, Delivery, RemoteChannel
from layers.types import OutboundKind

log = logging.getLogger(__name__)

BATCH = 64
"""Rows per transaction."""
POLL_S = 1.0
"""How long a row of another process, or one that became due again, may lie unnoticed."""


class Courier:
    """Runs until stopped; see `run`."""

    def __init__(self, store: Store, channels: Channels) -> None:
        self._store = store
        self._channels = channels
        self._wake = asyncio.Event()
        self._in_flight: set[asyncio.Task[None]] = set()

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
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_S)
        except TimeoutError:
            return

    async def _round(self) -> int:
        """Take what is due; remote deliveries go on beside the next round. Returns the number of rows handled."""
        reach(Point.DELIVER_BEFORE)
        taken, handled = await self._store.run(take_due, self._channels, BATCH)
        if handled:
            reach(Point.SENT_AFTER_COMMIT)
        for delivery in taken:
            task = asyncio.create_task(self._deliver(delivery))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return handled

    async def _deliver(self, delivery: Delivery) -> None:
        """One remote delivery, marked on its own."""
        channel: RemoteChannel | None = self._channels.get(delivery.outbound.address.channel)  # type: ignore[assignment]
        try:
            if channel is None:
                raise Misconfigured(f"no channel is named {delivery.outbound.address.channel!r}")
            reference = await self._show(channel, delivery)
        except RateLimited as error:
            await self._store.run(postpone, delivery, error)
            return
        except AccountTrouble as error:
            log.error("courier.account_trouble", extra={"state": error.state.value, "outbox": delivery.outbox_id})
            await self._store.run(park, delivery, error)
            return
        except BulkheadError as error:
            is_final = isinstance(error, Misconfigured | Refused)
            log.warning("courier.failed", extra={"outbox": delivery.outbox_id, "final": is_final})
            await self._store.run(mark_failed, delivery, str(error), is_final)
            return
        reach(Point.DELIVER_AFTER)
        await self._store.run(mark_sent, delivery, reference)

    async def _show(self, channel: RemoteChannel, delivery: Delivery) -> str:
        """Placeholder, record its id, edit: no provider has an idempotency key, but editing twice is editing once."""
        reference, outbound = delivery.reference, delivery.outbound
        if not reference:
            reference = await channel.place(outbound)
            await self._store.run(mark_placed, delivery, reference)
            if outbound.kind is OutboundKind.WORKING:
                return reference
        return await channel.edit(reference, outbound)
