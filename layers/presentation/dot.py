"""Graphviz dot through pygraphviz: box sizes in, positions and curves out. The only file that knows pygraphviz.

Graphviz sees numbers only: nodes are `n0`, `n1`; labels are empty tables of a fixed size. No text of a user reaches
it, so nothing can be injected and its fonts do not matter. Only the worker imports this: a dense graph can keep dot
busy for minutes, deaf to signals that Python handles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pygraphviz import AGraph

from layers.presentation.scene import Point, Rect
from layers.presentation.spec import Direction, Head, Line, Shape

PER_INCH = 72.0
NODE_GAP = 30.0
RANK_GAP = 44.0
GROUP_MARGIN = 16
OUTLINES = {Shape.DIAMOND: "diamond", Shape.CIRCLE: "ellipse", Shape.DOUBLE_CIRCLE: "ellipse", Shape.ELLIPSE: "ellipse"}
"""Where dot must know that a curve ends inside the box."""
Size = tuple[float, float]
ROOT = -1
"""The parent of what is in no group."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node to place."""

    size: Size
    shape: Shape
    group: int = ROOT


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to route. `tail` and `head` are boxes; a group end is clipped at that group's frame."""

    tail: int
    head: int
    style: Line
    arrows: tuple[Head, Head]
    label: Size | None = None
    tail_group: int = ROOT
    head_group: int = ROOT


@dataclass(frozen=True, slots=True)
class Frame:
    """A group to place around its boxes."""

    title: Size | None
    parent: int = ROOT
    is_low: bool = False
    """The space for the title is at the bottom."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where an edge runs."""

    curve: tuple[Point, ...]
    tips: tuple[Point | None, Point | None]
    label: Point | None


@dataclass(frozen=True, slots=True)
class Placement:
    """dot's answer, in the order of the question."""

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: tuple[Route | None, ...]
    frames: tuple[Rect | None, ...]


def place(boxes: list[Box], links: list[Link], frames: list[Frame], direction: Direction) -> Placement:
    """Run dot."""
    graph = AGraph(string="\n".join(_source(boxes, links, frames, direction)))
    try:
        answer = json.loads(graph.draw(format="json0", prog="dot"))
    finally:
        graph.close()
    objects = {item["name"]: item for item in answer.get("objects", [])}
    routes: list[Route | None] = [None] * len(links)
    for edge in answer.get("edges", []):
        if "pos" in edge and "number" in edge:
            routes[int(edge["number"])] = _route(edge)
    _, _, width, height = _numbers(answer["bb"])
    return Placement(
        width=width,
        height=height,
        centres=tuple(_point(objects[f"n{index}"]["pos"]) for index in range(len(boxes))),
        routes=tuple(routes),
        frames=tuple(_frame(objects.get(f"cluster_{index}")) for index in range(len(frames))),
    )


def _source(boxes: list[Box], links: list[Link], frames: list[Frame], direction: Direction) -> Iterator[str]:
    gaps = f"nodesep={NODE_GAP / PER_INCH:.3f} ranksep={RANK_GAP / PER_INCH:.3f}"
    yield f"digraph {{ rankdir={direction.value} compound=true {gaps} splines=true labeljust=l"
    yield 'node [label="" fixedsize=true shape=box] edge [arrowsize=0.9]'
    yield from _group_source(ROOT, boxes, frames)
    for number, link in enumerate(links):
        ends = ["none" if head is Head.NONE else "normal" for head in link.arrows]
        fields = [f"number={number}", "dir=both", f"arrowtail={ends[0]}", f"arrowhead={ends[1]}"]
        if link.style is Line.HIDDEN:
            fields.append("style=invis")
        if link.label is not None:
            fields.append(f"label={_reserved(link.label)}")
        if link.tail_group != ROOT or link.head_group != ROOT:
            fields.append("minlen=2")  # what is left after clipping at the frames must still be seen
        if link.tail_group != ROOT:
            fields.append(f"ltail=cluster_{link.tail_group}")
        if link.head_group != ROOT:
            fields.append(f"lhead=cluster_{link.head_group}")
        yield f"n{link.tail} -> n{link.head} [{' '.join(fields)}]"
    yield "}"


def _group_source(group: int, boxes: list[Box], frames: list[Frame]) -> Iterator[str]:
    for index, box in enumerate(boxes):
        if box.group == group:
            width, height = box.size
            shape = OUTLINES.get(box.shape, "box")
            yield f"n{index} [width={width / PER_INCH:.4f} height={height / PER_INCH:.4f} shape={shape}]"
    for index, frame in enumerate(frames):
        if frame.parent == group:
            label = _reserved(frame.title) if frame.title else '""'
            where = "b" if frame.is_low else "t"
            yield f"subgraph cluster_{index} {{ margin={GROUP_MARGIN} labelloc={where} label={label}"
            yield from _group_source(index, boxes, frames)
            yield "}"


def _reserved(size: Size) -> str:
    width, height = size
    table = f'<TABLE FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}" BORDER="0"><TR><TD></TD></TR></TABLE>'
    return f"<{table}>"


def _route(edge: dict[str, str]) -> Route:
    tips: list[Point | None] = [None, None]
    points: list[Point] = []
    for word in edge["pos"].split(";")[0].split():
        if found := re.fullmatch(r"([se]),(.+)", word):
            tips[found.group(1) == "e"] = _point(found.group(2))
        else:
            points.append(_point(word))
    return Route(tuple(points), (tips[0], tips[1]), _point(edge["lp"]) if "lp" in edge else None)


def _frame(item: dict[str, str] | None) -> Rect | None:
    if item is None or "bb" not in item:
        return None
    return Rect(*_numbers(item["bb"]))


def _point(text: str) -> Point:
    x, y = _numbers(text)
    return x, y


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]
