"""The turn of a patch that another actor handed in: tried on its base, then put before people, as any patch."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from bot.dispatcher import diffs
from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.errors import LeaseLost, NotWritten, Refused, Unavailable
from layers.store import Tx
from layers.types import Changeset, InboundKind, Outbound, OutboundKind, Person

FAILED = "Bulkhead failed while it tried the patch; propose it again under a new key"


def actor_of(person: Person, assistant: str) -> str:
    """Who the store and the commit name: the assistant and whom it acts for, or the person."""
    return f"{assistant} for {person.name}" if assistant else person.name


async def try_out(parts: Parts, work: Work) -> None:
    """Ask people about it, or write down why it cannot be."""
    inbound = work.turn.inbound
    changeset = inbound.changeset
    if changeset is None:
        raise Refused("a patch came without a change; propose it again")
    hands = Hands(parts, work, inbound.person, is_agent=bool(changeset.assistant))
    try:
        proposal = await tried(parts, changeset, inbound.person)
    except coordination.Unmergeable as error:
        work.write(partial(coordination.end, id=inbound.event_id, note=str(error), stages=error.stages))
        work.say(str(error), OutboundKind.ERROR)
    except (LeaseLost, NotWritten):
        raise
    except (Refused, Unavailable) as error:
        work.write(partial(coordination.end, id=inbound.event_id, note=str(error)))
        work.say(str(error), OutboundKind.ERROR)
    else:
        await asyncio.to_thread(diffs.masked, proposal.diff)
        summary = await asyncio.to_thread(control.scrub, changeset.summary)
        work.add(lambda tx: put_before_people(tx, hands, work, proposal, summary))


async def tried(parts: Parts, changeset: Changeset, person: Person) -> coordination.Proposal:
    """The proposal that it is. Raises as `Coordinator.propose` and `revert` do."""
    if changeset.revert:
        author = actor_of(person, changeset.assistant)
        return await parts.coordinator.revert(Path(changeset.workspace), changeset.revert, author)
    return await parts.coordinator.propose(patch_of(changeset, person))


def patch_of(changeset: Changeset, person: Person) -> coordination.Patch:
    """What coordination tries."""
    whole = (
        coordination.WholeFile(
            path=file.path, expects=file.expects, content=None if file.content is None else file.content.encode()
        )
        for file in changeset.whole
    )
    return coordination.Patch(
        workspace=Path(changeset.workspace),
        diff=changeset.diff,
        whole=tuple(whole),
        base=changeset.base,
        author=actor_of(person, changeset.assistant),
    )


def put_before_people(tx: Tx, hands: Hands, work: Work, proposal: coordination.Proposal, summary: str) -> Outbound:
    """The card of the patch; where it may not even be asked for, that is what became of it."""
    inbound = work.turn.inbound
    try:
        coordination.tie(tx, inbound.event_id, proposal)
        return hands.request_patch(tx, proposal, summary)
    except Refused as error:
        coordination.end(tx, inbound.event_id, str(error))
        states = coordination.State
        coordination.mark(tx, proposal.id, states.PROPOSED, states.DENIED, note=str(error))
        return Outbound(address=inbound.address, key=work.key(), text=str(error), kind=OutboundKind.ERROR)


def rescue(work: Work) -> None:
    """When the turn fails for good: nobody waits for ever for what became of it."""
    if work.turn.inbound.kind is InboundKind.PATCH:
        work.write(partial(coordination.end, id=work.turn.inbound.event_id, note=FAILED))
