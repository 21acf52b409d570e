"""An approved patch meets an edit that somebody saved and did not commit: Keep mine, Merge, or Show both.

The buttons are under the patch's own card. Their handle is no secret, so who presses is checked: deciding takes whoever
may approve the patch, looking takes a known person in a conversation that has its card.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial

from bot.dispatcher.cards import approval_message, text_file, undecidable
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.coordination import Word
from layers.errors import Refused, Unavailable
from layers.failpoint import Point, reach
from layers.store import Tx
from layers.transport import carries, send
from layers.types import AGENT, CLOCK, STRANGER, Outbound, OutboundKind

NO_SUCH = "this button is none of Bulkhead's; nothing was done"
ELSEWHERE = "this button was not pressed where its card was delivered"
LATE = "this was decided already; nothing was done"
DROPPED = "a person kept what they had saved and not committed, and dropped the patch"
MAX_SHOWN_CHARS = 512 * 1024
"""Of a diff that is posted; a file that is larger is not."""
MAX_SHOWN_FILES = 8
EVENTS: Mapping[str, tuple[Word, control.Event]] = {
    "keep": (Word.KEEP, control.Event.DROP),
    "merge": (Word.MERGE, control.Event.RESUME),
}


async def apply(
    parts: Parts, work: Work, approval: control.Approval, proposal: coordination.Proposal
) -> coordination.Applied | coordination.Conflict:
    """Apply an approved patch; where a person chose to merge it with an edit, that edit is committed first.

    An edit in its way that nobody has looked at yet is written down with the end of the turn, for its card. A choice
    that led to nothing can be made again.
    """
    message = approval.reason or f"Apply a patch to {', '.join(file.path for file in proposal.files[:3])}"
    parked = await parts.store.run(coordination.parked_for, proposal.id)
    chosen = parked if parked is not None and parked.choice is Word.MERGE else None
    again = partial(coordination.choose, id=chosen.id, before=Word.MERGE, after=Word.OPEN) if chosen else None
    try:
        if chosen is None:
            result = await land(parts, proposal, message)
        else:
            lease = await parts.store.run(coordination.held_for, proposal)
            name = await parts.store.run(name_of, parts, chosen.decided_by)
            result = await parts.coordinator.merge(proposal, message, chosen.foreign, name, lease)
    except (Refused, Unavailable):
        if again is not None:
            work.write(again)
        raise
    if isinstance(result, coordination.Conflict):
        if result.foreign is not None:
            work.write(
                partial(coordination.park, proposal_id=proposal.id, request=approval.id, foreign=result.foreign)
            )
        elif chosen is not None and result.stages:
            work.say(stages_text(result.stages))
        elif again is not None and result.again is None:
            work.write(again)
    return result


async def land(
    parts: Parts, proposal: coordination.Proposal, message: str
) -> coordination.Applied | coordination.Conflict:
    """Under the lease that the patch was made under, as long as its holder has it; else under one of our own."""
    lease = await parts.store.run(coordination.held_for, proposal)
    try:
        return await parts.coordinator.apply(proposal.workspace, proposal, message, proposal.author, lease)
    except Refused:
        if lease is None or await parts.store.run(coordination.held_for, proposal) is not None:
            raise
    return await parts.coordinator.apply(proposal.workspace, proposal, message, proposal.author)


def name_of(tx: Tx, parts: Parts, person_id: str) -> str:
    """What a commit calls a person."""
    people = parts.rules(tx).people
    return next((member.person.name for member in people if member.person.id == person_id), person_id)


async def press(parts: Parts, work: Work, verb: str, handle: str) -> control.Approval | None:
    """Take a press; the approval that is to be run because of it, or is over."""
    if verb == "show":
        await show(parts, work, handle)
        return None
    if verb not in EVENTS:
        raise Refused(NO_SUCH)

    def commit(tx: Tx) -> str:
        parked = coordination.parked(tx, handle)
        approval = found(tx, work, parked)
        choice, event = EVENTS[verb]
        if parked.choice is not Word.OPEN:
            return json.dumps({"approval": approval.id, "refused": LATE})
        person = work.turn.inbound.person
        decision = control.resume(tx, approval.id, event, person, parts.rules(tx))
        if not decision.refused and decision.approval is not None:
            coordination.choose(tx, parked.id, Word.OPEN, choice, person.id)
            progress = approval_message(tx, parts, work, undecidable(decision.approval))
            send(tx, progress, f"t{work.turn.id}.decided", work.turn.id)
        return json.dumps({"approval": approval.id, "refused": decision.refused})

    reach(Point.DECISION_BEFORE_COMMIT)
    said = json.loads(await work.step_in("decide", commit))
    reach(Point.DECISION_AFTER_COMMIT)
    if said["refused"]:
        work.say(said["refused"], OutboundKind.ERROR)
        return None
    approval = await work.store.run(control.by_id, said["approval"])
    if verb == "keep":
        work.write(lambda tx: coordination.explain(tx, str(approval.plan.parameters["proposal"]), DROPPED))
        work.add(lambda tx: approval_message(tx, parts, work, undecidable(approval)))
    return approval


async def noticed(parts: Parts, work: Work) -> None:
    """Tell on the card of a patch that waits what is in its way by now, or that nothing is any more."""
    approval = await work.store.run(control.by_id, work.turn.inbound.subject)
    proposal = await work.store.run(coordination.by_id, str(approval.plan.parameters["proposal"]))
    try:
        edit = await parts.coordinator.look(proposal)
    except (Refused, Unavailable):  # it is looked at again when it is approved
        return

    def tell(tx: Tx) -> Outbound | None:
        now, noted = control.by_id(tx, approval.id), coordination.parked_for(tx, proposal.id)
        is_known = (noted.foreign.commit if noted else "") == (edit.commit if edit else "")
        if now.state is not control.State.PENDING or is_known:
            return None
        if edit is not None:
            coordination.park(tx, proposal_id=proposal.id, request=approval.id, foreign=edit)
        elif noted is not None:
            coordination.unpark(tx, noted.id)
        return approval_message(tx, parts, work, control.with_buttons(tx, now, parts.rules(tx)))

    work.add(tell)


def found(tx: Tx, work: Work, parked: coordination.Parked) -> control.Approval:
    """The request whose card a button is under.

    Raises:
        Refused: the press came from anywhere else.
    """
    inbound = work.turn.inbound
    approval = control.by_id(tx, parked.request)
    place, press = inbound.address.id, inbound.press
    shown = {approval.conversation_id, *(one.conversation_id for one in control.places(tx, approval.id))}
    key = f"a{approval.id}"
    named = press.key if press else ""
    reference = press.reference if press else ""
    is_ours = named in ("", key) and (not reference or carries(tx, place, key, reference))
    if place not in shown or not is_ours:
        raise Refused(ELSEWHERE)
    return approval


async def show(parts: Parts, work: Work, handle: str) -> None:
    """Post both changes, and what both began with."""
    if work.turn.inbound.person.id in (AGENT.id, CLOCK.id, STRANGER.id):
        raise Refused("only somebody who is known here is shown this")
    parked = await work.store.run(coordination.parked, handle)
    await work.store.run(found, work, parked)
    proposal = await work.store.run(coordination.by_id, parked.proposal)
    seen = await coordination.compare(proposal.workspace, parked.foreign)
    diffs = {"edit.diff": cut(seen.diff), "patch.diff": cut(proposal.diff)}
    texts = {name: await asyncio.to_thread(masked, diff) for name, diff in diffs.items()}
    said = [
        f"**What was saved and not committed**\n\n{coordination.diff_markdown(texts['edit.diff'])}",
        f"**The patch**\n\n{coordination.diff_markdown(texts['patch.diff'])}",
    ]
    for number, (path, content) in enumerate(seen.before.items(), start=1):
        if number > MAX_SHOWN_FILES or len(content) > MAX_SHOWN_CHARS or b"\0" in content:
            said.append(f"{coordination.code(path)}, {len(content):,} bytes, is not posted as it was before.")
            continue
        name = coordination.visible(path.rpartition("/")[2])
        texts[f"before-{number}-{name}"] = await asyncio.to_thread(masked, content.decode("utf-8", "replace"))
    inbound, key = work.turn.inbound, work.key()

    def post(tx: Tx) -> Outbound:
        files = tuple(text_file(tx, name, text) for name, text in texts.items())
        text = "\n\n".join(said)
        return Outbound(address=inbound.address, key=key, text=text, answers=inbound.event_id, files=files)

    work.add(post)


def masked(text: str) -> str:
    """For people to judge by: no line of it hides another."""
    return control.scrub_lines(text).text


def cut(diff: str) -> str:
    """As much of a diff as is posted."""
    return diff if len(diff) <= MAX_SHOWN_CHARS else f"{diff[:MAX_SHOWN_CHARS]}\n... {len(diff):,} characters in all\n"


def stages_text(stages: Sequence[coordination.Stages]) -> str:
    """Which versions of each file could not be merged, for whoever goes on by hand."""
    lines = ["**These do not merge**, and the patch was not committed; `git show` prints a version:", ""]
    for one in stages:
        sides = (("before both", one.base), ("on the branch", one.ours), ("of the patch", one.theirs))
        versions = ", ".join(f"{name} {f'`{entry.oid[:12]}`' if entry else 'absent'}" for name, entry in sides)
        lines.append(f"- {coordination.code(one.path)}: {versions}")
    return "\n".join(lines)
