"""The verbs of control, each a plain function in the caller's transaction: what is asked for, claimed, and came of it.
Whatever changes a state is one conditional UPDATE, and its audit entry commits with it or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from layers.control import audit, grants
from layers.control.fatigue import draw_numbers, rested, twin
from layers.control.freezing import with_freeze
from layers.control.handles import Purpose, add_card, places
from layers.control.kernel import Proof, approvers, is_solo, proofs
from layers.control.policy import Act
from layers.control.reading import approval_of, by_id
from layers.control.rules import Asker, hopeless, may, move, refusal, rule, standing
from layers.control.types import (
    Approval,
    Context,
    Decision,
    Event,
    Outcome,
    Pending,
    Plan,
    Rules,
    State,
    digest_of,
)
from layers.errors import Refused
from layers.failpoint import Step, reach
from layers.store import Tx
from layers.types import CLOCK, Person

ENDS = {State.SUCCEEDED: Event.SUCCEED, State.FAILED: Event.FAIL, State.UNKNOWN: Event.LOSE}
EXECUTOR = "executor"
NO_RULES = Rules(approvers=())


def request(tx: Tx, plan: Plan, context: Context, *, is_drill: bool = False) -> Pending:
    """Write down what is asked for; what the same person has waiting here already is not written down twice.

    Raises:
        Refused: the policy lets them not ask for it, nobody could ever approve it, or people have had enough of it.
    """
    asker = Asker(person=context.requested_by.id, by_agent=context.by_agent)
    rules = with_freeze(tx, context.rules)
    if not is_drill:
        may(plan, Act.REQUEST, asker, rules, tx.now)
    if reason := hopeless(plan, asker, rules, tx.now):
        raise Refused(reason)
    if same := twin(tx, plan, context.conversation_id, context.requested_by.id):
        return Pending(approval=by_id(tx, same), handle="", is_new=False)
    if not is_drill:
        rested(tx, plan, context.conversation_id)
    approval = write_down(tx, plan, context, is_drill=is_drill)
    reach(Step.REQUEST_ADDED)
    drill = {"drill": True} if is_drill else {}
    replaces = {"replaces": context.replaces} if context.replaces else {}
    details = {"plan": plan.digest, "risk": plan.risk, **drill, **replaces}
    audit.append(tx, context.requested_by.id, "request", approval.id, details)
    reach(Step.REQUEST_AUDITED)
    if not is_drill and grants.use(tx, approval, rules):
        return Pending(approval=by_id(tx, approval.id), handle="")
    return Pending(
        approval=approval,
        handle=add_card(tx, approval, context.pressed_at or context.conversation_id, rules),
        copies={place: add_card(tx, approval, place, rules) for place in elsewhere(tx, approval, context, rules)},
    )


def write_down(tx: Tx, plan: Plan, context: Context, *, is_drill: bool) -> Approval:
    """The row of a new request."""
    approval_id, numbers = secrets.token_hex(8), draw_numbers() if proofs(plan) else ("",)
    tx.run(
        "control.add_approval",
        id=approval_id,
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
        number=numbers[0],
        choices=" ".join(sorted(numbers)),
        is_drill=int(is_drill),
        now=tx.now,
        expires_at=tx.now + context.expires_after_s,
    )
    return by_id(tx, approval_id)


def elsewhere(tx: Tx, approval: Approval, context: Context, rules: Rules) -> list[str]:
    """Where its card is shown besides the conversation of the request: on the page, when it is decided there, and
    wherever somebody who may approve it is asked."""
    main, plan = context.pressed_at or context.conversation_id, approval.plan
    is_page = main.partition(":")[0] == context.page.partition(":")[0]
    must = context.page and not is_page and needs_page(plan, context.requested_by.id, rules)
    asked = [
        place
        for person in approvers(rules)
        if rule(approval, Event.APPROVE, person, rules, tx.now).allowed
        for place in context.besides.get(person.id, ())
    ]
    return sorted({*([context.page] if must else []), *asked} - {main})


def needs_page(plan: Plan, requested_by: str, rules: Rules) -> bool:
    """Whether it cannot be approved in a chat."""
    return Proof.PAGE in proofs(plan) or is_solo(plan, requested_by, rules)


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
    rules = with_freeze(tx, rules)
    drill = "this was a drill: it asked for nothing, and nothing runs" if approval.is_drill else ""
    if reason := drill or drifted or grants.carried(tx, approval, rules) or standing(approval, rules, tx.now):
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


def conclude(tx: Tx, run_id: str, outcome: Outcome, rules: Rules = NO_RULES) -> Pending:
    """Write down how a claimed run ended. For an unknown outcome the handles are fresh, else they are empty.

    Saying the same of an attempt that has already ended changes nothing.

    Raises:
        Refused: it was never claimed.
    """
    approval_id, _, attempt = run_id.rpartition("-")
    event = ENDS[outcome.state]
    changed = tx.run(
        "control.conclude",
        id=approval_id,
        attempt=int(attempt),
        after=outcome.state.value,
        outcome=outcome.json,
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
    if event is not Event.LOSE:
        return Pending(approval=approval, handle="")
    return with_buttons(tx, approval, rules, Purpose.SETTLE)


def with_buttons(tx: Tx, approval: Approval, rules: Rules, purpose: Purpose = Purpose.DECIDE) -> Pending:
    """An approval with fresh buttons wherever it is shown.

    Those of an earlier attempt settle nothing any more; those that ask for a decision stay good, since a second person
    may press at this very moment.
    """
    shown = [place.conversation_id for place in places(tx, approval.id)] or [approval.conversation_id]
    main = approval.conversation_id if approval.conversation_id in shown else shown[0]
    others = sorted({*shown} - {main})
    if purpose is Purpose.SETTLE:
        tx.run("control.drop_cards", approval_id=approval.id, purpose=purpose.value)
    return Pending(
        approval=approval,
        handle=add_card(tx, approval, main, rules, purpose),
        copies={place: add_card(tx, approval, place, rules, purpose) for place in others},
    )


def show_elsewhere(tx: Tx, approval_id: str, place: str, lost: Mapping[str, str], rules: Rules) -> Pending:
    """Fresh buttons of a request in a place, because its card did not arrive in another.

    `lost` is where it did not arrive -> why. Without a copy in the result there is nothing to do: it waits no more.
    """
    approval = by_id(tx, approval_id)
    if approval.state is not State.PENDING:
        return Pending(approval=approval, handle="", is_new=False)
    audit.append(tx, CLOCK.id, "undelivered", approval_id, {"lost": dict(lost), "shown": place})
    return Pending(approval=approval, handle="", copies={place: add_card(tx, approval, place, rules)})


def show_again(tx: Tx, approval_id: str, place: str, person: Person, rules: Rules) -> Pending:
    """Fresh buttons of a request in a place where somebody who may decide it asked for its card.

    Raises:
        Refused: there is none, it waits no more, or they may not decide it.
    """
    approval = by_id(tx, approval_id)
    rules = with_freeze(tx, rules)
    reason = refusal(approval, Event.APPROVE, person, rules, tx.now)
    if reason and refusal(approval, Event.DENY, person, rules, tx.now):
        raise Refused(reason)
    audit.append(tx, person.id, "shown", approval_id, {"place": place})
    return Pending(approval=approval, handle=add_card(tx, approval, place, rules))


def move_or_same(approval: Approval, after: State) -> None:
    """Refuse an outcome for something that was never claimed."""
    if approval.outcome is None:
        move(approval.state, ENDS[after])
