"""Parts of a graph that nothing connects are laid out one by one and set in rows no wider than a phone can show. Pure.

Engines put them all side by side, which no phone shows legibly.
"""

from __future__ import annotations

from dataclasses import replace

from layers.presentation.layout.engine import ROOT, Frame, LayoutEngine, Link, Placement, Question, Route
from layers.presentation.scene import Point, Rect

ROW_WIDTH = 450.0
"""Points; a row may be wider when one part alone is."""
GAP = 34.0


class Packed:
    """An engine that is asked for each connected part."""

    def __init__(self, engine: LayoutEngine) -> None:
        self._engine = engine

    def place(self, question: Question) -> Placement:
        """Answer part by part."""
        parts = _parts(question)
        if len(parts) < 2:
            return self._engine.place(question)
        placements = [self._engine.place(_question(question, part)) for part in parts]
        return _joined(question, parts, placements, _rows(placements))


def _parts(question: Question) -> list[list[int]]:
    """The numbers of the boxes of each part; a link and a frame connect. In the order of their first boxes."""
    leader = list(range(len(question.boxes) + len(question.frames)))

    def find(item: int) -> int:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    def join(one: int, other: int) -> None:
        a, b = find(one), find(other)
        leader[max(a, b)] = min(a, b)

    first = len(question.boxes)
    for link in question.links:
        join(link.tail, link.head)
    for number, box in enumerate(question.boxes):
        if box.group != ROOT:
            join(number, first + box.group)
    for number, frame in enumerate(question.frames):
        if frame.parent != ROOT:
            join(first + number, first + frame.parent)
    found: dict[int, list[int]] = {}
    for number in range(first):
        found.setdefault(find(number), []).append(number)
    return list(found.values())


def _question(whole: Question, part: list[int]) -> Question:
    boxes = {number: index for index, number in enumerate(part)}
    used = sorted(_frames_around(whole, part))
    frames = {number: index for index, number in enumerate(used)} | {ROOT: ROOT}
    return replace(
        whole,
        boxes=tuple(replace(whole.boxes[number], group=frames[whole.boxes[number].group]) for number in part),
        links=tuple(_link(link, boxes, frames) for link in whole.links if link.tail in boxes),
        frames=tuple(_frame(whole.frames[number], frames) for number in used),
    )


def _link(link: Link, boxes: dict[int, int], frames: dict[int, int]) -> Link:
    return replace(
        link,
        tail=boxes[link.tail],
        head=boxes[link.head],
        tail_group=frames[link.tail_group],
        head_group=frames[link.head_group],
    )


def _frame(frame: Frame, frames: dict[int, int]) -> Frame:
    return replace(frame, parent=frames[frame.parent])


def _rows(placements: list[Placement]) -> list[Point]:
    """The left bottom corner of each part: rows from the top down, filled from the left."""
    widest = max(ROW_WIDTH, *(placement.width for placement in placements))
    rows: list[list[int]] = [[]]
    used = 0.0
    for number, placement in enumerate(placements):
        if rows[-1] and used + GAP + placement.width > widest:
            rows.append([])
            used = 0.0
        used += placement.width + (GAP if rows[-1] else 0.0)
        rows[-1].append(number)
    corners: list[Point] = [(0.0, 0.0)] * len(placements)
    top = 0.0
    for row in rows:
        x = 0.0
        for number in row:
            corners[number] = (x, top - placements[number].height)
            x += placements[number].width + GAP
        top -= max(placements[number].height for number in row) + GAP
    lowest = min(y for _, y in corners)
    return [(x, y - lowest) for x, y in corners]


def _joined(
    question: Question, parts: list[list[int]], placements: list[Placement], corners: list[Point]
) -> Placement:
    centres: list[Point] = [(0.0, 0.0)] * len(question.boxes)
    routes: list[Route | None] = [None] * len(question.links)
    frames: list[Rect | None] = [None] * len(question.frames)
    for part, placement, (dx, dy) in zip(parts, placements, corners, strict=True):
        boxes = set(part)
        for number, (x, y) in zip(part, placement.centres, strict=True):
            centres[number] = (x + dx, y + dy)
        links = [number for number, link in enumerate(question.links) if link.tail in boxes]
        for number, route in zip(links, placement.routes, strict=True):
            routes[number] = _moved(route, dx, dy) if route else None
        used = sorted(_frames_around(question, part))
        for number, frame in zip(used, placement.frames, strict=True):
            frames[number] = frame.moved(dx, dy) if frame else None
    return Placement(
        max(x + placement.width for (x, _), placement in zip(corners, placements, strict=True)),
        max(y + placement.height for (_, y), placement in zip(corners, placements, strict=True)),
        tuple(centres),
        tuple(routes),
        tuple(frames),
    )


def _frames_around(question: Question, part: list[int]) -> set[int]:
    used: set[int] = set()
    for number in part:
        group = question.boxes[number].group
        while group != ROOT and group not in used:
            used.add(group)
            group = question.frames[group].parent
    return used


def _moved(route: Route, dx: float, dy: float) -> Route:
    def point(at: Point | None) -> Point | None:
        return (at[0] + dx, at[1] + dy) if at else None

    tail, head = route.tips
    return Route(
        tuple((x + dx, y + dy) for x, y in route.curve), (point(tail), point(head)), point(route.label)
    )
