"""`stateDiagram`, `classDiagram` and `erDiagram`: what they take, and the sentence for what they do not."""

from __future__ import annotations

import pytest

from layers.errors import BadInput
from layers.presentation import ClassDiagram, ErDiagram, StateDiagram, parse_mermaid, read_mermaid
from layers.presentation.spec import (
    Attribute,
    Cardinality,
    ClassNote,
    Direction,
    Line,
    Member,
    RelationEnd,
    StateNote,
    StateType,
)


def state(body: str) -> StateDiagram:
    spec = parse_mermaid("stateDiagram-v2\n" + body)
    assert isinstance(spec, StateDiagram)
    return spec


def classes(body: str) -> ClassDiagram:
    spec = parse_mermaid("classDiagram\n" + body)
    assert isinstance(spec, ClassDiagram)
    return spec


def er(body: str) -> ErDiagram:
    spec = parse_mermaid("erDiagram\n" + body)
    assert isinstance(spec, ErDiagram)
    return spec


def test_states_have_labels_details_and_kinds() -> None:
    spec = state('state "A long name" as a\na : more\nb : described\nstate c <<choice>>\nstate f [[fork]]\na-->b : go')
    assert [(one.id, one.label, one.type, one.details) for one in spec.states] == [
        ("a", "A long name", StateType.SIMPLE, ("more",)),
        ("b", "described", StateType.SIMPLE, ()),
        ("c", "", StateType.CHOICE, ()),
        ("f", "", StateType.FORK, ()),
    ]
    assert [(one.source, one.target, one.label) for one in spec.transitions] == [("a", "b", "go")]


def test_each_composite_and_each_region_has_its_own_start_and_end() -> None:
    spec = state("[*] --> On\nstate On {\n direction LR\n[*] --> x\n--\n[*] --> y\ny --> [*]\n}\nOn --> [*]")
    assert {one.id: (one.parent, one.region) for one in spec.states} == {
        "(start)": ("", 0),
        "On": ("", 0),
        "(start of On)": ("On", 0),
        "x": ("On", 0),
        "(start of On, region 2)": ("On", 1),
        "y": ("On", 1),
        "(end of On, region 2)": ("On", 1),
        "(end)": ("", 0),
    }
    assert next(one for one in spec.states if one.id == "On").direction is Direction.RIGHT


def test_notes_of_a_state_may_have_many_lines() -> None:
    spec = state("note left of a : short\nnote right of a\n  one\n  two\nend note")
    assert spec.notes == (
        StateNote(of="a", place="left", text="short"),
        StateNote(of="a", place="right", text="one\ntwo"),
    )


def test_a_class_has_compartments_annotations_and_type_parameters() -> None:
    spec = classes(
        'class Shape~T~["A shape"]:::x {\n <<abstract>>\n +List~int~ points\n -count$\n #draw(a: int) bool*\n}\n'
        "Shape : +area()$ float\n<<service>> Other"
    )
    shape, other = spec.classes
    assert (shape.id, shape.label, shape.annotations, shape.accent) == ("Shape", "A shape<T>", ("abstract",), 1)
    assert shape.attributes == (Member(text="+List<int> points"), Member(text="-count", is_static=True))
    assert shape.methods == (
        Member(text="#draw(a: int) bool", is_abstract=True),
        Member(text="+area() float", is_static=True),
    )
    assert other.annotations == ("service",)


@pytest.mark.parametrize(
    ("text", "line", "ends", "cardinalities"),
    [
        ("A <|-- B", Line.SOLID, (RelationEnd.EXTENSION, RelationEnd.NONE), ("", "")),
        ("A --|> B", Line.SOLID, (RelationEnd.NONE, RelationEnd.EXTENSION), ("", "")),
        ("A *--o B", Line.SOLID, (RelationEnd.COMPOSITION, RelationEnd.AGGREGATION), ("", "")),
        ('A "1" ..> "0..*" B', Line.DOTTED, (RelationEnd.NONE, RelationEnd.DEPENDENCY), ("1", "0..*")),
        ("A ()-- B", Line.SOLID, (RelationEnd.LOLLIPOP, RelationEnd.NONE), ("", "")),
        ("A--B", Line.SOLID, (RelationEnd.NONE, RelationEnd.NONE), ("", "")),
    ],
)
def test_a_relation_has_its_ends(
    text: str, line: Line, ends: tuple[RelationEnd, RelationEnd], cardinalities: tuple[str, str]
) -> None:
    (relation,) = classes(f"{text} : says").relations
    assert (relation.source, relation.target, relation.label) == ("A", "B", "says")
    assert (relation.line, relation.ends, relation.cardinalities) == (line, ends, cardinalities)


def test_namespaces_nest_by_braces_and_by_dots() -> None:
    spec = classes('namespace A.B["Inner"] {\n class x\n namespace C { class y }\n}\nnote "all"\nnote for x "one"')
    assert [(one.id, one.title, one.parent, one.members) for one in spec.namespaces] == [
        ("A", "A", "", ()),
        ("A.B", "Inner", "A", ("x",)),
        ("A.B.C", "C", "A.B", ("y",)),
    ]
    assert spec.notes == (ClassNote(text="all"), ClassNote(text="one", of="x"))


def test_an_entity_has_rows_and_an_alias() -> None:
    spec = er('c["A customer"] {\n string name PK, FK "the name"\n int[] ids\n map~int,x~ m UK\n}')
    (entity,) = spec.entities
    assert (entity.id, entity.label) == ("c", "A customer")
    assert entity.attributes == (
        Attribute(type="string", name="name", keys=("PK", "FK"), comment="the name"),
        Attribute(type="int[]", name="ids"),
        Attribute(type="map<int,x>", name="m", keys=("UK",)),
    )


@pytest.mark.parametrize(
    ("text", "ends", "is_identifying"),
    [
        ("||--o{", (Cardinality.ONE, Cardinality.ZERO_OR_MORE), True),
        ("}|..|o", (Cardinality.ONE_OR_MORE, Cardinality.ZERO_OR_ONE), False),
        (" one or more to zero or one ", (Cardinality.ONE_OR_MORE, Cardinality.ZERO_OR_ONE), True),
        (" many(0) optionally to 1+ ", (Cardinality.ZERO_OR_MORE, Cardinality.ONE_OR_MORE), False),
        (" only one to many ", (Cardinality.ONE, Cardinality.ZERO_OR_MORE), True),
    ],
)
def test_a_relationship_has_its_feet(
    text: str, ends: tuple[Cardinality, Cardinality], is_identifying: bool
) -> None:
    (one,) = er(f'A{text}"B C" : "has many"').relationships
    assert (one.source, one.target, one.label) == ("A", "B C", "has many")
    assert (one.cardinalities, one.is_identifying) == (ends, is_identifying)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("stateDiagram-v2\na -> b", 2, "A --> B : label"),
        ("stateDiagram-v2\nstate a {\nb --> c", 3, "close the state 'a' of line 2"),
        ("stateDiagram-v2\nstate a <<chioce>>", 2, "did you mean <<choice>>"),
        ("stateDiagram-v2\nstate a {\nstate a {\n}\n}", 3, "cannot lie in itself"),
        ("stateDiagram-v2\nnote right of a\ntext", 2, "end note"),
        ("classDiagram A --> B", 1, "a new line after classDiagram"),
        ("classDiagram\nclas A", 2, "did you mean class"),
        ("classDiagram\nA -> B", 2, "did you mean -->"),
        ("classDiagram\nclass A {\n+x", 3, "close the class 'A'"),
        ("classDiagram\nnamespace N {\nclass A", 3, "close the namespace 'N'"),
        ("classDiagram\nA { x }", 2, "write class Name {"),
        ("erDiagram\nA ||--o{ B", 2, "`:` and a label"),
        ("erDiagram\nA ||-> B : x", 2, "`--` or `..`"),
        ("erDiagram\nA ||--x B : x", 2, "how many there are"),
        ("erDiagram\nA {\nstring\n}", 4, "the name of the attribute"),
        ("erDiagram\nA {\nstring a", 3, "close the entity 'A'"),
    ],
)
def test_an_error_has_its_line_and_the_nearest_fix(text: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_mermaid(text)
    assert says in str(caught.value)
    assert caught.value.expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stateDiagram-v2\na --> b\n}", "closes nothing"),
        ("classDiagram\nShopping Cart --> Order", "'Shopping Cart' was read as 'ShoppingCart'"),
        ('sequenceDiagram\nparticipant A@{ "type": "databse" }', "read as database"),
        ('flowchart TD\nA@{ shape: rect, "text" }', "without `label:`"),
        ("mindmap\n  a((text)", "')' was read as '))'"),
        ("mindmap\n  a[call f(x) now]", "as if it were in quotes"),
        ("xychart\nx-axis [feb two, mar]", "'feb two' was read as if it were in quotes"),
        ("gantt\nA :a1, 3d", "read as the id"),
    ],
)
def test_a_small_mistake_is_read_as_it_was_meant_and_told(text: str, told: str) -> None:
    assert told in read_mermaid(text).fixes[0].text


def test_what_is_tolerated_is_told() -> None:
    reading = read_mermaid("flowchart TD\nA[call f(x)] --> B")
    assert [(fix.line, fix.column) for fix in reading.fixes] == [(2, 3)]
    assert "as if it were in quotes" in reading.fixes[0].text
    assert read_mermaid("flowchart TD\nA --> B").fixes == ()


def test_the_fixes_become_sentences_for_below_the_picture() -> None:
    reading = read_mermaid("flowchart TD\n" + "\n".join(f"n{i}[call f(x)]" for i in range(5)))
    first, *_, last = reading.notes()
    assert first == "Line 2: the label 'call f(x)' was read as if it were in quotes."
    assert last == "2 more lines were read like that."
    assert read_mermaid("pie\n").notes() != ()
