"""The mindmap: a tree of ideas, as a flat list that names each one's parent."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import DiagramSpec, Value


class MindShape(StrEnum):
    """The outline of an idea."""

    PLAIN = "plain"
    SQUARE = "square"
    ROUNDED = "rounded"
    CIRCLE = "circle"
    BANG = "bang"
    CLOUD = "cloud"
    HEXAGON = "hexagon"


class Idea(Value):
    """One node of a mindmap."""

    id: str
    label: str
    shape: MindShape = MindShape.PLAIN
    parent: str = ""
    """Empty for the root only."""
    accent: int = Field(default=0, ge=0, le=8)
    """Colour of the palette; 0 is that of its branch."""


class Mindmap(DiagramSpec):
    """Ideas around one idea. The root comes first, each parent before its children."""

    kind: Literal["mindmap"] = "mindmap"
    ideas: tuple[Idea, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Mindmap:
        seen: set[str] = set()
        for idea in self.ideas:
            if idea.id in seen:
                raise ValueError(f"the idea {idea.id!r} occurs twice")
            if seen and not idea.parent:
                raise ValueError(f"the idea {idea.id!r} is a second root; a mindmap has one")
            if idea.parent and idea.parent not in seen:
                raise ValueError(f"the idea {idea.id!r} hangs on {idea.parent!r}, which is no idea before it")
            seen.add(idea.id)
        return self
