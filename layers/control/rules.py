"""The rules of control, pure: from an action to a plan, from a state to the next, and who may say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from layers.control.catalog import Capability, Catalog, nearest
from layers.control.manifest import SLOT, Manifest, PathParameter, SecretParameter, as_text, read_parameter
from layers.control.types import CONTACT, PATCH, Action, Approval, Event, Plan, Rules, State, Value
from layers.errors import Refused
from layers.types import AGENT, CLOCK, Person

ENVIRONMENT = ("HOME", "LANG", "PATH", "TMPDIR")
"""What a program sees: built by the executor, nothing inherited."""

SECRETS = "/run/secrets"
"""Where a program finds the secrets of its plan, one file each."""

FOUR_EYES_RISK = 2
"""From this risk on, who asks and who approves must be two persons."""

MOVES: Mapping[State, Mapping[Event, State]] = {
    State.PENDING: {Event.APPROVE: State.APPROVED, Event.DENY: State.DENIED, Event.EXPIRE: State.EXPIRED},
    State.APPROVED: {Event.CLAIM: State.CLAIMED, Event.WITHDRAW: State.INVALIDATED},
    State.CLAIMED: {
        Event.START: State.RUNNING,
        Event.SUCCEED: State.SUCCEEDED,
        Event.FAIL: State.FAILED,
        Event.LOSE: State.UNKNOWN,
    },
    State.RUNNING: {Event.SUCCEED: State.SUCCEEDED, Event.FAIL: State.FAILED, Event.LOSE: State.UNKNOWN},
    State.UNKNOWN: {Event.HAPPENED: State.SUCCEEDED, Event.RERUN: State.APPROVED, Event.CANCEL: State.CANCELLED},
    State.SUCCEEDED: {},
    State.FAILED: {},
    State.DENIED: {},
    State.EXPIRED: {},
    State.CANCELLED: {},
    State.INVALIDATED: {},
}
"""Every move there is. No other order of things exists."""

RUNS = (Event.APPROVE, Event.RERUN)
"""Presses after which something runs: only for these must the manifest still be the one that was shown."""


def move(state: State, event: Event) -> State:
    """The state after `event`.

    Raises:
        Refused: the table has no such move.
    """
    try:
        return MOVES[state][event]
    except KeyError:
        raise Refused(f"cannot {event.value} an approval that is {state.value}") from None


def before(event: Event) -> State:
    """The only state in which `event` can happen."""
    return next(state for state, moves in MOVES.items() if event in moves)


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
        environment=ENVIRONMENT,
        probe=fill(capability, manifest.probe, values, catalog.workspace),
        is_idempotent=manifest.idempotent,
        secrets=secrets_of(manifest, values),
        manifest_digest=capability.digest,
    )


def secrets_of(manifest: Manifest, values: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of the secrets that the program is handed: those of the manifest and those that parameters name."""
    chosen = (str(values[name]) for name, spec in manifest.parameters.items() if isinstance(spec, SecretParameter))
    return tuple(sorted({*manifest.secrets, *chosen}))


def patch_plan(workspace: str, parameters: Mapping[str, str]) -> Plan:
    """The plan of a proposal that coordination made: its trees, and whatever of it shall be on the card."""
    return Plan(
        capability=PATCH,
        version=1,
        title="Commit a patch to the workspace",
        parameters=dict(parameters),
        argv=(),
        cwd=workspace,
        scope="workspace.files",
        risk=1,
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
        scope="transport.contact",
        risk=3,
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


def refusal(approval: Approval, event: Event, person: Person, rules: Rules, now: float) -> str:
    """Why `person` may not do `event` to `approval` at `now`; empty when they may. One rule for every surface."""
    if reason := stranger(person, rules):
        return reason
    if approval.state is not before(event):
        return decided(approval)
    if approval.state is State.PENDING and approval.expires_at <= now:
        return f"this request expired at {clock(approval.expires_at)}; ask again"
    if event not in RUNS:
        return ""
    if reason := drift(approval, rules):
        return reason
    if needs_another(approval.plan) and person.id == approval.requested_by:
        return f"{person.name} asked for this, and risk {approval.plan.risk} needs another person to approve it"
    return ""


def needs_another(plan: Plan) -> bool:
    """Whether who asks and who approves must be two. A first message cannot be taken back, but whoever has one written
    could as well write it themselves.
    """
    return plan.risk >= FOUR_EYES_RISK and plan.capability != CONTACT


def drift(approval: Approval, rules: Rules) -> str:
    """Why what would run is not what was shown; empty when it is."""
    if approval.plan.digest != approval.digest:
        return "the plan behind this card was changed after it was shown; ask again"
    if approval.plan.manifest_digest != rules.manifests.get(approval.plan.capability, ""):
        return f"the manifest of {approval.plan.capability} changed after this card was shown; ask again"
    return ""


def stranger(person: Person, rules: Rules) -> str:
    """Why `person` decides nothing here; empty for an approver. Fails closed, and no setting makes the agent one."""
    if person.id in (AGENT.id, CLOCK.id):
        return f"{person.name} may ask, but never decide"
    if not rules.approvers:
        return "nobody may decide: no approver is set; name one under [people] in bulkhead.toml"
    if person.id not in {approver.id for approver in rules.approvers}:
        return f"{person.name} may not decide this; {names(rules)} can"
    return ""


def hopeless(plan: Plan, requested_by: Person, rules: Rules) -> str:
    """Why nobody could ever approve `plan`; empty when somebody could. A dead card is never shown."""
    deciders = [person for person in rules.approvers if not stranger(person, rules)]
    if not deciders:
        return f"{plan.capability} needs an approver and none is set; name one under [people] in bulkhead.toml"
    if needs_another(plan) and all(person.id == requested_by.id for person in deciders):
        return f"{plan.capability} has risk {plan.risk} and needs an approver other than {requested_by.name}; add one"
    return ""


def decided(approval: Approval) -> str:
    """What an approval that can no longer be pressed has come to."""
    if approval.decided_at is not None:
        return f"already decided: {approval.decided_by} at {clock(approval.decided_at)}; it is {approval.state.value}"
    return f"this request is {approval.state.value}; ask again"


def names(rules: Rules) -> str:
    """Who can decide, for a sentence."""
    return " or ".join(person.name for person in rules.approvers if not stranger(person, rules)) or "nobody"


def clock(at: float) -> str:
    """`2026-03-01 09:00:00 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
