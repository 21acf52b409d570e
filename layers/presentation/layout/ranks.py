"""Which rank each box stands in and in which order: longest paths, then barycentres. Pure; for the built-in engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

Item = tuple[str, int]
"""(`box`, `frame` or `lane`, its number)."""
Layer = list[Item]
SWEEPS = 8


def ranked(
    items: list[Item], links: dict[int, tuple[Item, Item]]
) -> tuple[list[Layer], dict[int, list[Item]]]:
    """The ranks from the top, and the lanes of each link through the ranks between its ends, from tail to head.

    A link that would close a circle runs upwards.
    """
    forward = _without_circles(items, links)
    rank = dict.fromkeys(items, 0)
    for item in _sorted(items, forward):
        for after in forward[item]:
            rank[after] = max(rank[after], rank[item] + 1)
    layers: list[Layer] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for item in items:
        layers[rank[item]].append(item)
    lanes: dict[int, list[Item]] = {}
    count = 0
    for number, (tail, head) in links.items():
        step = 1 if rank[head] >= rank[tail] else -1
        lanes[number] = []
        for at in range(rank[tail] + step, rank[head], step):
            lane = ("lane", count)
            count += 1
            layers[at].append(lane)
            lanes[number].append(lane)
    return layers, lanes


def spread(
    items: list[Item], links: dict[int, tuple[Item, Item]], widths: Mapping[Item, float], most: float
) -> dict[Item, int]:
    """The rank of each item, below all that lead to it, no rank wider than `most` unless one item alone is."""
    forward = _without_circles(items, links)
    least = dict.fromkeys(items, 0)
    rank: dict[Item, int] = {}
    used: defaultdict[int, float] = defaultdict(float)
    for item in _sorted(items, forward):
        at = least[item]
        while used[at] and used[at] + widths[item] > most:
            at += 1
        rank[item] = at
        used[at] += widths[item]
        for after in forward[item]:
            least[after] = max(least[after], at + 1)
    return rank


def _without_circles(items: list[Item], links: dict[int, tuple[Item, Item]]) -> dict[Item, list[Item]]:
    """Item to those below it: the links, turned round where they lead back to where the search came from."""
    after: dict[Item, list[Item]] = {item: [] for item in items}
    for tail, head in links.values():
        after[tail].append(head)
    forward: dict[Item, list[Item]] = {item: [] for item in items}
    state: dict[Item, int] = {}
    for start in items:
        stack = [(start, iter(after[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            item, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[item] = 2
                stack.pop()
            elif state.get(following) == 1:
                forward[following].append(item)
            else:
                forward[item].append(following)
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(after[following])))
    return forward


def _sorted(items: list[Item], forward: dict[Item, list[Item]]) -> list[Item]:
    """Each item before those below it."""
    waits = dict.fromkeys(items, 0)
    for below in forward.values():
        for item in below:
            waits[item] += 1
    ready = [item for item in items if waits[item] == 0]
    found = []
    while ready:
        item = ready.pop(0)
        found.append(item)
        for after in forward[item]:
            waits[after] -= 1
            if waits[after] == 0:
                ready.append(after)
    return found


def ordered(
    layers: list[Layer], lanes: dict[int, list[Item]], links: dict[int, tuple[Item, Item]]
) -> list[Layer]:
    """The ranks with each item near the middle of those that it is linked with in the next rank."""
    near: defaultdict[Item, list[Item]] = defaultdict(list)
    for number, (tail, head) in links.items():
        path = [tail, *lanes[number], head]
        for one, other in pairwise(path):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(SWEEPS):
        numbers = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for number in numbers:
            fixed = layers[number - 1 if sweep % 2 == 0 else number + 1]
            place = {item: index for index, item in enumerate(fixed)}
            layers[number] = _by_barycentre(layers[number], near, place)
    return layers


def _by_barycentre(layer: Layer, near: defaultdict[Item, list[Item]], place: dict[Item, int]) -> Layer:
    def centre(pair: tuple[int, Item]) -> float:
        index, item = pair
        places = [place[other] for other in near[item] if other in place]
        return sum(places) / len(places) if places else float(index)

    return [item for _, item in sorted(enumerate(layer), key=centre)]
