"""What every layout engine takes and gives: a `Question` of box sizes, a `Placement` of positions. Pure values.

An engine sees numbers only: no label, no id, no font. Lengths are points, an answer's origin is at the bottom left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from layers.presentation.scene import Outline, Point, Rect
from layers.presentation.spec import Direction, Shape

Size = tuple[float, float]
ROOT = -1
"""The parent of what is in no group."""


class Routing(StrEnum):
    """How edges run. An engine that cannot do one does its nearest."""

    CURVED = "curved"
    STRAIGHT = "straight"
    """Straight pieces at any angle."""
    RIGHT_ANGLED = "right-angled"


class EngineFailed(Exception):
    """The engine gave no answer for this question; another one may."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node to place."""

    size: Size
    shape: Outline = Shape.RECT
    group: int = ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge to route. `tail` and `head` are boxes; a group end is clipped at that group's frame."""

    tail: int
    head: int
    head_lengths: tuple[float, float] = (0.0, 0.0)
    """Room for what sits at tail and head: the curve ends so far before the tip. 0 means no tip."""
    label: Size | None = None
    tail_group: int = ROOT
    head_group: int = ROOT
    is_hidden: bool = False
    """Shapes the layout and has no route."""
    is_level: bool = False
    """Its ends should stand side by side."""
    ranks: int = 1
    """How many ranks it spans at least."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A group to place around its boxes."""

    title: Size | None
    parent: int = ROOT
    is_low: bool = False
    """The space for the title is at the bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A graph without words."""

    boxes: tuple[Box, ...]
    links: tuple[Link, ...] = ()
    frames: tuple[Frame, ...] = ()
    direction: Direction = Direction.DOWN
    routing: Routing = Routing.CURVED
    node_gap: float = 30.0
    """Between boxes of one rank."""
    rank_gap: float = 44.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where an edge runs."""

    curve: tuple[Point, ...]
    """Control points of a cubic Bezier: 3n + 1 of them."""
    tips: tuple[Point | None, Point | None]
    label: Point | None = None
    """The middle of its label."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The answer, in the order of the question."""

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: tuple[Route | None, ...]
    """None for a hidden link."""
    frames: tuple[Rect | None, ...]
    """None for a frame around nothing."""


class LayoutEngine(Protocol):
    """Places boxes and routes links; the same answer for the same question."""

    def place(self, question: Question) -> Placement:
        """Answer.

        Raises:
            EngineFailed: it cannot.
        """
        ...
