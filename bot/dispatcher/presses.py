"""Button presses, expiries, and the running of what was approved. No model takes part.

A press is refused as a value, so that its audit row commits. Once approved, the run is claimed in the database, then
claimed again by the executor, which runs an id once and remembers the end: a turn that is resumed asks it what became
of the run.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.dispatcher import (
    choosing,
    parking,
    patches,
    people,
    reasons,
    reviewing,
    sending,
    stopping,
    transports,
    undelivered,
)
from bot.dispatcher.cards import approval_message, undecidable
from bot.dispatcher.observing import planner_of
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.errors import Misconfigured, NotWritten, Refused, Unavailable
from layers.failpoint import Point, reach
from layers.store import Tx
from layers.transport import carries, key_of, send, shown_at
from layers.types import InboundKind, Outbound, OutboundKind, Press

log = logging.getLogger(__name__)

UNKNOWN = "?"
"""The key of a message that is none of ours."""
ENDED_BY_A_PRESS = (control.State.EXPIRED, control.State.DENIED)
ENDINGS = {
    control.State.DENIED: "a person said no; look again later, they may still say why",
    control.State.EXPIRED: "nobody decided about it in time",
}
"""What the author of a patch is told that did not come to anything."""
IN_FLIGHT = (control.State.APPROVED, control.State.CLAIMED, control.State.RUNNING)


async def press(parts: Parts, work: Work) -> None:
    """Whatever the pressed button stands for."""
    pressed = work.turn.inbound.press
    noun, _, rest = (pressed.value if pressed else "").partition(":")
    verb, _, handle = rest.partition(":")
    if noun not in NOUNS or not handle:
        raise Refused("this button is none of Bulkhead's; nothing was done")
    await NOUNS[noun](parts, work, verb, handle)


async def decide(parts: Parts, work: Work, verb: str, handle: str) -> None:
    """A decision about an approval, and the run that follows from it."""

    def commit(tx: Tx) -> str:
        click = click_of(tx, work, verb, handle)
        decision = control.decide(tx, click, work.turn.inbound.person, parts.rules(tx))
        approval = decision.approval
        if approval is not None and not decision.refused and approval.state is control.State.APPROVED:
            progress = approval_message(tx, parts, work, undecidable(approval))
            send(tx, progress, f"t{work.turn.id}.decided", work.turn.id)
        elif approval is not None and not decision.refused and approval.state is control.State.PENDING:
            waiting = control.with_buttons(tx, approval, parts.rules(tx))  # one of several persons has said yes
            send(tx, approval_message(tx, parts, work, waiting), f"t{work.turn.id}.voted", work.turn.id)
        return json.dumps({"approval": approval.id if approval else "", "refused": decision.refused})

    reach(Point.DECISION_BEFORE_COMMIT)
    said = json.loads(await work.step_in("decide", commit))
    reach(Point.DECISION_AFTER_COMMIT)
    approval = await work.store.run(control.by_id, said["approval"]) if said["approval"] else None
    if said["refused"] or approval is None:
        # by this press: no expiry will tell, nor anybody of the last wrong number
        if approval is not None and approval.state in ENDED_BY_A_PRESS:
            work.add(lambda tx: settled(tx, parts, work, approval))
        work.say(said["refused"], OutboundKind.ERROR)
        return
    if approval.state in IN_FLIGHT:
        await run(parts, work, approval)
    elif approval.state is not control.State.PENDING:
        work.add(lambda tx: settled(tx, parts, work, approval))
        if approval.state is control.State.DENIED and not approval.is_drill:
            reasons.ask(work, approval)


def click_of(tx: Tx, work: Work, verb: str, handle: str) -> control.Click:
    """The press as control takes it. A provider that names a message, and one that is not ours, names none of ours."""
    inbound = work.turn.inbound
    press = inbound.press or Press(value="")
    handle, _, rest = handle.partition(".")
    place = inbound.address.id
    key = press.key or (press.reference and (key_of(tx, place, press.reference) or UNKNOWN))
    if press.key and press.reference and not carries(tx, place, press.key, press.reference):
        key = UNKNOWN  # the button says whose it is, and hangs under another message
    return control.Click(
        handle=handle,
        verb=verb,
        number=rest.partition(".")[0] if rest[:1].isdigit() else "",
        conversation_id=place,
        key=key,
        shown_at=shown_at(tx, place, key) if key else None,
        proofs=frozenset(press.proofs),
    )


def settled(tx: Tx, parts: Parts, work: Work, approval: control.Approval, why: str = "") -> Outbound:
    """The card of an approval that a person's word or the clock has ended; a patch's proposal ends with it."""
    if approval.plan.kind == "patch":
        has_happened = approval.state is control.State.SUCCEEDED
        after = coordination.State.APPLIED if has_happened else coordination.State.DENIED
        proposal, note = str(approval.plan.parameters["proposal"]), why or ENDINGS.get(approval.state, "")
        coordination.mark(tx, proposal, coordination.State.PROPOSED, after, note=note)
    return approval_message(tx, parts, work, undecidable(approval))


async def run(parts: Parts, work: Work, approval: control.Approval) -> None:
    """Run what was approved, once, and edit its card to the outcome."""
    memory = await asyncio.to_thread(parts.executor.memory)
    drifted = await planner_of(parts).drift(approval.plan)

    def claim(tx: Tx) -> str:
        refused = control.claim(tx, approval.id, parts.rules(tx), drifted).refused
        return json.dumps({"refused": refused, "memory": memory})

    said = json.loads(await work.step_in("claim", claim))
    refused = said["refused"]
    if refused:
        withdrawn = await work.store.run(control.by_id, approval.id)
        work.add(lambda tx: settled(tx, parts, work, withdrawn, refused))
        work.say(refused, OutboundKind.ERROR)
        return
    approval = await work.store.run(control.by_id, approval.id)
    reach(Point.EFFECT_STARTED)
    outcome = await outcome_of(parts, work, approval, is_ours=said["memory"] == memory)
    reach(Point.EFFECT_DONE)
    work.point = Point.EFFECT_RECORDED
    work.add(lambda tx: conclude(tx, parts, work, approval.run_id, outcome))


async def outcome_of(parts: Parts, work: Work, approval: control.Approval, *, is_ours: bool) -> control.Outcome:
    """Run it. Whatever goes wrong in that is an outcome too, or the approval would stay claimed for ever."""
    try:
        return await perform(parts, work, approval, is_ours=is_ours)
    except NotWritten:
        raise  # the turn comes again, and asks what became of the run
    except (Refused, Unavailable, Misconfigured) as error:  # each says that nothing was run
        return control.Outcome(state=control.State.FAILED, reason=str(error))
    except Exception as error:
        log.exception("approval.run_broke", extra={"approval": approval.id})
        reason = f"Bulkhead itself failed while it ran ({type(error).__name__}); the server's log has the details"
        return control.Outcome(state=control.State.UNKNOWN, reason=reason)


def rescue(parts: Parts, work: Work) -> None:
    """When the turn of a decision fails for good: end what it approved, so that nothing stays claimed for ever."""
    decided = work.journalled("decide") if work.turn.inbound.kind is InboundKind.PRESS else None
    said = json.loads(decided) if decided else {"refused": "", "approval": ""}
    if said["approval"] and not said["refused"]:
        work.add(lambda tx: abandon(tx, parts, work, said["approval"]))


def abandon(tx: Tx, parts: Parts, work: Work, approval_id: str) -> Outbound:
    """The card of an approval whose run cannot go on here."""
    approval = control.by_id(tx, approval_id)
    if approval.state in (control.State.CLAIMED, control.State.RUNNING):
        reason = "Bulkhead failed while it ran"
        return conclude(tx, parts, work, approval.run_id, control.Outcome(state=control.State.UNKNOWN, reason=reason))
    if approval.state is control.State.APPROVED and not control.claim(tx, approval_id, parts.rules(tx)).refused:
        reason = "Bulkhead failed before it began; nothing was run"
        return conclude(tx, parts, work, approval.run_id, control.Outcome(state=control.State.FAILED, reason=reason))
    return approval_message(tx, parts, work, undecidable(control.by_id(tx, approval_id)))


async def perform(parts: Parts, work: Work, approval: control.Approval, *, is_ours: bool) -> control.Outcome:
    """Hand the plan to whoever can carry it out. What another server's executor took may have happened: not again."""
    if approval.plan.kind != "capability":
        control.demand_warrant(approval, parts.signer)
    if approval.plan.kind == "patch":
        return await patches.apply(parts, work, approval)
    if approval.plan.kind == "contact":
        return control.Outcome(state=control.State.SUCCEEDED, reason="it is on its way")
    if not is_ours:
        reason = "the server that ran it has stopped, and nobody saw the end"
        return control.Outcome(state=control.State.UNKNOWN, reason=reason)

    if approval.stopped_by or await control.look_frozen(parts.store):  # since it was claimed, perhaps before a restart
        stopped = await parts.executor.stop(approval.run_id)
        return stopped or control.Outcome(state=control.State.FAILED, reason="stopped before it began")

    async def told() -> None:
        await parts.store.run(control.started, approval.run_id)

    return await parts.executor.run(approval.run_id, approval.plan, approval.warrant, told)


def conclude(tx: Tx, parts: Parts, work: Work, run_id: str, outcome: control.Outcome) -> Outbound:
    """The outcome and its card, in the transaction that ends the turn."""
    pending = control.conclude(tx, run_id, outcome, parts.rules(tx))
    plan = pending.approval.plan
    if plan.kind == "patch":
        is_applied = outcome.state is control.State.SUCCEEDED
        after = coordination.State.APPLIED if is_applied else coordination.State.CONFLICTED
        proposal = str(plan.parameters["proposal"])
        for before in (coordination.State.PROPOSED, coordination.State.CONFLICTED):  # the latter was taken up again
            if coordination.mark(tx, proposal, before, after, outcome.output, outcome.reason):
                break
    if plan.kind == "contact" and outcome.state is control.State.SUCCEEDED:
        sending.deliver_first(tx, pending.approval, work.turn.id)
    return approval_message(tx, parts, work, pending)


async def expired(parts: Parts, work: Work) -> None:
    """An approval ran out: its card says so and loses its buttons."""
    approval = await work.store.run(control.by_id, work.turn.inbound.subject)
    work.add(lambda tx: settled(tx, parts, work, approval))


async def granted(parts: Parts, work: Work) -> None:
    """A standing grant approved it: run it."""
    approval = await work.store.run(control.by_id, work.turn.inbound.subject)
    if approval.state in IN_FLIGHT:
        await run(parts, work, approval)


async def edit(parts: Parts, work: Work, verb: str, handle: str) -> None:
    """What becomes of an edit in the way of an approved patch, and of the patch."""
    approval = await parking.press(parts, work, verb, handle)
    if approval is not None and approval.state in IN_FLIGHT:
        await run(parts, work, approval)


NOUNS: Mapping[str, Callable[[Parts, Work, str, str], Awaitable[None]]] = {
    "a": decide,
    "d": reviewing.press,
    "f": edit,
    "h": transports.press,
    "k": choosing.press,
    "o": undelivered.press,
    "p": people.press,
    "r": patches.press,
    "t": stopping.press,
}
"""The first part of a button's value -> whose business it is."""
