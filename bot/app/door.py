"""The door: an event of a provider's, from somebody the provider names -> an event of a person's, or a stranger's.

Who it is, is found out in the transaction that accepts the event. Somebody unknown who writes to the bot alone is asked
about; in a group nobody answers them.
"""

from __future__ import annotations

from dataclasses import replace

from bot.adapters.ports import Welcome
from bot.config import is_somebody
from bot.dispatcher import Dispatcher
from layers import control
from layers.store import Store, Tx
from layers.transport import Accepted, Asked, ask, recognise
from layers.types import STRANGER, Inbound, InboundKind, Person

UNKNOWN = "I do not know you here, so nothing was done. Write to me alone to ask to be let in."
"""Beside a conversation in which others read along: only the one who pressed, or sent the slash command, sees it."""


class Door:
    """One for all providers."""

    def __init__(self, store: Store, dispatcher: Dispatcher) -> None:
        self._store = store
        self._dispatcher = dispatcher

    async def knows(self, identity: str) -> bool:
        """Whether an identity is somebody's: nothing is fetched and nothing is shown for strangers."""
        return await self._store.fetch_one("people.recognise", identity=identity) is not None

    async def accept(self, inbound: Inbound) -> Welcome:
        """Commit, or take the wish to be let in.

        Raises:
            NotWritten: acknowledge nothing, so that the provider brings it again.
        """
        found: list[tuple[Person | None, Asked]] = []

        def enter(tx: Tx, has_room: bool) -> Accepted:
            person = recognise(tx, inbound)
            asked = Asked() if person is not None else turn_away(tx, inbound)
            found.append((person, asked))  # the last one counts: the store may run this twice
            if person is None:
                return Accepted(inbox_id=0, is_new=False)
            return self._dispatcher.accept_in(tx, replace(inbound, person=person), has_room)

        accepted = await self._dispatcher.take(enter)
        person, asked = found[-1]
        if person is not None:
            return Welcome(person=person, is_new=accepted.is_new)
        return Welcome(person=None, note=(asked.note or UNKNOWN).replace("*", ""))


def turn_away(tx: Tx, inbound: Inbound) -> Asked:
    """What becomes of a stranger's event. Whoever can be nobody in particular is never asked about.

    A press of theirs leaves a trace: somebody has tried to decide.
    """
    if inbound.kind is InboundKind.PRESS:
        details = {"why": "nobody here knows them", "identity": inbound.identity[:100], "from": inbound.address.id}
        control.audit.append(tx, STRANGER.id, "refused", "", details)
    if inbound.is_direct and inbound.kind is InboundKind.MESSAGE and is_somebody(inbound.identity):
        return ask(tx, inbound)
    return Asked()
