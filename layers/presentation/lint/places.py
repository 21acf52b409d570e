"""Rules about boxes, frames and the paper. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from layers.presentation.graph import Graph
from layers.presentation.lint.finding import error, warning
from layers.presentation.lint.texts import TEXT_SHARED
from layers.presentation.scene import Rect, Scene
from layers.presentation.types import Finding, Repair

LEAST_INK = 0.002
MOST_ASPECT = 3.2
WORST_ASPECT = 20.0
"""Above it Telegram refuses the photo."""
MOST_PIXELS = 9600
"""Width plus height; above it Telegram refuses the photo."""


def node_overlap(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Two boxes share ground, so that one hides the other."""
    for one, other in combinations(scene.nodes, 2):
        shared = one.box.inset(0.5).shared_area(other.box.inset(0.5))
        if shared > 0:
            yield error(
                "node_overlap",
                (one.id, other.id),
                f"the boxes {one.id!r} and {other.id!r} overlap",
                box=other.box,
                measured=(shared, 0.0),
            )


def group_membership(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """A box lies in a frame it does not belong to, or outside its own."""
    for group in scene.groups:
        for node in scene.nodes:
            if node.id in group.members:
                if not group.box.holds(node.box, slack=1):
                    words = f"{node.id!r} lies outside its group {group.id!r}"
                    yield error("member_outside_group", (node.id, group.id), words, box=node.box)
            elif (shared := group.box.shared_area(node.box)) > TEXT_SHARED:
                words = f"{node.id!r} lies in the group {group.id!r}, not its own"
                measured = (shared, TEXT_SHARED)
                yield error("foreign_in_group", (node.id, group.id), words, box=node.box, measured=measured)


def group_overlap(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Two frames share ground and neither is inside the other."""
    for one, other in combinations(scene.groups, 2):
        if one.members & other.members or not (one.members and other.members):
            continue
        shared = one.box.shared_area(other.box)
        if shared > TEXT_SHARED and not one.box.holds(other.box) and not other.box.holds(one.box):
            words = f"the frames {one.id!r} and {other.id!r} overlap"
            yield error("group_overlap", (one.id, other.id), words, box=other.box, measured=(shared, TEXT_SHARED))


def canvas_clip(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Something is cut off by the edge of the paper."""
    extents = [(node.id, node.box) for node in scene.nodes] + [(name, text.box) for name, text in scene.texts()]
    extents += [(edge.name, edge.reach) for edge in scene.edges] + [(group.id, group.box) for group in scene.groups]
    extents += [(part.id, part.box) for part in scene.parts]
    for name, box in extents:
        if not scene.canvas.holds(box):
            words = f"{name!r} is cut off by the edge of the picture"
            yield error("canvas_clip", (name,), words, box=box, measured=(_over(box, scene.canvas), 0.0))
    if scene.pixels and scene.pixels.border_ink:
        words = "something touches the edge of the picture"
        yield error("canvas_clip", (), words, measured=(scene.pixels.border_ink, 0), repair=Repair.SPREAD)


def _over(box: Rect, paper: Rect) -> float:
    return max(paper.left - box.left, box.right - paper.right, paper.bottom - box.bottom, box.top - paper.top)


def blank(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """There is nothing to see."""
    if scene.pixels and scene.pixels.ink < LEAST_INK:
        measured = (scene.pixels.ink, LEAST_INK)
        yield error("blank", (), "the picture is blank", measured=measured, repair=Repair.REDRAW)


def size(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """The picture's format is one that chats refuse or shrink."""
    long, short = max(scene.width, scene.height), min(scene.width, scene.height)
    aspect = long / max(short, 1e-9)
    if aspect > MOST_ASPECT:
        make = error if aspect > WORST_ASPECT else warning
        words = f"the picture is {aspect:.1f} times as long as wide; chats shrink it"
        yield make("aspect", (), words, measured=(aspect, MOST_ASPECT), repair=Repair.PAGE)
    if scene.pixels and (both := scene.pixels.width + scene.pixels.height) > MOST_PIXELS:
        words = f"the picture has more than {MOST_PIXELS} pixels of width and height together"
        yield error("platform_size", (), words, measured=(both, MOST_PIXELS), repair=Repair.PAGE)
