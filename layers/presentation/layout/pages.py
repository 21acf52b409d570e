"""What no phone can show at once becomes several drawings: an overview and a page for each unit.

`laid_out` takes a graph, gives one page or several, and the drawing of the whole, which goes along as a file. A page
that is still too small is split again as long as an album has room.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from layers.presentation.graph import Graph
from layers.presentation.layout.candidates import Engine
from layers.presentation.layout.compose import compose
from layers.presentation.layout.engine import LayoutEngine
from layers.presentation.layout.partition import Unit, split, units_of
from layers.presentation.layout.search import GOOD_PAGE, Trial, searched, smallest_css
from layers.presentation.layout.sections import overview, section
from layers.presentation.lint import CSS_WARN
from layers.presentation.scene import Scene

TALLEST = 1400.0
"""Points: chats shrink a picture's long side to 1280 pixels, and the text must keep 12 of them."""
MOST_PARTS = 14
"""Units after splitting: two albums with the overview."""
PAGES_CPU_S = 1.2
"""Processor time after which each further page takes its first drawing: an answer is due within five seconds."""
MOST_GUESTS = 3
"""Nodes that stand on the overview because each would have a page for itself alone."""
LEAST_NODES = 4
"""Fewer are never split."""


@dataclass(frozen=True, slots=True)
class Page:
    """One drawing and what it is a drawing of."""

    graph: Graph
    scene: Scene


@dataclass(frozen=True, slots=True)
class Pages:
    """What is shown, in order, and the whole in one drawing."""

    shown: tuple[Page, ...]
    whole: Page


def laid_out(graph: Graph, engines: Mapping[Engine, LayoutEngine], rank: int = 0, *, is_paged: bool = True) -> Pages:
    """One page when the whole is legible on a phone, or where no phone is meant (`is_paged` is False)."""
    trial = searched(graph, engines, rank)
    whole = Page(graph, trial.scene)
    if not is_paged or is_legible(trial.scene) or len(graph.nodes) < LEAST_NODES:
        return Pages((whole,), whole)
    pages = _paged(graph, engines, rank, time.process_time() + PAGES_CPU_S)
    is_better = all(is_legible(page.scene) for page in pages) or min(map(_css, pages)) > _css(whole)
    return Pages(pages if len(pages) > 2 and is_better else (whole,), whole)


def is_legible(scene: Scene) -> bool:
    """True when a phone shows it without zoom."""
    return smallest_css(scene) >= CSS_WARN and scene.height <= TALLEST


def _css(page: Page) -> float:
    return smallest_css(page.scene)


def _paged(
    graph: Graph, engines: Mapping[Engine, LayoutEngine], rank: int, until_cpu_s: float
) -> tuple[Page, ...]:
    units = units_of(graph)
    trials: dict[Unit, Trial] = {}
    waiting = list(units)
    while waiting:
        unit = waiting.pop(0)
        page = section(graph, unit, units, _numbered(units))
        trial = searched(page, engines, rank, enough=GOOD_PAGE, until_cpu_s=until_cpu_s)
        parts = [unit] if is_legible(trial.scene) else split(graph, unit)
        if 1 < len(parts) <= MOST_PARTS - len(units) + 1:
            at = units.index(unit)
            units[at : at + 1] = parts
            waiting = [*parts, *waiting]
        else:
            trials[unit] = trial
    first, units = _overview_with_guests(graph, units, engines, rank, until_cpu_s)
    numbers, pages = _numbered(units), [first]
    for unit in units:
        page = section(graph, unit, units, numbers)  # the numbers of the stubs are final only now
        pages.append(Page(page, _again(page, trials[unit], engines, until_cpu_s)))
    return tuple(pages)


def _overview_with_guests(
    graph: Graph, units: list[Unit], engines: Mapping[Engine, LayoutEngine], rank: int, until_cpu_s: float
) -> tuple[Page, list[Unit]]:
    """The overview, and the units that keep a page: a lone node is at home on the overview if that stays legible."""
    lone = [unit for unit in units if len(unit.nodes) == 1 and unit.nodes[0] not in graph.home]
    others = [unit for unit in units if unit not in lone]
    if 0 < len(lone) <= MOST_GUESTS and len(others) > 1:
        page = _overview(graph, others, engines, rank, until_cpu_s)
        if is_legible(page.scene):
            return page, others
    return _overview(graph, units, engines, rank, until_cpu_s), units


def _overview(
    graph: Graph, units: list[Unit], engines: Mapping[Engine, LayoutEngine], rank: int, until_cpu_s: float
) -> Page:
    """The overview; without edges, as a list of contents, where they leave no room for its words."""
    full = overview(graph, units, _numbered(units))
    scene = searched(full, engines, rank, enough=GOOD_PAGE, until_cpu_s=until_cpu_s).scene
    if is_legible(scene):
        return Page(full, scene)
    contents = replace(full, edges=())
    return Page(contents, searched(contents, engines, enough=GOOD_PAGE, until_cpu_s=until_cpu_s).scene)


def _again(graph: Graph, trial: Trial, engines: Mapping[Engine, LayoutEngine], until_cpu_s: float) -> Scene:
    scene = compose(graph, trial.candidate, engines)
    if smallest_css(scene) >= min(CSS_WARN, smallest_css(trial.scene)):
        return scene
    return searched(graph, engines, until_cpu_s=until_cpu_s).scene


def _numbered(units: list[Unit]) -> dict[Unit, int]:
    """Unit to page; the overview is page 1."""
    return {unit: number for number, unit in enumerate(units, start=2)}
