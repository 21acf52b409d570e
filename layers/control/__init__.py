"""Layer 3: control. Takes an `Action`, gives an `Approval`.

What broke: the agent provisioned and deployed itself. The rule: the agent may observe, report, request and react; only
a person's decision makes a grant, a grant is used once, and what was shown is what runs, in a process of its own.
"""

from layers.control import audit
from layers.control.audit import Report, verify_export, verify_store
from layers.control.card import View, buttons, card, inline, outcome_line, tail
from layers.control.catalog import Capability, Catalog, install_capabilities, load_capability
from layers.control.cedar import Known, load_policies
from layers.control.checkpoint import Checkpoint, Notebook, is_due, note, read_fingerprint, read_notes
from layers.control.deciding import cancel, decide, demand_warrant, expire, say_why
from layers.control.drills import Drills, OneDrill, drill, list_drills, look_drills
from layers.control.executor import Executor, Place, service_command
from layers.control.fleet import adopt_key, replace_key
from layers.control.freezing import Freeze, is_frozen, look_freeze, look_frozen, set_freeze
from layers.control.golden import check_golden, parse_golden
from layers.control.grants import give, listing, revoke
from layers.control.handles import places
from layers.control.history import Replay, replay
from layers.control.kernel import Proof, Ruling, is_solo
from layers.control.keys import PUBLIC, SigningKey, VerifyingKey
from layers.control.manifest import Manifest, parse_manifest, template
from layers.control.masking import Masked, refuse_credentials, scrub, scrub_lines
from layers.control.passphrase import Passphrases
from layers.control.planning import Planner
from layers.control.policy import APPROVER, EVERYWHERE, Act, Member, PolicyEngine, Question, Verdict
from layers.control.policyfile import GOLDEN, POLICY, PolicyFile, install_policy, read_policy, shipped_policy
from layers.control.reading import approval_of, asked_since, by_id, pending, readable
from layers.control.replacing import Instead, may_replace, replace
from layers.control.resuming import resume
from layers.control.rules import Asker, contact_plan, explain, may, move, patch_plan, plan
from layers.control.service import (
    claim,
    conclude,
    needs_page,
    request,
    show_again,
    show_elsewhere,
    started,
    with_buttons,
)
from layers.control.stopping import halt, look_stopping
from layers.control.trust import trust
from layers.control.types import (
    CONTACT,
    PATCH,
    Action,
    Approval,
    Card,
    Click,
    Context,
    Decision,
    Event,
    Grant,
    Outcome,
    Pending,
    Plan,
    Rules,
    Signer,
    State,
    Warrant,
)
from layers.control.vault import Vault
from layers.control.warrant import sign_warrant, warrant_for

__all__ = [
    "APPROVER",
    "CONTACT",
    "EVERYWHERE",
    "GOLDEN",
    "PATCH",
    "POLICY",
    "PUBLIC",
    "Act",
    "Action",
    "Approval",
    "Asker",
    "Capability",
    "Card",
    "Catalog",
    "Checkpoint",
    "Click",
    "Context",
    "Decision",
    "Drills",
    "Event",
    "Executor",
    "Freeze",
    "Grant",
    "Instead",
    "Known",
    "Manifest",
    "Masked",
    "Member",
    "Notebook",
    "OneDrill",
    "Outcome",
    "Passphrases",
    "Pending",
    "Place",
    "Plan",
    "Planner",
    "PolicyEngine",
    "PolicyFile",
    "Proof",
    "Question",
    "Replay",
    "Report",
    "Rules",
    "Ruling",
    "Signer",
    "SigningKey",
    "State",
    "Vault",
    "Verdict",
    "VerifyingKey",
    "View",
    "Warrant",
    "adopt_key",
    "approval_of",
    "asked_since",
    "audit",
    "buttons",
    "by_id",
    "cancel",
    "card",
    "check_golden",
    "claim",
    "conclude",
    "contact_plan",
    "decide",
    "demand_warrant",
    "drill",
    "expire",
    "explain",
    "give",
    "halt",
    "inline",
    "install_capabilities",
    "install_policy",
    "is_due",
    "is_frozen",
    "is_solo",
    "list_drills",
    "listing",
    "load_capability",
    "load_policies",
    "look_drills",
    "look_freeze",
    "look_frozen",
    "look_stopping",
    "may",
    "may_replace",
    "move",
    "needs_page",
    "note",
    "outcome_line",
    "parse_golden",
    "parse_manifest",
    "patch_plan",
    "pending",
    "places",
    "plan",
    "read_fingerprint",
    "read_notes",
    "read_policy",
    "readable",
    "refuse_credentials",
    "replace",
    "replace_key",
    "replay",
    "request",
    "resume",
    "revoke",
    "say_why",
    "scrub",
    "scrub_lines",
    "service_command",
    "set_freeze",
    "shipped_policy",
    "show_again",
    "show_elsewhere",
    "sign_warrant",
    "started",
    "tail",
    "template",
    "trust",
    "verify_export",
    "verify_store",
    "warrant_for",
    "with_buttons",
]
