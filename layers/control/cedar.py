"""The policy engine: Cedar. A policy file goes in, parsed and validated; questions go in, verdicts come out.

Cedar skips a policy that fails, even one that forbids; so what validation lets through and still fails is a denial
here, as is every answer that is not a clean Allow.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.control.policy import APPROVER, EVERYWHERE, Act, Member, Question, Verdict
from layers.errors import Misconfigured

if TYPE_CHECKING:
    from cedarpy import Entities, PolicySet, Schema

SHIPPED = Path(__file__).parent / "policies"
SLICES = 4096
"""Sets of policies that are kept ready; beyond that they are made anew."""
MISSPELT = 0.75
"""difflib's ratio from which an unknown name is taken for a misspelt one."""

Uid = tuple[str, str]
"""Type and id of an entity."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that this install has, by the schema's types: a policy that misspells one is refused."""

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, people: Sequence[Member], scopes: Mapping[str, str], more: Sequence[str] = ()) -> Known:
        """From the people, each capability's scope, and `more` scopes."""
        places = [*more, *scopes.values(), *(scope for member in people for scope in member.scopes)]
        return cls(
            names={
                "Person": frozenset(member.person.id for member in people),
                "Role": frozenset({APPROVER, *(role for member in people for role in member.roles)}),
                "Scope": frozenset(wider for scope in places for wider in chain(scope)),
                "Capability": frozenset(scopes),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody and every place, as Cedar has them."""

    people: tuple[Member, ...]
    places: Mapping[str, str]
    """Capability -> scope."""
    roles: Mapping[str, tuple[str, ...]]
    entities: Entities


class CedarPolicies:
    """One policy file that was found good. Implements `PolicyEngine`."""

    def __init__(self, policies: Mapping[str, Json], schema: Schema, sha: str) -> None:
        """`policies` are Cedar's JSON, by `@id`; see `load_policies`."""
        self.sha = sha
        self._policies = policies
        self._schema = schema
        self._index = index(policies)
        self._slices: dict[frozenset[str], PolicySet] = {}
        self._world: World | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Every `@id`, in the file's order."""
        return tuple(self._policies)

    def judge(self, question: Question, people: tuple[Member, ...]) -> Verdict:
        """The answer. Anything but a clean Allow is a denial with its reason."""
        from cedarpy import Decision, is_authorized

        try:
            world = self._world_of(people, question.capability, question.scope)
            if question.person not in world.roles:
                return self._deny("nobody of that name is known here")
            answer = is_authorized(request_of(question), self._slice(question, world), world.entities, self._schema)
        except (ValueError, TypeError, OverflowError) as error:
            return self._deny(f"the policy could not be asked ({one_line(str(error))})")
        if answer.diagnostics.errors:
            return self._deny(f"a policy failed ({one_line(answer.diagnostics.errors[0])})")
        ids = tuple(sorted(answer.diagnostics.reasons))
        if answer.decision is Decision.Allow:
            return Verdict(allowed=True, reason=self._reasons(ids), policy_ids=ids, policy_sha=self.sha)
        return self._deny(self._reasons(ids) or "no policy allows it", ids)

    def _deny(self, reason: str, ids: tuple[str, ...] = ()) -> Verdict:
        return Verdict(allowed=False, reason=reason, policy_ids=ids, policy_sha=self.sha)

    def _reasons(self, ids: tuple[str, ...]) -> str:
        return "; ".join(self._policies[id]["annotations"].get("reason") or id for id in ids)

    def _slice(self, question: Question, world: World) -> PolicySet:
        """Only the policies whose head fits the question: the others could not have a say, and Cedar reads them all."""
        from cedarpy import PolicySet

        by = self._index[question.act]
        persons: list[Uid | None] = [None, ("Person", question.person)]
        persons += [("Role", role) for role in world.roles.get(question.person, ())]
        places: list[Uid | None] = [None, ("Capability", question.capability)]
        places += [("Scope", scope) for scope in chain(question.scope)]
        ids = frozenset(id for person in persons for place in places for id in by.get((person, place), ()))
        if ids not in self._slices:
            if len(self._slices) >= SLICES:
                self._slices.clear()
            chosen = {id: self._policies[id] for id in ids}
            text = json.dumps({"staticPolicies": chosen, "templates": {}, "templateLinks": []})
            self._slices[ids] = PolicySet.from_json_str(text)
        return self._slices[ids]

    def _world_of(self, people: tuple[Member, ...], capability: str, scope: str) -> World:
        """The entities; made anew only when somebody or some place is new."""
        from cedarpy import Entities

        world = self._world
        places = world.places if world is not None else {}
        is_same = world is not None and (people is world.people or people == world.people)
        if world is not None and is_same and places.get(capability) == scope:
            return world
        places = {**places, capability: scope}
        entities = Entities.from_json_str(json.dumps(list(entities_of(people, places))), self._schema)
        roles = {member.person.id: member.roles for member in people}
        self._world = World(people=people, places=places, roles=roles, entities=entities)
        return self._world


def load_policies(text: str, known: Known | None = None) -> CedarPolicies:
    """Parse and validate a policy file.

    Raises:
        Misconfigured: it is not Cedar, speaks of what does not exist, or a policy has no `@id` of its own.
    """
    from cedarpy import PolicySet, Schema, policies_to_json_str, validate_policies

    schema = Schema.from_str((SHIPPED / "policy.cedarschema").read_text("utf-8"))
    try:
        PolicySet.from_str(text)
        raw: Json = json.loads(policies_to_json_str(text))
    except ValueError as error:
        raise Misconfigured(f"it is not Cedar: {one_line(str(error))}") from None
    if raw.get("templates"):
        raise Misconfigured("it has a template (?principal or ?resource); write a policy for each role instead")
    numbered: Mapping[str, Json] = raw["staticPolicies"]
    policies = by_id(numbered)
    found = validate_policies(text, schema)
    if not found.validation_passed:
        first = found.errors[0]
        name = numbered.get(first.policy_id, {}).get("annotations", {}).get("id", first.policy_id)
        raise Misconfigured(f'policy "{name}": {one_line(first.error)}')
    for name, policy in policies.items():
        if problem := misspelt(policy, known or Known()):
            raise Misconfigured(f'policy "{name}": {problem}')
    return CedarPolicies(policies, schema, hashlib.sha256(text.encode()).hexdigest())


def by_id(numbered: Mapping[str, Json]) -> dict[str, Json]:
    """The policies by their `@id`, in the file's order.

    Raises:
        Misconfigured: one has none, or two share one, or there is no policy at all.
    """
    policies: dict[str, Json] = {}
    for position in sorted(numbered, key=lambda name: int(name.removeprefix("policy"))):
        policy = numbered[position]
        name = (policy.get("annotations", {}).get("id") or "").strip()
        number = int(position.removeprefix("policy")) + 1
        if not name:
            raise Misconfigured(f'policy number {number} has no @id; write @id("some-name") above it')
        if name in policies:
            raise Misconfigured(f'policy number {number} has the @id "{name}" of another one; each needs its own')
        policies[name] = policy
    if not policies:
        raise Misconfigured("it has no policy, so nothing would be allowed")
    return policies


def misspelt(policy: Json, known: Known) -> str:
    """What the policy names that is nearly, but not, the name of something here; empty when nothing is.

    Cedar takes any id, so a misspelt role in a `forbid` would forbid nothing.
    """
    for kind, name in literals(policy):
        names = known.names.get(kind, frozenset())
        near = difflib.get_close_matches(name, names, n=1, cutoff=MISSPELT) if name not in names else []
        if near:
            return f'{kind}::"{name}" is unknown; did you mean "{near[0]}"?'
    return ""


def literals(node: object) -> Iterator[Uid]:
    """Every entity that a policy names."""
    if isinstance(node, dict):
        if set(node) == {"type", "id"}:
            yield str(node["type"]), str(node["id"])
        for child in node.values():
            yield from literals(child)
    elif isinstance(node, list):
        for child in node:
            yield from literals(child)


Index = dict[Act, dict[tuple[Uid | None, Uid | None], list[str]]]


def index(policies: Mapping[str, Json]) -> Index:
    """Which policies can have a say, by what their heads ask of person and place. None is anybody, anywhere."""
    found: Index = {act: {} for act in Act}
    for name, policy in policies.items():
        key = (head(policy["principal"]), head(policy["resource"]))
        for act in acts(policy["action"]):
            found[act].setdefault(key, []).append(name)
    return found


def head(constraint: Json) -> Uid | None:
    """The one entity that a head names, or None. An `is` can only name the schema's one type."""
    entity = constraint.get("entity") or (constraint.get("in") or {}).get("entity")
    return (str(entity["type"]), str(entity["id"])) if entity else None


def acts(constraint: Json) -> list[Act]:
    """The actions that a head names; all of them where it names none."""
    named = constraint.get("entities") or ([constraint["entity"]] if constraint.get("entity") else None)
    return list(Act) if named is None else [Act(entity["id"]) for entity in named]


def chain(scope: str) -> list[str]:
    """The scope and every one that it is in: `a.b`, `a`, `*`."""
    if scope == EVERYWHERE:
        return [EVERYWHERE]
    parts = scope.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)] + [EVERYWHERE]


def entities_of(people: Sequence[Member], places: Mapping[str, str]) -> Iterator[Json]:
    """Everything that Cedar has to know of."""
    scopes = {wider for scope in places.values() for wider in chain(scope)}
    scopes |= {wider for member in people for scope in member.scopes for wider in chain(scope)}
    for scope in sorted(scopes):
        yield entity("Scope", scope, [("Scope", wider) for wider in chain(scope)[1:2]])
    for role in sorted({role for member in people for role in member.roles}):
        yield entity("Role", role)
    for capability, scope in sorted(places.items()):
        yield entity("Capability", capability, [("Scope", scope)])
    for member in people:
        attributes = {
            "scopes": [{"__entity": uid("Scope", scope)} for scope in member.scopes],
            "external": member.is_external,
        }
        yield entity("Person", member.person.id, [("Role", role) for role in member.roles], attributes)


def entity(kind: str, name: str, parents: Sequence[Uid] = (), attributes: Json | None = None) -> Json:
    """One entity in Cedar's JSON."""
    return {"uid": uid(kind, name), "attrs": attributes or {}, "parents": [uid(*parent) for parent in parents]}


def uid(kind: str, name: str) -> Json:
    """Its name in Cedar's JSON."""
    return {"type": kind, "id": name}


def request_of(question: Question) -> Json:
    """The question in Cedar's JSON: the only place where a context is made."""
    at = datetime.fromtimestamp(question.at, UTC)
    return {
        "principal": uid("Person", question.person),
        "action": uid("Action", question.act.value),
        "resource": uid("Capability", question.capability),
        "context": {
            "risk": question.risk,
            "kind": question.kind,
            "network": question.network,
            "parameters": list(question.parameters),
            "requestedBy": {"__entity": uid("Person", question.requested_by)},
            "byAgent": question.by_agent,
            "hour": at.hour,
            "weekday": at.isoweekday(),
        },
    }


def one_line(text: str) -> str:
    """A vendor's message, without its line breaks."""
    return " ".join(text.split())[:300]
