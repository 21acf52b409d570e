"""Layout and drawing: what is planned is what is drawn, and text stays text."""

from __future__ import annotations

import io
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from layers.presentation import DiagramSpec, Direction, Edge, Group, Line, Node, Shape, fonts, parse_mermaid
from layers.presentation.drawing import draw
from layers.presentation.layout import lay_out
from layers.presentation.lint import lint
from tests.presentation.samples import GROUPS, TEN_NODES


def test_the_picture_has_two_pixels_per_point() -> None:
    scene = lay_out(parse_mermaid(TEN_NODES))
    png, drawn = draw(scene)
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert drawn.pixels
        assert image.size == (drawn.pixels.width, drawn.pixels.height)
        assert abs(image.width - 2 * scene.width) <= 2


def test_the_same_diagram_gives_the_same_bytes() -> None:
    spec = parse_mermaid(GROUPS)
    assert draw(lay_out(spec))[0] == draw(lay_out(spec))[0]


def test_each_redo_gives_another_layout_and_begins_again_after_the_last() -> None:
    spec = parse_mermaid(TEN_NODES)
    scenes = [lay_out(spec, rank) for rank in range(6)]
    assert scenes[0] == lay_out(spec)
    assert scenes[1] != scenes[0]
    assert any(scene == scenes[0] for scene in scenes[1:])


def test_dollars_stay_dollars() -> None:
    spec = parse_mermaid('flowchart TD\nA["$HOME and $PATH"] -->|$x^2$| B["a $5 and b $6"]')
    _, drawn = draw(lay_out(spec))
    assert lint(drawn, spec) == ()
    label = next(node.text for node in drawn.nodes if node.id == "A")
    assert " ".join(label.lines) == "$HOME and $PATH"
    planned = max(fonts.width(line, label.size) for line in label.lines)
    assert abs(label.box.width - planned) <= 2  # maths would have swallowed the dollars


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_holds_its_label(shape: Shape) -> None:
    labels = ["x", "two words", "a label of several words that has to be wrapped somewhere"]
    nodes = tuple(Node(id=label, label=label, shape=shape) for label in labels)
    edges = (
        Edge(source=labels[0], target=labels[1], label="on"),
        Edge(source=labels[1], target=labels[0], style=Line.DOTTED),
        Edge(source=labels[2], target=labels[1], style=Line.THICK),
    )
    spec = DiagramSpec(nodes=nodes, edges=edges)
    _, drawn = draw(lay_out(spec))
    assert [finding for finding in lint(drawn, spec) if finding.rule not in ("aspect", "tiny_text")] == []


@pytest.mark.parametrize("label", ['"]; n9 -> n8 [label=<', "</TD></TABLE>>", "\\N\\G\\l", "<b>", "{a|b}", "`${x}`"])
def test_hostile_labels_are_text_because_graphviz_never_sees_them(label: str) -> None:
    spec = DiagramSpec(
        nodes=(Node(id=label, label=label), Node(id="B", label="B")),
        edges=(Edge(source=label, target="B", label=label),),
        groups=(Group(id="g", title=label, members=("B",)),),
    )
    _, drawn = draw(lay_out(spec))
    assert [found for found in lint(drawn, spec) if found.rule != "markup_leak"] == []


def test_groups_that_stand_empty_or_point_at_themselves_are_drawn() -> None:
    spec = parse_mermaid(
        "flowchart LR\nsubgraph one [Empty]\nend\nsubgraph two [Full]\na --> a\nend\none --> two\ntwo --> a"
    )
    _, drawn = draw(lay_out(spec))
    assert [finding.rule for finding in lint(drawn, spec) if finding.severity == "error"] == []


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_line_breaks_at_words_and_where_it_must() -> None:
    lines = fonts.wrap("a sentence with ordinary words", 90, 14)
    assert " ".join(lines) == "a sentence with ordinary words"
    assert len(lines) > 1
    for text in ("x" * 90, "/api/v2/organizations/{id}/projects", "データベースに保存する"):
        with_breaks = fonts.wrap(text, 90, 14)
        assert "".join(with_breaks) == text
        assert max(fonts.width(line, 14) for line in with_breaks) <= 90 * fonts.STRETCH


def test_a_character_without_a_glyph_is_known_beforehand() -> None:
    assert fonts.undrawable("Größe ≥ 3 →") == ""
    assert fonts.undrawable("a\U00012000b\U00012000") == "\U00012000"


IDS = st.integers(min_value=0, max_value=7).map(lambda number: f"n{number}")
LABELS = st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Cf"]), max_size=30)


@st.composite
def specs(make: st.DrawFn) -> DiagramSpec:
    ids = sorted(make(st.sets(IDS, min_size=1)))
    nodes = [Node(id=id, label=make(LABELS), shape=make(st.sampled_from(Shape))) for id in ids]
    ends = st.sampled_from(ids)
    edges = make(
        st.lists(st.builds(Edge, source=ends, target=ends, label=LABELS, style=st.sampled_from(Line)), max_size=8)
    )
    members = make(st.sets(ends, max_size=3))
    groups = (Group(id="g", title=make(LABELS), members=tuple(sorted(members))),) if members else ()
    return DiagramSpec(
        nodes=tuple(nodes),
        edges=tuple(edges),
        groups=groups,
        direction=make(st.sampled_from(Direction)),
        title=make(LABELS),
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_whatever_is_asked_for_is_in_the_picture_and_no_boxes_overlap(spec: DiagramSpec) -> None:
    _, drawn = draw(lay_out(spec))
    rules = {finding.rule for finding in lint(drawn, spec)}
    assert not rules & {
        "missing_node",
        "extra_node",
        "missing_edge",
        "text_fidelity",
        "node_overlap",
        "text_overflow",
        "blank",
    }
    assert all(a.box.inset(1).shared_area(b.box.inset(1)) == 0 for a, b in combinations(drawn.nodes, 2))
