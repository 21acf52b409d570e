"""The commands about approvals: cancel, freeze, grants, drills. No model takes part."""

from __future__ import annotations

import asyncio
import json
from functools import partial

from bot.commands import governing
from bot.dispatcher import choosing
from bot.dispatcher.answers import clock
from bot.dispatcher.cards import MAIL, approval_message, undecidable
from bot.dispatcher.effects import Hands
from bot.dispatcher.frost import Ordered, put_freeze
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.types import Outbound, OutboundKind

TYPED = (
    "Nothing is decided by typing: press the button on the card, where it was delivered. /pending tells where each "
    "one is."
)
BY_MAIL = "nothing is decided by mail, whose sender is anybody who says so; send this on the page or in a chat"
"""What stops something is taken by mail as well; what lets something happen is not."""


async def govern(parts: Parts, work: Work, command: governing.Governed, hands: Hands) -> None:
    """Do what was typed."""
    person = work.turn.inbound.person
    loosens = isinstance(command, governing.GiveGrant) or (isinstance(command, governing.Freeze) and not command.on)
    if loosens and work.turn.inbound.address.channel == MAIL:
        raise Refused(BY_MAIL)
    match command:
        case governing.Typed(verb=verb, request=request):
            why = {"why": "typed", "verb": verb, "request": request}
            work.write(lambda tx: control.audit.append(tx, person.id, "refused", "", why))
            work.say(TYPED, OutboundKind.ERROR)
        case governing.CancelRequest(request=request):
            await cancel(parts, work, request)
        case governing.PickParts(request=request, numbers=numbers):
            await choosing.typed(parts, work, request, numbers)
        case governing.Freeze():
            await freeze(parts, work, command)
        case governing.GiveGrant():
            await give(parts, work, command)
        case governing.ShowGrants():
            work.answer(listing)
        case governing.RevokeGrant(grant=grant):
            work.answer(partial(revoked, parts, work, grant))
        case governing.Drill():
            work.add(partial(drilled, parts, work, hands))


def drilled(parts: Parts, work: Work, hands: Hands, tx: Tx) -> Outbound:
    """The card of a decoy; approvers who are not in this conversation get theirs. Raises Refused."""
    return approval_message(tx, parts, work, control.drill(tx, hands.context(tx, "", is_drill=True)))


async def cancel(parts: Parts, work: Work, request: str) -> None:
    """Take a request back; what runs already is stopped, and its own turn tells of the end.

    `heed` has mostly done so before this turn: then only the answer is left.
    """
    person = work.turn.inbound.person

    def commit(tx: Tx) -> str:
        rules = parts.rules(tx)
        before = control.by_id(tx, request)
        if before.stopped_by or (before.state is control.State.CANCELLED and before.decided_by == person.id):
            return json.dumps({"refused": ""})
        if control.halt(tx, request, person, rules):
            return json.dumps({"refused": ""})
        return json.dumps({"refused": control.cancel(tx, request, person, rules).refused})

    said = json.loads(await work.step_in("cancel", commit))
    approval = await work.store.run(control.by_id, request)
    if approval.stopped_by and not said["refused"]:
        await parts.executor.stop(approval.run_id)
        work.say(f"Request {request} was running and is stopped.")
    elif not said["refused"]:
        work.add(lambda tx: approval_message(tx, parts, work, undecidable(approval)))
        work.say(f"Request {request} is cancelled.")
    else:
        work.say(said["refused"], OutboundKind.ERROR)


async def freeze(parts: Parts, work: Work, command: governing.Freeze) -> None:
    """Freeze, and stop what runs; or end it. What an approver has said since this message holds."""
    turn, on = work.turn, command.on
    reason = await asyncio.to_thread(control.scrub, command.reason)
    ordered = Ordered(person=turn.inbound.person, on=on, reason=reason, at=turn.received_at)

    def commit(tx: Tx) -> str:
        return "done" if put_freeze(tx, ordered, parts.rules(tx), here=turn.inbound.address.id) else ""

    done = await work.step_in("freeze", commit)  # raises Refused, and so tells of it, also where `heed` was silent
    now = await control.look_freeze(work.store)
    if now.is_on is not on:
        work.say(f"Frozen again since you sent this, {now.line}." if now.is_on else "Frozen, and unfrozen since.")
    elif not on:
        work.say("Unfrozen: requests, approvals and runs go on." if done else "Nothing was frozen.")
    else:
        stopped = await parts.executor.stop_all()
        how = f"; {len(stopped)} running were stopped" if stopped else ""
        work.say(f"Frozen{how}: nothing is asked for, approved or begun until an approver sends /unfreeze.")


async def give(parts: Parts, work: Work, command: governing.GiveGrant) -> None:
    """Write a grant down for exactly what the same `/run` would do."""
    person = work.turn.inbound.person
    asked = control.Action(capability=command.capability, parameters=command.parameters, requested_by=person)
    plan = control.plan(parts.catalog, asked)

    def answer(tx: Tx) -> str:
        return f"Granted: {line(control.give(tx, plan, person, parts.rules(tx), command.uses, command.for_s))}"

    work.answer(answer)


def line(grant: control.Grant) -> str:
    """One grant for a list."""
    parameters = " ".join(f"{name}={value}" for name, value in json.loads(grant.parameters).items())
    what = control.inline(f"{grant.capability} {parameters}".strip())
    return f"{what}, {grant.uses_left} uses left, until {clock(grant.expires_at)}, by {grant.granted_by} ({grant.id})"


def listing(tx: Tx) -> str:
    """The grants that can still be used."""
    lines = [f"- {line(grant)}" for grant in control.listing(tx)]
    return "\n".join(["**Granted beforehand**", "", *lines]) if lines else "Nothing is granted beforehand."


def revoked(parts: Parts, work: Work, grant: str, tx: Tx) -> str:
    """End a grant and say so. Raises Refused."""
    control.revoke(tx, grant, work.turn.inbound.person, parts.rules(tx))
    return f"Grant {grant} is revoked."
