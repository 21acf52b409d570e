"""The nouns of layer 2: what is asked for (`Diagram`), drawn from (`DiagramSpec`) and given back (`Figure`).

`DiagramSpec` is pydantic because its bytes come from outside (a model's structured answer, the worker's pipe);
everything else is a frozen dataclass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """Something visual that was asked for."""

    source: str
    """Mermaid text, with or without a markdown fence."""
    title: str = ""
    """Used when the source carries none."""
    version: int = 1
    """1 takes the best layout; each redo the next best."""
    surface: str = "page"
    """Where it will be seen; every surface is held to a phone's width."""


class Shape(StrEnum):
    """The outlines the renderer can draw. Mermaid's other names are mapped to the nearest of these."""

    RECT = "rect"
    ROUNDED = "rounded"
    STADIUM = "stadium"
    SUBROUTINE = "subroutine"
    CYLINDER = "cylinder"
    CIRCLE = "circle"
    DOUBLE_CIRCLE = "double_circle"
    ELLIPSE = "ellipse"
    DIAMOND = "diamond"
    HEXAGON = "hexagon"
    LEAN_RIGHT = "lean_right"
    LEAN_LEFT = "lean_left"
    TRAPEZOID = "trapezoid"
    TRAPEZOID_TOP = "trapezoid_top"
    FLAG = "flag"
    DOCUMENT = "document"
    TRIANGLE = "triangle"
    TEXT = "text"


class Direction(StrEnum):
    """The way the arrows run. A hint: the layout may turn the drawing when that reads better."""

    DOWN = "TB"
    UP = "BT"
    RIGHT = "LR"
    LEFT = "RL"


class Line(StrEnum):
    """How an edge's line is drawn."""

    SOLID = "solid"
    DOTTED = "dotted"
    THICK = "thick"
    HIDDEN = "hidden"
    """Shapes the layout and is not drawn (`~~~`)."""


class Head(StrEnum):
    """What sits at an edge's end."""

    NONE = "none"
    ARROW = "arrow"
    CIRCLE = "circle"
    CROSS = "cross"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(_Value):
    """One box."""

    id: str
    label: str
    """Plain text; line breaks are the author's own."""
    shape: Shape = Shape.RECT


class Edge(_Value):
    """One line. Its ends are ids of nodes or of groups."""

    source: str
    target: str
    label: str = ""
    style: Line = Line.SOLID
    arrows: tuple[Head, Head] = (Head.NONE, Head.ARROW)
    """At the source, at the target."""


class Group(_Value):
    """A frame around nodes and other groups."""

    id: str
    title: str = ""
    members: tuple[str, ...] = ()
    """Ids of the nodes directly inside; a node has at most one group."""
    parent: str = ""
    """Id of the group around this one; empty at the top."""
    direction: Direction | None = None
    """What the author asked for inside this group; kept, not yet obeyed."""


class DiagramSpec(_Value):
    """What the renderer accepts, and nothing else."""

    kind: Literal["flowchart"] = "flowchart"
    title: str = ""
    direction: Direction = Direction.DOWN
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> DiagramSpec:
        nodes = {node.id for node in self.nodes}
        groups = {group.id: group for group in self.groups}
        _refuse_repeated("id", [*(node.id for node in self.nodes), *(group.id for group in self.groups)])
        _refuse_repeated("group member", [member for group in self.groups for member in group.members])
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in nodes and end not in groups:
                    raise ValueError(
                        f"edge {edge.source!r} to {edge.target!r} names {end!r}, which is no node and no group"
                    )
        for group in self.groups:
            strangers = [member for member in group.members if member not in nodes]
            if strangers:
                raise ValueError(f"group {group.id!r} has the member {strangers[0]!r}, which is no node")
            _refuse_cycle(group, groups)
        return self


def _refuse_repeated(noun: str, values: Iterable[str]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise ValueError(f"the {noun} {repeated[0]!r} occurs twice")


def _refuse_cycle(group: Group, groups: dict[str, Group]) -> None:
    seen = {group.id}
    while group.parent:
        if group.parent not in groups:
            raise ValueError(f"group {group.id!r} lies in {group.parent!r}, which is no group")
        group = groups[group.parent]
        if group.id in seen:
            raise ValueError(f"group {group.id!r} lies in itself")
        seen.add(group.id)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a drawing."""

    rule: str
    """Stable name, e.g. `text_overflow`."""
    severity: Literal["error", "warning"]
    elements: tuple[str, ...]
    """Ids of the nodes and groups; edges as `a->b`."""
    text: str
    """What is wrong, in words a person can act on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and who looked."""

    findings: tuple[Finding, ...] = ()
    looked_by: str = ""
    """The model that saw the pixels; empty when none did."""
    opinion: str = ""
    """The model's sentence; when none looked, why."""

    @property
    def ok(self) -> bool:
        """True unless something is an error."""
        return all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its verdict. `verdict.ok` is False: show outline, source and reasons instead."""

    png: bytes
    width: int
    """Pixels; the drawing is made at two pixels per point."""
    height: int
    """Pixels."""
    alt: str
    """The outline of nodes and edges, for those who cannot see the picture."""
    verdict: Verdict
    spec: DiagramSpec
