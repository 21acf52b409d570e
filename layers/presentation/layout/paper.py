"""The sheet around a drawing: margins, the title, and paper at the sides of what is too narrow or too flat. Pure."""

from __future__ import annotations

from dataclasses import replace

from layers.presentation.layout.measure import TITLE_SIZE, block
from layers.presentation.scene import EdgeMark, GroupMark, NodeMark, Point, Rect, Scene, Stroke, TextMark

MARGIN = 22.0
LEAST_WIDTH = 300.0
CALM_ASPECT = 3.1
"""Longer drawings get more paper at their sides, as far as that does not make them smaller on a phone."""
WIDEST_PADDED = 400.0


def on_paper(scene: Scene, title: str) -> Scene:
    """The scene with everything that it shows inside its margins."""
    reach = extent(scene)
    heading = block(title, max(reach.width, LEAST_WIDTH - 2 * MARGIN), TITLE_SIZE, bold=True)
    width = max(reach.width + 2 * MARGIN, LEAST_WIDTH, heading.box.width + 2 * MARGIN if heading else 0)
    head_room = heading.box.height + 14 if heading else 0.0
    needed = reach.height + 2 * MARGIN + head_room
    width = max(width, min(needed / CALM_ASPECT, WIDEST_PADDED))
    height = max(needed, width / CALM_ASPECT)
    dx, dy = (width - reach.width) / 2 - reach.left, (height - needed) / 2 + MARGIN - reach.bottom
    if heading:
        centre = (width / 2, height - MARGIN - heading.box.height / 2)
        heading = replace(heading, box=Rect.around(centre, heading.box.width, heading.box.height))
    return replace(
        scene,
        width=width,
        height=height,
        title=heading,
        nodes=tuple(moved_node(node, dx, dy) for node in scene.nodes),
        edges=tuple(_moved_edge(edge, dx, dy) for edge in scene.edges),
        groups=tuple(_moved_group(group, dx, dy) for group in scene.groups),
    )


def extent(scene: Scene) -> Rect:
    """The smallest rectangle around everything."""
    boxes = [node.box for node in scene.nodes] + [group.box for group in scene.groups]
    boxes += [edge.reach for edge in scene.edges] + [text.box for _, text in scene.texts()]
    return Rect(
        min((box.left for box in boxes), default=0.0),
        min((box.bottom for box in boxes), default=0.0),
        max((box.right for box in boxes), default=0.0),
        max((box.top for box in boxes), default=0.0),
    )


def moved_node(node: NodeMark, dx: float, dy: float) -> NodeMark:
    """The node elsewhere, with everything in it."""
    return replace(
        node,
        box=node.box.moved(dx, dy),
        text=_moved_text(node.text, dx, dy),
        cells=tuple(_moved_text(cell, dx, dy) for cell in node.cells),
        rules=_moved_strokes(node.rules, dx, dy),
    )


def _moved_edge(edge: EdgeMark, dx: float, dy: float) -> EdgeMark:
    def point(at: Point) -> Point:
        return at[0] + dx, at[1] + dy

    def maybe(text: TextMark | None) -> TextMark | None:
        return _moved_text(text, dx, dy) if text else None

    tail, head = edge.tips
    return replace(
        edge,
        curve=tuple(point(at) for at in edge.curve),
        tips=(point(tail) if tail else None, point(head) if head else None),
        text=maybe(edge.text),
        end_texts=(maybe(edge.end_texts[0]), maybe(edge.end_texts[1])),
    )


def _moved_group(group: GroupMark, dx: float, dy: float) -> GroupMark:
    return replace(
        group,
        box=group.box.moved(dx, dy),
        text=_moved_text(group.text, dx, dy) if group.text else None,
        dividers=_moved_strokes(group.dividers, dx, dy),
    )


def _moved_text(text: TextMark, dx: float, dy: float) -> TextMark:
    return replace(text, box=text.box.moved(dx, dy))


def _moved_strokes(strokes: tuple[Stroke, ...], dx: float, dy: float) -> tuple[Stroke, ...]:
    return tuple(((x0 + dx, y0 + dy), (x1 + dx, y1 + dy)) for (x0, y0), (x1, y1) in strokes)
