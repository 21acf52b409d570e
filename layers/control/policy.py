"""What a policy is asked and what it answers, whoever answers. Policies only narrow what the kernel has let through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from layers.types import Person

EVERYWHERE = "*"
"""The scope that all others are in."""
APPROVER = "approver"
"""The role of everybody who may decide at all."""


class Act(StrEnum):
    """What somebody wants to do to a capability: the actions of the policy's schema."""

    OBSERVE = "observe"
    """Run it at once; it has risk 0."""
    REQUEST = "request"
    """Ask for it, or have the agent ask."""
    APPROVE = "approve"
    DENY = "deny"
    SETTLE = "settle"
    """Say what became of a run whose end nobody saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody whom this install knows."""

    person: Person
    roles: tuple[str, ...] = ()
    """What policies call them; an approver has `approver` among them."""
    scopes: tuple[str, ...] = (EVERYWHERE,)
    """Dotted, widest first: `deploy.web`. Policies let them act in these and what lies below."""
    is_external: bool = False
    """A guest, or of another company's workspace: never decides."""

    @property
    def is_approver(self) -> bool:
        """Whether they may decide anything."""
        return APPROVER in self.roles and not self.is_external


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this person do that? Facts of the plan only, nothing that an agent wrote about it."""

    person: str
    """A `Person.id`."""
    act: Act
    capability: str
    scope: str
    risk: int
    kind: str
    """`capability` or `patch`."""
    network: str
    parameters: tuple[str, ...]
    """`name=value`."""
    requested_by: str
    """The human being who asked, also through the agent."""
    by_agent: bool
    at: float
    """Epoch seconds: policies see the hour and the weekday, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a policy said."""

    allowed: bool
    reason: str
    """One clause for the person: the text of the policy that decided."""
    policy_ids: tuple[str, ...] = ()
    """The `@id` of each policy that decided, sorted."""
    policy_sha: str = ""
    """sha256 of the text that was in force, hex."""


class PolicyEngine(Protocol):
    """Who decides by data. It never raises: what it cannot judge it denies."""

    def judge(self, question: Question, people: tuple[Member, ...]) -> Verdict:
        """The answer, given who everybody is."""


NO_POLICY = Verdict(allowed=False, reason="no policy is loaded, so nothing is allowed; see /status")
