"""One candidate: `Graph` and `Candidate` in, `Scene` out. Measured, placed by an engine, then titles and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot

from layers.presentation.geometry import is_inside
from layers.presentation.graph import Graph, GraphEdge, GraphGroup
from layers.presentation.layout.candidates import Candidate, Engine
from layers.presentation.layout.engine import ROOT, Box, Frame, LayoutEngine, Link, Placement, Question, Route, Size
from layers.presentation.layout.labels import placed_texts
from layers.presentation.layout.lines import loop
from layers.presentation.layout.measure import EDGE_SIZE, GROUP_SIZE, block, measured
from layers.presentation.layout.paper import moved_node, on_paper
from layers.presentation.layout.ranks import Item, spread
from layers.presentation.scene import (
    EdgeMark,
    End,
    GroupMark,
    NodeMark,
    Outline,
    Point,
    Rect,
    Scene,
    Special,
    Stroke,
    TextMark,
)
from layers.presentation.shapes import outline
from layers.presentation.spec import Cardinality, Head, Line, RelationEnd, Shape

LABEL_PAD_X, LABEL_PAD_Y = 5.0, 3.0
LABEL_WRAP, TITLE_WRAP = 130.0, 260.0
SHORT_TITLE = 0.6
"""Of its usual length, for a title that shares its line with an edge."""
GAPS, TIGHT_GAPS = (30.0, 44.0), (20.0, 34.0)
"""Between boxes of a rank, between ranks."""
LOOP = 16.0
"""How far the edge from a frame to itself goes out."""
NARROW = 430.0
"""Points of boxes in one rank that a phone shows legibly."""
INSET_SHAPES: frozenset[Outline] = frozenset(
    {
        *(Shape.HEXAGON, Shape.LEAN_LEFT, Shape.LEAN_RIGHT, Shape.TRAPEZOID, Shape.TRAPEZOID_TOP, Shape.FLAG),
        *(Shape.DOCUMENT, Shape.TRIANGLE, Shape.CYLINDER, Shape.STADIUM, Shape.ROUNDED, Special.CLOUD, Special.BANG),
    }
)
"""Shapes that dot takes for rectangles: edges may have to be drawn on to them."""
ROUND_SHAPES: frozenset[Outline] = frozenset(
    {Shape.DIAMOND, Shape.CIRCLE, Shape.DOUBLE_CIRCLE, Shape.ELLIPSE, Special.START, Special.END, Special.CHOICE}
)
"""Those that dot knows and the other engines take for rectangles as well."""
HEAD_LENGTHS: dict[End, float] = {
    Head.NONE: 0.0,
    RelationEnd.EXTENSION: 13.0,
    RelationEnd.COMPOSITION: 16.0,
    RelationEnd.AGGREGATION: 16.0,
    RelationEnd.LOLLIPOP: 12.0,
    **dict.fromkeys(Cardinality, 26.0),
}
HEAD_LENGTH = 9.0
"""Of all other heads. Points between the end of the curve and the tip."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A graph's texts and boxes, measured."""

    graph: Graph
    nodes: Mapping[str, NodeMark]
    labels: tuple[TextMark | None, ...]
    titles: tuple[TextMark | None, ...]
    places: Mapping[str, int]
    """Node id, or id of a group that has none, to the number of its box."""


def compose(graph: Graph, candidate: Candidate, engines: Mapping[Engine, LayoutEngine]) -> Scene:
    """The drawing.

    Raises:
        EngineFailed: the candidate's engine cannot place it.
    """
    parts = _measure(graph, candidate)
    placement = engines[candidate.engine].place(_question(parts, candidate))
    nodes = {
        id: moved_node(node, *placement.centres[parts.places[id]]) for id, node in parts.nodes.items()
    }
    routes = _with_frame_loops(graph, placement)
    edges = tuple(
        _edge_mark(edge, _snapped(route, nodes.get(edge.source), nodes.get(edge.target), candidate), label)
        for edge, route, label in zip(graph.edges, routes, parts.labels, strict=True)
        if route is not None and edge.style is not Line.HIDDEN
    )
    scene = Scene(placement.width, placement.height, tuple(nodes.values()), edges, _group_marks(graph, placement))
    scene = placed_texts(scene, graph, dict(zip((group.id for group in graph.groups), parts.titles, strict=True)))
    return replace(on_paper(scene, graph.title), engine=candidate.engine.value)


def _with_frame_loops(graph: Graph, placement: Placement) -> list[Route | None]:
    """The routes; an edge from a group to itself, which no engine knows, leaves its frame at the right."""
    routes = list(placement.routes)
    numbers = {group.id: number for number, group in enumerate(graph.groups)}
    for number, edge in enumerate(graph.edges):
        frame = placement.frames[numbers[edge.source]] if edge.source in numbers else None
        if frame and edge.source == edge.target and edge.style is not Line.HIDDEN:
            routes[number] = loop(frame, LOOP, (_head_length(edge.arrows[0]), _head_length(edge.arrows[1])))
    return routes


def _measure(graph: Graph, candidate: Candidate) -> _Parts:
    wrap = min(candidate.wrap, LABEL_WRAP)
    places = {node.id: number for number, node in enumerate(graph.nodes)}
    for group in graph.groups:
        if not graph.inside[group.id]:
            places[group.id] = len(places)
    return _Parts(
        graph,
        {node.id: measured(node, candidate.wrap, candidate.direction) for node in graph.nodes},
        tuple(block(edge.label, wrap, EDGE_SIZE) for edge in graph.edges),
        tuple(_title(group, is_short=group.id in candidate.roomy) for group in graph.groups),
        places,
    )


def _title(group: GraphGroup, *, is_short: bool) -> TextMark | None:
    text = block(group.title, TITLE_WRAP, GROUP_SIZE, bold=True)
    if text is None or not is_short:
        return text
    return block(group.title, text.box.width * SHORT_TITLE, GROUP_SIZE, bold=True)


def _question(parts: _Parts, candidate: Candidate) -> Question:
    graph = parts.graph
    numbers = {group.id: number for number, group in enumerate(graph.groups)}
    homes = {member: numbers[group] for member, group in graph.home.items()}
    boxes = [
        Box((mark.box.width, mark.box.height), mark.shape, homes.get(id, ROOT)) for id, mark in parts.nodes.items()
    ]
    # an engine drops a frame around nothing
    boxes += [Box((8, 8), Shape.RECT, numbers[id]) for id in parts.places if id not in parts.nodes]
    links = tuple(
        _link(edge, label, parts, numbers) for edge, label in zip(graph.edges, parts.labels, strict=True)
    )
    node_gap, rank_gap = TIGHT_GAPS if candidate.is_tight else GAPS
    if candidate.is_narrow:
        links = _narrowed(links, boxes, node_gap)
    rank_gap += max((sum(link.head_lengths) - HEAD_LENGTH for link in links), default=0.0)
    return Question(
        boxes=tuple(boxes),
        links=links,
        frames=tuple(
            Frame(
                _roomy(_padded(title)) if group.id in candidate.roomy else _padded(title),
                numbers.get(group.parent, ROOT),
                is_low=group.id in candidate.low,
            )
            for group, title in zip(graph.groups, parts.titles, strict=True)
        ),
        direction=candidate.direction,
        routing=candidate.routing,
        node_gap=node_gap,
        rank_gap=rank_gap,
    )


def _link(
    edge: GraphEdge, label: TextMark | None, parts: _Parts, numbers: Mapping[str, int]
) -> Link:
    return Link(
        tail=_anchor(edge.source, parts, last=True),
        head=_anchor(edge.target, parts, last=False),
        head_lengths=(_head_length(edge.arrows[0]), _head_length(edge.arrows[1])),
        label=_padded(label),
        tail_group=ROOT if _is_around(edge.source, edge.target, parts.graph) else numbers.get(edge.source, ROOT),
        head_group=ROOT if _is_around(edge.target, edge.source, parts.graph) else numbers.get(edge.target, ROOT),
        is_hidden=edge.style is Line.HIDDEN,
        is_level=edge.is_level,
    )


def _is_around(group: str, end: str, graph: Graph) -> bool:
    """True when `end`, the other end of an edge, lies in `group`: nothing can be clipped at that frame."""
    inside = set(graph.inside.get(group, ()))
    return end in inside or (bool(inside) and inside.issuperset(graph.inside.get(end, ("",))))


def _head_length(head: End) -> float:
    return HEAD_LENGTHS.get(head, HEAD_LENGTH)


def _anchor(end: str, parts: _Parts, *, last: bool) -> int:
    """The box that stands for an edge's end: the node, or one inside the group."""
    if end in parts.places:
        return parts.places[end]
    return parts.places[parts.graph.inside[end][-1 if last else 0]]


def _narrowed(links: Sequence[Link], boxes: Sequence[Box], gap: float) -> tuple[Link, ...]:
    """The links, longer where they lead to a rank further down because the next one is full."""
    items: list[Item] = [("box", number) for number in range(len(boxes))]
    ends: dict[int, tuple[Item, Item]] = {n: (("box", link.tail), ("box", link.head)) for n, link in enumerate(links)}
    widths = {("box", number): box.size[0] + gap for number, box in enumerate(boxes)}
    rank = spread(items, {n: pair for n, pair in ends.items() if pair[0] != pair[1]}, widths, NARROW)
    spans = [rank[head] - rank[tail] for tail, head in ends.values()]
    return tuple(replace(link, ranks=max(1, span)) for link, span in zip(links, spans, strict=True))


def _padded(text: TextMark | None) -> Size | None:
    return None if text is None else (text.box.width + 2 * LABEL_PAD_X, text.box.height + 2 * LABEL_PAD_Y)


def _roomy(size: Size | None) -> Size | None:
    """Room for the title on either side of an edge in the middle."""
    return (2 * size[0] + LABEL_PAD_X, size[1]) if size else None


def _snapped(route: Route, source: NodeMark | None, target: NodeMark | None, candidate: Candidate) -> Route:
    """The route with its ends drawn on to the outlines that lie inside the boxes the engine knows."""
    inset = INSET_SHAPES if candidate.engine is Engine.DOT else INSET_SHAPES | ROUND_SHAPES
    curve, tips = list(route.curve), list(route.tips)
    for side, node, inner in ((0, source, 1), (1, target, -2)):
        if node is None or node.shape not in inset:
            continue
        if (tip := tips[side]) is not None:
            tips[side] = _onto(node, tip, curve[-side])
        else:
            curve[-side] = _onto(node, curve[-side], curve[inner])
    return replace(route, curve=tuple(curve), tips=(tips[0], tips[1]))


def _onto(node: NodeMark, point: Point, before: Point) -> Point:
    """Where the line that arrives at `point` from `before` meets the outline: straight on, else towards the text."""
    polygon = outline(node.shape, node.box)
    if is_inside(point, polygon):
        return point
    (x, y), (dx, dy) = point, (point[0] - before[0], point[1] - before[1])
    length = hypot(dx, dy) or 1.0
    most = max(node.box.width, node.box.height) / 2
    for step in range(int(most)):
        at = (x + dx / length * step, y + dy / length * step)
        if is_inside(at, polygon):
            return at
    cx, cy = node.text.box.centre
    for step in range(40):
        at = (x + (cx - x) * step / 40, y + (cy - y) * step / 40)
        if is_inside(at, polygon):
            return at
    return point


def _edge_mark(edge: GraphEdge, route: Route, label: TextMark | None) -> EdgeMark:
    if label is not None and route.label is not None:
        label = replace(label, box=Rect.around(route.label, label.box.width, label.box.height))
    return EdgeMark(
        edge.source,
        edge.target,
        route.curve,
        route.tips,
        edge.style,
        edge.arrows,
        label,
        (_end_text(edge.end_labels[0]), _end_text(edge.end_labels[1])),
        edge.accent,
    )


def _end_text(text: str) -> TextMark | None:
    return block(text, LABEL_WRAP, EDGE_SIZE)


def _group_marks(graph: Graph, placement: Placement) -> tuple[GroupMark, ...]:
    boxes = dict(zip((group.id for group in graph.groups), placement.frames, strict=True))
    return tuple(
        GroupMark(
            group.id,
            box,
            _depth(group, graph),
            frozenset(graph.inside[group.id]),
            is_state=group.is_state,
            dividers=_dividers([box for id, box in boxes.items() if box and _is_region_of(group, graph.group[id])]),
        )
        for group in graph.groups
        if not group.is_region and (box := boxes[group.id]) is not None
    )


def _is_region_of(group: GraphGroup, other: GraphGroup) -> bool:
    return other.is_region and other.parent == group.id


def _depth(group: GraphGroup, graph: Graph) -> int:
    depth, parent = 0, group.parent
    while parent:
        depth, parent = depth + (not graph.group[parent].is_region), graph.group[parent].parent
    return depth


def _dividers(regions: list[Rect]) -> tuple[Stroke, ...]:
    """Lines half way between regions that stand side by side, or on top of each other."""
    if len(regions) < 2:
        return ()
    left, right = min(box.left for box in regions), max(box.right for box in regions)
    bottom, top = min(box.bottom for box in regions), max(box.top for box in regions)
    across = sorted(regions, key=lambda box: box.left)
    if all(one.right <= other.left for one, other in pairwise(across)):
        middles = [(one.right + other.left) / 2 for one, other in pairwise(across)]
        return tuple(((x, bottom), (x, top)) for x in middles)
    down = sorted(regions, key=lambda box: box.bottom)
    middles = [(one.top + other.bottom) / 2 for one, other in pairwise(down)]
    return tuple(((left, y), (right, y)) for y in middles)
