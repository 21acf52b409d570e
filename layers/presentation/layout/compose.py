"""`Flowchart` to `Scene`: a small search. Each candidate is measured, placed by dot and linted; the best one wins.

Candidates are two directions times two wrapping widths. Turning the author's direction costs, so it happens only
where it makes the drawing legible on a phone or removes a defect (reference: 24 % to 8 % defective drawings). Group
titles that an edge strikes get one more try at the bottom of their frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from layers.presentation import fonts
from layers.presentation.dot import ROOT, Box, Frame, Link, Placement, Route, place
from layers.presentation.geometry import is_inside, length_inside
from layers.presentation.lint import CSS_TARGET, count_crossings, css_pixels, lint
from layers.presentation.scene import EdgeMark, GroupMark, NodeMark, Point, Rect, Scene, TextMark
from layers.presentation.shapes import box_size, outline, text_centre
from layers.presentation.spec import Direction, Edge, Flowchart, Group, Line, Node, Shape

NODE_SIZE, EDGE_SIZE, GROUP_SIZE, TITLE_SIZE = 14.0, 12.0, 12.0, 17.0
"""Points."""
WRAPS = (120.0, 180.0)
MARGIN = 22.0
LEAST_WIDTH = 300.0
CALM_ASPECT = 3.1
"""Longer drawings get more paper at their sides, as far as that does not make them smaller on a phone."""
WIDEST_PADDED = 400.0
LABEL_PAD_X, LABEL_PAD_Y = 5.0, 3.0
TITLE_INSET = 10.0
TITLE_STEP = 9.0
INSET_SHAPES = {
    *(Shape.HEXAGON, Shape.LEAN_LEFT, Shape.LEAN_RIGHT, Shape.TRAPEZOID, Shape.TRAPEZOID_TOP),
    *(Shape.FLAG, Shape.DOCUMENT, Shape.TRIANGLE, Shape.CYLINDER, Shape.STADIUM, Shape.ROUNDED),
}
"""Shapes that dot takes for rectangles: edges may have to be drawn on to them."""
MANY_EDGES = 60
"""Above it a candidate takes up to a second, so fewer are tried."""
TURNED = {
    Direction.DOWN: Direction.RIGHT,
    Direction.UP: Direction.LEFT,
    Direction.RIGHT: Direction.DOWN,
    Direction.LEFT: Direction.UP,
}
COST = {"error": 100.0, "warning": 8.0}
TURNING_COST = 12.0
CROSSING_COST = 3.0
SMALLNESS_COST = 7.0
"""Per css pixel that the text is smaller than wished for on a phone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to lay the drawing out."""

    direction: Direction
    wrap: float
    low: frozenset[str] = frozenset()
    """Ids of the groups that have their title at the bottom."""


@dataclass(frozen=True, slots=True)
class _Trial:
    candidate: Candidate
    scene: Scene
    cost: float


def lay_out(spec: Flowchart, rank: int = 0) -> Scene:
    """The best of the candidates: the first of equals, and the first that nothing is wrong with.

    `rank` 1 gives the second best and so on, for whoever did not like the first; it begins again after the last.
    """
    trials: list[_Trial] = []
    wraps = WRAPS if len(spec.edges) <= MANY_EDGES else WRAPS[:1]
    for direction in (spec.direction, TURNED[spec.direction]):
        for wrap in wraps:
            trial = _try(spec, Candidate(direction, wrap))
            if trial.cost == 0 and rank == 0:
                return trial.scene
            if all(trial.scene != other.scene for other in trials):
                trials.append(trial)
    trials.sort(key=lambda trial: trial.cost)
    best = trials[rank % len(trials)]
    struck = frozenset(
        found.elements[1] for found in lint(best.scene, spec, is_planned=True) if found.rule == "title_hit"
    )
    if struck:
        other = _try(spec, replace(best.candidate, low=struck))
        best = other if other.cost < best.cost else best
    return best.scene


def _try(spec: Flowchart, candidate: Candidate) -> _Trial:
    scene = compose(spec, candidate)
    turning = TURNING_COST if candidate.direction is not spec.direction else 0.0
    return _Trial(candidate, scene, _cost(scene, spec) + turning)


def _cost(scene: Scene, spec: Flowchart) -> float:
    findings = sum(COST[finding.severity] for finding in lint(scene, spec, is_planned=True))
    smallness = max(0.0, CSS_TARGET - css_pixels(NODE_SIZE, scene.width))
    tallness = max(0.0, scene.height / scene.width - 2.4)
    return findings + CROSSING_COST * count_crossings(scene) + SMALLNESS_COST * smallness + 10 * tallness


def compose(spec: Flowchart, candidate: Candidate) -> Scene:
    """One candidate, measured and placed."""
    texts = {node.id: _node_text(node, candidate.wrap) for node in spec.nodes}
    labels = [_block(edge.label, min(candidate.wrap, 130.0), EDGE_SIZE) for edge in spec.edges]
    titles = [_block(group.title, 260.0, GROUP_SIZE, bold=True) for group in spec.groups]
    boxes, places = _boxes(spec, texts)
    links = [_link(edge, label, spec, places) for edge, label in zip(spec.edges, labels, strict=True)]
    parents = {group.id: index for index, group in enumerate(spec.groups)}
    frames = [
        Frame(_padded(title), parents.get(group.parent, ROOT), is_low=group.id in candidate.low)
        for group, title in zip(spec.groups, titles, strict=True)
    ]
    placement = place(boxes, links, frames, candidate.direction)
    nodes = tuple(
        _node_mark(node, texts[node.id], Rect.around(placement.centres[places[node.id]], *boxes[places[node.id]].size))
        for node in spec.nodes
    )
    marks = {node.id: node for node in nodes}
    edges = tuple(
        _edge_mark(edge, _snapped(route, marks.get(edge.source), marks.get(edge.target)), label)
        for edge, route, label in zip(spec.edges, placement.routes, labels, strict=True)
        if route is not None and edge.style is not Line.HIDDEN
    )
    groups = tuple(
        _group_mark(group, box, spec)
        for group, box in zip(spec.groups, placement.frames, strict=True)
        if box is not None
    )
    scene = Scene(placement.width, placement.height, nodes, edges, groups)
    scene = _with_group_titles(scene, {group.id: title for group, title in zip(spec.groups, titles, strict=True)})
    return _on_paper(scene, placement, spec.title)


def _node_text(node: Node, wrap: float) -> TextMark:
    narrow = node.shape in (Shape.DIAMOND, Shape.CIRCLE, Shape.DOUBLE_CIRCLE, Shape.TRIANGLE)
    return _block(node.label, wrap * 0.8 if narrow else wrap, NODE_SIZE) or TextMark((), Rect(0, 0, 0, 0), NODE_SIZE)


def _block(text: str, wrap: float, size: float, *, bold: bool = False) -> TextMark | None:
    """The text broken into lines, with its extent at the origin; None when there is nothing to read."""
    if not text.strip():
        return None
    lines = fonts.wrap(text, wrap, size, bold)
    width = max(fonts.width(line, size, bold) for line in lines)
    return TextMark(lines, Rect(0, 0, width, fonts.LINE_HEIGHT * size * len(lines)), size, bold)


def _padded(text: TextMark | None) -> tuple[float, float] | None:
    return None if text is None else (text.box.width + 2 * LABEL_PAD_X, text.box.height + 2 * LABEL_PAD_Y)


def _boxes(spec: Flowchart, texts: dict[str, TextMark]) -> tuple[list[Box], dict[str, int]]:
    """A box for each node, and a small one inside each group that has none (dot drops empty clusters)."""
    homes = {member: index for index, group in enumerate(spec.groups) for member in group.members}
    boxes = [
        Box(
            box_size(node.shape, texts[node.id].box.width, texts[node.id].box.height),
            node.shape,
            homes.get(node.id, ROOT),
        )
        for node in spec.nodes
    ]
    places = {node.id: index for index, node in enumerate(spec.nodes)}
    for index, group in enumerate(spec.groups):
        if not _nodes_in(group, spec):
            places[group.id] = len(boxes)
            boxes.append(Box((40.0, 16.0), Shape.TEXT, index))
    return boxes, places


def _nodes_in(group: Group, spec: Flowchart) -> list[str]:
    inner = [node for other in spec.groups if other.parent == group.id for node in _nodes_in(other, spec)]
    return [*group.members, *inner]


def _link(edge: Edge, label: TextMark | None, spec: Flowchart, places: dict[str, int]) -> Link:
    groups = {group.id: index for index, group in enumerate(spec.groups)}
    tail, head = _anchor(edge.source, spec, places, last=True), _anchor(edge.target, spec, places, last=False)
    return Link(
        tail=tail,
        head=head,
        style=edge.style,
        arrows=edge.arrows,
        label=_padded(label),
        tail_group=groups.get(edge.source, ROOT),
        head_group=groups.get(edge.target, ROOT),
    )


def _anchor(end: str, spec: Flowchart, places: dict[str, int], *, last: bool) -> int:
    """The box that stands for an edge's end: the node, or one inside the group."""
    if end in places:
        return places[end]
    inside = _nodes_in(next(group for group in spec.groups if group.id == end), spec)
    return places[inside[-1 if last else 0]]


def _node_mark(node: Node, text: TextMark, box: Rect) -> NodeMark:
    x, y = text_centre(node.shape, box)
    return NodeMark(node.id, node.shape, box, replace(text, box=Rect.around((x, y), text.box.width, text.box.height)))


def _snapped(route: Route, source: NodeMark | None, target: NodeMark | None) -> Route:
    """The route with its ends drawn on to the outlines that lie inside the boxes dot knows."""
    curve, tips = list(route.curve), list(route.tips)
    for side, node in ((0, source), (1, target)):
        if node is None or node.shape not in INSET_SHAPES:
            continue
        if (tip := tips[side]) is not None:
            tips[side] = _onto(node, tip)
        else:
            curve[-side] = _onto(node, curve[-side])
    return replace(route, curve=tuple(curve), tips=(tips[0], tips[1]))


def _onto(node: NodeMark, point: Point) -> Point:
    polygon = outline(node.shape, node.box)
    (x, y), (cx, cy) = point, node.text.box.centre
    for step in range(0, 40):
        at = (x + (cx - x) * step / 40, y + (cy - y) * step / 40)
        if is_inside(at, polygon):
            return at
    return point


def _edge_mark(edge: Edge, route: Route, label: TextMark | None) -> EdgeMark:
    if label is not None and route.label is not None:
        label = replace(label, box=Rect.around(route.label, label.box.width, label.box.height))
    return EdgeMark(edge.source, edge.target, route.curve, route.tips, edge.style, edge.arrows, label)


def _group_mark(group: Group, box: Rect, spec: Flowchart) -> GroupMark:
    parents = {other.id: other.parent for other in spec.groups}
    depth, parent = 0, group.parent
    while parent:
        depth, parent = depth + 1, parents[parent]
    return GroupMark(group.id, box, depth, frozenset(_nodes_in(group, spec)))


def _with_group_titles(scene: Scene, titles: dict[str, TextMark | None]) -> Scene:
    """Put each group's title where no edge strikes it: along the top, else along the bottom."""
    groups = []
    for group in scene.groups:
        title = titles[group.id]
        if title is not None:
            slot = min(_slots(group.box, title.box), key=_hits(scene))
            group = replace(group, text=replace(title, box=slot))
        groups.append(group)
    return replace(scene, groups=tuple(groups))


def _slots(frame: Rect, title: Rect) -> list[Rect]:
    """Free places for a title, best first: from the left along the top, then along the bottom."""
    room = max(0.0, frame.width - title.width - 2 * TITLE_INSET)
    steps = int(room // TITLE_STEP)
    tops = (frame.top - TITLE_INSET + 3 - title.height, frame.bottom + TITLE_INSET - 4)
    return [
        title.moved(frame.left + TITLE_INSET + TITLE_STEP * step - title.left, y - title.bottom)
        for y in tops
        for step in range(steps + 1)
    ]


def _hits(scene: Scene) -> Callable[[Rect], float]:
    def cost(slot: Rect) -> float:
        struck = sum(length_inside(edge.path, slot.inset(-3)) for edge in scene.edges)
        covered = sum(slot.inset(-2).shared_area(node.box) for node in scene.nodes)
        labels = sum(slot.shared_area(edge.text.box) for edge in scene.edges if edge.text)
        return round(struck + covered + labels, 1)

    return cost


def _on_paper(scene: Scene, placement: Placement, title: str) -> Scene:
    """Add margins and the title, and paper around what is too narrow or too flat."""
    heading = _block(title, max(placement.width, LEAST_WIDTH - 2 * MARGIN), TITLE_SIZE, bold=True)
    reach = [box.right for _, text in scene.texts() if (box := text.box)] + [placement.width]
    width = max(max(reach) + 2 * MARGIN, LEAST_WIDTH, heading.box.width + 2 * MARGIN if heading else 0)
    head_room = heading.box.height + 14 if heading else 0.0
    needed = placement.height + 2 * MARGIN + head_room
    width = max(width, min(needed / CALM_ASPECT, WIDEST_PADDED))
    height = max(needed, width / CALM_ASPECT)
    moved = _moved(scene, (width - max(reach)) / 2, (height - needed) / 2 + MARGIN)
    if heading:
        centre = (width / 2, height - MARGIN - heading.box.height / 2)
        heading = replace(heading, box=Rect.around(centre, heading.box.width, heading.box.height))
    return replace(moved, width=width, height=height, title=heading)


def _moved(scene: Scene, dx: float, dy: float) -> Scene:
    def text(mark: TextMark) -> TextMark:
        return replace(mark, box=mark.box.moved(dx, dy))

    def point(at: Point) -> Point:
        return at[0] + dx, at[1] + dy

    def tip(at: Point | None) -> Point | None:
        return None if at is None else point(at)

    return replace(
        scene,
        nodes=tuple(replace(node, box=node.box.moved(dx, dy), text=text(node.text)) for node in scene.nodes),
        edges=tuple(
            replace(
                edge,
                curve=tuple(point(at) for at in edge.curve),
                tips=(tip(edge.tips[0]), tip(edge.tips[1])),
                text=text(edge.text) if edge.text else None,
            )
            for edge in scene.edges
        ),
        groups=tuple(
            replace(group, box=group.box.moved(dx, dy), text=text(group.text) if group.text else None)
            for group in scene.groups
        ),
    )
