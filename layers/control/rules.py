"""The rules of control, pure: from an action to a plan, from a state to the next, and who may say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from layers.control import kernel
from layers.control.catalog import Capability, Catalog, nearest
from layers.control.kernel import Ruling
from layers.control.manifest import SLOT, Manifest, PathParameter, SecretParameter, as_text, read_parameter
from layers.control.policy import NO_POLICY, Act, Question, Verdict
from layers.control.types import (
    CONTACT,
    OWN_RISKS,
    OWN_SCOPES,
    PATCH,
    Action,
    Approval,
    Event,
    Plan,
    Rules,
    State,
    Value,
    patch_scope,
)
from layers.control.wording import decided
from layers.errors import Refused
from layers.types import Person

ENVIRONMENT = ("HOME", "LANG", "PATH", "TMPDIR")
"""What a program sees: built by the executor, nothing inherited."""

SECRETS = "/run/secrets"
"""Where a program finds the secrets of its plan, one file each."""

MOVES: Mapping[State, Mapping[Event, State]] = {
    State.PENDING: {
        Event.APPROVE: State.APPROVED,
        Event.DENY: State.DENIED,
        Event.EXPIRE: State.EXPIRED,
        Event.CANCEL: State.CANCELLED,
        Event.SUPERSEDE: State.SUPERSEDED,
    },
    State.APPROVED: {
        Event.CLAIM: State.CLAIMED,
        Event.WITHDRAW: State.INVALIDATED,
        Event.DENY: State.DENIED,
        Event.CANCEL: State.CANCELLED,
    },
    State.CLAIMED: {
        Event.START: State.RUNNING,
        Event.SUCCEED: State.SUCCEEDED,
        Event.FAIL: State.FAILED,
        Event.LOSE: State.UNKNOWN,
    },
    State.RUNNING: {Event.SUCCEED: State.SUCCEEDED, Event.FAIL: State.FAILED, Event.LOSE: State.UNKNOWN},
    State.UNKNOWN: {Event.HAPPENED: State.SUCCEEDED, Event.RERUN: State.APPROVED, Event.CANCEL: State.CANCELLED},
    State.SUCCEEDED: {},
    State.FAILED: {Event.RESUME: State.APPROVED, Event.DROP: State.CANCELLED},
    State.DENIED: {},
    State.EXPIRED: {},
    State.CANCELLED: {},
    State.INVALIDATED: {},
    State.SUPERSEDED: {},
}
"""Every move there is. No other order of things exists."""

ACTS: Mapping[Event, Act] = {
    Event.APPROVE: Act.APPROVE,
    Event.DENY: Act.DENY,
    Event.HAPPENED: Act.SETTLE,
    Event.CANCEL: Act.SETTLE,
    Event.RERUN: Act.APPROVE,
    Event.SUPERSEDE: Act.APPROVE,
    Event.RESUME: Act.APPROVE,
    Event.DROP: Act.DENY,
}
"""What a policy calls each press."""


def move(state: State, event: Event) -> State:
    """The state after `event`.

    Raises:
        Refused: the table has no such move.
    """
    try:
        return MOVES[state][event]
    except KeyError:
        raise Refused(f"cannot {event.value} an approval that is {state.value}") from None


SETTLED_IN = {Event.HAPPENED: State.UNKNOWN, Event.RERUN: State.UNKNOWN, Event.CANCEL: State.UNKNOWN}
"""The state in which a button that settles an outcome counts; a request is cancelled by its id, not by a button."""


def befores(event: Event) -> tuple[State, ...]:
    """The states in which a press of `event` counts. A Deny wins until the run is claimed."""
    if event in SETTLED_IN:
        return (SETTLED_IN[event],)
    return tuple(state for state, moves in MOVES.items() if event in moves)


def plan(catalog: Catalog, action: Action) -> Plan:
    """What `action` would run, exactly.

    Raises:
        Refused: an unknown or unavailable capability, an unknown, missing or wrong parameter.
    """
    capability = catalog.find(action.capability)
    manifest = capability.manifest
    values = typed(manifest, action.parameters)
    return Plan(
        capability=manifest.id,
        version=manifest.version,
        title=manifest.title,
        parameters=values,
        argv=fill(capability, manifest.argv, values, catalog.workspace),
        stdin=substitute(manifest, manifest.stdin, values, catalog.workspace),
        cwd=catalog.workspace if manifest.cwd == "workspace" else "/",
        scope=manifest.scope,
        risk=manifest.risk,
        timeout_s=manifest.timeout_s,
        output_cap_bytes=manifest.output_cap_bytes,
        is_workspace_writable=manifest.sandbox.writable_workspace,
        network=manifest.sandbox.network,
        sockets=manifest.sandbox.sockets,
        readable=manifest.sandbox.readable,
        sees_processes=manifest.sandbox.processes,
        environment=ENVIRONMENT,
        probe=fill(capability, manifest.probe, values, catalog.workspace),
        is_idempotent=manifest.idempotent,
        approvals=manifest.approvals,
        programs=dict(capability.digests),
        dry_run=fill(capability, manifest.plan_argv, values, catalog.workspace),
        secrets=secrets_of(manifest, values),
        manifest_digest=capability.digest,
    )


def secrets_of(manifest: Manifest, values: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of the secrets that the program is handed: those of the manifest and those that parameters name."""
    chosen = (str(values[name]) for name, spec in manifest.parameters.items() if isinstance(spec, SecretParameter))
    return tuple(sorted({*manifest.secrets, *chosen}))


def patch_plan(workspace: str, parameters: Mapping[str, str], name: str = "") -> Plan:
    """The plan of a proposal that coordination made: its trees, and whatever of it shall be on the card.

    `name` is what people call the workspace, where there are several.
    """
    return Plan(
        capability=PATCH,
        version=1,
        title=f"Commit a patch to {name or 'the workspace'}",
        parameters=dict(parameters),
        argv=(),
        cwd=workspace,
        scope=patch_scope(name),
        risk=OWN_RISKS[PATCH],
        timeout_s=60,
        output_cap_bytes=65_536,
        is_workspace_writable=True,
        manifest_digest="",
    )


def contact_plan(recipient: str, text: str, urgency: str) -> Plan:
    """The plan of writing to somebody for the first time: to whom, and every word of it."""
    return Plan(
        capability=CONTACT,
        version=1,
        title="Write to somebody for the first time, and let them be written to from then on",
        parameters={"recipient": recipient, "text": text, "urgency": urgency},
        argv=(),
        cwd="/",
        scope=OWN_SCOPES[CONTACT],
        risk=OWN_RISKS[CONTACT],
        timeout_s=60,
        output_cap_bytes=0,
        manifest_digest="",
    )


def typed(manifest: Manifest, raw: Mapping[str, str]) -> dict[str, Value]:
    """The parameters as values of their declared types, defaults filled in.

    Raises:
        Refused: which parameter, which value, what was expected.
    """
    declared = manifest.parameters
    for name in raw:
        if name not in declared:
            raise Refused(f"{manifest.id} has no parameter {name!r}; {nearest(name, list(declared))}")
    values: dict[str, Value] = {}
    for name, parameter in declared.items():
        if name not in raw and parameter.default is None:
            raise Refused(f"{manifest.id} needs {name}=...: {parameter.expected}")
        text = raw[name] if name in raw else as_text(parameter.default if parameter.default is not None else "")
        values[name] = read_parameter(manifest.id, name, parameter, text)
    return values


def substitute(manifest: Manifest, template: str, values: Mapping[str, Value], workspace: str) -> str:
    """One template with its slots filled. One pass: a value that looks like a slot stays text."""

    def fill_slot(name: str) -> str:
        text = as_text(values[name])
        is_path = isinstance(manifest.parameters[name], PathParameter)
        if isinstance(manifest.parameters[name], SecretParameter):
            return f"{SECRETS}/{text}"
        return str(PurePosixPath(workspace) / text) if is_path else text

    return SLOT.sub(lambda match: fill_slot(match.group(1)), template)


def fill(
    capability: Capability, templates: tuple[str, ...], values: Mapping[str, Value], workspace: str
) -> tuple[str, ...]:
    """An argv: the program's absolute path, then one item for each template.

    Raises:
        Refused: a value turns an item into an option.
    """
    if not templates:
        return ()
    manifest = capability.manifest
    argv = [capability.programs[templates[0]]]
    for template in templates[1:]:
        item = substitute(manifest, template, values, workspace)
        slots = SLOT.findall(template)
        may_dash = template.startswith("-") or any(manifest.parameters[name].may_begin_with_dash for name in slots)
        if item.startswith("-") and not may_dash:
            raise Refused(f"{manifest.id}: {slots[0]}={item!r} is refused; it must not begin with '-'")
        argv.append(item)
    return tuple(argv)


def rule(approval: Approval, event: Event, person: Person, rules: Rules, now: float) -> Ruling:
    """Whether `person` may do `event` to `approval` at `now`: the kernel, drift, the policy. One for every surface."""
    ruling = kernel.rule(approval, event, person, rules, now)
    if not ruling.allowed:
        return ruling
    if approval.state not in befores(event):
        return kernel.no(decided(approval))
    if event in kernel.RUNS and (reason := drift(approval, rules)):
        return kernel.no(reason)
    act = ACTS[event]
    verdict = ask(rules, question(approval.plan, act, person, asker_of(approval), now))
    if verdict.allowed:
        return replace(ruling, verdict=verdict)
    return Ruling(allowed=False, reason=denied(person, act, approval.plan, verdict), verdict=verdict)


def refusal(approval: Approval, event: Event, person: Person, rules: Rules, now: float) -> str:
    """Why `person` may not do `event` to `approval` at `now`; empty when they may."""
    return rule(approval, event, person, rules, now).reason


def standing(approval: Approval, rules: Rules, now: float) -> str:
    """Why an approval that was given no longer holds; empty when it does. Asked again before anything starts."""
    if reason := drift(approval, rules):
        return reason
    given = replace(approval, state=State.PENDING, expires_at=now + 1, said_yes=())
    for id in dict.fromkeys((*approval.said_yes, approval.decided_by)):
        person = next((one for one in rules.approvers if one.id == id), None)
        if person is None:
            return f"{id} approved this and may no longer approve anything; ask again"
        ruling = rule(given, Event.APPROVE, person, rules, now)
        if not ruling.allowed:
            return f"the approval no longer holds: {ruling.reason}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks for something."""

    person: str
    """A `Person.id`."""
    by_agent: bool = False


def asker_of(approval: Approval) -> Asker:
    """Who asked for this one."""
    return Asker(person=approval.requested_by, by_agent=approval.by_agent)


def question(plan: Plan, act: Act, person: Person, asker: Asker, now: float) -> Question:
    """What a policy is asked. Built here and nowhere else, from the plan."""
    return Question(
        person=person.id,
        act=act,
        capability=plan.capability,
        scope=plan.scope,
        risk=plan.risk,
        kind=plan.kind,
        network=plan.network,
        parameters=tuple(f"{name}={as_text(value)}" for name, value in sorted(plan.parameters.items())),
        requested_by=asker.person,
        by_agent=asker.by_agent,
        at=now,
    )


def ask(rules: Rules, asked: Question) -> Verdict:
    """What the policy says; without one nothing is allowed."""
    return rules.policy.judge(asked, rules.people) if rules.policy is not None else NO_POLICY


def denied(person: Person, act: Act, plan: Plan, verdict: Verdict) -> str:
    """The policy's refusal, for a person."""
    return f"{person.name} may not {act.value} {plan.capability} (scope {plan.scope}): {verdict.reason}"


def may(plan: Plan, act: Act, asker: Asker, rules: Rules, now: float) -> Verdict:
    """Let `asker` ask for a plan, or observe with it; what the policy said.

    Raises:
        Refused: the policy says no, and why.
    """
    name = next((member.person.name for member in rules.people if member.person.id == asker.person), asker.person)
    person = Person(id=asker.person, name=name)
    verdict = ask(rules, question(plan, act, person, asker, now))
    if not verdict.allowed:
        raise Refused(denied(person, act, plan, verdict))
    return verdict


def drift(approval: Approval, rules: Rules) -> str:
    """Why what would run is not what was shown; empty when it is."""
    if approval.plan.digest != approval.digest:
        return "the plan behind this card was changed after it was shown; ask again"
    if approval.plan.manifest_digest != rules.manifests.get(approval.plan.capability, ""):
        return f"the manifest of {approval.plan.capability} changed after this card was shown; ask again"
    return ""


def hopeless(plan: Plan, asker: Asker, rules: Rules, now: float) -> str:
    """Why nobody could ever approve `plan`; empty when somebody could. A dead card is never shown."""
    if not kernel.approvers(rules):
        return f"{plan.capability} needs an approver and none is set; name one under [people] in bulkhead.toml"
    if rules.is_frozen:
        return "everything is frozen; nothing can be asked for until an approver unfreezes it"
    draft = draft_of(plan, asker, now)
    reasons = [rule(draft, Event.APPROVE, person, rules, now).reason for person in kernel.approvers(rules)]
    if "" not in reasons:
        return f"nobody could approve {plan.capability}: {reasons[0]}"
    if (could := reasons.count("")) < plan.approvals:
        return f"{plan.capability} needs {plan.approvals} persons to approve it and only {could} could"
    return ""


def draft_of(plan: Plan, asker: Asker, now: float) -> Approval:
    """The request that `plan` would become."""
    return Approval(
        id="",
        conversation_id="",
        turn_id=0,
        plan=plan,
        digest=plan.digest,
        requested_by=asker.person,
        by_agent=asker.by_agent,
        reason="",
        state=State.PENDING,
        created_at=now,
        expires_at=now + 1,
    )


def explain(approval: Approval, rules: Rules, now: float) -> list[tuple[Person, Ruling]]:
    """For everybody who is known, what would be said to their Approve; approvers first."""
    deciders = kernel.approvers(rules)
    others = [member.person for member in rules.people if member.person.id not in {one.id for one in deciders}]
    return [(person, rule(approval, Event.APPROVE, person, rules, now)) for person in (*deciders, *others)]
