"""Mindmaps: a tidy tree to both sides of the root, to the right of it, or indented below it. Pure.

The question's direction says which: LEFT is both sides, RIGHT the right side, DOWN indented. Links must be a forest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layers.presentation.layout.engine import EngineFailed, Placement, Question, Route
from layers.presentation.layout.lines import rounded
from layers.presentation.scene import Point
from layers.presentation.spec import Direction

GAP = 14.0
"""Between neighbours on a level."""
STEP = 34.0
"""Between a node and its children."""
INDENT = 26.0


@dataclass(frozen=True, slots=True)
class _Forest:
    question: Question
    children: dict[int, list[int]]
    roots: tuple[int, ...]

    def size(self, node: int) -> tuple[float, float]:
        return self.question.boxes[node].size


class Tree:
    """The tidy tree."""

    def place(self, question: Question) -> Placement:
        """Answer.

        Raises:
            EngineFailed: the links are no forest.
        """
        forest = _forest(question)
        centres: dict[int, Point] = {}
        top = 0.0
        for root in forest.roots:
            top = _place(forest, root, top, centres) - GAP
        left = min(x - forest.size(node)[0] / 2 for node, (x, _) in centres.items())
        bottom = min(y - forest.size(node)[1] / 2 for node, (_, y) in centres.items())
        moved = {node: (x - left, y - bottom) for node, (x, y) in centres.items()}
        width = max(x + forest.size(node)[0] / 2 for node, (x, _) in moved.items())
        height = max(y + forest.size(node)[1] / 2 for node, (_, y) in moved.items())
        return Placement(
            width,
            height,
            tuple(moved[node] for node in range(len(question.boxes))),
            tuple(_route(forest, moved, link.tail, link.head) for link in question.links),
            (),
        )


def _forest(question: Question) -> _Forest:
    children: dict[int, list[int]] = {node: [] for node in range(len(question.boxes))}
    parents: dict[int, int] = {}
    for link in question.links:
        if link.head in parents:
            raise EngineFailed("a box hangs on two others")
        parents[link.head] = link.tail
        children[link.tail].append(link.head)
    roots = tuple(node for node in children if node not in parents)
    reached = list(roots)
    for node in reached:
        reached += children[node]
    if len(reached) < len(children):
        raise EngineFailed("the links run in a circle")
    return _Forest(question, children, roots)


def _place(forest: _Forest, root: int, top: float, centres: dict[int, Point]) -> float:
    """Put the tree of `root` below `top`; its lower end."""
    if forest.question.direction in (Direction.DOWN, Direction.UP):
        return _indented(forest, root, 0.0, top, centres)
    halves: list[tuple[int, list[int]]] = [(1, forest.children[root])]
    if forest.question.direction is Direction.LEFT:
        right, left = _halves(forest, forest.children[root])
        halves = [(1, right), (-1, left)]
    heights = [_stacked(forest, nodes) for _, nodes in halves]
    whole = max([forest.size(root)[1], *heights])
    middle = top - whole / 2
    centres[root] = (0.0, middle)
    for (side, nodes), height in zip(halves, heights, strict=True):
        _column(forest, nodes, side, side * forest.size(root)[0] / 2, middle + height / 2, centres)
    return top - whole


def _halves(forest: _Forest, nodes: list[int]) -> tuple[list[int], list[int]]:
    """First half, second half, by height: read clockwise from the top right."""
    heights = [_height(forest, node) for node in nodes]
    total, used = sum(heights), 0.0
    right: list[int] = []
    for node, height in zip(nodes, heights, strict=True):
        if right and used + height / 2 > total / 2:
            break
        right.append(node)
        used += height
    return right, nodes[len(right) :]


def _height(forest: _Forest, node: int) -> float:
    """Of a node with everything that hangs on it, sideways."""
    return max(forest.size(node)[1], _stacked(forest, forest.children[node]))


def _stacked(forest: _Forest, nodes: Iterable[int]) -> float:
    heights = [_height(forest, node) for node in nodes]
    return sum(heights) + GAP * max(0, len(heights) - 1)


def _column(
    forest: _Forest, nodes: list[int], side: int, edge: float, top: float, centres: dict[int, Point]
) -> None:
    """Put siblings below each other, `side` (1 right, -1 left) of `edge`, and their children beyond."""
    near = edge + side * STEP
    for node in nodes:
        width, _ = forest.size(node)
        height = _height(forest, node)
        centres[node] = (near + side * width / 2, top - height / 2)
        below = _stacked(forest, forest.children[node])
        _column(forest, forest.children[node], side, near + side * width, top - (height - below) / 2, centres)
        top -= height + GAP


def _indented(forest: _Forest, node: int, left: float, top: float, centres: dict[int, Point]) -> float:
    """Each node below the one before, children further in; the lower end."""
    width, height = forest.size(node)
    centres[node] = (left + width / 2, top - height / 2)
    bottom = top - height
    for child in forest.children[node]:
        bottom = _indented(forest, child, left + INDENT, bottom - GAP, centres)
    return bottom


def _route(forest: _Forest, centres: dict[int, Point], tail: int, head: int) -> Route:
    (x0, y0), (x1, y1) = centres[tail], centres[head]
    (tail_width, tail_height), (head_width, _) = forest.size(tail), forest.size(head)
    if forest.question.direction in (Direction.DOWN, Direction.UP):
        x = x0 - tail_width / 2 + INDENT / 2
        return rounded([(x, y0 - tail_height / 2), (x, y1), (x1 - head_width / 2, y1)], (0.0, 0.0))
    side = 1 if x1 > x0 else -1
    start, end = (x0 + side * tail_width / 2, y0), (x1 - side * head_width / 2, y1)
    middle = (start[0] + end[0]) / 2
    return Route((start, (middle, start[1]), (middle, end[1]), end), (None, None))
