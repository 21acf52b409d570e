"""A drawing as geometry: what `layout` and `drawing` plan, what is reported back as drawn, what `lint` judges.

Pure values. Lengths are points (1/72 inch), the origin is at the bottom left. The kinds that are graphs (flowchart,
state, class, ER, mindmap) are nodes, edges and groups; everything else is parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from layers.presentation.spec import Cardinality, Head, Line, RelationEnd, Shape

Point = tuple[float, float]
Stroke = tuple[Point, Point]
STEPS = 10
"""Straight pieces that stand for one Bezier segment."""
STRAIGHT = 0.01
"""Points that the control points of a straight segment are off at most."""


class Special(StrEnum):
    """Outlines that no flowchart's author can ask for."""

    START = "start"
    """A filled dot; no text."""
    END = "end"
    """A dot in a ring; no text."""
    BAR = "bar"
    """A fork or join: a filled bar; no text."""
    CHOICE = "choice"
    """A small diamond; no text."""
    NOTE = "note"
    """A sheet with a folded corner."""
    CARD = "card"
    """A box with a heading and compartments: a class or an entity. Its rows are `NodeMark.cells`."""
    CLOUD = "cloud"
    BANG = "bang"
    """A star with many points around the text."""
    IDEA = "idea"
    """A mindmap's plain node: a soft box without a line."""
    STUB = "stub"
    """A dashed, muted box at a page's boundary: it goes on there on the page that the text names."""


Outline = Shape | Special
End = Head | RelationEnd | Cardinality


class Rect(NamedTuple):
    """An upright rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, centre: Point, width: float, height: float) -> Rect:
        """The rectangle of this size with this centre."""
        x, y = centre
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def width(self) -> float:
        """Left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Bottom to top."""
        return self.top - self.bottom

    @property
    def centre(self) -> Point:
        """The middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def inset(self, by: float) -> Rect:
        """Smaller by `by` on each side; larger when negative."""
        return Rect(self.left + by, self.bottom + by, self.right - by, self.top - by)

    def moved(self, dx: float, dy: float) -> Rect:
        """The same size elsewhere."""
        return Rect(self.left + dx, self.bottom + dy, self.right + dx, self.top + dy)

    def shared_area(self, other: Rect) -> float:
        """Square points that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return width * height if width > 0 and height > 0 else 0.0

    def holds(self, other: Rect, slack: float = 0.0) -> bool:
        """True when `other` sticks out by `slack` at most."""
        return (
            other.left >= self.left - slack
            and other.right <= self.right + slack
            and other.bottom >= self.bottom - slack
            and other.top <= self.top + slack
        )


@dataclass(frozen=True, slots=True)
class TextMark:
    """Some lines of text."""

    lines: tuple[str, ...]
    box: Rect
    """Planned: the space kept for it. After drawing: the extent of its ink."""
    size: float
    bold: bool = False
    italic: bool = False
    underlined: bool = False
    is_left: bool = False
    """Lines begin at the left of the box; otherwise they are centred in it."""
    is_right: bool = False
    """Lines end at the right of the box."""
    is_muted: bool = False
    """Second in rank, e.g. a type beside its name."""


@dataclass(frozen=True, slots=True)
class NodeMark:
    """A node's outline and label."""

    id: str
    shape: Outline
    box: Rect
    text: TextMark
    """The label; of a card its heading."""
    cells: tuple[TextMark, ...] = ()
    """Further texts inside, each on a place of its own."""
    rules: tuple[Stroke, ...] = ()
    """Thin lines inside, between compartments."""
    accent: int = 0
    """Colour of the palette; 0 is that of the shape."""


@dataclass(frozen=True)
class EdgeMark:
    """An edge's line and label."""

    source: str
    target: str
    curve: tuple[Point, ...]
    """Control points of a cubic Bezier: 3n + 1 of them."""
    tips: tuple[Point | None, Point | None]
    """Where the heads at source and target touch, when there are any."""
    style: Line
    arrows: tuple[End, End]
    text: TextMark | None = None
    end_texts: tuple[TextMark | None, TextMark | None] = (None, None)
    """Small texts at the source and at the target, e.g. `0..*`."""
    accent: int = 0
    """Colour of the palette (a mindmap's branch); 0 is that of all edges."""

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"{self.source}->{self.target}"

    @cached_property
    def path(self) -> tuple[Point, ...]:
        """The line as straight pieces, tips included."""
        points = [] if self.tips[0] is None else [self.tips[0]]
        points += flattened(self.curve)
        return (*points, *([] if self.tips[1] is None else [self.tips[1]]))

    @cached_property
    def reach(self) -> Rect:
        """The smallest rectangle around the line."""
        xs, ys = [x for x, _ in self.path], [y for _, y in self.path]
        return Rect(min(xs), min(ys), max(xs), max(ys))


@dataclass(frozen=True, slots=True)
class GroupMark:
    """A group's frame and title."""

    id: str
    box: Rect
    depth: int
    """0 at the top."""
    members: frozenset[str]
    """Ids of all nodes inside, at any depth."""
    text: TextMark | None = None
    is_state: bool = False
    """A composite state: a frame with round corners and a line under its title."""
    dividers: tuple[Stroke, ...] = ()
    """Dashed lines between concurrent regions."""


class Part(StrEnum):
    """What a part of a drawing that is no graph stands for."""

    HEAD = "head"
    """The box, or figure, that names a participant."""
    LIFELINE = "lifeline"
    ACTIVATION = "activation"
    MESSAGE = "message"
    """A line from left or right to its tip; the tips are part of it."""
    TIP = "tip"
    NOTE = "note"
    FRAME = "frame"
    """Around other parts: a block or a box of a sequence, a plot's border. Its text sits at its upper edge."""
    DIVIDER = "divider"
    BAND = "band"
    """A tint behind other parts."""
    NUMBER = "number"
    """A message's number, on a disc."""
    AXIS = "axis"
    GRID = "grid"
    TICK = "tick"
    """A label of an axis: text only."""
    CAPTION = "caption"
    """A heading inside the drawing, or an axis's title: text only."""
    BAR = "bar"
    """Of a chart, or a gantt's task."""
    SLICE = "slice"
    MILESTONE = "milestone"
    MARKER = "marker"
    """A line across all rows."""
    CURVE = "curve"
    POINT = "point"
    CELL = "cell"
    """Of a heat map."""
    CARD = "card"
    """A box of text: an event of a timeline."""
    LEGEND = "legend"
    """A sample of colour and the name of what has it."""
    LABEL = "label"
    """A text that belongs to another part (`of`)."""
    LEADER = "leader"
    """From a label to what it belongs to."""


class Tone(StrEnum):
    """A colour by its task; the theme knows the shade."""

    PAPER = "paper"
    INK = "ink"
    MUTED = "muted"
    LINE = "line"
    HAIR = "hair"
    """Grids: there, and not in the way."""
    THREAD = "thread"
    """Lifelines: pale, and can be followed."""
    BAND = "band"
    DEEP_BAND = "deep_band"
    CARD = "card"
    CARD_LINE = "card_line"
    NOTE = "note"
    NOTE_LINE = "note_line"
    ALERT = "alert"
    ALERT_SOFT = "alert_soft"
    SOFT = "soft"
    """The part's accent, pale enough for text on it."""
    RIM = "rim"
    """The part's accent, for a line around `SOFT`."""
    STRONG = "strong"
    """The part's accent at its full."""
    ON_STRONG = "on_strong"
    """Text on `STRONG`."""
    HEAT = "heat"
    """A step of the one-coloured scale; the accent is the step, 0 to 10."""
    ON_HEAT = "on_heat"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMark:
    """One thing drawn. Later parts lie over earlier ones."""

    id: str
    """Unique in the drawing, in words a finding can use: `message 3`, `bar Sales 2024`."""
    part: Part
    points: tuple[Point, ...] = ()
    """The outline, or the line; empty for a text alone."""
    is_closed: bool = True
    fill: Tone | None = None
    line: Tone | None = None
    width: float = 1.2
    """Of the line."""
    is_dashed: bool = False
    has_shadow: bool = False
    accent: int = 0
    text: TextMark | None = None
    ink: Tone = Tone.INK
    """Of the text."""
    holds_text: bool = False
    """The text must stay inside the outline."""
    backing: Tone | None = None
    """Lies behind the text where lines may pass; None is nothing."""
    of: str = ""
    """The id of the part, or of the spec's element, that this one belongs to."""
    value: float | None = None
    """The number that the part's size or place stands for."""

    @property
    def box(self) -> Rect:
        """The smallest rectangle around the outline; around the text where there is none."""
        if not self.points:
            return self.text.box if self.text else Rect(0, 0, 0, 0)
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return Rect(min(xs), min(ys), max(xs), max(ys))


@dataclass(frozen=True, slots=True)
class Pixels:
    """What only the finished image tells."""

    width: int
    height: int
    ink: float
    """Share of pixels that are not background, 0 to 1."""
    border_ink: int
    """Pixels of the outermost ring that are not background."""
    undrawable: dict[str, str] = field(default_factory=dict)
    """Element id to those of its characters that no font on this machine has."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole drawing."""

    width: float
    height: float
    nodes: tuple[NodeMark, ...] = ()
    edges: tuple[EdgeMark, ...] = ()
    groups: tuple[GroupMark, ...] = ()
    title: TextMark | None = None
    pixels: Pixels | None = None
    """None until it was drawn."""
    parts: tuple[PartMark, ...] = ()
    """Of the kinds that are no graph, in the order of painting."""
    engine: str = field(default="", compare=False)
    """Which layout engine placed it; empty where none was needed."""

    @property
    def canvas(self) -> Rect:
        """The paper."""
        return Rect(0, 0, self.width, self.height)

    def texts(self) -> list[tuple[str, TextMark]]:
        """Every text with the name of its owner."""
        found = [(node.id, node.text) for node in self.nodes if node.text.lines]
        found += [(node.id, cell) for node in self.nodes for cell in node.cells]
        found += [(edge.name, text) for edge in self.edges for text in (edge.text, *edge.end_texts) if text]
        found += [(group.id, group.text) for group in self.groups if group.text]
        found += [(part.id, part.text) for part in self.parts if part.text]
        return found + ([("title", self.title)] if self.title else [])


def flattened(curve: tuple[Point, ...]) -> list[Point]:
    """Points along a cubic Bezier."""
    points = list(curve[:1])
    for start in range(0, len(curve) - 3, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve[start : start + 4]
        off_x, off_y = abs(2 * ax + dx - 3 * bx) + abs(ax + 2 * dx - 3 * cx), abs(2 * ay + dy - 3 * by)
        if off_x + off_y + abs(ay + 2 * dy - 3 * cy) < STRAIGHT:
            points.append((dx, dy))
            continue
        for step in range(1, STEPS + 1):
            t = step / STEPS
            u = 1 - t
            a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
            points.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return points
