"""A request gives way to another that was made of it, in one transaction. Whoever may approve the first may do that;
nothing is approved by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from layers.control import audit
from layers.control.deciding import grounds, refuse
from layers.control.freezing import with_freeze
from layers.control.handles import places
from layers.control.kernel import Ruling, approvers
from layers.control.reading import by_id
from layers.control.rules import move, rule
from layers.control.service import request
from layers.control.types import Approval, Context, Decision, Event, Outcome, Pending, Plan, Rules
from layers.control.wording import decided
from layers.store import Tx
from layers.types import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What is asked for in place of a request."""

    plan: Plan
    why: str
    """What it has of the first, for people: `2 of its 5 parts`."""
    turn_id: int
    expires_after_s: float
    page: str
    """As `Context.page`."""


def may_replace(tx: Tx, approval_id: str, person: Person, rules: Rules) -> Decision:
    """The request, or why `person` may not put another in its place; a refusal goes to the audit trail.

    Raises:
        Refused: there is no such request.
    """
    approval, ruling = judged(tx, approval_id, person, rules)
    if ruling.allowed:
        return Decision(approval=approval)
    return refuse(tx, approval, approval_id, person, ruling.reason, {"act": Event.SUPERSEDE.value})


def judged(tx: Tx, approval_id: str, person: Person, rules: Rules) -> tuple[Approval, Ruling]:
    """The request, and what is said to somebody who would put another in its place."""
    approval = by_id(tx, approval_id)
    return approval, rule(approval, Event.SUPERSEDE, person, with_freeze(tx, rules), tx.now)


def replace(tx: Tx, approval_id: str, person: Person, instead: Instead, rules: Rules) -> Decision | Pending:
    """End a request that waits and ask for `instead` in the same person's name, wherever the first one was shown.

    A refusal, as a `Decision`, leaves it as it was: of two persons who choose at once the second is told of the first.

    Raises:
        Refused: there is no such request; or the other one may not be asked for, and then nothing has changed.
    """
    old, ruling = judged(tx, approval_id, person, rules)
    if not ruling.allowed:
        return refuse(tx, old, old.id, person, ruling.reason, {"act": Event.SUPERSEDE.value})
    values = {"id": old.id, "digest": old.digest, "after": move(old.state, Event.SUPERSEDE).value, "now": tx.now}
    if tx.run("control.supersede", **values, decided_by=person.id) != 1:
        return refuse(tx, by_id(tx, old.id), old.id, person, decided(by_id(tx, old.id)))
    shown = [place.conversation_id for place in places(tx, old.id)]
    context = Context(
        conversation_id=old.conversation_id,
        turn_id=instead.turn_id,
        requested_by=next(
            (member.person for member in rules.people if member.person.id == old.requested_by),
            Person(id=old.requested_by, name=old.requested_by),
        ),
        by_agent=old.by_agent,
        rules=rules,
        reason=old.reason,
        expires_after_s=instead.expires_after_s,
        pressed_at="" if not shown or old.conversation_id in shown else shown[0],
        page=instead.page,
        besides={approver.id: tuple(shown) for approver in approvers(rules)},
        replaces=old.id,
    )
    pending = request(tx, instead.plan, context)
    told = Outcome(state=move(old.state, Event.SUPERSEDE), reason=f"request {pending.approval.id} has {instead.why}")
    tx.run("control.tell_successor", id=old.id, outcome=told.json)
    details = {"plan": old.digest, "by": pending.approval.id, "why": instead.why, **grounds(ruling)}
    audit.append(tx, person.id, Event.SUPERSEDE.value, old.id, details)
    return pending
