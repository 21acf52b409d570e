"""The class diagram: boxes with compartments, relations, namespaces, notes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import (
    DiagramSpec,
    Direction,
    Line,
    Value,
    refuse_cycles,
    refuse_repeated,
    refuse_stranger,
)


class RelationEnd(StrEnum):
    """What sits at the end of a relation."""

    NONE = "none"
    EXTENSION = "extension"
    """A hollow triangle."""
    COMPOSITION = "composition"
    """A filled diamond."""
    AGGREGATION = "aggregation"
    """A hollow diamond."""
    DEPENDENCY = "dependency"
    """An open arrow."""
    LOLLIPOP = "lollipop"
    """A hollow circle: an interface that is offered."""


class Member(Value):
    """One line of a class."""

    text: str
    """With its visibility sign, e.g. `+start(speed: int) bool`; without `*` and `$`."""
    is_abstract: bool = False
    """Drawn in italics."""
    is_static: bool = False
    """Underlined."""


class ClassBox(Value):
    """One class: name, attributes, methods, one compartment each."""

    id: str
    label: str
    """With its type parameters, e.g. `List<int>`."""
    annotations: tuple[str, ...] = ()
    """Without the guillemets, e.g. `interface`; above the name."""
    attributes: tuple[Member, ...] = ()
    methods: tuple[Member, ...] = ()
    accent: int = Field(default=0, ge=0, le=8)
    """Colour of the palette; 0 is none."""


class Relation(Value):
    """A line between two classes."""

    source: str
    target: str
    label: str = ""
    line: Literal[Line.SOLID, Line.DOTTED] = Line.SOLID
    ends: tuple[RelationEnd, RelationEnd] = (RelationEnd.NONE, RelationEnd.NONE)
    """At the source, at the target."""
    cardinalities: tuple[str, str] = ("", "")
    """Small text at the source, at the target, e.g. `0..*`."""


class Namespace(Value):
    """A frame around classes and other namespaces."""

    id: str
    title: str = ""
    members: tuple[str, ...] = ()
    parent: str = ""


class ClassNote(Value):
    """A sheet; without `of` it belongs to the whole diagram."""

    text: str
    of: str = ""


class ClassDiagram(DiagramSpec):
    """What there is, and how it hangs together."""

    kind: Literal["class"] = "class"
    direction: Direction = Direction.DOWN
    classes: tuple[ClassBox, ...] = ()
    relations: tuple[Relation, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    notes: tuple[ClassNote, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> ClassDiagram:
        known = {one.id for one in self.classes}
        refuse_repeated("class", [one.id for one in self.classes])
        refuse_repeated("namespace", [space.id for space in self.namespaces])
        refuse_repeated("member of a namespace", [member for space in self.namespaces for member in space.members])
        refuse_cycles("namespace", {space.id: space.parent for space in self.namespaces})
        for space in self.namespaces:
            for member in space.members:
                refuse_stranger(f"the namespace {space.id!r}", member, known, "class")
        for relation in self.relations:
            for end in (relation.source, relation.target):
                refuse_stranger(f"the relation {relation.source!r} to {relation.target!r}", end, known, "class")
        for note in self.notes:
            if note.of:
                refuse_stranger("a note", note.of, known, "class")
        return self
