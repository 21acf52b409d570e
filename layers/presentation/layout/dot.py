"""Graphviz dot through pygraphviz: fewest crossings of all engines. The only file that knows pygraphviz.

Graphviz sees numbers only: nodes are `n0`, `n1`; labels are empty tables of a fixed size. No text of a user reaches
it, so nothing can be injected and its fonts do not matter. Only the worker imports this: a dense graph can keep dot
busy for minutes, deaf to signals that Python handles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pygraphviz import AGraph

from layers.presentation.layout.engine import ROOT, EngineFailed, Link, Placement, Question, Route, Routing, Size
from layers.presentation.scene import Outline, Point, Rect, Special
from layers.presentation.spec import Shape

PER_INCH = 72.0
GROUP_MARGIN = 16
ARROW_LENGTH = 10.0
"""Of dot's `normal` arrow at arrowsize 1."""
OUTLINES: dict[Outline, str] = {
    Shape.DIAMOND: "diamond",
    Special.CHOICE: "diamond",
    Shape.CIRCLE: "ellipse",
    Shape.DOUBLE_CIRCLE: "ellipse",
    Shape.ELLIPSE: "ellipse",
    Special.START: "ellipse",
    Special.END: "ellipse",
}
"""Where dot must know that a curve ends inside the box."""
SPLINES = {Routing.CURVED: "true", Routing.STRAIGHT: "polyline", Routing.RIGHT_ANGLED: "ortho"}
"""`ortho` strikes through labels: only for graphs without any."""


class Dot:
    """dot."""

    def place(self, question: Question) -> Placement:
        """Run dot. The links' tips, their labels and the frames come from it as well."""
        graph = AGraph(string="\n".join(_source(question)))
        try:
            answer = json.loads(graph.draw(format="json0", prog="dot"))
        except (OSError, ValueError) as error:
            raise EngineFailed(str(error)) from None
        finally:
            graph.close()
        objects = {item["name"]: item for item in answer.get("objects", [])}
        routes: list[Route | None] = [None] * len(question.links)
        for edge in answer.get("edges", []):
            if "pos" in edge and "number" in edge:
                routes[int(edge["number"])] = _route(edge)
        if any(route is None and not link.is_hidden for route, link in zip(routes, question.links, strict=True)):
            raise EngineFailed("dot left an edge without a route")
        _, _, width, height = _numbers(answer["bb"])
        return Placement(
            width=width,
            height=height,
            centres=tuple(_point(objects[f"n{index}"]["pos"]) for index in range(len(question.boxes))),
            routes=tuple(routes),
            frames=tuple(_frame(objects.get(f"cluster_{index}")) for index in range(len(question.frames))),
        )


def _source(question: Question) -> Iterator[str]:
    gaps = f"nodesep={question.node_gap / PER_INCH:.3f} ranksep={question.rank_gap / PER_INCH:.3f}"
    splines = SPLINES[question.routing]
    yield f"digraph {{ rankdir={question.direction.value} compound=true {gaps} splines={splines} labeljust=l"
    yield 'node [label="" fixedsize=true shape=box]'
    yield from _group_source(ROOT, question)
    for number, link in enumerate(question.links):
        yield f"n{link.tail} -> n{link.head} [{' '.join(_fields(number, link))}]"
    yield "}"


def _fields(number: int, link: Link) -> Iterator[str]:
    ends = ["normal" if length else "none" for length in link.head_lengths]
    size = max(link.head_lengths) / ARROW_LENGTH
    yield f"number={number} dir=both arrowtail={ends[0]} arrowhead={ends[1]} arrowsize={size:.2f}"
    if link.is_hidden:
        yield "style=invis"
    if link.label is not None:
        yield f"label={_reserved(link.label)}"
    is_clipped = link.tail_group != ROOT or link.head_group != ROOT
    # what is left after clipping at the frames must still be seen
    ranks = max(link.ranks, 2) if is_clipped else link.ranks
    if ranks > 1:
        yield f"minlen={ranks}"
    if link.tail_group != ROOT:
        yield f"ltail=cluster_{link.tail_group}"
    if link.head_group != ROOT:
        yield f"lhead=cluster_{link.head_group}"


def _group_source(group: int, question: Question) -> Iterator[str]:
    for index, box in enumerate(question.boxes):
        if box.group == group:
            width, height = box.size
            shape = OUTLINES.get(box.shape, "box")
            yield f"n{index} [width={width / PER_INCH:.4f} height={height / PER_INCH:.4f} shape={shape}]"
    for link in question.links:
        if link.is_level and all(question.boxes[end].group == group for end in (link.tail, link.head)):
            yield f"{{ rank=same n{link.tail} n{link.head} }}"
    for index, frame in enumerate(question.frames):
        if frame.parent == group:
            label = _reserved(frame.title) if frame.title else '""'
            where = "b" if frame.is_low else "t"
            yield f"subgraph cluster_{index} {{ margin={GROUP_MARGIN} labelloc={where} label={label}"
            yield from _group_source(index, question)
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
