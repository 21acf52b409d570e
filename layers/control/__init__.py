"""Layer 3: control. Takes an `Action`, gives an `Approval`.

What broke: the agent provisioned and deployed itself. The rule: the agent may observe, report, request and react; only
a person's decision makes a grant, a grant is used once, and what was shown is what runs, in a process of its own.
"""

from layers.control import audit
from layers.control.audit import Report, verify_export, verify_store
from layers.control.card import buttons, card, outcome_line, tail
from layers.control.catalog import Capability, Catalog, install_capabilities, load_capability
from layers.control.cedar import Known, load_policies
from layers.control.checkpoint import Checkpoint, Notebook, is_due, note, read_fingerprint, read_notes
from layers.control.executor import Executor, Place, service_command
from layers.control.fleet import adopt_key, replace_key
from layers.control.golden import check_golden, parse_golden
from layers.control.history import Replay, replay
from layers.control.kernel import Proof, Ruling
from layers.control.keys import PUBLIC, SigningKey, VerifyingKey
from layers.control.manifest import Manifest, parse_manifest, template
from layers.control.masking import refuse_credentials, scrub
from layers.control.planning import Planner
from layers.control.policy import APPROVER, EVERYWHERE, Act, Member, PolicyEngine, Question, Verdict
from layers.control.policyfile import GOLDEN, POLICY, PolicyFile, install_policy, read_policy, shipped_policy
from layers.control.rules import Asker, contact_plan, explain, may, move, patch_plan, plan
from layers.control.service import (
    approval_of,
    asked_since,
    by_id,
    claim,
    conclude,
    decide,
    demand_warrant,
    expire,
    pending,
    request,
    started,
)
from layers.control.types import (
    CONTACT,
    PATCH,
    Action,
    Approval,
    Card,
    Context,
    Decision,
    Event,
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
    "Context",
    "Decision",
    "Event",
    "Executor",
    "Known",
    "Manifest",
    "Member",
    "Notebook",
    "Outcome",
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
    "Warrant",
    "adopt_key",
    "approval_of",
    "asked_since",
    "audit",
    "buttons",
    "by_id",
    "card",
    "check_golden",
    "claim",
    "conclude",
    "contact_plan",
    "decide",
    "demand_warrant",
    "expire",
    "explain",
    "install_capabilities",
    "install_policy",
    "is_due",
    "load_capability",
    "load_policies",
    "may",
    "move",
    "note",
    "outcome_line",
    "parse_golden",
    "parse_manifest",
    "patch_plan",
    "pending",
    "plan",
    "read_fingerprint",
    "read_notes",
    "read_policy",
    "refuse_credentials",
    "replace_key",
    "replay",
    "request",
    "scrub",
    "service_command",
    "shipped_policy",
    "sign_warrant",
    "started",
    "tail",
    "template",
    "verify_export",
    "verify_store",
    "warrant_for",
]
