"""The clock's side: what `/schedule` needs, and the housekeeping of one process."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from bot import schedule
from bot.app.witness import Witness
from bot.dispatcher import Dispatcher
from layers import control
from layers.store import Store, Tx
from layers.transport import expire_pairings, person_by_id, send
from layers.types import CLOCK, Address, Inbound, InboundKind, Outbound, OutboundKind


class Schedules:
    """bot.schedule as the dispatcher wants it: in lines of text."""

    def add(self, tx: Tx, conversation: str, cron: str, timezone: str, text: str, created_by: str) -> str:
        """Keep one; its line."""
        return schedule.line(schedule.add(tx, conversation, cron, timezone, text, created_by))

    def remove(self, tx: Tx, number: int, conversation: str) -> None:
        """Forget one."""
        schedule.remove(tx, number, conversation)

    def listing(self, tx: Tx, conversation: str) -> list[str]:
        """One line each."""
        return [schedule.line(entry) for entry in schedule.listing(tx, conversation)]


def fire_all(tx: Tx, dispatcher: Dispatcher) -> None:
    """Every due schedule, in the name of whoever made it while they are somebody here."""

    def accept_known(tx: Tx, inbound: Inbound) -> None:
        who = person_by_id(tx, inbound.person.id)
        if who is not None:
            dispatcher.accept_in(tx, replace(inbound, person=who))
            return
        text = (
            f"Schedule {inbound.subject} did not run: whoever made it is nobody here any more. "
            f"`/schedule remove {inbound.subject}` ends it."
        )
        key = f"gone.{inbound.event_id}"
        send(tx, Outbound(address=inbound.address, key=key, text=text, kind=OutboundKind.ERROR), key)

    for fired in schedule.fire_due(tx, accept_known):
        if note := schedule.note(fired):
            key = f"s{fired.id}.{fired.due_at:.0f}"
            send(tx, Outbound(address=Address.parse(fired.conversation_id), key=key, text=note), key)


def make_jobs(
    store: Store,
    dispatcher: Dispatcher,
    witness: Witness,
    policy: control.PolicyFile,
) -> list[schedule.Job]:
    """The housekeeping of one process. Each looks before it opens a write transaction: an idle house writes nothing."""

    async def fire() -> None:
        if await store.fetch_all("bot.schedules_due", now=time.time(), few=1):
            await store.run(fire_all, dispatcher)

    async def expire() -> None:
        if await store.fetch_all("control.due", now=time.time()):
            await store.run(expire_all)

    def expire_all(tx: Tx) -> None:
        for approval in control.expire(tx):
            dispatcher.accept_in(tx, expiry_of(approval))

    async def find_undelivered() -> None:
        if any(not row["is_told"] for row in await store.fetch_all("bot.undelivered")):
            await store.run(lambda tx: show_undelivered(tx, dispatcher))

    async def give_up() -> None:
        if await store.fetch_all("people.due", now=time.time()):
            await store.run(expire_pairings)

    async def beat() -> None:
        await store.run(lambda tx: tx.run("store.beat", id=tx.worker, now=tx.now))

    async def reread() -> None:
        await asyncio.to_thread(policy.refresh)

    return [
        schedule.Job("policy", 5.0, reread),
        schedule.Job("schedules", 1.0, fire),
        schedule.Job("expiry", 1.0, expire),
        schedule.Job("undelivered", 2.0, find_undelivered),
        schedule.Job("pairings", 5.0, give_up),
        schedule.Job("heartbeat", 15.0, beat),
        schedule.Job("checkpoint", 15.0, witness.look),
    ]


def show_undelivered(tx: Tx, dispatcher: Dispatcher) -> None:
    """Have every request whose card nobody could see shown on the page."""
    for row in tx.all("bot.undelivered"):
        if not row["is_told"]:
            dispatcher.accept_in(tx, undelivered_of(row["id"], row["conversation_id"]))


def undelivered_of(approval_id: str, conversation: str) -> Inbound:
    """The event that an approval's card did not arrive."""
    return Inbound(
        address=Address.parse(conversation),
        event_id=f"undelivered:{approval_id}",
        person=CLOCK,
        kind=InboundKind.UNDELIVERED,
        subject=approval_id,
    )


def frost(store: Store, executor: control.Executor) -> schedule.Job:
    """While everything is frozen nothing runs in this process, nor what somebody had stopped, whichever server was
    told.
    """

    async def stop() -> None:
        for run_id in await control.look_stopping(store):
            await executor.stop(run_id)
        if await control.look_frozen(store):
            await executor.stop_all()

    return schedule.Job("freeze", 0.5, stop)


def expiry_of(approval: control.Approval) -> Inbound:
    """The event that an approval ran out."""
    return Inbound(
        address=Address.parse(approval.conversation_id),
        event_id=f"expiry:{approval.id}",
        person=CLOCK,
        kind=InboundKind.EXPIRY,
        subject=approval.id,
    )
