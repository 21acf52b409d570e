"""Layer 5: routing. Takes a `Task`, gives a `Reply`.

What broke: one cheap default model drifted from what it was told. The rule: the task's shape picks the model, an answer
that cannot be used goes to the next one, and who answered for which reason can be asked.
"""

from layers.routing.discover import Found
from layers.routing.routes import Routes, default_routes_text, load_routes, parse_routes
from layers.routing.rules import shape_of
from layers.routing.service import Router
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
    "Explanation",
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
    "Task",
    "Tier",
    "Tokens",
    "ToolCall",
    "ToolSpec",
    "default_routes_text",
    "load_routes",
    "parse_routes",
    "shape_of",
]
