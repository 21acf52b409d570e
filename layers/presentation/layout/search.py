"""`Graph` to `Scene`: a small search. Each candidate is measured, placed and linted; the best one wins.

Deterministic: the same graph gives the same drawing. Turning the author's direction costs, so it happens only where it
makes the drawing legible on a phone or removes a defect.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from layers.presentation.graph import Graph
from layers.presentation.layout.bounded import in_a_child
from layers.presentation.layout.candidates import Candidate, Engine, candidates_for
from layers.presentation.layout.compose import compose
from layers.presentation.layout.engine import EngineFailed, LayoutEngine, Routing
from layers.presentation.lint import CSS_TARGET, CSS_WARN, count_crossings, css_pixels, lint
from layers.presentation.scene import Scene
from layers.presentation.types import Finding

COST = {"error": 100.0, "warning": 25.0}
TURNING_COST = 12.0
STYLE_COST = 60.0
"""Of lines that run otherwise than was asked for: less than an error."""
CROSSING_COST = 6.0
SMALLNESS_COST = 7.0
"""Per css pixel that the text is smaller than wished for on a phone."""
ILLEGIBLE_COST = 12.0
"""Once more for text that a phone's owner has to zoom."""
TALLNESS_COST, TALL = 10.0, 2.4
GOOD_ENOUGH, GOOD_PAGE = 1.0, 8.0
"""A cost under which nobody looks for a better drawing, and for a better page among many."""
RISKY_EDGES = 40
"""From here on an engine may take seconds, so the search runs where it can be stopped."""
SEARCH_CPU_S = 1.5
LEAST_CPU_S = 0.3
"""For the first drawing, however late it is."""
FALLBACK = Engine.BUILTIN
MOST_REPAIRED = 2
MOST_RANKS = 4
"""Drawings of one graph that are offered one after the other; none of them with an error that the best has not."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that was laid out."""

    candidate: Candidate
    scene: Scene
    cost: float


def lay_out(graph: Graph, engines: Mapping[Engine, LayoutEngine], rank: int = 0) -> Scene:
    """The best of the candidates: the first of equals, and the first that nothing is wrong with.

    `rank` 1 gives the second best and so on, for whoever did not like the first; it begins again after the last.
    """
    return searched(graph, engines, rank).scene


def searched(
    graph: Graph,
    engines: Mapping[Engine, LayoutEngine],
    rank: int = 0,
    *,
    enough: float = GOOD_ENOUGH,
    until_cpu_s: float = inf,
) -> Trial:
    """The same with what it cost. The search ends with a drawing that costs `enough` or less.

    After `until_cpu_s` of this process's processor time it ends with the best it has, which is one at least.
    """
    trials = _trials(graph, engines, enough if rank == 0 else -1.0, until_cpu_s)
    if len(graph.edges) >= RISKY_EDGES:
        left = max(LEAST_CPU_S, until_cpu_s - time.process_time())
        trials = in_a_child(_trials(graph, engines, enough if rank == 0 else -1.0, inf), cpu_s=min(SEARCH_CPU_S, left))
    found: list[Trial] = []
    for trial in trials:
        if all(trial.scene != other.scene for other in found):
            found.append(trial)
    if not found:
        last = Candidate(graph.direction, engine=FALLBACK, routing=Routing.STRAIGHT)
        return Trial(last, compose(graph, last, engines), 0.0)  # nothing to compare it with, so nothing is judged
    found.sort(key=lambda trial: trial.cost)
    offered = [trial for trial in found[:MOST_RANKS] if trial.cost < found[0].cost + COST["error"]]
    return offered[rank % len(offered)]


def _trials(
    graph: Graph, engines: Mapping[Engine, LayoutEngine], enough: float, until_cpu_s: float
) -> Iterator[Trial]:
    """Every candidate laid out, and more tries for those that only struck titles keep from being the best."""
    found: list[Trial] = []
    for candidate in _possible(graph, engines):
        try:
            trial = _try(graph, candidate, engines)
        except EngineFailed:
            continue
        yield trial
        found.append(trial)
        if trial.cost <= enough or time.process_time() > until_cpu_s:
            return
    least = min((trial.cost for trial in found), default=0.0)
    struck = [(trial, _struck(trial.scene, graph)) for trial in found]
    promising = [(_without_strikes(trial, titles), trial, titles) for trial, titles in struck if titles]
    promising.sort(key=lambda item: item[0])
    for hoped, trial, titles in promising[:MOST_REPAIRED]:
        if hoped < least:
            for repaired in _repaired(graph, trial, titles, engines):
                yield repaired
                least = min(least, repaired.cost)


def _without_strikes(trial: Trial, titles: frozenset[str]) -> float:
    """What the trial would cost if no title were struck."""
    return trial.cost - COST["warning"] * len(titles)


def _repaired(
    graph: Graph, trial: Trial, titles: frozenset[str], engines: Mapping[Engine, LayoutEngine]
) -> Iterator[Trial]:
    """The trial with its struck titles given room, or put low, or both."""
    none: frozenset[str] = frozenset()
    for roomy, low in ((titles, none), (none, titles), (titles, titles)):
        try:
            repaired = _try(graph, replace(trial.candidate, roomy=roomy, low=low), engines)
        except EngineFailed:
            continue
        yield repaired
        if not _struck(repaired.scene, graph):
            return


def _possible(graph: Graph, engines: Mapping[Engine, LayoutEngine]) -> list[Candidate]:
    """The candidates with the engines of this machine, each once."""
    found = [
        one if one.engine in engines else replace(one, engine=FALLBACK, routing=Routing.STRAIGHT)
        for one in candidates_for(graph)
    ]
    return list(dict.fromkeys(found))


def _struck(scene: Scene, graph: Graph) -> frozenset[str]:
    """Ids of the groups whose titles an edge strikes."""
    return frozenset(found.elements[1] for found in _findings(scene, graph) if found.rule == "title_hit")


def _try(graph: Graph, candidate: Candidate, engines: Mapping[Engine, LayoutEngine]) -> Trial:
    scene = replace(compose(graph, candidate, engines), engine=candidate.engine.value)
    turning = TURNING_COST if candidate.direction is not graph.direction and graph.kind != "mindmap" else 0.0
    is_asked = graph.style != "right_angled" or candidate.routing is Routing.RIGHT_ANGLED or graph.kind == "mindmap"
    return Trial(candidate, scene, _cost(scene, graph) + turning + (0.0 if is_asked else STYLE_COST))


def _findings(scene: Scene, graph: Graph) -> tuple[Finding, ...]:
    return lint(scene, graph, is_planned=True)


def _cost(scene: Scene, graph: Graph) -> float:
    findings = sum(COST[finding.severity] for finding in _findings(scene, graph) if finding.rule != "tiny_text")
    css = smallest_css(scene)
    smallness = SMALLNESS_COST * max(0.0, CSS_TARGET - css) + ILLEGIBLE_COST * max(0.0, CSS_WARN - css)
    tallness = TALLNESS_COST * max(0.0, scene.height / scene.width - TALL)
    return findings + CROSSING_COST * count_crossings(scene) + smallness + tallness


def smallest_css(scene: Scene) -> float:
    """Css pixels of the smallest text when the drawing is shown on a phone."""
    sizes = [text.size for _, text in scene.texts()]
    return css_pixels(min(sizes), scene.width) if sizes else CSS_TARGET
