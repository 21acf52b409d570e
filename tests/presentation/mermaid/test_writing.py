"""`to_mermaid`: what any spec says comes back from the text, whatever its labels are made of."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import BadInput, Refused
from layers.presentation import DiagramSpec, parse_mermaid, to_mermaid
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.writing.text import escape
from layers.presentation.spec import (
    Attribute,
    Block,
    Branch,
    Cardinality,
    Chart,
    ChartType,
    ClassBox,
    ClassDiagram,
    Direction,
    Edge,
    Entity,
    ErDiagram,
    Flowchart,
    Gantt,
    GanttSection,
    Group,
    Head,
    Idea,
    Line,
    Member,
    Message,
    Mindmap,
    MindShape,
    Node,
    Note,
    Participant,
    Period,
    Pie,
    Relation,
    RelationEnd,
    Relationship,
    Role,
    SequenceDiagram,
    Series,
    Shape,
    Slice,
    State,
    StateDiagram,
    Task,
    Timeline,
    TimelineSection,
    Tip,
    Transition,
)

ODD = "#;:\"'`<>&%[](){}|\\/-=~*_@$.,?!+^ \n日é♥end x o br amp title section wrap: http://a.b/c?d=e&f <b>x</b> fa:fa-x"
LABELS = st.lists(st.sampled_from([*ODD.split(" "), *ODD]), min_size=1, max_size=8).map("".join).map(plain).filter(bool)
LINES = LABELS.map(lambda text: " ".join(text.split())).filter(bool)
IDS = ("a", "b", "c_1", "end", "two words", "x-y", "日本", "class")


READ = ("label", "text", "title", "comment", "name", "type", "details", "events", "annotations", "cardinalities")
"""Fields whose text people see."""


def ids(most: int = 5) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(IDS), min_size=1, max_size=most, unique=True)


@st.composite
def flowcharts(make: st.DrawFn) -> Flowchart:
    known = make(ids())
    shapes, heads = st.sampled_from(Shape), st.sampled_from(Head)
    nodes = tuple(Node(id=id, label=make(LABELS), shape=make(shapes), accent=make(st.integers(0, 8))) for id in known)
    ends = st.sampled_from([*known, "frame"])
    edges = make(
        st.lists(
            st.builds(
                Edge,
                source=ends,
                target=ends,
                label=st.one_of(st.just(""), LABELS),
                style=st.sampled_from([Line.SOLID, Line.DOTTED, Line.THICK]),
                arrows=st.tuples(heads, heads),
            ),
            max_size=4,
        )
    )
    members = tuple(known[: make(st.integers(0, len(known)))])
    groups = (Group(id="frame", title=make(LABELS), members=members), Group(id="inner", title="x", parent="frame"))
    title, direction = make(LINES), make(st.sampled_from(Direction))
    return Flowchart(title=title, direction=direction, nodes=nodes, edges=tuple(edges), groups=groups)


@st.composite
def sequences(make: st.DrawFn) -> SequenceDiagram:
    known = make(ids())
    who = st.sampled_from(known)
    tips = st.sampled_from([Tip.ARROW, Tip.NONE, Tip.CROSS, Tip.OPEN, Tip.HALF_TOP, Tip.HALF_BOTTOM])
    message = st.builds(
        Message,
        source=who,
        target=who,
        text=LABELS,
        line=st.sampled_from([Line.SOLID, Line.DOTTED]),
        tips=st.tuples(st.just(Tip.NONE), tips),
    )
    note = st.builds(Note, over=who.map(lambda one: (one,)), place=st.sampled_from(["left", "over"]), text=LABELS)
    steps = st.lists(st.one_of(message, note), max_size=3).map(tuple)
    branch = st.builds(Branch, label=LABELS, steps=steps)
    block = st.builds(Block, type=st.just("alt"), branches=st.lists(branch, min_size=1, max_size=2).map(tuple))
    return SequenceDiagram(
        participants=tuple(Participant(id=id, label=make(LABELS), role=make(st.sampled_from(Role))) for id in known),
        steps=(*make(steps), *make(st.lists(block, max_size=2))),
    )


@st.composite
def states(make: st.DrawFn) -> StateDiagram:
    known = make(ids())
    made = [State(id=id, label=make(LABELS), details=("more " + make(LINES),)) for id in known]
    made += [State(id="inner", label=make(LABELS), parent=known[0], region=make(st.integers(0, 1)))]
    who = st.sampled_from(known)
    moves = st.builds(Transition, source=who, target=who, label=st.one_of(st.just(""), LABELS))
    return StateDiagram(states=tuple(made), transitions=tuple(make(st.lists(moves, max_size=3))))


@st.composite
def class_diagrams(make: st.DrawFn) -> ClassDiagram:
    known = make(ids())
    is_attribute = LINES.filter(lambda text: ")" not in text and text[-1] not in "*$" and "<<" not in text)
    member = st.builds(Member, text=is_attribute)
    classes = [ClassBox(id=id, label=make(LABELS), attributes=make(st.lists(member, max_size=2))) for id in known]
    who, ends = st.sampled_from(known), st.sampled_from(RelationEnd)
    relation = st.builds(
        Relation,
        source=who,
        target=who,
        label=st.one_of(st.just(""), LINES),
        ends=st.tuples(ends, ends),
        cardinalities=st.tuples(st.one_of(st.just(""), LINES), st.just("")),
    )
    return ClassDiagram(classes=tuple(classes), relations=tuple(make(st.lists(relation, max_size=3))))


@st.composite
def er_diagrams(make: st.DrawFn) -> ErDiagram:
    known = make(ids())
    row = st.builds(Attribute, type=st.sampled_from(["int", "map<a>", "a b"]), name=LINES, comment=LABELS)
    entities = [Entity(id=id, label=make(LINES), attributes=make(st.lists(row, max_size=2))) for id in known]
    who, ends = st.sampled_from(known), st.sampled_from(Cardinality)
    one = st.builds(Relationship, source=who, target=who, label=LABELS, cardinalities=st.tuples(ends, ends))
    return ErDiagram(entities=tuple(entities), relationships=tuple(make(st.lists(one, max_size=3))))


@st.composite
def plans(make: st.DrawFn) -> DiagramSpec:
    labels = make(st.lists(LINES, min_size=1, max_size=4, unique=True))
    start = datetime(2024, 1, 1)
    tasks = [Task(id=f"t{i}", label=one, start=start, end=start + timedelta(hours=i)) for i, one in enumerate(labels)]
    shape = MindShape.SQUARE
    ideas = [Idea(id=f"i{i}", label=one, shape=shape, parent="i0" if i else "") for i, one in enumerate(labels)]
    periods = [Period(label=one, events=tuple(labels)) for one in labels]
    return make(
        st.sampled_from(
            [
                Gantt(title=labels[0], sections=(GanttSection(title=labels[-1], tasks=tuple(tasks)),)),
                Pie(slices=tuple(Slice(label=one, value=i + 0.5) for i, one in enumerate(labels)), shows_values=True),
                Mindmap(title=labels[0], ideas=tuple(ideas)),
                Timeline(sections=(TimelineSection(title=labels[0], periods=tuple(periods)),)),
                Chart(type=ChartType.LINE, title=labels[0], series=(Series(name=labels[0], values=(1, 2.5)),)),
            ]
        )
    )


def renamed(spec: DiagramSpec) -> DiagramSpec:
    """The spec after one round trip: its ids are then those that Mermaid can write."""
    return parse_mermaid(to_mermaid(spec))


@settings(max_examples=60, deadline=None)
@given(st.one_of(flowcharts(), sequences(), states(), class_diagrams(), er_diagrams(), plans()))
def test_what_is_written_is_read_again_as_the_same(spec: DiagramSpec) -> None:
    again = renamed(spec)
    assert (again.kind, again.title, again.counts()) == (spec.kind, spec.title, spec.counts())
    assert texts(again) == texts(spec)
    assert renamed(again) == again


def texts(spec: DiagramSpec) -> list[str]:
    """Every text that somebody reads, sorted: the labels, not the ids."""
    found: list[str] = []

    def gather(value: object, name: str = "") -> None:
        if isinstance(value, dict):
            for inner_name, inner in value.items():
                gather(inner, inner_name)
        elif isinstance(value, list):
            for inner in value:
                gather(inner, name)
        elif isinstance(value, str) and name in READ:
            found.append(value)

    gather(spec.model_dump(mode="json", exclude={"kind"}))
    return sorted(found)


@settings(max_examples=300, deadline=None)
@given(LABELS, st.sampled_from(["", '"', "#;:", "()[]{}"]))
def test_any_label_survives_being_written(text: str, forbidden: str) -> None:
    written = escape(text, forbidden=forbidden)
    assert plain(written) == text
    assert "\n" not in written
    bare = re.sub(r"#\d+;", "", written)
    assert not set(forbidden) & set(bare)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.sampled_from(["sequenceDiagram", "stateDiagram-v2", "classDiagram", "erDiagram"]))
def test_nothing_but_bad_input_comes_out_of_any_text(body: str, header: str) -> None:
    for text in (body, f"{header}\n{body}", f"{header}\nA->>B: {body}", f'{header}\nclass A["{body}"]'):
        try:
            spec = parse_mermaid(text)
        except BadInput:
            continue
        assert DiagramSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("type", [ChartType.SCATTER, ChartType.STACKED_BAR, ChartType.HISTOGRAM, ChartType.HEAT_MAP])
def test_a_chart_that_mermaid_has_no_words_for_is_refused(type: ChartType) -> None:
    at = (1.0,) if type is ChartType.SCATTER else ()
    with pytest.raises(Refused, match="Mermaid has no"):
        to_mermaid(Chart(type=type, series=(Series(values=(1,), at=at),)))
