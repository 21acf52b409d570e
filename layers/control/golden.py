"""Golden decisions: what a policy must say before it is taken. A TOML text in, the first wrong answer out."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layers.control.policy import EVERYWHERE, Act, Member, PolicyEngine, Question
from layers.errors import Misconfigured
from layers.types import Person

NOON = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
"""A Monday at 0 o'clock."""
MADE_UP = "somebody made up"


class Golden(BaseModel):
    """One `[[decision]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str = ""
    """An id of bulkhead.toml; empty makes somebody up of `roles`, `scopes` and `external`."""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = (EVERYWHERE,)
    external: bool = False
    action: Act
    capability: str = "workspace.make"
    scope: str = "workspace"
    risk: Annotated[int, Field(ge=0, le=3)] = 1
    hour: Annotated[int, Field(ge=0, le=23)] = 12
    by_agent: bool = False
    network: str = "none"
    allowed: bool

    def wrong(self, engine: PolicyEngine, people: tuple[Member, ...]) -> str:
        """What is wrong with the engine's answer; empty when it is the golden one."""
        if self.person and self.person not in {member.person.id for member in people}:
            return ""  # they left; their decisions have nobody left to be about
        who = self.person or MADE_UP
        made_up = Member(
            person=Person(id=MADE_UP, name=MADE_UP), roles=self.roles, scopes=self.scopes, is_external=self.external
        )
        asked = Question(
            person=who,
            act=self.action,
            capability=self.capability,
            scope=self.scope,
            risk=self.risk,
            kind="capability",
            network=self.network,
            parameters=(),
            requested_by=who,
            by_agent=self.by_agent,
            at=NOON + 3600 * self.hour,
        )
        verdict = engine.judge(asked, (*people, made_up))
        if verdict.allowed == self.allowed:
            return ""
        roles = f" with roles {list(self.roles)} and scopes {list(self.scopes)}" if not self.person else ""
        said = "allows" if verdict.allowed else "denies"
        return (
            f"it {said} {who}{roles} to {self.action.value} {self.capability} (risk {self.risk}), "
            f"and the golden decision is the other way: {verdict.reason}"
        )


class GoldenFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: tuple[Golden, ...] = ()


INVARIANTS = tuple(
    Golden(roles=roles, external=external, action=act, risk=risk, allowed=False)
    for roles, external in (((), False), ((), True))
    for act in (Act.APPROVE, Act.DENY, Act.SETTLE)
    for risk in (1, 3)
)
"""What no file can change: somebody without any role decides nothing."""


def parse_golden(text: str) -> tuple[Golden, ...]:
    """The decisions of a file.

    Raises:
        Misconfigured: the place, and what is wrong with it.
    """
    try:
        return GoldenFile.model_validate(tomllib.loads(text)).decision
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"the golden decisions are not TOML: {error}") from None
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"the golden decisions, {place}: {first['msg']}") from None


def check_golden(engine: PolicyEngine, golden: tuple[Golden, ...], people: tuple[Member, ...]) -> None:
    """Ask every question.

    Raises:
        Misconfigured: the first answer that is wrong.
    """
    for one in (*INVARIANTS, *golden):
        if problem := one.wrong(engine, people):
            raise Misconfigured(problem)
