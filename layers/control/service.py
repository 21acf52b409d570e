"""The verbs of control, each a plain function in the caller's transaction: one conditional UPDATE decides, and its
audit entry commits with it or not at all.

Functions draw fresh random handles, so running one twice (as the store may) leaves only the last one's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets

from layers.control import audit
from layers.control.kernel import RUNS, Proof, Ruling, unproven
from layers.control.policy import Act
from layers.control.rules import Asker, before, hopeless, may, move, rule, standing
from layers.control.types import (
    Approval,
    Context,
    Decision,
    Event,
    Outcome,
    Pending,
    Plan,
    Rules,
    Signer,
    State,
    digest_of,
)
from layers.control.warrant import check_warrant, read_warrant, sign_warrant, warrant_for
from layers.control.wording import decided
from layers.errors import Refused
from layers.failpoint import Step, reach
from layers.store import Row, Tx
from layers.types import CLOCK, Person

log = logging.getLogger(__name__)

ENDS = {State.SUCCEEDED: Event.SUCCEED, State.FAILED: Event.FAIL, State.UNKNOWN: Event.LOSE}
PRESSES = (Event.APPROVE, Event.DENY, Event.HAPPENED, Event.RERUN, Event.CANCEL)
EXECUTOR = "executor"
SEAL = "seal"


def hash_of(handle: str) -> str:
    """What is stored of a handle."""
    return hashlib.sha256(handle.encode()).hexdigest()


def approval_of(row: Row) -> Approval:
    """The approval in a row of `control.pending` and the like."""
    return Approval(
        id=row["id"],
        conversation_id=row["conversation_id"],
        turn_id=row["turn_id"],
        plan=Plan.parse(row["plan"]),
        digest=row["digest"],
        requested_by=row["requested_by"],
        by_agent=bool(row["by_agent"]),
        reason=row["reason"],
        state=State(row["state"]),
        attempt=row["attempt"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        decided_by=row["decided_by"] or "",
        decided_at=row["decided_at"],
        outcome=Outcome.parse(row["outcome"]) if row["outcome"] else None,
        ended_at=row["ended_at"],
        warrant=row["warrant"],
    )


def readable(rows: list[Row]) -> list[Approval]:
    """The approvals in `rows`. One row that was tampered with is left out and logged, not the end of the list."""
    approvals = []
    for row in rows:
        try:
            approvals.append(approval_of(row))
        except Refused as error:
            log.error("approval.unreadable", extra={"approval": row["id"], "why": str(error)})
    return approvals


def by_id(tx: Tx, approval_id: str) -> Approval:
    """The approval with that id.

    Raises:
        Refused: there is none.
    """
    row = tx.one("control.approval", id=approval_id)
    if row is None:
        raise Refused(f"no request has the id {approval_id!r}; /pending lists those that wait")
    return approval_of(row)


def pending(tx: Tx) -> list[Approval]:
    """What waits for a person, oldest first."""
    return readable(tx.all("control.pending"))


def asked_since(tx: Tx, since: float) -> list[Approval]:
    """Every request made since then (epoch seconds), oldest first, whatever became of it."""
    return readable(tx.all("control.asked_since", since=since))


def request(tx: Tx, plan: Plan, context: Context) -> Pending:
    """Write down what is asked for.

    Raises:
        Refused: the policy lets them not ask for it, or nobody could ever approve it.
    """
    asker = Asker(person=context.requested_by.id, by_agent=context.by_agent)
    may(plan, Act.REQUEST, asker, context.rules, tx.now)
    if reason := hopeless(plan, asker, context.rules, tx.now):
        raise Refused(reason)
    approval_id, handle = secrets.token_hex(8), secrets.token_urlsafe(16)
    values = (approval_id, hash_of(handle), plan.digest, context.requested_by.id)
    tx.run(
        "control.add_approval",
        id=approval_id,
        handle_hash=hash_of(handle),
        conversation_id=context.conversation_id,
        turn_id=context.turn_id,
        kind=plan.kind,
        capability=plan.capability,
        plan=plan.canonical,
        digest=plan.digest,
        scope=plan.scope,
        risk=plan.risk,
        requested_by=context.requested_by.id,
        by_agent=int(context.by_agent),
        reason=context.reason,
        seal=seal(context.rules, *values),
        now=tx.now,
        expires_at=tx.now + context.expires_after_s,
    )
    reach(Step.REQUEST_ADDED)
    audit.append(tx, context.requested_by.id, "request", approval_id, {"plan": plan.digest, "risk": plan.risk})
    reach(Step.REQUEST_AUDITED)
    return Pending(approval=by_id(tx, approval_id), handle=handle)


def seal(rules: Rules, approval_id: str, handle_hash: str, digest: str, requested_by: str) -> str:
    """What control signs when it shows a plan: that the buttons of this handle are about this plan of this person."""
    if rules.signer is None:
        return ""
    return rules.signer.sign(SEAL, json.dumps([approval_id, handle_hash, digest, requested_by]))


def broken_seal(row: Row, rules: Rules) -> str:
    """Why the row is not what was shown; empty when it is. Edited rows get no warrant."""
    if rules.signer is None:
        return ""
    shown = json.dumps([row["id"], row["handle_hash"], row["digest"], row["requested_by"]])
    if rules.signer.is_signed(SEAL, shown, row["seal"]):
        return ""
    return "this request was changed in the database after it was shown; ask again"


def decide(
    tx: Tx, handle: str, verb: str, person: Person, rules: Rules, proofs: frozenset[Proof] = frozenset()
) -> Decision:
    """Take a press: `verb` and `handle` are those of the button `a:<verb>:<handle>`; `proofs` came along, checked.

    A refusal leaves the approval as it was, for somebody who may; one that expired becomes `expired` on the way.
    """
    row = tx.one("control.approval_by_handle", handle_hash=hash_of(handle))
    if row is None or verb not in PRESSES:
        audit.append(tx, person.id, "refused", "", {"verb": verb[:20], "why": "unknown button"})
        return Decision(approval=None, refused="this button belongs to no request here; /pending lists those that wait")
    try:
        approval = approval_of(row)
    except Refused as error:
        return refuse(tx, None, row["id"], person, str(error))
    event = Event(verb)
    ruling = rule(approval, event, person, rules, tx.now)
    reason = ruling.reason or unproven(ruling, proofs) or (broken_seal(row, rules) if event in RUNS else "")
    if approval.state is State.PENDING and approval.expires_at <= tx.now:
        expire_one(tx, approval.id)
    if not reason and not write_decision(tx, hash_of(handle), approval, event, person):
        reason = decided(by_id(tx, approval.id))
    if reason:
        return refuse(tx, by_id(tx, approval.id), approval.id, person, reason)
    reach(Step.DECISION_WRITTEN)
    grant(tx, by_id(tx, approval.id), person, ruling, rules)
    reach(Step.DECISION_SIGNED)
    audit.append(tx, person.id, event.value, approval.id, {"plan": approval.digest, **grounds(ruling)})
    reach(Step.DECISION_AUDITED)
    return Decision(approval=by_id(tx, approval.id))


def grant(tx: Tx, approval: Approval, person: Person, ruling: Ruling, rules: Rules) -> None:
    """Sign the warrant of what was just approved, in the transaction that approves it."""
    if approval.state is not State.APPROVED or rules.signer is None:
        return
    warrant = warrant_for(
        approval.run_id,
        approval.plan,
        now=tx.now,
        decisions=(person.id,),
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


def write_decision(tx: Tx, handle_hash: str, approval: Approval, event: Event, person: Person) -> bool:
    """The one UPDATE whose row count decides."""
    values = {
        "handle_hash": handle_hash,
        "digest": approval.digest,
        "after": move(approval.state, event).value,
        "decided_by": person.id,
        "now": tx.now,
    }
    if before(event) is State.PENDING:
        return tx.run("control.decide", **values) == 1
    return tx.run("control.settle", **values, attempts=1 if event is Event.RERUN else 0) == 1


def refuse(tx: Tx, approval: Approval | None, ref: str, person: Person, reason: str) -> Decision:
    """A refusal, in the audit trail as well."""
    audit.append(tx, person.id, "refused", ref, {"why": reason})
    return Decision(approval=approval, refused=reason)


def claim(tx: Tx, approval_id: str, rules: Rules, drifted: str = "") -> Decision:
    """Take an approved request for running: once, whoever else tries.

    What would no longer run as shown, or be approved, is invalidated, and the refusal says why. `drifted` is what
    `Planner.drift` found.
    """
    row = tx.one("control.approval", id=approval_id)
    if row is None:
        return Decision(approval=None, refused=f"no request has the id {approval_id!r}; nothing runs")
    approval = approval_of(row)
    if approval.state is not State.APPROVED:
        return Decision(approval=approval, refused=f"request {approval_id} is {approval.state.value}; nothing runs")
    if reason := drifted or standing(approval, rules, tx.now):
        tx.run("control.withdraw", id=approval_id, after=move(approval.state, Event.WITHDRAW).value, now=tx.now)
        audit.append(tx, EXECUTOR, Event.WITHDRAW.value, approval_id, {"why": reason})
        return Decision(approval=by_id(tx, approval_id), refused=reason)
    after = move(approval.state, Event.CLAIM).value
    if tx.run("control.claim", id=approval_id, digest=approval.digest, after=after) != 1:
        return Decision(approval=by_id(tx, approval_id), refused=f"request {approval_id} was claimed elsewhere")
    reach(Step.CLAIM_TAKEN)
    audit.append(tx, EXECUTOR, Event.CLAIM.value, approval_id, {"plan": approval.digest, "run": approval.run_id})
    reach(Step.CLAIM_AUDITED)
    return Decision(approval=by_id(tx, approval_id))


def started(tx: Tx, run_id: str) -> bool:
    """Write down that the executor has begun a claimed run. Too late to say so is no harm."""
    approval_id, _, attempt = run_id.rpartition("-")
    after = move(State.CLAIMED, Event.START).value
    if tx.run("control.start", id=approval_id, attempt=int(attempt), after=after) != 1:
        return False
    reach(Step.START_WRITTEN)
    audit.append(tx, EXECUTOR, Event.START.value, approval_id, {"run": run_id})
    return True


def conclude(tx: Tx, run_id: str, outcome: Outcome) -> Pending:
    """Write down how a claimed run ended. For an unknown outcome the handle is fresh, else it is empty.

    Saying the same of an attempt that has already ended changes nothing.

    Raises:
        Refused: it was never claimed.
    """
    approval_id, _, attempt = run_id.rpartition("-")
    event = ENDS[outcome.state]
    handle = secrets.token_urlsafe(16) if event is Event.LOSE else ""
    changed = tx.run(
        "control.conclude",
        id=approval_id,
        attempt=int(attempt),
        after=outcome.state.value,
        outcome=outcome.json,
        settle_hash=hash_of(handle) if handle else None,
        now=tx.now,
    )
    approval = by_id(tx, approval_id)
    if not changed:
        if approval.attempt == int(attempt):
            move_or_same(approval, outcome.state)
        return Pending(approval=approval, handle="")
    reach(Step.CONCLUSION_WRITTEN)
    details = {
        "exit_code": outcome.exit_code,
        "why": outcome.reason,
        "run": run_id,
        "output": digest_of(outcome.output),
    }
    audit.append(tx, EXECUTOR, event.value, approval_id, details)
    reach(Step.CONCLUSION_AUDITED)
    return Pending(approval=approval, handle=handle)


def move_or_same(approval: Approval, after: State) -> None:
    """Refuse an outcome for something that was never claimed."""
    if approval.outcome is None:
        move(approval.state, ENDS[after])


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
