"""Rules about text: it stays inside, nothing lies on it, it is big enough, and it says what was asked for. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations

from layers.presentation.geometry import distance, is_inside, length_inside
from layers.presentation.graph import Graph
from layers.presentation.lint.finding import error, warning
from layers.presentation.scene import EdgeMark, NodeMark, Point, Rect, Scene, Special, TextMark
from layers.presentation.shapes import outline
from layers.presentation.shown import WIDE
from layers.presentation.spec import Shape
from layers.presentation.types import Finding, Repair

PHONE_CSS_PX = 360.0
CSS_TARGET, CSS_WARN, CSS_BLOCK = 11.0, 9.0, 4.0
"""Css pixels of the text on a phone: wished for, readable without zoom, not readable at all."""
OVERFLOW = 1.0
TEXT_SHARED = 8.0
"""Square points."""
STRUCK = 4.0
ADRIFT = 26.0
"""Points from a label to its own line."""
SURELY_NEAR = 0.7
"""Of that, all around a label: even its corner is no further away."""
LEAK = re.compile(
    r"\bfa[bsrl]?:fa-|</?(?:br|b|i|u|em|strong|p|div|span|small|sub|sup)\b[^>]*>|<br\b"
    r"|&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-f]+);|\*\*\w|\\[.*_`]",
    re.IGNORECASE,
)
BARE = (Shape.TEXT, Special.START, Special.END, Special.BAR)
"""Outlines that a text need not stay in."""


def css_pixels(size: float, width: float) -> float:
    """How big a text of `size` is when a drawing of `width` is shown on a phone."""
    return size * min(1.0, PHONE_CSS_PX / width)


def corners(box: Rect) -> list[Point]:
    """The four, counter-clockwise from the bottom left."""
    return [(box.left, box.bottom), (box.right, box.bottom), (box.right, box.top), (box.left, box.top)]


def text_overflow(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """A label sticks out of its node's outline, a row out of its card."""
    for node in scene.nodes:
        if node.text.lines and node.shape not in BARE and (over := _sticks_out(node)) > 0:
            yield error(
                "text_overflow",
                (node.id,),
                f"the label of {node.id!r} sticks out of its box",
                box=node.text.box,
                measured=(over, OVERFLOW),
                repair=Repair.GROW_BOX,
            )
        for cell in node.cells:
            if cell.lines and not node.box.holds(cell.box, slack=OVERFLOW):
                yield error(
                    "text_overflow",
                    (node.id,),
                    f"the row {' '.join(cell.lines)[:40]!r} sticks out of {node.id!r}",
                    box=cell.box,
                    repair=Repair.GROW_BOX,
                )


def _sticks_out(node: NodeMark) -> float:
    """How far the worst corner of the text is outside; 0 when all are inside."""
    polygon = outline(node.shape, node.box)
    outside = [corner for corner in corners(node.text.box.inset(OVERFLOW)) if not is_inside(corner, polygon)]
    return max((distance(corner, polygon) + OVERFLOW for corner in outside), default=0.0)


def text_on_text(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Two texts lie on each other."""
    texts = [(name, text) for name, text in scene.texts() if text.lines]
    for (one, a), (other, b) in combinations(texts, 2):
        if (shared := a.box.shared_area(b.box)) > TEXT_SHARED:
            yield error(
                "text_on_text",
                (one, other),
                f"the texts of {one!r} and {other!r} lie on each other",
                box=a.box,
                measured=(shared, TEXT_SHARED),
                repair=Repair.MOVE_LABEL,
            )


def _loose(scene: Scene) -> Iterator[tuple[str, TextMark]]:
    """Texts that lie on the paper: of edges and groups, and the heading."""
    for edge in scene.edges:
        yield from ((edge.name, text) for text in (edge.text, *edge.end_texts) if text and text.lines)
    yield from ((group.id, group.text) for group in scene.groups if group.text and group.text.lines)
    if scene.title:
        yield "title", scene.title


def label_on_node(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge's label, a group's title or the heading lies on a box."""
    for name, text in _loose(scene):
        for node in scene.nodes:
            if (shared := text.box.shared_area(node.box)) > TEXT_SHARED:
                yield error(
                    "label_on_node",
                    (name, node.id),
                    f"the text of {name!r} lies on the box {node.id!r}",
                    box=text.box,
                    measured=(shared, TEXT_SHARED),
                    repair=Repair.MOVE_LABEL,
                )


def edge_on_label(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge runs behind another edge's label, so that the label seems to be its own."""
    for labelled in scene.edges:
        for text in (labelled.text, *labelled.end_texts):
            if not text or not text.lines:
                continue
            for edge in scene.edges:
                if edge is labelled or edge.reach.inset(-1).shared_area(text.box) == 0:
                    continue
                struck = length_inside(edge.path, text.box.inset(1))
                if struck > STRUCK:
                    yield warning(
                        "edge_on_label",
                        (edge.name, labelled.name),
                        f"the edge {edge.name} runs through the label of {labelled.name}",
                        box=text.box,
                        measured=(struck, STRUCK),
                        repair=Repair.MOVE_LABEL,
                    )


def title_hit(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """An edge strikes through a group's title, or through the heading."""
    titles = [(group.id, group.text) for group in scene.groups if group.text]
    titles += [("title", scene.title)] if scene.title else []
    for name, text in titles:
        for edge in scene.edges:
            if (struck := length_inside(edge.path, text.box)) > STRUCK:
                yield warning(
                    "title_hit",
                    (edge.name, name),
                    f"the edge {edge.name} strikes through the title of {name!r}",
                    box=text.box,
                    measured=(struck, STRUCK),
                    repair=Repair.MOVE_TITLE,
                )


def on_border(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """A frame's border runs through a label or a title."""
    for name, text in _loose(scene):
        for group in scene.groups:
            sides = corners(group.box)
            struck = length_inside((*sides, sides[0]), text.box.inset(1))
            if struck > STRUCK:
                is_title = name in (group.id, "title")
                yield warning(
                    "title_on_border" if is_title else "label_on_border",
                    (name, group.id),
                    f"the border of {group.id!r} runs through the text of {name!r}",
                    box=text.box,
                    measured=(struck, STRUCK),
                    repair=Repair.MOVE_TITLE if is_title else Repair.MOVE_LABEL,
                )


def label_adrift(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """A label is so far from its own line that nobody can tell whose it is."""
    for edge in scene.edges:
        if not edge.text or not edge.text.lines:
            continue
        box = edge.text.box
        if length_inside(edge.path, box.inset(-ADRIFT * SURELY_NEAR)) > 0:
            continue
        away = distance_to_path(edge, box)
        if away > ADRIFT:
            yield warning(
                "label_adrift",
                (edge.name,),
                f"the label of {edge.name} is far from its line",
                box=box,
                measured=(away, ADRIFT),
                repair=Repair.MOVE_LABEL,
            )


def distance_to_path(edge: EdgeMark, box: Rect) -> float:
    """From the nearest corner or middle of a side of `box` to the line."""
    (x, y), there_and_back = box.centre, (*edge.path, *reversed(edge.path[1:-1]))
    spots = [*corners(box), (box.left, y), (box.right, y), (x, box.top), (x, box.bottom)]
    around = [(px, py) for px, py in edge.path]
    to_line = min(distance(spot, there_and_back) for spot in spots)
    to_box = min(distance(point, corners(box)) for point in around)
    return min(to_line, to_box)


def tiny_text(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Too small on a phone."""
    texts = [text for _, text in scene.texts() if text.lines]
    if not texts:
        return
    smallest = min(texts, key=lambda text: text.size)
    css = css_pixels(smallest.size, scene.width)
    if css < CSS_BLOCK:
        words = f"on a phone the text is {css:.1f} pixels high, unreadable even with good eyes; split the diagram"
        yield error("tiny_text", (), words, box=smallest.box, measured=(css, CSS_BLOCK), repair=Repair.PAGE)
    elif css < CSS_WARN:
        words = f"on a phone the smallest text is {css:.1f} pixels high; tap to zoom"
        yield warning("tiny_text", (), words, box=smallest.box, measured=(css, CSS_WARN), repair=Repair.PAGE)


def markup_leak(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Markup that should have become text is shown as it stands."""
    for name, text in scene.texts():
        if found := LEAK.search(" ".join(text.lines)):
            words = f"the text of {name!r} shows markup: {found.group()!r}"
            yield warning("markup_leak", (name,), words, box=text.box, repair=Repair.RESPEC)


def missing_glyph(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """No font on this machine has a character."""
    for name, characters in (scene.pixels.undrawable if scene.pixels else {}).items():
        if not characters:
            continue
        words = f"no font here has {characters[:8]!r} (in {name!r}); install one, e.g. {_package(characters)}"
        yield error("missing_glyph", (name,), words, measured=(len(characters), 0), repair=Repair.FONT)


def _package(characters: str) -> str:
    """Debian's name for a font that has them."""
    if WIDE.search(characters):
        return "fonts-noto-cjk"
    is_symbol = all(unicodedata.category(character)[0] == "S" for character in characters)
    return "fonts-symbola" if is_symbol else "fonts-noto-core"
