"""A layered layout in plain Python: for platforms without a wheel, and for what the other engines give up on. Pure.

Ranks by longest path, order by barycentres, straight pieces through a place of its own in every rank that a link
crosses. A frame is laid out by itself and takes part in what is around it as one box.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from layers.presentation.layout.engine import ROOT, Placement, Question, Route, Size
from layers.presentation.layout.lines import loop, rounded
from layers.presentation.layout.ranks import Item, Layer, ordered, ranked
from layers.presentation.scene import Point, Rect
from layers.presentation.spec import Direction

PADDING = 18.0
LANE = 12.0
"""Width of the place that a link takes in a rank that it only crosses."""
SIDEWAYS = (Direction.RIGHT, Direction.LEFT)
FLIPPED = (Direction.UP, Direction.LEFT)
LABEL_GAP = 12.0


@dataclass
class _Inside:
    """What is in one frame (or in none), laid out downwards with its top left corner at (0, 0)."""

    size: Size
    corners: dict[Item, Point]
    """Left top corner of each box and frame; y grows downwards."""
    bends: dict[int, list[Point]] = field(default_factory=dict)
    """Link to the points between its ends, from tail to head."""


class Builtin:
    """The layered layout."""

    def place(self, question: Question) -> Placement:
        """Answer; every graph has one."""
        work = _Work(question)
        inside = work.lay_out(ROOT, (0.0, 0.0))
        return work.placement(inside.size)


class _Work:
    """One question on its way to its answer. Lengths along the ranks come first when the flow is sideways."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.is_sideways = question.direction in SIDEWAYS
        self.rects: dict[Item, Rect] = {}
        self.bends: dict[int, list[Point]] = {}
        self._insides: dict[int, _Inside] = {}

    def lay_out(self, group: int, at: Point) -> _Inside:
        """Lay out what is in `group` and note every position, `at` being the group's corner."""
        inside = self._arranged(group)
        self._settle(inside, at)
        return inside

    def _settle(self, inside: _Inside, at: Point) -> None:
        dx, dy = at
        for item, (x, y) in inside.corners.items():
            width, height = self._size(item)
            self.rects[item] = Rect(x + dx, y + dy, x + dx + width, y + dy + height)
            if item[0] == "frame":
                self._settle(self._insides[item[1]], (x + dx, y + dy))
        for link, points in inside.bends.items():
            self.bends[link] = [(x + dx, y + dy) for x, y in points]

    def _size(self, item: Item) -> Size:
        if item[0] == "frame":
            return self._insides[item[1]].size
        width, height = self.question.boxes[item[1]].size
        return (height, width) if self.is_sideways else (width, height)

    def _arranged(self, group: int) -> _Inside:
        items: list[Item] = [("box", n) for n, box in enumerate(self.question.boxes) if box.group == group]
        for number, frame in enumerate(self.question.frames):
            if frame.parent == group:
                self._insides[number] = self._arranged(number)
                items.append(("frame", number))
        links = self._links_at(group, set(items))
        layers, lanes = ranked(items, links)
        layers = ordered(layers, lanes, links)
        return self._positioned(group, layers, lanes, links)

    def _links_at(self, group: int, items: set[Item]) -> dict[int, tuple[Item, Item]]:
        """The links between two different items here, by what each end lies in."""
        found = {}
        for number, link in enumerate(self.question.links):
            ends = (self._item(link.tail, link.tail_group, items), self._item(link.head, link.head_group, items))
            if ends[0] and ends[1] and ends[0] != ends[1]:
                found[number] = (ends[0], ends[1])
        return found

    def _item(self, box: int, group: int, items: set[Item]) -> Item | None:
        if group == ROOT and ("box", box) in items:
            return "box", box
        around = group if group != ROOT else self.question.boxes[box].group
        while around != ROOT:
            if ("frame", around) in items:
                return "frame", around
            around = self.question.frames[around].parent
        return None

    def _positioned(
        self,
        group: int,
        layers: list[Layer],
        lanes: dict[int, list[Item]],
        links: dict[int, tuple[Item, Item]],
    ) -> _Inside:
        """Coordinates: each rank centred, as far apart as its labels need."""
        head_room, least = self._title_room(group)
        sizes = {item: (LANE, 0.0) if item[0] == "lane" else self._size(item) for layer in layers for item in layer}
        widths = [
            sum(sizes[item][0] for item in layer) + self.question.node_gap * (len(layer) - 1) for layer in layers
        ]
        pad = 0.0 if group == ROOT else PADDING
        whole = max([least, *widths])
        gaps = self._gaps(layers, lanes, links)
        corners: dict[Item, Point] = {}
        y = pad + head_room
        for number, layer in enumerate(layers):
            height = max(sizes[item][1] for item in layer)
            x = pad + (whole - widths[number]) / 2
            for item in layer:
                corners[item] = (x, y + (height - sizes[item][1]) / 2)
                x += sizes[item][0] + self.question.node_gap
            y += height + (gaps[number] if number < len(layers) - 1 else 0.0)
        inside = _Inside((whole + 2 * pad, y + pad), {item: at for item, at in corners.items() if item[0] != "lane"})
        for link, path in lanes.items():
            inside.bends[link] = [(corners[lane][0] + LANE / 2, corners[lane][1]) for lane in path]
        return inside

    def _title_room(self, group: int) -> tuple[float, float]:
        """Height above what is inside, and least width, for the frame's title."""
        title = self.question.frames[group].title if group != ROOT else None
        if title is None:
            return 0.0, 0.0
        return (0.0, title[1] + 8.0) if self.is_sideways else (title[1], title[0])

    def _gaps(
        self, layers: list[Layer], lanes: dict[int, list[Item]], links: dict[int, tuple[Item, Item]]
    ) -> list[float]:
        """Between the ranks: the usual, and room for the longest label that a link has there."""
        rank = {item: number for number, layer in enumerate(layers) for item in layer}
        gaps = [self.question.rank_gap] * len(layers)
        for number, ends in links.items():
            label = self.question.links[number].label
            if label:
                first = min(rank[end] for end in ends)
                room = label[0] if self.is_sideways else label[1]
                gaps[first] = max(gaps[first], room + 2 * LABEL_GAP)
        return gaps

    def placement(self, size: Size) -> Placement:
        """The answer, turned into the direction asked for, y upwards."""
        width, height = size

        def point(at: Point) -> Point:
            x, y = at
            y = height - y if self.question.direction in FLIPPED else y
            return (y, width - x) if self.is_sideways else (x, height - y)

        def rect(found: Rect) -> Rect:
            (x0, y0), (x1, y1) = point((found.left, found.bottom)), point((found.right, found.top))
            return Rect(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

        boxes = [rect(self.rects["box", number]) for number in range(len(self.question.boxes))]
        frames = [rect(self.rects["frame", number]) for number in range(len(self.question.frames))]
        sides: defaultdict[int, int] = defaultdict(int)
        routes = []
        for number, link in enumerate(self.question.links):
            tail = frames[link.tail_group] if link.tail_group != ROOT else boxes[link.tail]
            head = frames[link.head_group] if link.head_group != ROOT else boxes[link.head]
            bends = [point(at) for at in self.bends.get(number, ())]
            routes.append(None if link.is_hidden else self._route(number, tail, head, bends, sides))
        turned = (height, width) if self.is_sideways else (width, height)
        return Placement(*turned, tuple(box.centre for box in boxes), tuple(routes), tuple(frames))

    def _route(self, number: int, tail: Rect, head: Rect, bends: list[Point], sides: defaultdict[int, int]) -> Route:
        link = self.question.links[number]
        if link.tail == link.head and link.tail_group == link.head_group:
            sides[link.tail] += 1
            return loop(tail, 14.0 * sides[link.tail], link.head_lengths)
        start = border(tail, bends[0] if bends else head.centre)
        end = border(head, bends[-1] if bends else tail.centre)
        return rounded([start, *bends, end], link.head_lengths)


def border(box: Rect, towards: Point) -> Point:
    """Where the line from the middle of `box` to `towards` leaves it."""
    (x, y), (tx, ty) = box.centre, towards
    dx, dy = tx - x, ty - y
    scale = max(abs(dx) / (box.width / 2 or 1), abs(dy) / (box.height / 2 or 1))
    return (x + dx / scale, y + dy / scale) if scale > 1 else (x, box.bottom)
