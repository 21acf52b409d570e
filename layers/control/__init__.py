"""Layer 3: control. Takes an `Action`, gives an `Approval`.

What broke: the agent provisioned and deployed itself. The rule: the agent may observe, report, request and react; only
a person's decision makes a grant, a grant is used once, and what was shown is what runs, in a process of its own.
"""

from layers.control import audit
from layers.control.audit import Report, verify_store
from layers.control.card import buttons, card, outcome_line, tail
from layers.control.catalog import Capability, Catalog, install_capabilities
from layers.control.executor import Executor
from layers.control.manifest import Manifest
from layers.control.rules import contact_plan, move, patch_plan, plan
from layers.control.service import (
    approval_of,
    by_id,
    claim,
    conclude,
    decide,
    expire,
    pending,
    request,
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
    State,
)

__all__ = [
    "CONTACT",
    "PATCH",
    "Action",
    "Approval",
    "Capability",
    "Card",
    "Catalog",
    "Context",
    "Decision",
    "Event",
    "Executor",
    "Manifest",
    "Outcome",
    "Pending",
    "Plan",
    "Report",
    "Rules",
    "State",
    "approval_of",
    "audit",
    "buttons",
    "by_id",
    "card",
    "claim",
    "conclude",
    "contact_plan",
    "decide",
    "expire",
    "install_capabilities",
    "move",
    "outcome_line",
    "patch_plan",
    "pending",
    "plan",
    "request",
    "tail",
    "verify_store",
]
