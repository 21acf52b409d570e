"""A patch that was approved and could not be committed, for what a person has to say about first: it goes on, or is
dropped. That word is a decision like the first one: by who may approve it, for one more attempt, in the audit trail.
"""

from __future__ import annotations

from layers.control import audit
from layers.control.deciding import grounds, refuse, sign_off
from layers.control.freezing import with_freeze
from layers.control.kernel import Proof, unproven
from layers.control.reading import by_id
from layers.control.rules import move, rule
from layers.control.types import Decision, Event, Rules
from layers.control.wording import decided
from layers.store import Tx
from layers.types import Person

NOTHING_BROUGHT: frozenset[Proof] = frozenset()


def resume(tx: Tx, approval_id: str, event: Event, person: Person, rules: Rules) -> Decision:
    """Have a failed patch tried once more (`RESUME`), under a warrant of its own, or never again (`DROP`).

    Raises:
        Refused: there is no such request.
    """
    rules = with_freeze(tx, rules)
    approval = by_id(tx, approval_id)
    ruling = rule(approval, event, person, rules, tx.now)
    reason = ruling.reason or unproven(ruling, NOTHING_BROUGHT)
    values = {"id": approval.id, "digest": approval.digest, "decided_by": person.id, "now": tx.now}
    attempts = int(event is Event.RESUME)
    if not reason:
        after = move(approval.state, event).value
        has_moved = tx.run("control.resume", **values, after=after, attempts=attempts) == 1
        reason = "" if has_moved else decided(by_id(tx, approval.id))
    if reason:
        return refuse(tx, by_id(tx, approval.id), approval.id, person, reason, {"act": event.value})
    sign_off(tx, by_id(tx, approval.id), ruling, rules)
    audit.append(tx, person.id, event.value, approval.id, {"plan": approval.digest, **grounds(ruling)})
    return Decision(approval=by_id(tx, approval.id))
