"""Rules about edges: they reach their ends, miss everything else, and can be told apart. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import atan2, degrees, hypot, remainder, tau

from layers.presentation.geometry import crossings, distance, is_inside, length_inside
from layers.presentation.graph import Graph
from layers.presentation.lint.finding import error, warning
from layers.presentation.lint.texts import corners
from layers.presentation.scene import EdgeMark, NodeMark, Point, Rect, Scene
from layers.presentation.shapes import outline
from layers.presentation.types import Finding, Repair

THROUGH, SHRUNK = 4.0, 3.0
"""An edge is through a node when this much of it runs inside the box shrunk by that much."""
THROUGH_OWN = 24.0
"""The same of its own end: a line that comes out at the far side."""
DANGLING = 6.0
LEAST_EDGE = 16.0
COINCIDE, ASIDE = 8.0, 1.2
"""Two lines share one way when this much of one runs this close to the other."""
SAMPLE = 3.0
MOST_TURNING, WINDING_PIECES = 230.0, 7
"""Degrees; and control points from which on a line can wind at all."""
SQUARE = 0.6
"""Share of a line that runs level or upright when it is a right-angled one."""
MOST_CROSSINGS, CROSSED_SHARE = 2.0, 0.35


def count_crossings(scene: Scene) -> int:
    """How often edges cross."""
    return sum(crossings(one, other) for one, other in combinations(scene.edges, 2))


def edge_through_node(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge runs through a box: one it does not belong to, or all the way through its own."""
    for edge in scene.edges:
        reach = edge.reach.inset(-0.1)
        for node in scene.nodes:
            if reach.shared_area(node.box) == 0:
                continue
            is_own = node.id in (edge.source, edge.target)
            most = THROUGH_OWN if is_own else THROUGH
            inside = length_inside(edge.path, node.box.inset(SHRUNK))
            if is_own and inside > most:
                inside = _inside_own(edge, node)
            if inside > most:
                yield error(
                    "edge_through_node",
                    (edge.name, node.id),
                    f"the edge {edge.name} runs through {node.id!r}",
                    box=node.box,
                    measured=(inside, most),
                )


def _inside_own(edge: EdgeMark, node: NodeMark) -> float:
    """How much of the line runs inside the outline: a diamond's line may cross the corners of its box."""
    polygon, inside = outline(node.shape, node.box.inset(SHRUNK)), 0.0
    for (x0, y0), (x1, y1) in pairwise(edge.path):
        length = hypot(x1 - x0, y1 - y0)
        steps = max(1, round(length / SAMPLE))
        for step in range(steps):
            at = (step + 0.5) / steps
            inside += is_inside((x0 + (x1 - x0) * at, y0 + (y1 - y0) * at), polygon) * length / steps
    return inside


def dangling_edge(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge ends in the air."""
    outlines = {node.id: outline(node.shape, node.box) for node in scene.nodes}
    frames = {group.id: corners(group.box) for group in scene.groups}
    outlines |= frames
    for edge in scene.edges:
        for end, point in ((edge.source, edge.path[0]), (edge.target, edge.path[-1])):
            if end in outlines and (end in frames or not is_inside(point, outlines[end])):
                away = distance(point, outlines[end])
                if away > DANGLING:
                    yield warning(
                        "dangling_edge",
                        (edge.name, end),
                        f"the edge {edge.name} does not reach {end!r}",
                        box=Rect.around(point, 8, 8),
                        measured=(away, DANGLING),
                    )


def stub_edge(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge is too short to be seen as one."""
    for edge in scene.edges:
        length = path_length(edge.path)
        if length < LEAST_EDGE:
            yield warning(
                "stub_edge",
                (edge.name,),
                f"the edge {edge.name} is so short that it is hard to see",
                box=edge.reach,
                measured=(length, LEAST_EDGE),
                repair=Repair.SPREAD,
            )


def kinked_edge(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge winds: it turns further than from one end to the other and back again."""
    for edge in scene.edges:
        if edge.source == edge.target or len(edge.curve) < WINDING_PIECES or _is_square(edge.path):
            continue
        turned = _turning(edge.path)
        if turned > MOST_TURNING:
            words = f"the edge {edge.name} winds on its way"
            yield warning("kinked_edge", (edge.name,), words, box=edge.reach, measured=(turned, MOST_TURNING))


def _turning(path: tuple[Point, ...]) -> float:
    """Degrees, of all turns to either side."""
    ways = [atan2(y1 - y0, x1 - x0) for (x0, y0), (x1, y1) in pairwise(path) if (x0, y0) != (x1, y1)]
    return degrees(sum(abs(remainder(after - before, tau)) for before, after in pairwise(ways)))


def _is_square(path: tuple[Point, ...]) -> bool:
    """True when most of the line is level or upright: its corners are meant."""
    straight = sum(max(abs(x1 - x0), abs(y1 - y0)) for (x0, y0), (x1, y1) in pairwise(path) if x0 == x1 or y0 == y1)
    return straight > SQUARE * path_length(path)


def path_length(path: tuple[Point, ...]) -> float:
    """Points from end to end."""
    return sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(path))


def crowded(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Edges cross so often that they are hard to follow."""
    crossed, most = count_crossings(scene), max(MOST_CROSSINGS, CROSSED_SHARE * len(scene.edges))
    if crossed > most:
        words = f"edges cross {crossed} times; they are hard to follow"
        yield warning("crossings", (), words, measured=(crossed, most))


def missing_arrowhead(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge has an arrow in the spec and no tip in the drawing."""
    for edge in scene.edges:
        if any(head.value != "none" and tip is None for head, tip in zip(edge.arrows, edge.tips, strict=True)):
            words = f"the edge {edge.name} lost its arrowhead"
            yield error("missing_arrowhead", (edge.name,), words, box=edge.reach, repair=Repair.REDRAW)


def edges_coincide(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Two edges run on the very same line, so that nobody can tell which goes where."""
    for one, other in combinations(scene.edges, 2):
        if _meet(one, other) or _apart(one.reach, other.reach):
            continue
        shared = _shared_length(one.path, other.path)
        if shared > COINCIDE:
            yield warning(
                "edges_coincide",
                (one.name, other.name),
                f"{one.name} and {other.name} share one line",
                box=one.reach,
                measured=(shared, COINCIDE),
            )


def _meet(one: EdgeMark, other: EdgeMark) -> bool:
    """True when a common end explains a common stretch: branches of a fork, arrows that arrive together."""
    return one.source == other.source or one.target == other.target


def _apart(one: Rect, other: Rect) -> bool:
    return one.inset(-ASIDE).shared_area(other.inset(-ASIDE)) < COINCIDE * ASIDE


def _shared_length(path: tuple[Point, ...], other: tuple[Point, ...]) -> float:
    """How much of `path` runs within `ASIDE` of `other`."""
    pieces = list(pairwise(other))
    shared = 0.0
    for (x0, y0), (x1, y1) in pairwise(path):
        reach = Rect(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)).inset(-ASIDE)
        near = [piece for piece in pieces if length_inside(piece, reach) > 0]
        if not near:
            continue
        length = hypot(x1 - x0, y1 - y0)
        steps = max(1, round(length / SAMPLE))
        for step in range(steps):
            at = (step + 0.5) / steps
            point = x0 + (x1 - x0) * at, y0 + (y1 - y0) * at
            if any(distance(point, piece) < ASIDE for piece in near):
                shared += length / steps
    return shared
