"""The door: an event of a provider's, from somebody the provider names -> an event of a person's, or a stranger's.

Who it is, is found out in the transaction that accepts the event.
"""

from __future__ import annotations

from dataclasses import replace

from bot.adapters.ports import Welcome
from bot.config import BulkheadFile
from bot.dispatcher import Dispatcher
from layers.store import Tx
from layers.transport import Accepted, send
from layers.types import Inbound, InboundKind, Outbound, OutboundKind


class Door:
    """One for all providers."""

    def __init__(self, file: BulkheadFile, dispatcher: Dispatcher) -> None:
        self._file = file
        self._dispatcher = dispatcher

    async def knows(self, identity: str) -> bool:
        """Whether that is a person's."""
        return self._file.person_of(identity) is not None

    async def accept(self, inbound: Inbound) -> Welcome:
        """Commit, or say to a stranger in a direct message what its owner needs to know; a group is no place for it.

        Raises:
            NotWritten: acknowledge nothing, so that the provider brings it again.
        """
        person = self._file.person_of(inbound.identity)
        if person is not None:
            known = replace(inbound, person=person)
            accepted = await self._dispatcher.take(lambda tx, room: self._dispatcher.accept_in(tx, known, room))
            return Welcome(person=person, is_new=accepted.is_new)

        def turn_away(tx: Tx, _has_room: bool) -> Accepted:
            if inbound.is_direct and inbound.kind is InboundKind.MESSAGE:
                outbound = Outbound(address=inbound.address, key="stranger", text=note, kind=OutboundKind.ERROR)
                send(tx, outbound, f"stranger:{inbound.identity}")
            return Accepted(inbox_id=0, is_new=False)

        note = (
            "I do not know you yet, so nothing was done. The owner can add you to bulkhead.toml as "
            f"`{inbound.identity}`."
        )
        await self._dispatcher.take(turn_away)
        return Welcome(person=None, note=note.replace("`", ""))
