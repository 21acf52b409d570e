"""The lint: a `Scene` and what it should show in, findings out. Pure but for `pixels`, which only the worker imports.

Thresholds are those of reference/presentation.md sections 5 and 7, in points unless said otherwise. The layout uses
the same rules on planned geometry to choose between candidates (`is_planned`); the verdict comes from the geometry as
drawn, and from the pixels: `pixels.inspect` holds what the geometry claims against what can be seen.

| file | its rules |
|---|---|
| `texts` | text_overflow, text_on_text, label_on_node, edge_on_label, title_hit, label_on_border, … |
| `lines` | edge_through_node, dangling_edge, stub_edge, kinked_edge, edges_coincide, crossings, missing_arrowhead |
| `places` | node_overlap, member_outside_group, foreign_in_group, group_overlap, canvas_clip, blank, aspect, ... |
| `fidelity` | missing and extra nodes, edges and groups, text_fidelity, untitled_group |
| `parts` | the kinds that are no graph: line_on_text, legend_on_data, bar_baseline, chart_value, part_count, ... |
| `pixels` | contrast, hidden_text, struck_text, faint_line, hidden_node, stray_ink, picture_size |
"""

from __future__ import annotations

from layers.presentation.graph import Graph, graph_of
from layers.presentation.lint import fidelity, lines, parts, places, texts
from layers.presentation.lint.finding import Rule
from layers.presentation.lint.lines import count_crossings
from layers.presentation.lint.parts import missing_text
from layers.presentation.lint.texts import CSS_BLOCK, CSS_TARGET, CSS_WARN, css_pixels
from layers.presentation.scene import Scene
from layers.presentation.spec import DiagramSpec
from layers.presentation.types import Finding

__all__ = ["CSS_BLOCK", "CSS_TARGET", "CSS_WARN", "RULES", "count_crossings", "css_pixels", "lint", "missing_text"]

RULES: tuple[Rule, ...] = (
    fidelity.nodes,
    fidelity.edges,
    fidelity.groups,
    places.blank,
    places.canvas_clip,
    texts.missing_glyph,
    texts.text_overflow,
    texts.text_on_text,
    places.node_overlap,
    lines.edge_through_node,
    texts.label_on_node,
    places.group_membership,
    places.group_overlap,
    lines.missing_arrowhead,
    texts.edge_on_label,
    texts.title_hit,
    texts.on_border,
    texts.label_adrift,
    lines.dangling_edge,
    lines.stub_edge,
    lines.kinked_edge,
    lines.edges_coincide,
    lines.crowded,
    texts.tiny_text,
    places.size,
    texts.markup_leak,
)
SLOW = frozenset({lines.crowded, fidelity.nodes, fidelity.edges, fidelity.groups})
"""Left out while candidates are compared: the layout counts crossings itself and draws what it was given."""
OF_EVERY_KIND = (
    places.blank,
    places.canvas_clip,
    texts.missing_glyph,
    texts.text_on_text,
    texts.tiny_text,
    places.size,
    texts.markup_leak,
)


def lint(
    scene: Scene, wanted: Graph | DiagramSpec, *, is_planned: bool = False, is_page: bool = False
) -> tuple[Finding, ...]:
    """Everything wrong with `scene` as a drawing of `wanted`, errors first.

    `is_page`: it is one of several, so that not every word of a spec that is no graph must be on it; ask
    `missing_text` once for all pages.
    """
    if (graph := wanted if isinstance(wanted, Graph) else graph_of(wanted)) is not None:
        rules = [rule for rule in RULES if not (is_planned and rule in SLOW)]
        found = [finding for rule in rules for finding in rule(scene, graph)]
    elif isinstance(wanted, DiagramSpec):
        found = [finding for rule in OF_EVERY_KIND for finding in rule(scene, Graph())]
        found += _of_parts(scene, wanted, is_page=is_page)
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _of_parts(scene: Scene, spec: DiagramSpec, *, is_page: bool) -> list[Finding]:
    found = [finding for rule in parts.RULES for finding in rule(scene, spec)]
    return found if is_page else [*found, *parts.missing_text([scene], spec)]
