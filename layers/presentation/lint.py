"""The geometry lint: a `Scene` and its spec in, findings out. Pure; each rule is a function in `RULES`.

Thresholds are those of reference/presentation.md sections 5 and 7, in points unless said otherwise. The layout uses
the same rules on planned geometry to choose between candidates; the verdict comes from the geometry as drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from math import hypot

from layers.presentation.geometry import crossings, distance, is_inside, length_inside
from layers.presentation.graph import Graph
from layers.presentation.scene import EdgeMark, NodeMark, Rect, Scene, TextMark
from layers.presentation.shapes import outline
from layers.presentation.spec import Head, Line, Shape
from layers.presentation.types import Finding

PHONE_CSS_PX = 360.0
CSS_TARGET, CSS_WARN, CSS_BLOCK = 11.0, 9.0, 4.0
"""Css pixels of the text on a phone: wished for, readable without zoom, not readable at all."""
OVERFLOW = 1.0
TEXT_SHARED = 8.0
"""Square points."""
THROUGH, SHRUNK = 4.0, 3.0
"""An edge is through a node when this much of it runs inside the box shrunk by that much."""
STRUCK = 4.0
DANGLING = 6.0
LEAST_EDGE = 16.0
LEAST_INK = 0.002
MOST_ASPECT = 3.2
MOST_PIXELS = 9600
"""Width plus height; above it Telegram refuses the photo."""
LEAK = re.compile(r"\bfa[bsrl]?:fa-|<br\b|&(?:amp|lt|gt|quot);|\*\*\w", re.IGNORECASE)

Rule = Callable[[Scene, Graph], Iterator[Finding]]


def lint(scene: Scene, spec: Graph, *, is_planned: bool = False) -> tuple[Finding, ...]:
    """Everything wrong with `scene` as a drawing of `spec`, errors first.

    The layout, which counts crossings itself, leaves out the rule that does (`is_planned`): it takes the longest.
    """
    found = [finding for rule in RULES if not (is_planned and rule is crowded) for finding in rule(scene, spec)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def css_pixels(size: float, width: float) -> float:
    """How big a text of `size` is when a drawing of `width` is shown on a phone."""
    return size * min(1.0, PHONE_CSS_PX / width)


def count_crossings(scene: Scene) -> int:
    """How often edges cross."""
    return sum(crossings(one, other) for one, other in combinations(scene.edges, 2))


def text_overflow(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """A label sticks out of its node's outline."""
    for node in scene.nodes:
        if node.text.lines and node.shape is not Shape.TEXT and not _holds_text(node):
            yield _error("text_overflow", (node.id,), f"the label of {node.id!r} sticks out of its box")


def _holds_text(node: NodeMark) -> bool:
    left, bottom, right, top = node.text.box.inset(OVERFLOW)
    polygon = outline(node.shape, node.box)
    return all(is_inside(corner, polygon) for corner in ((left, bottom), (left, top), (right, bottom), (right, top)))


def text_on_text(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Two texts lie on each other."""
    for (one, a), (other, b) in combinations(scene.texts(), 2):
        if a.box.shared_area(b.box) > TEXT_SHARED:
            yield _error("text_on_text", (one, other), f"the texts of {one!r} and {other!r} lie on each other")


def node_overlap(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Two boxes share ground."""
    for one, other in combinations(scene.nodes, 2):
        if one.box.inset(0.5).shared_area(other.box.inset(0.5)) > 0:
            yield _error("node_overlap", (one.id, other.id), f"the boxes {one.id!r} and {other.id!r} overlap")


def edge_through_node(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge runs through a box it does not belong to."""
    for edge in scene.edges:
        reach = edge.reach
        for node in scene.nodes:
            if node.id in (edge.source, edge.target) or (not _flat(reach) and reach.shared_area(node.box) == 0):
                continue
            if length_inside(edge.path, node.box.inset(SHRUNK)) > THROUGH:
                yield _error(
                    "edge_through_node", (edge.name, node.id), f"the edge {edge.name} runs through {node.id!r}"
                )


def _flat(box: Rect) -> bool:
    return box.width == 0 or box.height == 0


def label_on_node(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge's label or a group's title lies on a box."""
    marks: list[tuple[str, TextMark]] = [(edge.name, edge.text) for edge in scene.edges if edge.text]
    marks += [(group.id, group.text) for group in scene.groups if group.text]
    for name, text in marks:
        for node in scene.nodes:
            if text.box.shared_area(node.box) > TEXT_SHARED:
                yield _error("label_on_node", (name, node.id), f"the text of {name!r} lies on the box {node.id!r}")


def edge_on_label(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge runs behind another edge's label, so that the label seems to be its own."""
    for labelled in scene.edges:
        for edge in scene.edges:
            if labelled.text and edge is not labelled and length_inside(edge.path, labelled.text.box.inset(1)) > STRUCK:
                words = f"the edge {edge.name} runs through the label of {labelled.name}"
                yield _warning("edge_on_label", (edge.name, labelled.name), words)


def title_hit(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge strikes through a group's title."""
    for group in scene.groups:
        for edge in scene.edges:
            if group.text and length_inside(edge.path, group.text.box) > STRUCK:
                words = f"the edge {edge.name} strikes through the title of {group.id!r}"
                yield _warning("title_hit", (edge.name, group.id), words)


def group_membership(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """A box lies in a frame it does not belong to, or outside its own."""
    for group in scene.groups:
        for node in scene.nodes:
            if node.id in group.members:
                if not group.box.holds(node.box, slack=1):
                    yield _error(
                        "member_outside_group", (node.id, group.id), f"{node.id!r} lies outside its group {group.id!r}"
                    )
            elif group.box.shared_area(node.box) > TEXT_SHARED:
                yield _error(
                    "foreign_in_group", (node.id, group.id), f"{node.id!r} lies in the group {group.id!r}, not its own"
                )


def dangling_edge(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge ends in the air."""
    outlines = {node.id: outline(node.shape, node.box) for node in scene.nodes}
    outlines |= {group.id: _corners(group.box) for group in scene.groups}
    for edge in scene.edges:
        for end, point in ((edge.source, edge.path[0]), (edge.target, edge.path[-1])):
            if end in outlines and not is_inside(point, outlines[end]) and distance(point, outlines[end]) > DANGLING:
                yield _warning("dangling_edge", (edge.name, end), f"the edge {edge.name} does not reach {end!r}")


def stub_edge(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge is too short to be seen as one."""
    for edge in scene.edges:
        if sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(edge.path)) < LEAST_EDGE:
            yield _warning("stub_edge", (edge.name,), f"the edge {edge.name} is so short that it is hard to see")


def _corners(box: Rect) -> list[tuple[float, float]]:
    return [(box.left, box.bottom), (box.right, box.bottom), (box.right, box.top), (box.left, box.top)]


def crowded(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Edges cross so often that they are hard to follow."""
    crossed = count_crossings(scene)
    if crossed > max(2, 0.35 * len(scene.edges)):
        yield _warning("crossings", (), f"edges cross {crossed} times; they are hard to follow")


def canvas_clip(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Something is cut off by the edge of the paper."""
    extents = [(node.id, node.box) for node in scene.nodes] + [(name, text.box) for name, text in scene.texts()]
    extents += [(edge.name, edge.reach) for edge in scene.edges] + [(group.id, group.box) for group in scene.groups]
    for name, box in extents:
        if not scene.canvas.holds(box):
            yield _error("canvas_clip", (name,), f"{name!r} is cut off by the edge of the picture")
    if scene.pixels and scene.pixels.border_ink:
        yield _error("canvas_clip", (), "something touches the edge of the picture")


def blank(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """There is nothing to see."""
    if scene.pixels and scene.pixels.ink < LEAST_INK:
        yield _error("blank", (), "the picture is blank")


def tiny_text(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Too small on a phone."""
    sizes = [text.size for _, text in scene.texts()]
    css = css_pixels(min(sizes), scene.width) if sizes else CSS_TARGET
    if css < CSS_BLOCK:
        words = f"on a phone the text is {css:.1f} pixels high, unreadable even with good eyes; split the diagram"
        yield _error("tiny_text", (), words)
    elif css < CSS_WARN:
        yield _warning("tiny_text", (), f"on a phone the smallest text is {css:.1f} pixels high; tap to zoom")


def size(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """The picture's format is one that chats refuse or shrink."""
    long, short = max(scene.width, scene.height), min(scene.width, scene.height)
    if long > MOST_ASPECT * short:
        yield _warning("aspect", (), f"the picture is {long / short:.1f} times as long as wide; chats shrink it")
    if scene.pixels and scene.pixels.width + scene.pixels.height > MOST_PIXELS:
        yield _error(
            "platform_size", (), f"the picture has more than {MOST_PIXELS} pixels of width and height together"
        )


def missing_glyph(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """No font on this machine has a character."""
    for name, characters in (scene.pixels.undrawable if scene.pixels else {}).items():
        shown = characters[:8]
        words = f"no font here has {shown!r} (in {name!r}); install one, e.g. fonts-noto-cjk or fonts-symbola"
        letters = any(unicodedata.category(character)[0] == "L" for character in characters)
        yield (_error if letters else _warning)("missing_glyph", (name,), words)


def fidelity(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """The drawing shows other texts, nodes or edges than were asked for."""
    wanted = {node.id: node.label for node in spec.nodes}
    shown = {node.id: node.text for node in scene.nodes}
    for id in wanted.keys() - shown.keys():
        yield _error("missing_node", (id,), f"{id!r} is not in the picture")
    for id in shown.keys() - wanted.keys():
        yield _error("extra_node", (id,), f"{id!r} is in the picture and was not asked for")
    for id in wanted.keys() & shown.keys():
        if _letters(wanted[id]) != _letters("".join(shown[id].lines)):
            yield _error("text_fidelity", (id,), f"the label of {id!r} is not the one asked for")
    edges = Counter(
        (edge.source, edge.target, _letters(edge.label)) for edge in spec.edges if edge.style is not Line.HIDDEN
    )
    drawn = Counter(
        (edge.source, edge.target, _letters("".join(edge.text.lines) if edge.text else "")) for edge in scene.edges
    )
    for source, target, label in edges - drawn:
        words = f"the edge {source}->{target} is not in the picture as asked for" + (f" ({label!r})" if label else "")
        yield _error("missing_edge", (f"{source}->{target}",), words)
    titles = {group.id: _letters("".join(group.text.lines) if group.text else "") for group in scene.groups}
    for group in spec.groups:
        if titles.get(group.id) != _letters(group.title):
            yield _error("text_fidelity", (group.id,), f"the title of {group.id!r} is not the one asked for")


def _letters(text: str) -> str:
    return "".join(text.split())


def missing_arrowhead(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """An edge has an arrow in the spec and no tip in the drawing."""
    for edge in scene.edges:
        if any(head is not Head.NONE and tip is None for head, tip in zip(edge.arrows, edge.tips, strict=True)):
            yield _error("missing_arrowhead", (edge.name,), f"the edge {edge.name} lost its arrowhead")


def markup_leak(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Markup that should have become text is shown as it stands."""
    for name, text in scene.texts():
        if found := LEAK.search(" ".join(text.lines)):
            yield _warning("markup_leak", (name,), f"the text of {name!r} shows markup: {found.group()!r}")


def edges_coincide(scene: Scene, spec: Graph) -> Iterator[Finding]:
    """Two edges have the very same line."""
    for one, other in combinations(scene.edges, 2):
        if one.source != other.source and one.target != other.target and _same_line(one, other):
            yield _warning("edges_coincide", (one.name, other.name), f"{one.name} and {other.name} share one line")


def _same_line(one: EdgeMark, other: EdgeMark) -> bool:
    return len(set(one.path) & set(other.path)) > 4


def _error(rule: str, elements: tuple[str, ...], text: str) -> Finding:
    return Finding(rule, "error", elements, text)


def _warning(rule: str, elements: tuple[str, ...], text: str) -> Finding:
    return Finding(rule, "warning", elements, text)


RULES: tuple[Rule, ...] = (
    fidelity,
    blank,
    canvas_clip,
    missing_glyph,
    text_overflow,
    text_on_text,
    node_overlap,
    edge_through_node,
    label_on_node,
    group_membership,
    missing_arrowhead,
    edge_on_label,
    title_hit,
    dangling_edge,
    stub_edge,
    edges_coincide,
    crowded,
    tiny_text,
    size,
    markup_leak,
)
