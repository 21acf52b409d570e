"""What people decide: presses, cancellations, standing grants. One conditional UPDATE decides, and its audit entry
commits with it or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from layers.control import audit
from layers.control.fatigue import HASTY_S, INERT_S, WRONG_NUMBERS
from layers.control.freezing import with_freeze
from layers.control.handles import Purpose, broken_seal, hash_of
from layers.control.kernel import RUNS, Proof, Ruling, approvers, proofs, unproven
from layers.control.reading import approval_of, by_id, readable
from layers.control.rules import befores, move, rule
from layers.control.stopping import may_stop
from layers.control.types import Approval, Click, Decision, Event, Rules, Signer, State
from layers.control.warrant import check_warrant, read_warrant, sign_warrant, warrant_for
from layers.control.wording import decided
from layers.errors import Refused
from layers.failpoint import Step, reach
from layers.store import Row, Tx
from layers.types import CLOCK, Person

PURPOSES: Mapping[Event, Purpose] = {
    Event.APPROVE: Purpose.DECIDE,
    Event.DENY: Purpose.DECIDE,
    Event.HAPPENED: Purpose.SETTLE,
    Event.RERUN: Purpose.SETTLE,
    Event.CANCEL: Purpose.SETTLE,
}
"""The buttons there are."""
VOTE = "vote"
NO_DETAILS: Mapping[str, object] = {}
NOWHERE = "this button belongs to no request here; /pending lists those that wait"


def decide(tx: Tx, click: Click, person: Person, rules: Rules) -> Decision:
    """Take a press of `a:<verb>:<handle>[.<number>]`.

    A refusal leaves the approval as it was, for somebody who may; one that expired becomes `expired` on the way.
    """
    rules = with_freeze(tx, rules)
    card = tx.one("control.card", handle_hash=hash_of(click.handle))
    row = tx.one("control.approval", id=card["approval_id"]) if card is not None else None
    if card is None or row is None or purpose_of(click) != card["purpose"]:
        return refuse(tx, None, "", person, NOWHERE, {"verb": click.verb[:20]})
    if is_elsewhere(click, card):
        details = {"from": click.conversation_id[:200], "key": click.key[:100]}
        return refuse(tx, None, row["id"], person, "this button was not pressed where its card was delivered", details)
    try:
        approval = approval_of(row)
    except Refused as error:
        return refuse(tx, None, row["id"], person, str(error))
    return settle(tx, Pressed(click=click, card=card, row=row, approval=approval), person, rules)


def purpose_of(click: Click) -> str:
    """Which buttons the pressed one is of; empty for a verb that no button has."""
    return next((purpose.value for event, purpose in PURPOSES.items() if event.value == click.verb), "")


def is_elsewhere(click: Click, card: Row) -> bool:
    """Whether a press did not come from the message that the handle was made for, as far as the channel tells."""
    return click.conversation_id != card["conversation_id"] or click.key not in ("", card["message_key"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A press whose handle and place are good."""

    click: Click
    card: Row
    row: Row
    approval: Approval

    @property
    def event(self) -> Event:
        """What was pressed."""
        return Event(self.click.verb)

    def age_s(self, now: float) -> float:
        """How long the card had been where it was pressed: a queue, or a provider, may have kept it for a while."""
        return now - float(self.card["made_at"] if self.click.shown_at is None else self.click.shown_at)


def settle(tx: Tx, pressed: Pressed, person: Person, rules: Rules) -> Decision:
    """Rule on a press, write the decision down, sign what follows from it."""
    approval, event = pressed.approval, pressed.event
    ruling = rule(approval, event, person, rules, tx.now)
    reason = ruling.reason or inert(pressed, tx.now)
    if approval.state is State.PENDING and approval.expires_at <= tx.now:
        expire_one(tx, approval.id)
    if not reason and is_wrong(pressed, ruling):
        return wrong_number(tx, approval, person)
    reason = reason or unproven(ruling, proofs_of(pressed))
    reason = reason or (broken_seal(pressed.card, approval, rules) if event in RUNS else "")
    if not reason and not write_decision(tx, pressed, person, rules):
        reason = decided(by_id(tx, approval.id))
    if reason:
        return refuse(tx, by_id(tx, approval.id), approval.id, person, reason)
    reach(Step.DECISION_WRITTEN)
    sign_off(tx, by_id(tx, approval.id), ruling, rules)
    reach(Step.DECISION_SIGNED)
    hasty = {"hasty": True} if event is Event.APPROVE and pressed.age_s(tx.now) < HASTY_S else {}
    audit.append(tx, person.id, event.value, approval.id, {"plan": approval.digest, **grounds(ruling), **hasty})
    reach(Step.DECISION_AUDITED)
    return Decision(approval=by_id(tx, approval.id))


def inert(pressed: Pressed, now: float) -> str:
    """Why it is too soon to approve what cannot be undone; empty when it is not."""
    is_final = Proof.PAGE in proofs(pressed.approval.plan)
    if pressed.event is not Event.APPROVE or not is_final or pressed.age_s(now) >= INERT_S:
        return ""
    return f"this cannot be undone; its Approve works {INERT_S:.0f} s after its card was shown, so read it first"


def proofs_of(pressed: Pressed) -> frozenset[Proof]:
    """What came along. Whoever has an unknown outcome run again has matched no number: they have seen the outcome."""
    matched = pressed.event is not Event.APPROVE or pressed.click.number == pressed.approval.number != ""
    brought = {proof for proof in Proof if proof.value in pressed.click.proofs and proof is not Proof.NUMBER_MATCH}
    return frozenset(brought | ({Proof.NUMBER_MATCH} if matched else set()))


def is_wrong(pressed: Pressed, ruling: Ruling) -> bool:
    """Whether a number was given that is not the one."""
    asked = Proof.NUMBER_MATCH in ruling.requires and pressed.event is Event.APPROVE
    return asked and bool(pressed.click.number) and pressed.click.number != pressed.approval.number


def wrong_number(tx: Tx, approval: Approval, person: Person) -> Decision:
    """Count it; the last one that is allowed denies."""
    tx.run("control.count_wrong_number", id=approval.id)
    after = move(approval.state, Event.DENY).value
    values = {"id": approval.id, "after": after, "decided_by": person.id, "now": tx.now, "limit": WRONG_NUMBERS}
    if tx.run("control.deny_wrong_numbers", **values) == 1:
        said = f"that was not the number, for the {WRONG_NUMBERS}. time; the request is denied"
    else:
        said = "that is not the number that the request shows; look there before you approve"
    return refuse(tx, by_id(tx, approval.id), approval.id, person, said, {"proof": "number"})


def write_decision(tx: Tx, pressed: Pressed, person: Person, rules: Rules) -> bool:
    """The one UPDATE whose row count decides. Who comes second looks again; a yes that came between is not lost."""
    approval, event, row = pressed.approval, pressed.event, pressed.row
    for _ in range(1 + approval.plan.approvals):
        if State(row["state"]) not in befores(event):
            return False
        if event not in (Event.APPROVE, Event.DENY):
            values = {"id": approval.id, "digest": approval.digest, "decided_by": person.id, "now": tx.now}
            after = move(approval.state, event).value
            return tx.run("control.settle", **values, after=after, attempts=int(event is Event.RERUN)) == 1
        if write_word(tx, approval, row, person, rules, event):
            return True
        row = tx.one("control.approval", id=approval.id) or row
    return False


def write_word(tx: Tx, approval: Approval, row: Row, person: Person, rules: Rules, event: Event) -> bool:
    """Write a yes or a no."""
    yes = valid_yes(approval, row, rules)
    if event is Event.APPROVE:
        yes[person.id] = rules.signer.sign(VOTE, vote(approval, person.id)) if rules.signer is not None else ""
    is_over = event is Event.DENY or len(yes) >= approval.plan.approvals
    changed = tx.run(
        "control.decide",
        id=approval.id,
        digest=approval.digest,
        before=row["state"],
        after=move(State(row["state"]), event).value if is_over else State.PENDING.value,
        had=row["said_yes"],
        said_yes=json.dumps(yes),
        decided_by=person.id if is_over else None,
        decided_at=tx.now if is_over else None,
        now=tx.now,
    )
    return changed == 1


def vote(approval: Approval, person: str) -> str:
    """What is signed for one yes."""
    return json.dumps([approval.id, approval.digest, person])


def valid_yes(approval: Approval, row: Row, rules: Rules) -> dict[str, str]:
    """Every yes that control itself has written down, of persons who still may say it."""
    may = {person.id for person in approvers(rules)}
    said: dict[str, str] = json.loads(row["said_yes"])
    return {
        person: signature
        for person, signature in said.items()
        if person in may and (rules.signer is None or rules.signer.is_signed(VOTE, vote(approval, person), signature))
    }


def sign_off(tx: Tx, approval: Approval, ruling: Ruling, rules: Rules) -> None:
    """Sign the warrant of what was just approved, in the transaction that approves it. A drill gets none."""
    if approval.state is not State.APPROVED or rules.signer is None or approval.is_drill:
        return
    warrant = warrant_for(
        approval.run_id,
        approval.plan,
        now=tx.now,
        decisions=approval.said_yes or (approval.decided_by,),
        policy=ruling.verdict.policy_sha if ruling.verdict else "",
    )
    tx.run("control.keep_warrant", id=approval.id, warrant=sign_warrant(rules.signer, warrant))


def grounds(ruling: Ruling) -> dict[str, object]:
    """Why a decision was allowed, for the audit trail."""
    verdict = ruling.verdict
    said: dict[str, object] = {"solo": True} if ruling.is_solo else {}
    return said | ({"policy": verdict.policy_sha, "policies": list(verdict.policy_ids)} if verdict else {})


def demand_warrant(approval: Approval, signer: Signer) -> None:
    """For what the wiring carries out itself (a patch, a first contact): the same as the executor demands.

    Raises:
        Refused: no person's decision was signed for just this.
    """
    # at no time: repeating these is harmless, and one that a crash interrupted may be finished much later
    check_warrant(read_warrant(approval.warrant, signer), approval.run_id, approval.plan, now=0.0)


def refuse(
    tx: Tx, approval: Approval | None, ref: str, person: Person, reason: str, details: Mapping[str, object] = NO_DETAILS
) -> Decision:
    """A refusal, in the audit trail as well."""
    audit.append(tx, person.id, "refused", ref, {"why": reason, **details})
    return Decision(approval=approval, refused=reason)


def say_why(tx: Tx, approval_id: str, person: Person, why: str) -> Approval:
    """Keep the reason that `person` gives for having denied a request; the first one stays.

    Raises:
        Refused: it is not they who have denied it, or they have said why.
    """
    if tx.run("control.say_why", id=approval_id, person=person.id, why=why) != 1:
        raise Refused(f"request {approval_id} was not denied by {person.name}, or they have said why")
    audit.append(tx, person.id, "why", approval_id, {"why": why})
    return by_id(tx, approval_id)


def cancel(tx: Tx, approval_id: str, person: Person, rules: Rules) -> Decision:
    """Take a request back before it is claimed: the asker's right, and every approver's.

    Raises:
        Refused: there is no such request.
    """
    approval = by_id(tx, approval_id)
    if not may_stop(approval, person, rules):
        return refuse(tx, approval, approval_id, person, f"{person.name} neither asked for this nor may decide it")
    after = State.CANCELLED.value
    if tx.run("control.cancel", id=approval_id, after=after, decided_by=person.id, now=tx.now) != 1:
        return refuse(tx, approval, approval_id, person, decided(approval))
    audit.append(tx, person.id, Event.CANCEL.value, approval_id, {"plan": approval.digest})
    return Decision(approval=by_id(tx, approval_id))


def expire(tx: Tx) -> list[Approval]:
    """Expire what nobody decided in time; returns those, so that their cards can be told."""
    expired = [row["id"] for row in tx.all("control.due", now=tx.now) if expire_one(tx, row["id"])]
    return readable([row for row in (tx.one("control.approval", id=approval_id) for approval_id in expired) if row])


def expire_one(tx: Tx, approval_id: str) -> bool:
    """Expire one request if it is due."""
    if tx.run("control.expire", id=approval_id, now=tx.now) != 1:
        return False
    audit.append(tx, CLOCK.id, Event.EXPIRE.value, approval_id, {})
    return True
