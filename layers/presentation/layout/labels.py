"""Texts that find their place after the layout: group titles, labels that something covers, texts at edge ends. Pure.

Each takes the first of its possible places that nothing strikes, else the one where the least does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot

from layers.presentation.geometry import length_inside
from layers.presentation.graph import Graph
from layers.presentation.scene import EdgeMark, Point, Rect, Scene, TextMark

TITLE_INSET = 10.0
TITLE_STEP = 9.0
CLEAR = 2.0
"""Around a text, free of lines."""
AIRY = 7.0
"""The same, for a title that has the choice."""
STOPS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
"""Where along its edge a label may sit."""
NEAR = 9.0
"""A label further away than this from its line seems to be another's."""
END_GAP = 4.0
END_STEPS = (6.0, 14.0, 24.0)
"""Points from the tip along the edge."""


def placed_texts(scene: Scene, graph: Graph, titles: dict[str, TextMark | None]) -> Scene:
    """The scene with its group titles, and its labels where nothing strikes them."""
    scene = _with_titles(scene, titles)
    scene = _with_labels(scene)
    return _with_end_texts(scene) if any(any(edge.end_texts) for edge in scene.edges) else scene


class _Ground:
    """What a text must not lie on."""

    def __init__(self, scene: Scene) -> None:
        self._edges = [(edge.reach.inset(-1), edge) for edge in scene.edges]
        self._nodes = [node.box for node in scene.nodes]
        self._frames = [(group.box, _closed(group.box)) for group in scene.groups]
        self.texts: list[Rect] = []

    def best(self, slots: Iterable[Rect], own: EdgeMark | None = None, *, wished: float = CLEAR) -> Rect:
        """The first slot with `wished` points of free ground around it, else the first free one, else the freest.

        A label may lie on its `own` edge.
        """
        places = list(slots)
        near = self._near(places, own, wished)
        costs = [near.cost(slot, CLEAR) for slot in places]
        free = [slot for slot, cost in zip(places, costs, strict=True) if cost == 0]
        if free:
            return next((slot for slot in free if wished == CLEAR or near.cost(slot, wished) == 0), free[0])
        return places[costs.index(min(costs))]

    def _near(self, slots: Sequence[Rect], own: EdgeMark | None, wished: float) -> _Near:
        """Only what lies where the slots are: there may be many slots and a whole drawing around them."""
        area = Rect(
            min(slot.left for slot in slots),
            min(slot.bottom for slot in slots),
            max(slot.right for slot in slots),
            max(slot.top for slot in slots),
        ).inset(-wished)
        return _Near(
            [(reach, edge.path) for reach, edge in self._edges if edge is not own and _touch(reach, area)],
            [box for box in (*self._nodes, *self.texts) if _touch(box, area)],
            [(box, path) for box, path in self._frames if _touch(box, area)],
        )


@dataclass(frozen=True, slots=True)
class _Near:
    edges: list[tuple[Rect, tuple[Point, ...]]]
    boxes: list[Rect]
    frames: list[tuple[Rect, tuple[Point, ...]]]

    def cost(self, slot: Rect, clear: float) -> float:
        """0 where nothing is within `clear` points of `slot`; more, the more is covered."""
        wide = slot.inset(-clear)
        struck = sum(length_inside(path, wide) for reach, path in self.edges if _touch(reach, wide))
        covered = sum(wide.shared_area(box) for box in self.boxes if _touch(box, wide))
        borders = sum(length_inside(path, wide) for box, path in self.frames if not box.holds(wide))
        return round(struck + covered + borders, 1)


def _touch(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _closed(box: Rect) -> tuple[Point, ...]:
    left, bottom, right, top = box
    return (left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)


def _with_titles(scene: Scene, titles: dict[str, TextMark | None]) -> Scene:
    ground = _Ground(scene)
    ground.texts = [edge.text.box for edge in scene.edges if edge.text]
    groups = []
    for group in scene.groups:
        title = titles[group.id]
        if title is not None:
            slot = ground.best(_title_slots(group.box, title.box, is_centred=group.is_state), wished=AIRY)
            ground.texts.append(slot)
            group = replace(group, text=replace(title, box=slot))
        groups.append(group)
    return replace(scene, groups=tuple(groups))


def _title_slots(frame: Rect, title: Rect, *, is_centred: bool) -> Iterator[Rect]:
    """Free places for a title, best first: from the left along the top, then along the bottom."""
    room = max(0.0, frame.width - title.width - 2 * TITLE_INSET)
    steps = [TITLE_STEP * step for step in range(int(room // TITLE_STEP) + 1)]
    if is_centred:
        middle = frame.width / 2 - title.width / 2 - TITLE_INSET
        steps = [middle, *sorted(steps, key=lambda step: abs(step - middle))]
    for y in (frame.top - TITLE_INSET + 3 - title.height, frame.bottom + TITLE_INSET - 4):
        for step in steps:
            yield title.moved(frame.left + TITLE_INSET + step - title.left, y - title.bottom)


def _with_labels(scene: Scene) -> Scene:
    """Each label stays where the engine put it unless something strikes it there."""
    ground = _Ground(scene)
    fixed = [group.text.box for group in scene.groups if group.text]
    boxes = {number: edge.text.box for number, edge in enumerate(scene.edges) if edge.text}
    edges = list(scene.edges)
    for number, edge in enumerate(scene.edges):
        if edge.text is None:
            continue
        ground.texts = fixed + [box for other, box in boxes.items() if other != number]
        slot = ground.best(_label_slots(edge, edge.text.box), edge)
        boxes[number] = slot
        edges[number] = replace(edge, text=replace(edge.text, box=slot))
    return replace(scene, edges=tuple(edges))


def _label_slots(edge: EdgeMark, box: Rect) -> Iterator[Rect]:
    """Where it is, when that is at its line; then on its line, and on both sides of it."""
    if length_inside(edge.path, box.inset(-NEAR)) > 0:
        yield box
    for share in STOPS:
        (x, y), (ux, uy) = along(edge.path, share)
        yield Rect.around((x, y), box.width, box.height)
        away = abs(uy) * box.width / 2 + abs(ux) * box.height / 2 + CLEAR + 1
        for side in (1, -1):
            yield Rect.around((x - side * uy * away, y + side * ux * away), box.width, box.height)


def _with_end_texts(scene: Scene) -> Scene:
    ground = _Ground(scene)
    ground.texts = [text.box for _, text in scene.texts() if text.box.left or text.box.bottom]
    edges = []
    for edge in scene.edges:
        ends = list(edge.end_texts)
        for side, text in enumerate(edge.end_texts):
            if text is not None:
                slot = ground.best(_end_slots(edge, side, text.box))
                ground.texts.append(slot)
                ends[side] = replace(text, box=slot)
        edges.append(replace(edge, end_texts=(ends[0], ends[1])))
    return replace(scene, edges=tuple(edges))


def _end_slots(edge: EdgeMark, side: int, box: Rect) -> Iterator[Rect]:
    """Beside the line, near its end."""
    path = edge.path if side == 0 else edge.path[::-1]
    length = path_length(path) or 1.0
    for step in END_STEPS:
        (x, y), (ux, uy) = along(path, min(0.5, step / length))
        out = abs(ux) * box.width / 2 + abs(uy) * box.height / 2
        away = abs(uy) * box.width / 2 + abs(ux) * box.height / 2 + END_GAP
        for turn in (1, -1):
            yield Rect.around(
                (x + ux * out - turn * uy * away, y + uy * out + turn * ux * away), box.width, box.height
            )


def path_length(path: tuple[Point, ...]) -> float:
    """Of a line of straight pieces."""
    return sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(path))


def along(path: tuple[Point, ...], share: float) -> tuple[Point, Point]:
    """The point at `share` of the line's length, and the direction there as a unit vector."""
    left = share * path_length(path)
    for (x0, y0), (x1, y1) in pairwise(path):
        piece = hypot(x1 - x0, y1 - y0)
        if piece and left <= piece + 1e-9:
            ux, uy = (x1 - x0) / piece, (y1 - y0) / piece
            return (x0 + ux * left, y0 + uy * left), (ux, uy)
        left -= piece
    return path[-1], (1.0, 0.0)
