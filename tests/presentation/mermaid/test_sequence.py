"""`sequenceDiagram`: what it takes, and the sentence for what it does not."""

from __future__ import annotations

import pytest

from layers.errors import BadInput
from layers.presentation import SequenceDiagram, parse_mermaid
from layers.presentation.spec import (
    Activate,
    Block,
    Create,
    Deactivate,
    Destroy,
    Line,
    Message,
    Note,
    Numbering,
    Role,
    Tip,
)


def sequence(body: str) -> SequenceDiagram:
    spec = parse_mermaid("sequenceDiagram\n" + body)
    assert isinstance(spec, SequenceDiagram)
    return spec


ARROWS = [
    ("->", Line.SOLID, (Tip.NONE, Tip.NONE)),
    ("-->", Line.DOTTED, (Tip.NONE, Tip.NONE)),
    ("->>", Line.SOLID, (Tip.NONE, Tip.ARROW)),
    ("-->>", Line.DOTTED, (Tip.NONE, Tip.ARROW)),
    ("<<->>", Line.SOLID, (Tip.ARROW, Tip.ARROW)),
    ("<<-->>", Line.DOTTED, (Tip.ARROW, Tip.ARROW)),
    ("-x", Line.SOLID, (Tip.NONE, Tip.CROSS)),
    ("--x", Line.DOTTED, (Tip.NONE, Tip.CROSS)),
    ("-)", Line.SOLID, (Tip.NONE, Tip.OPEN)),
    ("--)", Line.DOTTED, (Tip.NONE, Tip.OPEN)),
    ("-|\\", Line.SOLID, (Tip.NONE, Tip.HALF_TOP)),
    ("--//", Line.DOTTED, (Tip.NONE, Tip.HALF_BOTTOM)),
    ("/|-", Line.SOLID, (Tip.HALF_TOP, Tip.NONE)),
    ("\\\\--", Line.DOTTED, (Tip.HALF_BOTTOM, Tip.NONE)),
]


@pytest.mark.parametrize(("arrow", "line", "tips"), ARROWS)
def test_an_arrow_has_its_line_and_its_tips(arrow: str, line: Line, tips: tuple[Tip, Tip]) -> None:
    for space in ("", " "):
        (message,) = sequence(f"Alice{space}{arrow}{space}Bob: hi").steps
        assert message == Message(source="Alice", target="Bob", text="hi", line=line, tips=tips)


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("front-end->>back-end: hi", "front-end", "back-end"),
        ("A B->>C D: hi", "A B", "C D"),
        ("Alice()->>()Bob: hi", "Alice", "Bob"),
        ("日本->>é: hi", "日本", "é"),
        ("a/b->>a.b: hi", "a/b", "a.b"),
    ],
)
def test_names_may_have_dashes_spaces_and_any_letter(text: str, source: str, target: str) -> None:
    (message,) = sequence(text).steps
    assert isinstance(message, Message)
    assert (message.source, message.target) == (source, target)


def test_participants_stand_in_the_order_of_their_first_mention_with_role_and_label() -> None:
    spec = sequence(
        "participant D@{ \"type\": \"database\", \"alias\": \"Store\" }\nactor U as The user\nU->>X: hi\n"
        "participant Q@{ type: queue } as Jobs"
    )
    assert [(one.id, one.label, one.role) for one in spec.participants] == [
        ("D", "Store", Role.DATABASE),
        ("U", "The user", Role.ACTOR),
        ("X", "X", Role.PARTICIPANT),
        ("Q", "Jobs", Role.QUEUE),
    ]


def test_a_text_ends_at_a_semicolon_or_a_comment_but_not_at_an_entity() -> None:
    spec = sequence("A->>B: I #9829; you; A->>B: two # a comment\nA->>B:wrap: three<br/>lines")
    assert [step.text for step in spec.steps if isinstance(step, Message)] == ["I ♥ you", "two", "three\nlines"]


def test_blocks_hold_branches_of_steps() -> None:
    (block,) = sequence("alt yes\nA->>B: 1\nloop each\nB->>A: 2\nend\nelse no\nA->>B: 3\nend").steps
    assert isinstance(block, Block)
    assert [(branch.label, len(branch.steps)) for branch in block.branches] == [("yes", 2), ("no", 1)]
    (coloured,) = sequence("rect rgb(200, 220, 100)\nA->>B: 1\nend").steps
    assert isinstance(coloured, Block)
    assert (coloured.type, coloured.colour) == ("rect", "rgb(200, 220, 100)")


def test_a_box_has_a_colour_only_where_css_knows_it() -> None:
    spec = sequence("box Aqua Group one\nparticipant A\nend\nbox Another group\nactor B\nend\nA->>B: hi")
    assert [(box.colour, box.title, box.members) for box in spec.boxes] == [
        ("Aqua", "Group one", ("A",)),
        ("", "Another group", ("B",)),
    ]


def test_everything_else_that_can_happen() -> None:
    spec = sequence(
        "autonumber 10 5\nA->>+B: go\nB-->>-A: done\nactivate A\ndeactivate A\nNote left of A: one\n"
        "note over A,B: two\ncreate participant C\nA->>C: hi\ndestroy C\nC-xA: bye\nautonumber off"
    )
    kept = [step for step in spec.steps if not isinstance(step, Message)]
    assert kept == [
        Numbering(start=10, by=5),
        Activate(participant="B"),
        Deactivate(participant="B"),
        Activate(participant="A"),
        Deactivate(participant="A"),
        Note(over=("A",), place="left", text="one"),
        Note(over=("A", "B"), text="two"),
        Create(participant="C"),
        Destroy(participant="C"),
        Numbering(is_on=False),
    ]


@pytest.mark.parametrize(
    ("body", "line", "column", "says"),
    [
        ("A->>B", 2, 6, "expected `:` and a text"),
        ("A -> B hi: x\nB->>", 3, 5, "expected the name of a participant"),
        ("particpant A", 2, 1, "did you mean participant"),
        ("A=>B: x", 2, 2, "did you mean ->>"),
        ("A: x", 2, 2, "use ->> for a call"),
        ("loop x\nA->>B: hi", 3, 10, "close the loop of line 2"),
        ("end", 2, 1, "no open block"),
        ("else x", 2, 1, "else belongs into alt"),
        ("A->>-B: x", 2, 1, "'A' to be active here"),
        ("create participant C\nA->>B: x", 3, 1, "a message to 'C'"),
        ("box x\nA->>B: x\nend", 3, 1, "only participant and actor may be in a box"),
    ],
)
def test_an_error_has_its_place_and_the_nearest_fix(body: str, line: int, column: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        sequence(body)
    assert says in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert caught.value.expected
