"""Layer 5: routing. Takes a `Task`, gives a `Reply`.

What broke: one cheap default model drifted from what it was told. The rule: the task's shape picks the model, an answer
that cannot be used goes to the next one, and who answered for which reason can be asked.
"""

from layers.routing.difficulty import Difficulty, difficulty_of
from layers.routing.discover import Found
from layers.routing.flaws import Flaw
from layers.routing.routes import Routes, default_routes_text, load_routes, parse_routes
from layers.routing.rules import shape_of
from layers.routing.service import Router
from layers.routing.signals import Doubt, Signal, affordable, doubt, threshold
from layers.routing.types import (
    Attempt,
    BadAnswer,
    Cue,
    Explanation,
    Judged,
    Message,
    Model,
    NoAnswer,
    NoModel,
    Reply,
    Role,
    Shape,
    Task,
    Tier,
    Tokens,
    ToolCall,
    ToolSpec,
)

__all__ = [
    "Attempt",
    "BadAnswer",
    "Cue",
    "Difficulty",
    "Doubt",
    "Explanation",
    "Flaw",
    "Found",
    "Judged",
    "Message",
    "Model",
    "NoAnswer",
    "NoModel",
    "Reply",
    "Role",
    "Router",
    "Routes",
    "Shape",
    "Signal",
    "Task",
    "Tier",
    "Tokens",
    "ToolCall",
    "ToolSpec",
    "affordable",
    "default_routes_text",
    "difficulty_of",
    "doubt",
    "load_routes",
    "parse_routes",
    "shape_of",
    "threshold",
]
