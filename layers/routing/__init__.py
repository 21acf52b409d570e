"""Layer 5: routing. Takes a `Task`, gives a `Reply`.

What broke: one cheap default model drifted from what it was told. The rule: the task's shape picks the model, an answer
that cannot be used goes to the next one, and who answered for which reason can be asked.
"""

from layers.routing.beliefs import Belief
from layers.routing.contract import (
    Clause,
    Contract,
    Kind,
    Violation,
    confession,
    contract_of,
    described,
    escalation,
    extract,
    refused,
    repair_prompt,
    risk,
    verify,
)
from layers.routing.difficulty import Difficulty, difficulty_of
from layers.routing.discover import Found
from layers.routing.flaws import Flaw
from layers.routing.ledger import Ledger, Spent, Verdict, set_pin
from layers.routing.routes import Routes, default_routes_text, load_routes, parse_routes
from layers.routing.rules import shape_of
from layers.routing.service import Router
from layers.routing.signals import Doubt, Signal, affordable, doubt, threshold
from layers.routing.standing import StandingRule, add_rule, remove_rule, rules_of
from layers.routing.staying import Staying
from layers.routing.stopping import Stop
from layers.routing.types import (
    Attempt,
    BadAnswer,
    Caller,
    Cue,
    Explanation,
    Judged,
    Message,
    Model,
    NoAnswer,
    NoModel,
    OverBudget,
    Reply,
    Role,
    Shape,
    Stopped,
    Task,
    Tier,
    Tokens,
    ToolCall,
    ToolSpec,
)

__all__ = [
    "Attempt",
    "BadAnswer",
    "Belief",
    "Caller",
    "Clause",
    "Contract",
    "Cue",
    "Difficulty",
    "Doubt",
    "Explanation",
    "Flaw",
    "Found",
    "Judged",
    "Kind",
    "Ledger",
    "Message",
    "Model",
    "NoAnswer",
    "NoModel",
    "OverBudget",
    "Reply",
    "Role",
    "Router",
    "Routes",
    "Shape",
    "Signal",
    "Spent",
    "StandingRule",
    "Staying",
    "Stop",
    "Stopped",
    "Task",
    "Tier",
    "Tokens",
    "ToolCall",
    "ToolSpec",
    "Verdict",
    "Violation",
    "add_rule",
    "affordable",
    "confession",
    "contract_of",
    "default_routes_text",
    "described",
    "difficulty_of",
    "doubt",
    "escalation",
    "extract",
    "load_routes",
    "parse_routes",
    "refused",
    "remove_rule",
    "repair_prompt",
    "risk",
    "rules_of",
    "set_pin",
    "shape_of",
    "threshold",
    "verify",
]
