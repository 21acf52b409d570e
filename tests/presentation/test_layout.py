"""The engines behind one question, and the search: what they promise of every graph, on graphs by generator."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.presentation import parse_mermaid
from layers.presentation.graph import Graph, GraphEdge, GraphGroup, GraphNode, graph_of
from layers.presentation.layout import engines, lay_out, search, smallest_css
from layers.presentation.layout.bounded import in_a_child
from layers.presentation.layout.candidates import Candidate, Engine, candidates_for
from layers.presentation.layout.compose import compose
from layers.presentation.layout.engine import ROOT, Box, Frame, Link, Question, Routing
from layers.presentation.lint import lint
from layers.presentation.scene import Rect, Scene
from layers.presentation.spec import Direction
from tests.presentation.samples import GROUPS, TEN_NODES

PLACERS = (Engine.DOT, Engine.GRAPHLAY, Engine.BUILTIN)
DIRECTIONS = st.sampled_from(list(Direction))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Up to nine boxes, some in frames that may lie in each other, any links between them."""
    frames = draw(st.integers(0, 3))
    parents = [draw(st.integers(ROOT, number - 1)) for number in range(frames)]
    count = draw(st.integers(max(1, frames), 9))
    homes = [number if number < frames else draw(st.integers(ROOT, frames - 1)) for number in range(count)]
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=12))
    labels = st.one_of(st.none(), st.just((40.0, 18.0)))
    return Question(
        boxes=tuple(Box((60.0 + 10 * number, 40.0), group=home) for number, home in enumerate(homes)),
        links=tuple(Link(tail=a, head=b, head_lengths=(0.0, 9.0), label=draw(labels)) for a, b in pairs),
        frames=tuple(Frame((70.0, 18.0), parent) for parent in parents),
        direction=draw(DIRECTIONS),
        routing=draw(st.sampled_from(list(Routing)[:2])),
    )


def boxes_of(question: Question, centres: tuple[tuple[float, float], ...]) -> list[Rect]:
    return [Rect.around(at, *box.size) for at, box in zip(centres, question.boxes, strict=True)]


@pytest.mark.parametrize("engine", PLACERS)
@settings(max_examples=25, deadline=None)
@given(question=questions())
def test_every_engine_keeps_boxes_apart_in_their_frames_and_answers_the_same_twice(
    engine: Engine, question: Question
) -> None:
    placement = engines()[engine].place(question)
    boxes = boxes_of(question, placement.centres)
    assert all(one.inset(1).shared_area(other.inset(1)) == 0 for one, other in combinations(boxes, 2))
    for box, asked in zip(boxes, question.boxes, strict=True):
        frame = placement.frames[asked.group] if asked.group != ROOT else None
        assert frame is None or frame.holds(box, slack=1)
    assert all(route is not None and len(route.curve) % 3 == 1 for route in placement.routes)
    assert engines()[engine].place(question) == placement


def test_parts_that_nothing_connects_stand_in_rows_that_a_phone_can_show() -> None:
    text = "flowchart TD\n" + "\n".join(f"a{n}[First of pair {n}] --> b{n}[Second of pair {n}]" for n in range(8))
    assert smallest_css(lay_out(parse_mermaid(text))) >= 9


def test_the_same_graph_gives_the_same_drawing() -> None:
    graph = graph_of(parse_mermaid(GROUPS))
    assert graph
    assert lay_out(graph) == lay_out(graph)


def test_without_any_wheel_the_built_in_engine_draws_what_the_lint_accepts() -> None:
    own = {engine: one for engine, one in engines().items() if engine in (Engine.BUILTIN, Engine.TREE)}
    for text in (TEN_NODES, GROUPS):
        graph = graph_of(parse_mermaid(text))
        assert graph
        scene = search.lay_out(graph, own)
        assert [found for found in lint(scene, graph) if found.severity == "error"] == []


def test_right_angled_lines_have_no_slant() -> None:
    graph = graph_of(parse_mermaid("classDiagram\nA <|-- B\nA <|-- C\nB o-- D\nC --> D : uses"))
    assert graph
    scene = compose(graph, Candidate(Direction.DOWN, engine=Engine.GRAPHLAY, routing=Routing.RIGHT_ANGLED), engines())
    for edge in scene.edges:
        straight = [(a, b) for a, b in pairwise(edge.curve[::3]) if abs(a[0] - b[0]) > 8 or abs(a[1] - b[1]) > 8]
        assert all(abs(a[0] - b[0]) < 0.5 or abs(a[1] - b[1]) < 0.5 for a, b in straight)


def test_at_most_ten_candidates_are_tried_and_one_of_a_dense_graph() -> None:
    nodes = tuple(GraphNode(id=f"n{n}", label="x") for n in range(40))
    dense = Graph(nodes=nodes, edges=tuple(GraphEdge(source=a.id, target=b.id) for a, b in combinations(nodes, 2)))
    assert len(candidates_for(dense)) == 1
    for kind in ("flowchart", "class", "mindmap"):
        assert 3 <= len(candidates_for(Graph(kind=kind, nodes=nodes))) <= 10


def test_what_an_engine_had_found_before_its_budget_is_kept_and_nothing_runs_on() -> None:
    def work() -> Iterator[int]:
        yield os.getpid()
        while True:
            pass

    began = time.process_time()
    (pid,) = in_a_child(work(), cpu_s=0.2)
    assert time.process_time() - began < 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_work_that_fails_in_its_child_keeps_what_came_before() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise MemoryError

    assert list(in_a_child(work(), cpu_s=5)) == [1]


def test_a_dense_graph_is_answered_by_the_engine_that_always_answers() -> None:
    nodes = tuple(GraphNode(id=f"n{n}", label=f"Node {n}") for n in range(60))
    edges = tuple(GraphEdge(source=f"n{n}", target=f"n{(n * k + k) % 60}") for n in range(60) for k in range(2, 8))
    scene = lay_out(Graph(nodes=nodes, edges=edges))
    assert len(scene.nodes) == 60
    assert len(scene.edges) == 360


def marks(text: str) -> Scene:
    return lay_out(parse_mermaid(text))


def test_concurrent_regions_stand_apart_with_a_dashed_line_between() -> None:
    scene = marks("stateDiagram-v2\nstate Busy {\n  [*] --> A\n  --\n  [*] --> B\n}\n")
    (frame,) = scene.groups
    assert frame.is_state
    assert len(frame.dividers) == 1
    boxes = {node.id: node.box for node in scene.nodes}
    ((x0, _), (x1, _)) = frame.dividers[0]
    left, right = sorted((boxes["A"], boxes["B"]), key=lambda box: box.left)
    assert left.right < x0 == x1 < right.left


def test_a_note_stands_beside_its_state() -> None:
    scene = marks("stateDiagram-v2\nIdle --> Busy\nnote right of Idle : waits\n")
    boxes = {node.id: node.box for node in scene.nodes}
    note = next(box for id, box in boxes.items() if id not in ("Idle", "Busy"))
    assert note.left > boxes["Idle"].right
    assert abs(note.centre[1] - boxes["Idle"].centre[1]) < 1


def test_the_rows_of_a_card_stand_below_its_heading_and_columns_line_up() -> None:
    scene = marks("erDiagram\nA {\n  int id PK\n  string longer_name\n}\n")
    (card,) = scene.nodes
    assert len(card.rules) == 1
    assert all(cell.box.top <= card.rules[0][0][1] for cell in card.cells)
    names = [cell for cell in card.cells if cell.lines in (("id",), ("longer_name",))]
    assert names[0].box.left == names[1].box.left
    assert all(card.box.holds(cell.box) for cell in card.cells)


def test_texts_at_the_ends_of_a_relation_stand_at_its_ends() -> None:
    scene = marks('classDiagram\nA "1" --> "0..*" B : has\n')
    (edge,) = scene.edges
    start, end = edge.end_texts
    assert start
    assert end
    assert start.lines == ("1",)
    boxes = {node.id: node.box.centre for node in scene.nodes}
    assert abs(start.box.centre[1] - boxes["A"][1]) < abs(end.box.centre[1] - boxes["A"][1])


def test_an_edge_from_a_frame_to_itself_is_a_loop_at_the_frame() -> None:
    node, group = GraphNode(id="a", label="A"), GraphGroup(id="g", title="G", members=("a",))
    scene = lay_out(Graph(nodes=(node,), edges=(GraphEdge(source="g", target="g"),), groups=(group,)))
    assert scene.edges[0].path[0][0] == pytest.approx(scene.groups[0].box.right)


def test_a_mindmap_is_a_tree_whose_branches_keep_their_colours() -> None:
    scene = marks("mindmap\n  root((Topic))\n    One\n      Leaf\n    Two\n")
    accents = {" ".join(node.text.lines): node.accent for node in scene.nodes}
    assert accents["Leaf"] == accents["One"] != accents["Two"]
    assert not any(one.box.shared_area(other.box) for one, other in combinations(scene.nodes, 2))
