"""What another policy would have decided over the recorded past. Approvals in, differences out; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from layers.control import kernel
from layers.control.policy import Act, PolicyEngine, Verdict
from layers.control.rules import Asker, ask, asker_of, question
from layers.control.types import Approval, Rules, State
from layers.types import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One act on a recorded request, and what both policies say of it."""

    approval: str
    capability: str
    person: str
    act: Act
    at: float
    has_happened: bool
    """Whether it was really done; else it only could have been."""
    was: Verdict
    """The policy in force."""
    would_be: Verdict
    """The other one."""

    @property
    def is_change(self) -> bool:
        """Whether the two differ."""
        return self.was.allowed != self.would_be.allowed


def replay(approvals: Iterable[Approval], rules: Rules, other: PolicyEngine) -> list[Replay]:
    """Every request, every decision, and every approver's Approve, asked of the policy in force and of `other`.

    The kernel comes before both and is not asked. People are judged by the roles and scopes that they have now: the
    past ones are not recorded.
    """
    found = []
    for approval in approvals:
        for act, person, at, has_happened in acts_on(approval, rules):
            asked = question(approval.plan, act, person, asker_of(approval), at)
            found.append(
                Replay(
                    approval=approval.id,
                    capability=approval.plan.capability,
                    person=person.id,
                    act=act,
                    at=at,
                    has_happened=has_happened,
                    was=ask(rules, asked),
                    would_be=other.judge(asked, rules.people),
                )
            )
    return found


def acts_on(approval: Approval, rules: Rules) -> Iterator[tuple[Act, Person, float, bool]]:
    """Who did what to it and when, and which approver could have approved it."""
    names = {member.person.id: member.person for member in rules.people}
    asker = asker_of(approval)
    yield Act.REQUEST, who(asker, names), approval.created_at, True
    decided = approval.decided_at is not None
    act = Act.DENY if approval.state is State.DENIED else Act.APPROVE
    if approval.decided_at is not None:
        yield act, who(Asker(person=approval.decided_by), names), approval.decided_at, True
    for person in kernel.approvers(rules):
        if not (decided and person.id == approval.decided_by and act is Act.APPROVE):
            yield Act.APPROVE, person, approval.created_at, False


def who(asker: Asker, names: dict[str, Person]) -> Person:
    """The person, also one who has left."""
    return names.get(asker.person) or Person(id=asker.person, name=asker.person)
