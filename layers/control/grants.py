"""Standing grants: an approver's yes beforehand, for exactly one thing with exactly these parameters, so often, until
then. A grant approves what the approver could approve by a press at that moment, and nothing that needs more than one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from layers.control import audit
from layers.control.deciding import sign_off
from layers.control.freezing import with_freeze
from layers.control.kernel import PAGE_RISK, approvers
from layers.control.reading import by_id
from layers.control.rules import Asker, draft_of, rule
from layers.control.types import Approval, Event, Grant, Plan, Rules, State, Value
from layers.errors import Refused
from layers.store import Row, Tx
from layers.types import Person

GRANT = "grant"
LONGEST_S = 30 * 86400.0
MOST_USES = 1000


def canonical(parameters: Mapping[str, Value]) -> str:
    """The one JSON text of a plan's parameters."""
    return json.dumps(dict(parameters), sort_keys=True, separators=(",", ":"))


def grant_of(row: Row) -> Grant:
    """The grant in a row."""
    return Grant(
        id=row["id"],
        capability=row["capability"],
        parameters=row["parameters"],
        granted_by=row["granted_by"],
        uses_left=row["uses_left"],
        expires_at=row["expires_at"],
    )


def facts(row: Row) -> str:
    """What control signs of a grant."""
    names = ("id", "capability", "parameters", "manifest_digest", "granted_by", "expires_at")
    return json.dumps([row[name] for name in names])


def give(tx: Tx, plan: Plan, person: Person, rules: Rules, uses: int, for_s: float) -> Grant:
    """Write a grant down: what `plan` does, as `person` would approve it of anybody else.

    Raises:
        Refused: they may not approve it, or it needs more than one plain yes.
    """
    rules = with_freeze(tx, rules)
    if person.id not in {one.id for one in approvers(rules)}:
        raise Refused(f"{person.name} may not grant anything; an approver can")
    if plan.kind != "capability" or plan.risk >= PAGE_RISK or plan.risk == 0 or plan.approvals > 1:
        raise Refused(f"{plan.capability} (risk {plan.risk}) cannot be granted beforehand; each time needs a decision")
    if not (1 <= uses <= MOST_USES and 0 < for_s <= LONGEST_S):
        raise Refused(f"a grant is for 1 to {MOST_USES} uses and at most {LONGEST_S / 86400:.0f} days")
    ruling = rule(draft_of(plan, Asker(person="", by_agent=True), tx.now), Event.APPROVE, person, rules, tx.now)
    if not ruling.allowed:
        raise Refused(ruling.reason)
    row = {
        "id": secrets.token_hex(4),
        "capability": plan.capability,
        "parameters": canonical(plan.parameters),
        "manifest_digest": plan.manifest_digest,
        "granted_by": person.id,
        "expires_at": tx.now + for_s,
    }
    seal = rules.signer.sign(GRANT, facts(row)) if rules.signer is not None else ""
    tx.run("control.add_grant", **row, uses_left=uses, seal=seal, now=tx.now)
    audit.append(tx, person.id, "grant", str(row["id"]), {"capability": plan.capability, "uses": uses, "for_s": for_s})
    return grant_of({**row, "uses_left": uses})


def listing(tx: Tx) -> list[Grant]:
    """Those that can still be used, the soonest to end first."""
    return [grant_of(row) for row in tx.all("control.grants", now=tx.now)]


def revoke(tx: Tx, grant_id: str, person: Person, rules: Rules) -> None:
    """End a grant now; what it approved and nothing has begun yet will not begin.

    Raises:
        Refused: they are no approver, or there is no such grant.
    """
    if person.id not in {one.id for one in approvers(rules)}:
        raise Refused(f"{person.name} may not revoke a grant; an approver can")
    if tx.run("control.revoke_grant", id=grant_id, now=tx.now) != 1:
        raise Refused(f"there is no grant {grant_id!r}; /grants lists them")
    audit.append(tx, person.id, "revoke", grant_id, {})


def use(tx: Tx, approval: Approval, rules: Rules) -> bool:
    """Approve a request that was just made by a grant, if one fits; True when it did."""
    plan = approval.plan
    if plan.kind != "capability" or not 0 < plan.risk < PAGE_RISK or plan.approvals > 1:
        return False
    exactly = {"capability": plan.capability, "parameters": canonical(plan.parameters)}
    return any(spend(tx, approval, row, rules) for row in tx.all("control.fitting_grants", **exactly, now=tx.now))


def spend(tx: Tx, approval: Approval, row: Row, rules: Rules) -> bool:
    """Take one use of a grant for an approval."""
    person = next((one for one in rules.approvers if one.id == row["granted_by"]), None)
    if person is None or withdrawn(row, approval, rules, tx.now):
        return False
    ruling = rule(approval, Event.APPROVE, person, rules, tx.now)
    if not ruling.allowed or ruling.is_solo or tx.run("control.spend_grant", id=row["id"], now=tx.now) != 1:
        return False
    values = {"id": approval.id, "digest": approval.digest, "decided_by": person.id, "grant_id": row["id"]}
    if tx.run("control.approve_by_grant", **values, after=State.APPROVED.value, now=tx.now) != 1:
        raise Refused("the request was decided while a grant was being used")  # undoes the use as well
    sign_off(tx, by_id(tx, approval.id), ruling, rules)
    details = {"plan": approval.digest, "grant": row["id"]}
    audit.append(tx, person.id, Event.APPROVE.value, approval.id, details)
    return True


def withdrawn(row: Row, approval: Approval, rules: Rules, now: float) -> str:
    """Why a grant no longer carries an approval; empty when it does. Asked when it is used and again at the claim."""
    if row["revoked_at"] is not None:
        return "the standing grant that approved this was revoked"
    if row["expires_at"] <= now:
        return "the standing grant that approved this has ended"
    is_sealed = rules.signer is None or rules.signer.is_signed(GRANT, facts(row), row["seal"])
    fits = (row["capability"], row["parameters"], row["manifest_digest"]) == (
        approval.plan.capability,
        canonical(approval.plan.parameters),
        approval.plan.manifest_digest,
    )
    return "" if is_sealed and fits else "the standing grant that approved this is for something else"


def carried(tx: Tx, approval: Approval, rules: Rules) -> str:
    """The same for an approval that is about to be claimed; empty where no grant was used."""
    if not approval.grant_id:
        return ""
    row = tx.one("control.grant", id=approval.grant_id)
    return withdrawn(row, approval, rules, tx.now) if row else "the standing grant that approved this is gone"
