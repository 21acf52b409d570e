"""The entity relationship diagram: tables and crow's feet."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import DiagramSpec, Direction, Value, refuse_repeated, refuse_stranger


class Cardinality(StrEnum):
    """How many of the entity at this end belong to one at the other."""

    ONE = "one"
    """Two bars."""
    ZERO_OR_ONE = "zero_or_one"
    """A circle and a bar."""
    ZERO_OR_MORE = "zero_or_more"
    """A circle and a crow's foot."""
    ONE_OR_MORE = "one_or_more"
    """A bar and a crow's foot."""


class Attribute(Value):
    """One row of an entity."""

    type: str
    name: str
    keys: tuple[Literal["PK", "FK", "UK"], ...] = ()
    comment: str = ""


class Entity(Value):
    """One table."""

    id: str
    label: str
    attributes: tuple[Attribute, ...] = ()
    accent: int = Field(default=0, ge=0, le=8)
    """Colour of the palette; 0 is none."""


class Relationship(Value):
    """A line between two entities with a foot at each end."""

    source: str
    target: str
    label: str = ""
    cardinalities: tuple[Cardinality, Cardinality] = (Cardinality.ONE, Cardinality.ZERO_OR_MORE)
    """At the source, at the target."""
    is_identifying: bool = True
    """Solid; a relationship that does not identify is dashed."""


class ErDiagram(DiagramSpec):
    """What is stored, and how many of it."""

    kind: Literal["er"] = "er"
    direction: Direction = Direction.DOWN
    entities: tuple[Entity, ...] = ()
    relationships: tuple[Relationship, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> ErDiagram:
        known = {entity.id for entity in self.entities}
        refuse_repeated("entity", [entity.id for entity in self.entities])
        for one in self.relationships:
            for end in (one.source, one.target):
                refuse_stranger(f"the relationship {one.source!r} to {one.target!r}", end, known, "entity")
        return self
