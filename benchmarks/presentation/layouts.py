"""Sections `defective`, `edges_through_nodes`, `legible`, `ms`, `dense` and `crossings`: real flowcharts laid out.

The graphs are the corpus' valid flowcharts of 5 to 80 nodes; where there is no corpus, generated ones of those sizes.
Each is searched, paged, drawn and linted once, and every section reads from that.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.presentation.corpus import corpus
from benchmarks.presentation.mermaid_itself import crossings_of_mermaid
from benchmarks.presentation.section import Measured, Section, missed
from layers.errors import BadInput
from layers.presentation import Finding, parse_mermaid
from layers.presentation.drawing import draw
from layers.presentation.graph import Graph, GraphEdge, GraphNode, graph_of
from layers.presentation.layout import Page, engines, laid_out, smallest_css
from layers.presentation.layout.candidates import Candidate
from layers.presentation.layout.compose import compose
from layers.presentation.lint import count_crossings, lint
from layers.presentation.lint.pixels import inspect

NODES = range(5, 81)
SMALL = range(5, 10)
TIMED_NODES = 40
NO_DEFECTS = frozenset({"tiny_text", "aspect", "missing_glyph", "markup_leak", "crossings"})
"""Findings that a section of their own measures, or that are not the layout's."""
QUICK_STEP = 8
DOCS = ("mermaid:",)
"""Sources that are Mermaid's own tests; the rest are documents that somebody wrote for readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One flowchart after everything."""

    source: str
    text: str
    graph: Graph
    findings: tuple[Finding, ...]
    """Of the whole in one drawing, as drawn."""
    page_findings: tuple[Finding, ...]
    css: float
    """Of the whole: css pixels of its smallest text on a phone."""
    page_css: tuple[float, ...]
    crossings: int
    crossings_of_dot: int
    """Plain dot: the author's direction, no search."""
    cpu_ms: float
    """Search, draw and lint of all that is delivered."""

    @property
    def is_defective(self) -> bool:
        """True when the lint finds something that is not a matter of size or fonts."""
        return any(found.rule not in NO_DEFECTS for found in (*self.findings, *self.page_findings))


def graphs() -> list[tuple[str, str, Graph]]:
    """(source, Mermaid text, graph) of each flowchart that is measured."""
    found = []
    for item in corpus():
        if item["kind"] != "flowchart" or not item["valid"]:
            continue
        try:
            graph = graph_of(parse_mermaid(item["text"]))
        except BadInput:
            continue
        if graph is not None and len(graph.nodes) in NODES:
            found.append((item["source"], item["text"], graph))
    return found or [(f"generated:{count}", "", generated(count, round(count * 1.3))) for count in range(5, 41)]


def generated(nodes: int, edges: int) -> Graph:
    """A graph by arithmetic: the same each time."""
    made = [GraphNode(id=f"n{number}", label=f"Step {number} of the work") for number in range(nodes)]
    rounds = range(2, 2 + 2 * (edges // nodes + 2))
    pairs = dict.fromkeys(
        (one, (one * factor + 5 * (factor - 2) + 1) % nodes) for factor in rounds for one in range(nodes)
    )
    chosen = [(one, other) for one, other in pairs if one != other][:edges]
    return Graph(nodes=tuple(made), edges=tuple(GraphEdge(source=f"n{a}", target=f"n{b}") for a, b in chosen))


@cache
def drawn(is_quick: bool) -> tuple[Drawn, ...]:
    """Every graph, or every eighth."""
    warnings.simplefilter("ignore")  # missing glyphs are findings
    chosen = graphs()[:: QUICK_STEP if is_quick else 1]
    _one("warm-up", "", chosen[0][2])
    return tuple(_one(*item) for item in chosen)


def _one(source: str, text: str, graph: Graph) -> Drawn:
    began = time.process_time()
    pages = laid_out(graph)
    judged = [_judged(page) for page in pages.shown]
    cpu_ms = (time.process_time() - began) * 1000
    is_one = len(pages.shown) == 1
    plain = compose(graph, Candidate(graph.direction), engines())
    return Drawn(
        source=source,
        text=text,
        graph=graph,
        findings=judged[0] if is_one else lint(draw(pages.whole.scene)[1], graph),
        page_findings=() if is_one else tuple(found for page in judged for found in page),
        css=smallest_css(pages.whole.scene),
        page_css=tuple(smallest_css(page.scene) for page in pages.shown),
        crossings=count_crossings(pages.whole.scene),
        crossings_of_dot=count_crossings(plain),
        cpu_ms=cpu_ms,
    )


def _judged(page: Page) -> tuple[Finding, ...]:
    """By its geometry and by its pixels, as what is delivered is."""
    png, scene = draw(page.scene)
    inspect(png, scene)  # its findings are figures of the section `lint`
    return lint(scene, page.graph)


def _share(claims: Sequence[bool]) -> float:
    return round(sum(claims) / len(claims), 4) if claims else 1.0


def defective(folder: Path, is_quick: bool) -> Measured:
    """Drawings with a defect, whole or on any of their pages."""
    found = drawn(is_quick)
    share = _share([one.is_defective for one in found])
    docs = [one for one in found if not one.source.startswith(DOCS)]
    printed = {"defective": share, "defective_docs": _share([one.is_defective for one in docs]), "drawings": len(found)}
    for one in found:
        if one.is_defective:
            rules = sorted({each.rule for each in (*one.findings, *one.page_findings)} - NO_DEFECTS)
            print(f"defective: {one.source}: {', '.join(rules)}", file=sys.stderr)
    return Measured(printed=printed, misses=missed({f"{share:.1%} of drawings are defective": share <= 0.02}))


def edges_through_nodes(folder: Path, is_quick: bool) -> Measured:
    """Edges that run through a box."""
    count = sum(
        found.rule == "edge_through_node" for one in drawn(is_quick) for found in (*one.findings, *one.page_findings)
    )
    return Measured(
        printed={"edges_through_nodes": count}, misses=missed({f"{count} edges run through nodes": count == 0})
    )


def legible(folder: Path, is_quick: bool) -> Measured:
    """Text on a phone: of single images, and of what is delivered."""
    found = drawn(is_quick)
    single = _share([one.css >= 9 for one in found if len(one.graph.nodes) in SMALL])
    pages = [css for one in found for css in one.page_css]
    nine, seven = _share([css >= 9 for css in pages]), _share([css >= 7 for css in pages])
    return Measured(
        printed={"legible": {"single_5_to_9": single, "pages_9": nine, "pages_7": seven, "pages": len(pages)}},
        misses=missed(
            {
                f"{single:.0%} of single images of 5 to 9 nodes have 9 css pixels": single >= 0.85,
                f"{nine:.0%} of pages have 9 css pixels": nine >= 0.95,
                f"{seven:.0%} of pages have 7 css pixels": seven >= 1,
            }
        ),
    )


def ms(folder: Path, is_quick: bool) -> Measured:
    """Processor time of search, draw and lint, up to 40 nodes."""
    times = sorted(one.cpu_ms for one in drawn(is_quick) if len(one.graph.nodes) <= TIMED_NODES)
    times += [_one(*item).cpu_ms for item in [("generated", "", generated(size, size * 5 // 4)) for size in (30, 40)]]
    times.sort()
    p50, p95 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.95))]
    return Measured(
        printed={"ms": {"p50": round(p50), "p95": round(p95), "most": round(times[-1])}},
        misses=missed({f"p95 is {p95:.0f} ms": p95 <= 1500}),
    )


DENSE = """
import asyncio, resource, sys, time
from benchmarks.presentation.layouts import generated
from layers.errors import BulkheadError
from layers.presentation import Diagram, Presenter

async def main():
    presenter = Presenter()
    await presenter.present(Diagram(source="flowchart LR; a --> b"))
    for edges in map(int, sys.argv[1:]):
        graph = generated(100, edges)
        source = "flowchart TD\\n" + "\\n".join(f"{edge.source} --> {edge.target}" for edge in graph.edges)
        began = time.monotonic()
        try:
            figure = await presenter.present(Diagram(source=source, surface="telegram"))
            outcome = f"{1 + len(figure.further)}-pages"
        except BulkheadError as error:
            outcome = type(error).__name__
        print(f"{time.monotonic() - began:.2f}", outcome)
    await presenter.close()
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "peak")

asyncio.run(main())
"""
DENSE_EDGES = (120, 400)
WORKER_MB = 1500
SLACK_S = 0.5
"""For killing the worker after its five seconds."""


def dense(folder: Path, is_quick: bool) -> Measured:
    """100 nodes with many edges through the presenter: paged or refused in time, in bounded memory."""
    command = [sys.executable, "-W", "ignore", "-c", DENSE, *map(str, DENSE_EDGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *answers, (peak, _) = [line.split() for line in done.stdout.splitlines()]
    megabytes = int(peak) / (1000 if sys.platform != "darwin" else 1e6)
    told = {
        f"100/{edges}": {"s": float(seconds), "answer": outcome}
        for edges, (seconds, outcome) in zip(DENSE_EDGES, answers, strict=True)
    }
    slowest = max(float(seconds) for seconds, _ in answers)
    return Measured(
        printed={"dense": {**told, "peak_mb": round(megabytes)}},
        misses=missed(
            {
                f"a dense graph was answered after {slowest:.1f} s": slowest <= 5 + SLACK_S,
                f"the worker took {megabytes:.0f} MB": megabytes <= WORKER_MB,
            }
        ),
    )


def crossings(folder: Path, is_quick: bool) -> Measured:
    """Crossings per drawing: ours, plain dot's and, with npm and chromium, Mermaid's; the same graphs in each."""
    found = drawn(is_quick)
    by_text = crossings_of_mermaid(folder, {one.text: one.graph for one in found if one.text})
    compared = [one for one in found if one.text in by_text] if by_text else list(found)
    count = len(compared) or 1
    printed: Mapping[str, object] = {
        "ours": round(sum(one.crossings for one in compared) / count, 3),
        "dot": round(sum(one.crossings_of_dot for one in compared) / count, 3),
        "mermaid": round(sum(by_text[one.text] for one in compared) / count, 3) if by_text else None,
        "drawings": len(compared),
    }
    return Measured(printed={"crossings": printed})


SECTIONS: Mapping[str, Section] = {
    "defective": Section(keys=("defective", "defective_docs", "drawings"), run=defective),
    "edges_through_nodes": Section(keys=("edges_through_nodes",), run=edges_through_nodes),
    "legible": Section(keys=("legible",), run=legible),
    "ms": Section(keys=("ms",), run=ms),
    "dense": Section(keys=("dense",), run=dense),
    "crossings": Section(keys=("crossings",), run=crossings),
}
