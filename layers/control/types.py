"""Nouns of control: what is asked for, the plan it becomes, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Protocol

from layers.control.policy import Member, PolicyEngine
from layers.errors import Refused
from layers.types import Button, Person

Value = str | int | bool
"""A typed parameter."""

PATCH = "workspace.patch"
"""The capability whose plan is two trees; the wiring executes it, not the sandbox."""
CONTACT = "transport.contact"
"""The capability whose plan is a first message to somebody; the wiring executes it as well."""
KINDS = {PATCH: "patch", CONTACT: "contact"}
OWN_RISKS = {PATCH: 1, CONTACT: 3}
"""What the wiring carries out itself has no manifest; this is its risk. A first message cannot be taken back."""
OWN_SCOPES = {PATCH: "workspace.files", CONTACT: "transport.contact"}


def patch_scope(workspace: str) -> str:
    """Where patches of a workspace lie: of several each has a place of its own. Without a name there is but one."""
    return f"{OWN_SCOPES[PATCH]}.{workspace}" if workspace else OWN_SCOPES[PATCH]


class State(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    CLAIMED = "claimed"
    """Somebody went off to run it; nobody else may."""
    RUNNING = "running"
    """The executor said that the program has begun."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It was started and nobody saw the end."""
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INVALIDATED = "invalidated"
    """It was approved, but the world or the rules were no longer those that were shown."""
    SUPERSEDED = "superseded"
    """Another request, of some of its parts, took its place."""


class Event(StrEnum):
    """What can happen to an approval. The first two are buttons of a card, the last three of an unknown outcome."""

    APPROVE = "approve"
    DENY = "deny"
    EXPIRE = "expire"
    CLAIM = "claim"
    WITHDRAW = "withdraw"
    """It was approved, but what would run is no longer what was shown."""
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"
    HAPPENED = "happened"
    RERUN = "rerun"
    CANCEL = "cancel"
    """Taken back before it began, or given up when its outcome is unknown."""
    SUPERSEDE = "supersede"
    """Somebody who might have approved it asked for some of its parts instead."""
    RESUME = "resume"
    """What could not be done yet is done after all: a patch that an edit was in the way of."""
    DROP = "drop"
    """It could not be done, and is not to be done any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is asked for, as it was asked."""

    capability: str
    parameters: Mapping[str, str]
    """As typed: `{"target": "all"}`."""
    requested_by: Person
    """The human being on whose behalf, also when the agent asks."""
    by_agent: bool = False
    """Whether the agent made the request."""
    reason: str = ""
    """The asker's own words. Shown last, quoted, believed by nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Exactly what would run. Immutable; its digest is what a person approves."""

    capability: str
    version: int
    title: str
    parameters: Mapping[str, Value]
    argv: tuple[str, ...]
    """Absolute program first. Empty for a patch."""
    stdin: str = ""
    cwd: str
    scope: str
    """Dotted, widest first: `workspace.files`."""
    risk: int
    """0 observes, 1 can be undone, 2 is hard to undo, 3 cannot be undone."""
    timeout_s: int
    output_cap_bytes: int
    is_workspace_writable: bool = False
    network: str = "none"
    """`none`, or `host`: all that this machine reaches."""
    sockets: tuple[str, ...] = ()
    """Unix sockets of this machine that the program may talk to."""
    readable: tuple[str, ...] = ()
    """Files and folders of this machine that it may read besides the system's programs."""
    sees_processes: bool = False
    """Whether it sees the processes of this machine, not only its own."""
    environment: tuple[str, ...] = ()
    """Names of the variables the program sees; their values are the executor's own."""
    probe: tuple[str, ...] = ()
    """A command that tells whether it happened (0 yes, 1 no); empty where there is none."""
    is_idempotent: bool = False
    approvals: int = 1
    """How many different persons have to approve it."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Absolute path of each program named here -> sha256 of its file, hex."""
    dry_run: tuple[str, ...] = ()
    """The command that showed what would happen; empty where there is none."""
    evidence: str = ""
    """The beginning of what it printed."""
    evidence_digest: str = ""
    """sha256 of all that it printed and of its exit code, hex."""
    secrets: tuple[str, ...] = ()
    """Names in the executor's store; each is a file `/run/secrets/NAME` while the program runs."""
    manifest_digest: str
    """sha256 of the manifest's file, hex; empty for a patch."""

    @property
    def canonical(self) -> str:
        """The one JSON text of this plan: sorted keys, no spaces, ASCII."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def digest(self) -> str:
        """sha256 of `canonical`, hex."""
        return digest_of(self.canonical)

    @property
    def kind(self) -> str:
        """`patch`, `contact` or `capability`."""
        return KINDS.get(self.capability, "capability")

    @classmethod
    def parse(cls, text: str) -> Plan:
        """The plan whose `canonical` is `text`.

        Raises:
            Refused: it is not one.
        """
        try:
            raw = json.loads(text)
            if set(raw) != {item.name for item in fields(cls)}:
                raise ValueError("fields differ")
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            plan = cls(**values)
        except (ValueError, TypeError) as error:
            raise Refused(f"the stored plan cannot be read ({error}); ask for the action again") from None
        if plan.canonical != text:
            raise Refused("the stored plan is not in its canonical form; ask for the action again")
        return plan


def digest_of(text: str) -> str:
    """sha256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a run."""

    state: State
    """SUCCEEDED, FAILED or UNKNOWN; SUPERSEDED of what gave way to another request."""
    exit_code: int | None = None
    """None where the program did not end by itself."""
    duration_s: float = 0.0
    output: str = ""
    """stdout and stderr as they came, at most the plan's cap."""
    reason: str = ""
    """Why, where the exit code does not say: `stopped after 60 s`."""
    profile: str = ""
    """The sandbox it ran in: `bwrap`, `landlock`; empty for what the wiring executes."""

    @property
    def json(self) -> str:
        """For the store and the executor's ledger."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Outcome:
        """The outcome whose `json` is `text`."""
        raw = json.loads(text)
        return cls(**{**raw, "state": State(raw["state"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One row of the table `approval`."""

    id: str
    conversation_id: str
    turn_id: int
    plan: Plan
    digest: str
    requested_by: str
    """A `Person.id`: the human being, also when the agent asked."""
    by_agent: bool = False
    reason: str
    state: State
    attempt: int = 1
    """Grows when an approver says that an unknown outcome shall run again."""
    created_at: float
    expires_at: float
    decided_by: str = ""
    decided_at: float | None = None
    why: str = ""
    """What whoever denied it gave as their reason."""
    outcome: Outcome | None = None
    ended_at: float | None = None
    warrant: str = ""
    """Signed when it was approved; without it the executor runs nothing."""
    said_yes: tuple[str, ...] = ()
    """Ids of the persons who have approved it, first to last."""
    number: str = ""
    """Two digits that an approver has to find among `choices`; empty where none is asked for."""
    choices: tuple[str, ...] = ()
    grant_id: str = ""
    """The standing grant that approved it."""
    stopped_by: str = ""
    """Who had it stopped while it ran."""
    is_drill: bool = False
    """It asks for nothing and never runs; it only measures whether people look."""

    @property
    def run_id(self) -> str:
        """What the executor knows this attempt by; the same one never runs twice."""
        return f"{self.id}-{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """What control signs when a person decides: that one run of one plan may begin, once and soon."""

    run_id: str
    plan_digest: str
    capability: str
    version: int
    argv_digest: str
    """sha256 of the argv as canonical JSON."""
    scope: str
    decisions: tuple[str, ...] = ()
    """Ids of the persons who said yes; empty for what only observes."""
    policy_digest: str = ""
    not_after: float
    """Epoch seconds. A run that has begun by then goes on."""
    nonce: str
    """128 random bits, hex."""


class Signer(Protocol):
    """Control's key. Only the server's process has it: who can merely write to the database cannot sign."""

    def sign(self, kind: str, text: str) -> str:
        """The signature over `text`, hex; it is good for this `kind` only."""

    def is_signed(self, kind: str, text: str, signature: str) -> bool:
        """Whether this key made `signature`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who may decide, and what the manifests are now."""

    approvers: tuple[Person, ...]
    """Nobody else decides; empty means that nothing can be approved."""
    manifests: Mapping[str, str] = field(default_factory=dict)
    """Capability -> digest of its manifest: `Catalog.digests`. A plan made from another one is refused."""
    risks: Mapping[str, int] = field(default_factory=dict)
    """Capability -> the risk that its manifest says: `Catalog.risks`. Nothing else is believed."""
    people: tuple[Member, ...] = ()
    """Everybody whom this install knows, as policies see them."""
    policy: PolicyEngine | None = None
    """What the operator allows of what the kernel lets through; None allows nothing."""
    is_frozen: bool = False
    """Nothing is approved, nothing is claimed."""
    signer: Signer | None = None
    """None: no warrant is made, so nothing that was approved can run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a request comes from."""

    conversation_id: str
    turn_id: int
    requested_by: Person
    by_agent: bool = False
    rules: Rules
    reason: str = ""
    expires_after_s: float = 3600.0
    """Seconds a person has to decide."""
    pressed_at: str = ""
    """Where the buttons of its card can be pressed; empty where that is the conversation itself. A mail has none."""
    page: str = ""
    """The conversation of the page where what a chat may not decide is shown as well."""
    besides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Approver -> where they are asked as well; only those who may approve it are."""
    replaces: str = ""
    """The id of the request whose place it takes; empty for most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An approval and what its buttons must carry."""

    approval: Approval
    handle: str
    """128 random bits. Only its sha256 is stored; show it to nobody but the channel."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Conversation -> the handle of the card that is shown there as well."""
    is_new: bool = True
    """False when the very same request of the same person waits already; then no handle is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A press of one of control's buttons, and where it came from."""

    handle: str
    verb: str
    number: str = ""
    """The two digits on the button that was pressed."""
    conversation_id: str
    """Where it was pressed. A handle counts only where its card was delivered."""
    key: str = ""
    """Of the message that carried the button, where the channel tells it."""
    shown_at: float | None = None
    """When that message was placed, epoch seconds, where the channel tells it; None: when its card was made."""
    proofs: frozenset[str] = frozenset()
    """Values of `Proof` that came along and that the server's edge has checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave given beforehand: exactly this, so often, until then."""

    id: str
    capability: str
    parameters: str
    """Every one of them, as canonical JSON."""
    granted_by: str
    uses_left: int
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of a press. A refusal is a value, so that its audit row commits."""

    approval: Approval | None
    """None for a handle that nobody knows."""
    refused: str = ""
    """One sentence for the person; empty when the press decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a person is shown."""

    text: str
    """Markdown."""
    is_approvable: bool
    """False when not every leaf of the plan is on it."""
    full: str = ""
    """All of it, to go along as a file, where `text` is only its beginning."""
    buttons: tuple[Button, ...] = ()
