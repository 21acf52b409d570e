"""What becomes of a patch once people have said yes: committed, put before them again after a merge, or reverted."""

from __future__ import annotations

import asyncio
import difflib
from pathlib import Path

from bot.dispatcher import answers, diffs, parking
from bot.dispatcher.effects import Hands, trees
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.errors import Refused, Unavailable
from layers.store import Tx
from layers.transport import person_by_id
from layers.types import Outbound, OutboundKind

SHOWN_LINES = 60
"""Of what a merge has changed in a patch."""
NO_SUCH = "this button is none of Bulkhead's; nothing was done"
NOT_HERE = "this patch was not shown here; press its button where it was"


async def press(parts: Parts, work: Work, verb: str, approval_id: str) -> None:
    """A button under a patch that has landed."""
    if verb != "revert":
        raise Refused(NO_SUCH)
    approval = await work.store.run(control.by_id, approval_id)
    if not await work.store.run(is_shown_at, approval, work.turn.inbound.address.id):
        raise Refused(NOT_HERE)
    if approval.plan.kind != "patch" or approval.outcome is None or not approval.outcome.output:
        raise Refused(f"request {approval_id} has committed nothing; there is nothing to revert")
    proposal = await work.store.run(coordination.by_id, str(approval.plan.parameters["proposal"]))
    commit = approval.outcome.output
    await revert(parts, work, proposal.workspace, commit, f"Revert {commit[:10]}, which was proposal {proposal.id}")


def is_shown_at(tx: Tx, approval: control.Approval, place: str) -> bool:
    """Whether that conversation has its card."""
    return place in {approval.conversation_id, *(one.conversation_id for one in control.places(tx, approval.id))}


async def revert(parts: Parts, work: Work, workspace: Path, commit: str, why: str) -> None:
    """Ask people to take a commit back; what is asked for already is not asked for again."""
    person = work.turn.inbound.person
    proposal = await parts.coordinator.revert(workspace, commit, person.name)
    await asyncio.to_thread(diffs.masked, proposal.diff)
    hands = Hands(parts, work, person)

    def put(tx: Tx) -> Outbound:
        if (same := waits(tx, proposal)) is not None:
            words = f"That is asked for already and waits for a decision (request {same.id})."
            return Outbound(address=work.turn.inbound.address, key=work.key(), text=words)
        return hands.request_patch(tx, proposal, why)

    work.add(put)


def waits(tx: Tx, proposal: coordination.Proposal) -> control.Approval | None:
    """A request that waits for the same change of the same tree."""
    names = ("base_tree", "result_tree")
    wanted = trees(proposal)
    return next(
        (
            approval
            for approval in control.pending(tx)
            if approval.plan.kind == "patch"
            and all(approval.plan.parameters.get(name) == wanted[name] for name in names)
        ),
        None,
    )


async def apply(parts: Parts, work: Work, approval: control.Approval) -> control.Outcome:
    """Commit an approved proposal. Repeating it makes the same commit, so its outcome is never unknown."""
    proposal = await parts.store.run(coordination.by_id, str(approval.plan.parameters["proposal"]))
    if trees(proposal) != approval.plan.parameters:
        raise Refused("the proposal is not the one that was shown; propose the patch again")
    try:
        result = await parking.apply(parts, work, approval, proposal)
    except (Refused, Unavailable) as error:
        commit = await parts.coordinator.was_applied(proposal)
        if commit is None:
            raise
        reason = f"committed, but not every file is written yet: {error}"
        return control.Outcome(state=control.State.SUCCEEDED, reason=reason, output=commit)
    if isinstance(result, coordination.Applied):
        return control.Outcome(state=control.State.SUCCEEDED, reason=result.text, output=result.commit)
    await parts.store.run(coordination.keep_stages, proposal.id, result.stages)
    person = await parts.store.run(person_by_id, approval.requested_by)
    if result.again is not None and person is not None:
        hands = Hands(parts, work, person, is_agent=approval.by_agent)
        put_again(work, hands, approval.reason, (proposal, result.again))
    return control.Outcome(state=control.State.FAILED, reason=result.text)


def put_again(
    work: Work, hands: Hands, reason: str, versions: tuple[coordination.Proposal, coordination.Proposal]
) -> None:
    """Ask anew, in the name of whoever asked, for what a merge has made of an approved patch; and say what differs."""
    approved, merged = versions

    def put(tx: Tx) -> Outbound:
        try:
            card = hands.request_patch(tx, merged, reason)
            coordination.follow(tx, approved.id, merged.id)
            return card
        except Refused as error:
            return Outbound(
                address=work.turn.inbound.address, key=work.key(), text=str(error), kind=OutboundKind.ERROR
            )

    work.say(f"Merged with what came since, the approved patch reads differently:\n\n{difference(approved, merged)}")
    work.add(put)


def difference(approved: coordination.Proposal, merged: coordination.Proposal) -> str:
    """What differs between the diffs of two proposals, as a fenced diff of diffs."""
    before, after = (without_places(diffs.masked(one.diff).text) for one in (approved, merged))
    lines = list(difflib.unified_diff(before, after, "approved", "merged", n=2, lineterm=""))
    more = f"\n\n{len(lines) - SHOWN_LINES} more lines differ." if len(lines) > SHOWN_LINES else ""
    return answers.fenced("\n".join(coordination.visible(line) for line in lines[:SHOWN_LINES]), "diff") + more


def without_places(diff: str) -> list[str]:
    """The lines of a diff but for those that say where and between which blobs."""
    lines = [line for line in diff.splitlines() if not line.startswith("index ")]
    return ["@@" if line.startswith("@@") else line for line in lines]
