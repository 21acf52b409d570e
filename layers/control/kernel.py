"""What holds before any policy and whatever a file says. Pure: no setting, no clock, no I/O.

An agent never decides, nor does somebody unknown or external; nothing frozen, expired or unknown is approved; who
asked and who approves are two persons from risk 2 on. Where only one person can approve, they may, with more proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from layers.control.policy import Verdict
from layers.control.types import CONTACT, OWN_RISKS, Approval, Event, Plan, Rules, State
from layers.control.wording import clock, decided
from layers.types import AGENT, CLOCK, STRANGER, Person

FOUR_EYES_RISK = 2
"""From this risk on, who asks and who approves must be two persons."""

NO_HUMANS = (AGENT.id, CLOCK.id, STRANGER.id)

RUNS = (Event.APPROVE, Event.RERUN, Event.RESUME, Event.SUPERSEDE)
"""Presses after which something runs, or which only who may have it run can make."""


class Proof(StrEnum):
    """What a press must bring besides being a known person's."""

    NUMBER_MATCH = "number_match"
    """The number that the card shows, entered by hand."""
    PAGE = "page"
    """Pressed on the page, by somebody signed in there: what a stolen chat account cannot do."""
    PASSPHRASE = "passphrase"
    """Entered on the page."""


SOLO_PROOFS = frozenset({Proof.NUMBER_MATCH, Proof.PASSPHRASE})
PAGE_RISK = 3
"""From this risk on, a button in a chat is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the kernel, and then the policy, says of one press."""

    allowed: bool
    reason: str = ""
    """One sentence for the person; empty when allowed."""
    requires: frozenset[Proof] = frozenset()
    """What must come along with it. Without, it is refused."""
    is_solo: bool = False
    """The asker approves their own request, since nobody else could. Cards and the audit trail say so."""
    verdict: Verdict | None = None
    """What the policy said; None where the kernel was enough."""


def no(reason: str) -> Ruling:
    """Refused."""
    return Ruling(allowed=False, reason=reason)


def rule(approval: Approval, event: Event, person: Person, rules: Rules, now: float) -> Ruling:
    """Whether `person` may do `event` to `approval` at `now`, as far as the kernel goes."""
    if reason := stranger(person, rules):
        return no(reason)
    if approval.state is not State.PENDING and event is Event.APPROVE:
        return no(decided(approval))
    if approval.state not in (State.PENDING, State.APPROVED) and event is Event.DENY:
        return no(decided(approval))
    if approval.state is State.PENDING and approval.expires_at <= now:
        return no(f"this request expired at {clock(approval.expires_at)}; ask again")
    if event not in RUNS:
        return Ruling(allowed=True)
    if rules.is_frozen:
        return no("everything is frozen; nothing is approved until an approver unfreezes it")
    if reason := wrong_risk(approval.plan, rules):
        return no(reason)
    if event is Event.APPROVE and person.id in approval.said_yes:
        return no(f"{person.name} has approved this already; it needs {approval.plan.approvals} different persons")
    return four_eyes(person, approval.requested_by, approval.plan, rules)


def stranger(person: Person, rules: Rules) -> str:
    """Why `person` decides nothing here; empty for an approver. Fails closed."""
    if person.id in NO_HUMANS:
        return f"{person.name} may ask, but never decide"
    if any(member.is_external for member in rules.people if member.person.id == person.id):
        return f"{person.name} is from outside and never decides"
    deciders = approvers(rules)
    if not deciders:
        return "nobody may decide: no approver is set; name one under [people] in bulkhead.toml"
    if person.id not in {approver.id for approver in deciders}:
        return f"{person.name} may not decide this; {names(rules)} can"
    return ""


def approvers(rules: Rules) -> tuple[Person, ...]:
    """Those whom the kernel lets decide, each person once."""
    outside = {member.person.id for member in rules.people if member.is_external} | set(NO_HUMANS)
    return tuple({person.id: person for person in rules.approvers if person.id not in outside}.values())


def names(rules: Rules) -> str:
    """Who can decide, for a sentence."""
    return " or ".join(person.name for person in approvers(rules)) or "nobody"


def wrong_risk(plan: Plan, rules: Rules) -> str:
    """Why the plan's risk is not the manifest's; empty when it is. No other source of a risk is believed."""
    known = OWN_RISKS.get(plan.capability, rules.risks.get(plan.capability))
    if known is None:
        return f"there is no capability {plan.capability} here any more; ask for something else"
    if plan.risk != known:
        return f"the plan says risk {plan.risk} but the manifest of {plan.capability} says {known}; ask again"
    return ""


def four_eyes(person: Person, requested_by: str, plan: Plan, rules: Rules) -> Ruling:
    """Two persons from risk 2 on. `requested_by` is the human being, whoever typed it and on whichever account.

    Not for a first message to somebody new, which is decided so: one approver suffices who is not the agent, also the
    one on whose behalf it is written. It cannot be taken back, hence risk 3 and a person who reads all of it with its
    recipient before it leaves; but that person could write the same themselves, so a second one would guard against
    nothing that the first cannot do, and would teach both to press without reading. What must not happen is that the
    agent writes to strangers by itself, and it never approves. An install that wants two has `policy.cedar` forbid
    `transport.contact` to the asker.
    """
    required = proofs(plan)
    if not required or person.id != requested_by:
        return Ruling(allowed=True, requires=required)
    if len(approvers(rules)) > 1:
        return no(f"{person.name} asked for this, and risk {plan.risk} needs another person to approve it")
    return Ruling(allowed=True, requires=SOLO_PROOFS | required, is_solo=True)


def proofs(plan: Plan) -> frozenset[Proof]:
    """What a yes to this plan needs besides a press, whoever says it."""
    if plan.risk < FOUR_EYES_RISK or plan.capability == CONTACT:
        return frozenset()
    return frozenset({Proof.NUMBER_MATCH} | ({Proof.PAGE} if plan.risk >= PAGE_RISK else set()))


def is_solo(plan: Plan, requested_by: str, rules: Rules) -> bool:
    """Whether only the asker can approve it."""
    return bool(proofs(plan)) and {person.id for person in approvers(rules)} == {requested_by}


def unproven(ruling: Ruling, brought: frozenset[Proof]) -> str:
    """Why an allowed press does not count yet; empty when it brought everything."""
    missing = ruling.requires - brought
    if not ruling.allowed or not missing:
        return ""
    named = ", ".join(sorted(proof.value.replace("_", " ") for proof in missing))
    if ruling.is_solo:
        return f"you asked for this yourself and nobody else can approve it, so it also needs: {named}"
    if Proof.PAGE in missing:
        return "this cannot be undone, so a chat is not enough: sign in to the page and approve it there"
    return f"this is hard to undo, so a press alone is not enough; it also needs: {named}"
