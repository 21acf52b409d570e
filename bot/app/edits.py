"""Edits in the way of patches that wait for a decision: looked for at every hint and every few seconds.

A finding is an event of the request's conversation, named by what was found: several processes and several looks make
one of it. Its turn looks again, and tells people on the request's own card.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.dispatcher import Dispatcher
from layers import control, coordination
from layers.coordination import Coordinator, Foreign, Hints, Marks, Parked, Proposal
from layers.errors import Refused, Unavailable
from layers.store import Store
from layers.types import CLOCK, Address, Inbound, InboundKind

log = logging.getLogger(__name__)

EVERY_S = 3.0
"""Between two looks without a hint; each costs a few calls of lstat for every waiting patch."""


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A patch that waits, and how its files were when they were last looked at."""

    proposal: Proposal
    marks: Marks | None = None


class EditWatch:
    """See the module."""

    def __init__(self, store: Store, coordinator: Coordinator, dispatcher: Dispatcher) -> None:
        self._store = store
        self._coordinator = coordinator
        self._dispatcher = dispatcher
        self._waiting: dict[str, Waiting] = {}
        self._hinted = asyncio.Event()
        self._hints = Hints(self._hinted.set)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                self._hinted.clear()
                await self._guarded_look()
                try:
                    async with asyncio.timeout(EVERY_S):
                        await self._hinted.wait()
                except TimeoutError:
                    continue
        finally:
            await self._hints.close()

    async def _guarded_look(self) -> None:
        try:
            await self.look()
        except Exception:  # whatever it is, the next look may do better, and every apply looks for itself
            log.exception("edits.failed")

    async def look(self) -> None:
        """Look at the files of every patch that waits, where they were written since."""
        rows = [row for row in await self._store.fetch_all("control.pending") if row["kind"] == "patch"]
        waiting = {approval.id: approval for approval in control.readable(rows)}
        for id in [id for id in self._waiting if id not in waiting]:
            del self._waiting[id]
        for id, approval in waiting.items():
            if id not in self._waiting:
                name = str(approval.plan.parameters["proposal"])
                self._waiting[id] = Waiting(proposal=await self._store.run(coordination.by_id, name))
            await self._look_at(approval, self._waiting[id])
        folders = [coordination.folders_of(one.proposal) for one in self._waiting.values()]
        await self._hints.aim(set().union(*folders))

    async def _look_at(self, approval: control.Approval, one: Waiting) -> None:
        marks = await asyncio.to_thread(coordination.marks_of, one.proposal)
        if marks == one.marks:
            return
        try:
            found = await self._coordinator.look(one.proposal)
        except (Refused, Unavailable) as error:  # it is not on this machine, or a person is in the middle of a merge
            log.debug("edits.not_looked", extra={"approval": approval.id, "why": str(error)})
            return
        one.marks = marks
        noted = await self._store.run(coordination.parked_for, one.proposal.id)
        if (event := event_of(approval, noted, found)) is not None:
            await self._dispatcher.accept(event)


def event_of(approval: control.Approval, noted: Parked | None, found: Foreign | None) -> Inbound | None:
    """What is to be told of; None when the card says it already."""
    if (noted.foreign.commit if noted else "") == (found.commit if found else ""):
        return None
    what = f"edit:{found.commit[:12]}" if found else f"gone:{noted.id if noted else ''}"
    return Inbound(
        address=Address.parse(approval.conversation_id),
        event_id=f"{what}:{approval.id}",
        person=CLOCK,
        kind=InboundKind.EDITED,
        subject=approval.id,
    )
