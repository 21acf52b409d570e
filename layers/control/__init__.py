"""Layer 3: control. Takes an `Action`, gives an `Approval`.

What broke: the agent provisioned and deployed itself. The rule: the agent may observe, report, request and react; only
a person's decision makes a grant, a grant is used once, and what was shown is what runs, in a process of its own.
"""

from layers.control import audit
from layers.control.audit import Report, verify_export, verify_store
from layers.control.card import buttons, card, outcome_line, tail
from layers.control.catalog import Capability, Catalog, install_capabilities
from layers.control.checkpoint import Checkpoint, Notebook, is_due, note, read_fingerprint, read_notes
from layers.control.executor import Executor, Place, service_command
from layers.control.keys import PUBLIC, SigningKey, VerifyingKey
from layers.control.manifest import Manifest
from layers.control.masking import refuse_credentials, scrub
from layers.control.rules import contact_plan, move, patch_plan, plan
from layers.control.service import (
    approval_of,
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
    "CONTACT",
    "PATCH",
    "PUBLIC",
    "Action",
    "Approval",
    "Capability",
    "Card",
    "Catalog",
    "Checkpoint",
    "Context",
    "Decision",
    "Event",
    "Executor",
    "Manifest",
    "Notebook",
    "Outcome",
    "Pending",
    "Place",
    "Plan",
    "Report",
    "Rules",
    "Signer",
    "SigningKey",
    "State",
    "Vault",
    "VerifyingKey",
    "Warrant",
    "approval_of",
    "audit",
    "buttons",
    "by_id",
    "card",
    "claim",
    "conclude",
    "contact_plan",
    "decide",
    "demand_warrant",
    "expire",
    "install_capabilities",
    "is_due",
    "move",
    "note",
    "outcome_line",
    "patch_plan",
    "pending",
    "plan",
    "read_fingerprint",
    "read_notes",
    "refuse_credentials",
    "request",
    "scrub",
    "service_command",
    "sign_warrant",
    "started",
    "tail",
    "verify_export",
    "verify_store",
    "warrant_for",
]
