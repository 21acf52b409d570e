"""Any spec that is a graph, as one value: `graph_of(spec)` takes a spec, gives nodes, edges and groups. Pure.

The layout places it, the lint compares a drawing with it, and a page of a large diagram is one as well. Flowchart,
state, class, ER and mindmap reduce to it; for the other kinds `graph_of` gives None.
"""

from layers.presentation.graph.reduce import graph_of
from layers.presentation.graph.types import Cell, Graph, GraphEdge, GraphGroup, GraphNode, Row
from layers.presentation.graph.words import lines_of, words_of

__all__ = ["Cell", "Graph", "GraphEdge", "GraphGroup", "GraphNode", "Row", "graph_of", "lines_of", "words_of"]
