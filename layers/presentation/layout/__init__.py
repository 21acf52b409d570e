"""`Graph` to `Scene`: boxes measured, placed by an engine, their texts put where nothing strikes them, and judged.

`engine` says what an engine takes and gives; `dot` (pygraphviz), `right_angled` (graphlay), `builtin` and `tree` are
four. `search` tries candidates and keeps the best by the lint; `pages` splits what no phone can show at once. Only the
drawing worker imports this.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from layers.presentation.graph import Graph, graph_of
from layers.presentation.layout import pages, search
from layers.presentation.layout.builtin import Builtin
from layers.presentation.layout.candidates import Engine
from layers.presentation.layout.engine import LayoutEngine
from layers.presentation.layout.packing import Packed
from layers.presentation.layout.pages import Page, Pages
from layers.presentation.layout.search import smallest_css
from layers.presentation.layout.tree import Tree
from layers.presentation.scene import Scene
from layers.presentation.spec import DiagramSpec

try:
    from layers.presentation.layout.dot import Dot
except ImportError:  # there is no wheel for this platform
    Dot = None  # type: ignore[assignment,misc]
try:
    from layers.presentation.layout.right_angled import Graphlay
except ImportError:
    Graphlay = None  # type: ignore[assignment,misc]


@cache
def engines() -> Mapping[Engine, LayoutEngine]:
    """The engines of this machine."""
    found: dict[Engine, LayoutEngine] = {Engine.BUILTIN: Packed(Builtin()), Engine.TREE: Tree()}
    if Dot is not None:
        found[Engine.DOT] = Packed(Dot())
    if Graphlay is not None:
        found[Engine.GRAPHLAY] = Packed(Graphlay())
    return found


def lay_out(wanted: Graph | DiagramSpec, rank: int = 0) -> Scene:
    """The best drawing on one page; `rank` 1 gives the second best.

    Raises:
        ValueError: a spec that is no graph.
    """
    graph = wanted if isinstance(wanted, Graph) else graph_of(wanted)
    if graph is None:
        raise ValueError(f"{wanted.__class__.__name__} is no graph")
    return search.lay_out(graph, engines(), rank)


def laid_out(graph: Graph, rank: int = 0, *, is_paged: bool = True) -> Pages:
    """The best drawing, as one page or, where a phone could not show it legibly, as several."""
    return pages.laid_out(graph, engines(), rank, is_paged=is_paged)


__all__ = ["Page", "Pages", "engines", "laid_out", "lay_out", "smallest_css"]
