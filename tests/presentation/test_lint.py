"""Every lint rule against a drawing that has its defect: a good scene is spoilt, really drawn, and judged as drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from layers.presentation import DiagramSpec, Finding, Head, Shape, parse_mermaid
from layers.presentation.drawing import draw
from layers.presentation.lint import RULES, lint
from layers.presentation.scene import EdgeMark, NodeMark, Rect, Scene, TextMark
from tests.presentation.samples import GROUPS, TEN_NODES, laid_out

SOURCE = """\
flowchart TD
    subgraph g [Frame]
        A[Alpha] -->|first| B[Beta]
    end
    B -->|second| C[Gamma]
    A --> D[Delta]
    D --> C
"""
Spoil = Callable[[Scene], Scene]


@pytest.fixture(scope="module")
def spec() -> DiagramSpec:
    return parse_mermaid(SOURCE)


@pytest.fixture(scope="module")
def good(spec: DiagramSpec) -> Scene:
    return laid_out(spec)


def judged(scene: Scene, spec: DiagramSpec) -> tuple[Finding, ...]:
    _, drawn = draw(scene)
    return lint(drawn, spec)


def node(scene: Scene, id: str) -> NodeMark:
    return next(mark for mark in scene.nodes if mark.id == id)


def edge(scene: Scene, name: str) -> EdgeMark:
    return next(mark for mark in scene.edges if mark.name == name)


def with_node(scene: Scene, mark: NodeMark) -> Scene:
    return replace(scene, nodes=tuple(mark if old.id == mark.id else old for old in scene.nodes))


def with_edge(scene: Scene, mark: EdgeMark) -> Scene:
    return replace(scene, edges=tuple(mark if old.name == mark.name else old for old in scene.edges))


def moved_onto(scene: Scene, id: str, other: str) -> Scene:
    old, target = node(scene, id), node(scene, other)
    dx, dy = target.box.centre[0] - old.box.centre[0], target.box.centre[1] - old.box.centre[1]
    return with_node(
        scene, replace(old, box=old.box.moved(dx, dy), text=replace(old.text, box=old.text.box.moved(dx, dy)))
    )


def with_label_at(scene: Scene, name: str, box: Rect) -> Scene:
    old = edge(scene, name)
    assert old.text
    text = replace(old.text, box=Rect.around(box.centre, old.text.box.width, old.text.box.height))
    return with_edge(scene, replace(old, text=text))


def text_of(scene: Scene, name: str) -> TextMark:
    return dict(scene.texts())[name]


def a_label_too_long_for_its_box(scene: Scene) -> Scene:
    old = node(scene, "A")
    return with_node(scene, replace(old, text=replace(old.text, lines=("Alpha " * 6,))))


def a_label_too_wide_for_its_diamond(scene: Scene) -> Scene:
    old = node(scene, "A")
    return with_node(scene, replace(old, shape=Shape.DIAMOND, text=replace(old.text, lines=("Alphabet",))))


def a_straight_edge_through_b(scene: Scene) -> Scene:
    old = edge(scene, "D->C")
    left, _, right, _ = node(scene, "B").box
    y = node(scene, "B").box.centre[1]
    curve = ((left - 20, y), (left, y), (right, y), (right + 20, y))
    return with_edge(scene, replace(old, curve=curve, tips=(None, curve[-1])))


def a_title_on_an_edge(scene: Scene) -> Scene:
    (group,) = scene.groups
    assert group.text
    x, y = edge(scene, "A->B").path[6]
    text = replace(group.text, box=Rect.around((x, y), group.text.box.width, group.text.box.height))
    return replace(scene, groups=(replace(group, text=text),))


def an_edge_through_the_label_of_another(scene: Scene) -> Scene:
    box = text_of(scene, "B->C").box
    y = box.centre[1]
    curve = ((box.left - 10, y), (box.left, y), (box.right, y), (box.right + 10, y))
    return with_edge(scene, replace(edge(scene, "A->D"), curve=curve, tips=(None, curve[-1])))


def a_stub(scene: Scene) -> Scene:
    x, y = edge(scene, "A->D").path[0]
    return with_edge(
        scene, replace(edge(scene, "A->D"), curve=((x, y), (x, y - 2), (x, y - 4), (x, y - 6)), tips=(None, None))
    )


def edges_in_a_tangle(scene: Scene) -> Scene:
    star = []
    for number, mark in enumerate(scene.edges):
        start, end = (30.0, 60.0 + 30 * number), (270.0, 150.0 - 30 * number)
        star.append(replace(mark, curve=(start, start, end, end), tips=(None, end)))
    return replace(scene, edges=tuple(star))


def two_edges_on_one_line(scene: Scene) -> Scene:
    model = edge(scene, "A->B")
    return with_edge(scene, replace(edge(scene, "D->C"), curve=model.curve, tips=model.tips))


def a_foreign_node_in_the_frame(scene: Scene) -> Scene:
    (group,) = scene.groups
    return replace(scene, groups=(replace(group, members=frozenset({"A"})),))


def a_frame_that_misses_its_node(scene: Scene) -> Scene:
    (group,) = scene.groups
    return replace(scene, groups=(replace(group, box=group.box.moved(0, 60)),))


def another_label(scene: Scene) -> Scene:
    old = node(scene, "A")
    return with_node(scene, replace(old, text=replace(old.text, lines=("Alfa",))))


def leaked_markup(scene: Scene) -> Scene:
    old = node(scene, "A")
    return with_node(scene, replace(old, text=replace(old.text, lines=("<br>",))))


def a_character_no_font_has(scene: Scene) -> Scene:
    old = node(scene, "A")
    return with_node(scene, replace(old, text=replace(old.text, lines=("\U00012000",))))


def a_title_on_its_border(scene: Scene) -> Scene:
    (group,) = scene.groups
    assert group.text
    text = replace(group.text, box=group.text.box.moved(0, group.box.top - group.text.box.centre[1]))
    return replace(scene, groups=(replace(group, text=text),))


def a_label_far_from_its_line(scene: Scene) -> Scene:
    return replace(with_label_at(scene, "A->B", Rect(440, 40, 470, 50)), width=500)


def a_winding_edge(scene: Scene) -> Scene:
    old = edge(scene, "D->C")
    (x, y), tip = old.curve[0], old.curve[-1]
    curve = ((x, y), (x + 90, y), (x + 90, y - 30), (x, y - 30), (x - 90, y - 30), (x - 90, y - 60), tip)
    return with_edge(scene, replace(old, curve=curve))


DEFECTS: list[tuple[str, str, Spoil]] = [
    ("text_overflow", "error", a_label_too_long_for_its_box),
    ("text_overflow", "error", a_label_too_wide_for_its_diamond),
    ("text_on_text", "error", lambda scene: with_label_at(scene, "A->B", text_of(scene, "B->C").box)),
    ("node_overlap", "error", lambda scene: moved_onto(scene, "D", "C")),
    ("edge_through_node", "error", a_straight_edge_through_b),
    ("label_on_node", "error", lambda scene: with_label_at(scene, "A->B", node(scene, "C").box)),
    ("edge_on_label", "warning", an_edge_through_the_label_of_another),
    ("title_hit", "warning", a_title_on_an_edge),
    ("foreign_in_group", "error", a_foreign_node_in_the_frame),
    ("member_outside_group", "error", a_frame_that_misses_its_node),
    ("dangling_edge", "warning", a_straight_edge_through_b),
    ("stub_edge", "warning", a_stub),
    ("kinked_edge", "warning", a_winding_edge),
    ("crossings", "warning", edges_in_a_tangle),
    ("edges_coincide", "warning", two_edges_on_one_line),
    ("missing_arrowhead", "error", lambda s: with_edge(s, replace(edge(s, "A->D"), tips=(None, None)))),
    ("canvas_clip", "error", lambda scene: replace(scene, width=scene.width * 0.6)),
    ("blank", "error", lambda scene: Scene(300, 300)),
    ("tiny_text", "warning", lambda scene: replace(scene, width=700)),
    ("tiny_text", "error", lambda scene: replace(scene, width=1200)),
    ("aspect", "warning", lambda scene: replace(scene, height=scene.width * 3.5)),
    ("platform_size", "error", lambda scene: replace(scene, width=4900, height=4900)),
    ("missing_glyph", "error", a_character_no_font_has),
    ("missing_node", "error", lambda scene: replace(scene, nodes=scene.nodes[1:])),
    ("extra_node", "error", lambda scene: replace(scene, nodes=(*scene.nodes, replace(scene.nodes[0], id="E")))),
    ("missing_edge", "error", lambda scene: replace(scene, edges=scene.edges[1:])),
    ("text_fidelity", "error", another_label),
    ("extra_edge", "error", lambda s: replace(s, edges=(*s.edges, replace(s.edges[0], source="C", target="A")))),
    ("missing_group", "error", lambda scene: replace(scene, groups=())),
    ("untitled_group", "error", lambda scene: replace(scene, groups=(replace(scene.groups[0], text=None),))),
    ("title_on_border", "warning", a_title_on_its_border),
    ("label_adrift", "warning", a_label_far_from_its_line),
    ("markup_leak", "warning", leaked_markup),
]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    ("rule", "severity", "spoil"), DEFECTS, ids=[f"{rule}-{n}" for n, (rule, _, _) in enumerate(DEFECTS)]
)
def test_a_drawing_with_a_defect_is_found_out(
    good: Scene, spec: DiagramSpec, rule: str, severity: str, spoil: Spoil
) -> None:
    found = judged(spoil(good), spec)
    assert (rule, severity) in {(finding.rule, finding.severity) for finding in found}, found
    assert all(finding.text and "\n" not in finding.text for finding in found)


def test_no_rule_is_without_a_drawing_that_has_its_defect() -> None:
    proven = {rule for rule, _, _ in DEFECTS}
    assert len(proven) >= len(RULES)


@pytest.mark.parametrize("source", [SOURCE, TEN_NODES, GROUPS])
def test_a_good_drawing_has_no_error(source: str) -> None:
    spec = parse_mermaid(source)
    assert [finding for finding in judged(laid_out(spec), spec) if finding.severity == "error"] == []


def test_ten_nodes_fit_a_phone_without_any_finding() -> None:
    spec = parse_mermaid(TEN_NODES)
    assert judged(laid_out(spec), spec) == ()


def test_errors_come_first(good: Scene, spec: DiagramSpec) -> None:
    found = lint(replace(good, width=700, nodes=good.nodes[1:]), spec)
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities, key=lambda severity: severity != "error")
    assert {"error", "warning"} <= set(severities)


def test_an_arrowhead_is_only_missed_where_one_was_asked_for(good: Scene, spec: DiagramSpec) -> None:
    bare = replace(edge(good, "A->D"), arrows=(Head.NONE, Head.NONE), tips=(None, None))
    assert "missing_arrowhead" not in {finding.rule for finding in lint(with_edge(good, bare), spec)}
