"""graphlay: the second engine, with right-angled lines. The only file that knows graphlay."""

from __future__ import annotations

from typing import Any

import graphlay

from layers.presentation.layout.engine import (
    ROOT,
    EngineFailed,
    Link,
    Placement,
    Question,
    Route,
    Routing,
)
from layers.presentation.layout.lines import outside, rounded
from layers.presentation.scene import Point, Rect
from layers.presentation.spec import Direction

PADDING = 18.0
"""Between a frame and what is in it."""
LEAST_HEADER = 14.0
LOOP = 16.0
"""How far a link from a box to itself goes out, beside its heads."""
FLIPPED = {Direction.UP, Direction.LEFT}
"""graphlay lays out downwards and rightwards; the other two are mirrored."""
SIDEWAYS = {Direction.RIGHT, Direction.LEFT}


class Graphlay:
    """graphlay."""

    def place(self, question: Question) -> Placement:
        """Run graphlay. Frames are its compound nodes; y is turned upwards."""
        options = _options(question)
        try:
            answer: dict[str, Any] = graphlay.layout(_graph(question), options=options).raw
        except graphlay.GraphlayError as error:
            raise EngineFailed(str(error)) from None
        return _placement(question, answer)


def _options(question: Question) -> dict[str, object]:
    titles = [frame.title[1] for frame in question.frames if frame.title]
    longest = max((length for link in question.links for length in link.head_lengths), default=0.0)
    return {
        "direction": "leftright" if question.direction in SIDEWAYS else "topbottom",
        "routing": {"style": "orthogonal" if question.routing is Routing.RIGHT_ANGLED else "diagonal"},
        "spacing": {
            "layer_gap": question.rank_gap,
            "node_gap": question.node_gap,
            "compound_padding": PADDING,
            "compound_header": max(titles, default=0.0) + LEAST_HEADER if titles else 0.0,
        },
        "self_loops": {"size": LOOP + longest},
    }


def _graph(question: Question) -> dict[str, object]:
    first = len(question.boxes)
    nodes: list[dict[str, object]] = []
    for box in question.boxes:
        nodes.append(_node(box.size) | ({"parent": first + box.group} if box.group != ROOT else {}))
    for frame in question.frames:
        width = frame.title[0] + 2 * PADDING if frame.title else 10.0
        parent = {"parent": first + frame.parent} if frame.parent != ROOT else {}
        nodes.append(_node((width, 10.0)) | parent)
    return {"nodes": nodes, "edges": [_edge(link, first) for link in question.links]}


def _node(size: tuple[float, float]) -> dict[str, object]:
    return {"size": {"width": size[0], "height": size[1]}, "shape": "box"}


def _edge(link: Link, first: int) -> dict[str, object]:
    label = {"label_size": {"width": link.label[0], "height": link.label[1]}} if link.label else {}
    return {
        "source": link.tail if link.tail_group == ROOT else first + link.tail_group,
        "target": link.head if link.head_group == ROOT else first + link.head_group,
        "weight": 1.0,
        **label,
    }


def _placement(question: Question, answer: dict[str, Any]) -> Placement:
    low, high = answer["bounds"]["min"], answer["bounds"]["max"]
    width, height = high["x"] - low["x"], high["y"] - low["y"]
    is_mirrored = question.direction in FLIPPED
    is_sideways = question.direction in SIDEWAYS

    def point(at: dict[str, float]) -> Point:
        x, y = at["x"] - low["x"], high["y"] - at["y"]
        if is_mirrored:
            return (width - x, y) if is_sideways else (x, height - y)
        return x, y

    count = len(question.boxes)
    centres = [point(node["center"]) for node in answer["nodes"]]
    sizes = [(node["size"]["width"], node["size"]["height"]) for node in answer["nodes"]]
    frames = [Rect.around(at, *size) for at, size in zip(centres[count:], sizes[count:], strict=True)]
    routes: list[Route | None] = []
    for link, edge in zip(question.links, answer["edges"], strict=True):
        points = _clipped([point(at) for at in edge["points"]], link, frames)
        label = point(edge["label_anchor"]) if edge["label_anchor"] else None
        routes.append(None if link.is_hidden else _route(points, link, label))
    return Placement(width, height, tuple(centres[:count]), tuple(routes), tuple(frames))


def _clipped(points: list[Point], link: Link, frames: list[Rect]) -> list[Point]:
    """The line without what lies inside the frames that it begins or ends at."""
    if link.tail_group != ROOT and link.tail_group != link.head_group:
        points = outside(points, frames[link.tail_group])
    if link.head_group != ROOT and link.tail_group != link.head_group:
        points = outside(points[::-1], frames[link.head_group])[::-1]
    return points


def _route(points: list[Point], link: Link, label: Point | None) -> Route:
    if len(points) < 2:
        raise EngineFailed("graphlay left an edge without a route")
    return rounded(points, link.head_lengths, label)
