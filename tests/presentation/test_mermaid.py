"""The Mermaid parser: what it takes, what it refuses and how, and that nothing else ever comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import BadInput
from layers.presentation import DiagramSpec, Direction, Head, Line, Shape, parse_mermaid


def flow(body: str) -> DiagramSpec:
    return parse_mermaid("flowchart TD\n" + body)


def edges(spec: DiagramSpec) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.target, edge.label) for edge in spec.edges]


@pytest.mark.parametrize(
    ("text", "shape", "label"),
    [
        ("A", Shape.RECT, "A"),
        ("A[plain]", Shape.RECT, "plain"),
        ('A["with (brackets) and ] more"]', Shape.RECT, "with (brackets) and ] more"),
        ("A(round)", Shape.ROUNDED, "round"),
        ("A([stadium])", Shape.STADIUM, "stadium"),
        ("A[[sub]]", Shape.SUBROUTINE, "sub"),
        ("A[(db)]", Shape.CYLINDER, "db"),
        ("A((circle))", Shape.CIRCLE, "circle"),
        ("A(((double)))", Shape.DOUBLE_CIRCLE, "double"),
        ("A{choice}", Shape.DIAMOND, "choice"),
        ("A{{hex}}", Shape.HEXAGON, "hex"),
        ("A[/in/]", Shape.LEAN_RIGHT, "in"),
        ("A[\\out\\]", Shape.LEAN_LEFT, "out"),
        ("A[/up\\]", Shape.TRAPEZOID, "up"),
        ("A[\\down/]", Shape.TRAPEZOID_TOP, "down"),
        ("A>flag]", Shape.FLAG, "flag"),
        ("A(-oval-)", Shape.ELLIPSE, "oval"),
        ("A[/api/users]", Shape.RECT, "/api/users"),
        ("A[call foo(bar)]", Shape.RECT, "call foo(bar)"),
        ('A@{ shape: cyl, label: "kept" }', Shape.CYLINDER, "kept"),
        ("A@{ shape: doc }", Shape.DOCUMENT, "A"),
        ("A[two<br/>lines]", Shape.RECT, "two\nlines"),
        ("A[fa:fa-car drive]", Shape.RECT, "drive"),
        ("A[5 #gt; 3 &amp; 2 #35;1]", Shape.RECT, "5 > 3 & 2 #1"),
        ('A["`**bold** and *it* but asset_fetch`"]', Shape.RECT, "bold and it but asset_fetch"),
        ("A[asset_fetch and /schemas/*]", Shape.RECT, "asset_fetch and /schemas/*"),
        ("A[$HOME and $PATH]", Shape.RECT, "$HOME and $PATH"),
        ('A["List<T> of <b>bold</b>"]', Shape.RECT, "List<T> of bold"),
        ("A[日本語]:::red", Shape.RECT, "日本語"),
    ],
)
def test_a_node_has_the_shape_and_the_label_that_mermaid_gives_it(text: str, shape: Shape, label: str) -> None:
    (node,) = flow(text).nodes
    assert (node.shape, node.label) == (shape, label)


@pytest.mark.parametrize(
    ("arrow", "style", "heads"),
    [
        ("-->", Line.SOLID, (Head.NONE, Head.ARROW)),
        ("---", Line.SOLID, (Head.NONE, Head.NONE)),
        ("----->", Line.SOLID, (Head.NONE, Head.ARROW)),
        ("-.->", Line.DOTTED, (Head.NONE, Head.ARROW)),
        ("-..-", Line.DOTTED, (Head.NONE, Head.NONE)),
        ("==>", Line.THICK, (Head.NONE, Head.ARROW)),
        ("===", Line.THICK, (Head.NONE, Head.NONE)),
        ("--o", Line.SOLID, (Head.NONE, Head.CIRCLE)),
        ("--x", Line.SOLID, (Head.NONE, Head.CROSS)),
        ("<-->", Line.SOLID, (Head.ARROW, Head.ARROW)),
        ("o--o", Line.SOLID, (Head.CIRCLE, Head.CIRCLE)),
        ("x-.-x", Line.DOTTED, (Head.CROSS, Head.CROSS)),
        ("~~~", Line.HIDDEN, (Head.NONE, Head.NONE)),
        ("e1@-->", Line.SOLID, (Head.NONE, Head.ARROW)),
    ],
)
def test_an_arrow_has_its_line_and_its_heads(arrow: str, style: Line, heads: tuple[Head, Head]) -> None:
    (edge,) = flow(f"A {arrow} B").edges
    assert (edge.style, edge.arrows) == (style, heads)


@pytest.mark.parametrize(
    "text", ["A -->|yes, go| B", "A -- yes, go --> B", 'A -->|"yes, go"| B', 'A -- "yes, go" --> B', "A--yes, go-->B"]
)
def test_an_edge_label_may_be_written_in_every_form(text: str) -> None:
    assert edges(flow(text)) == [("A", "B", "yes, go")]


def test_ampersands_and_chains_make_every_pair() -> None:
    assert [edge[:2] for edge in edges(flow("A & B --> C & D --> E"))] == [
        *(("A", "C"), ("A", "D"), ("B", "C"), ("B", "D")),
        *(("C", "E"), ("D", "E")),
    ]


def test_subgraphs_nest_and_edges_may_end_at_them() -> None:
    spec = flow(
        'subgraph one["First one"]\n a --> b\n subgraph two\n  direction LR\n  c\n end\nend\none --> d\ntwo --> one'
    )
    groups = {group.id: group for group in spec.groups}
    assert (groups["one"].title, groups["one"].members, groups["one"].parent) == ("First one", ("a", "b"), "")
    assert (groups["two"].members, groups["two"].parent, groups["two"].direction) == (("c",), "one", Direction.RIGHT)
    assert [node.id for node in spec.nodes] == ["a", "b", "c", "d"]
    assert edges(spec)[1:] == [("one", "d", ""), ("two", "one", "")]


def test_what_only_styles_is_read_over() -> None:
    spec = parse_mermaid(
        "---\ntitle: Named\nconfig:\n  theme: dark\n---\n%%{init: {'theme': 'dark'}}%%\ngraph LR;\n%% a comment\n"
        "  A-->B; B-->C;\n  classDef red fill:#f00,color:#fff;\n  class A,B red;\n  style C fill:#bbf\n"
        '  linkStyle 0 stroke:red\n  click A "https://example.org/?a;b" "tip"\n  accTitle: for readers\n'
    )
    assert (spec.title, spec.direction) == ("Named", Direction.RIGHT)
    assert [node.id for node in spec.nodes] == ["A", "B", "C"]


def test_a_markdown_fence_around_the_diagram_is_taken_off() -> None:
    assert edges(parse_mermaid("```mermaid\nflowchart LR\nA --> B\n```\n")) == [("A", "B", "")]


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("flowchart TD\nA -> B", 2, 3, "did you mean -->"),
        ("flowchart TD\nA --> B\nB => C", 3, 3, "did you mean ==>"),
        ("flowchart TD\n  A[open --> B", 2, 4, "expected `]`"),
        ("flowchart TD\nA -->", 2, 6, "a node after the arrow"),
        ("flowchart TD\nA --> B C", 2, 9, "a new line"),
        ("flowchart TD\nA -->|yes B", 2, 6, "`|`"),
        ("flowchart TD\nsubgraph one\nA --> B", 3, 8, "`end`"),
        ("flowchart TD\nA --> end", 2, 7, "write End"),
        ("flowchart TD\nend", 2, 1, "no open subgraph"),
        ("flowchart XY\nA", 1, 11, "a direction"),
        ("flowchart TD A --> B", 1, 14, "a new line"),
        ("flowchart TD\nA@{ shape: no-such-shape }", 2, 2, "use rect"),
        ("flowchart TD\nA --> B\nlinkStyle 1 stroke:red", 3, 1, "1 edges so far"),
        ("%% note\n\nfrobnicate\n", 3, 1, "flowchart TD"),
        ("", 1, 1, "flowchart TD"),
    ],
)
def test_an_error_says_line_column_and_what_was_expected(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_mermaid(text)
    assert (caught.value.line, caught.value.column) == (line, column), caught.value
    assert says in str(caught.value)
    assert caught.value.expected
    assert "\n" not in str(caught.value)


def test_another_kind_of_mermaid_is_called_by_its_name() -> None:
    with pytest.raises(BadInput, match=r"sankey diagrams .* these can: flowchart, sequence"):
        parse_mermaid("---\ntitle: x\n---\nsankey\n  a,b,10")


@pytest.mark.parametrize(
    "text",
    [
        "flowchart TD\n" + "\n".join(f"n{i} --> n{i + 1}" for i in range(5000)),
        "flowchart TD\n" + " & ".join(f"a{i}" for i in range(300)) + " --> " + " & ".join(f"b{i}" for i in range(190)),
        "flowchart TD\n" + "A --> B\n" * 20_000,
        "flowchart TD\n" + "%%{" * 33_000,
        "flowchart TD\nA -." + "." * 90_000,
        'flowchart TD\nA["`' + "*a " * 30_000 + '`"]\n' + "-",
        "flowchart TD\n" + "subgraph x\n" * 9_000,
        "flowchart TD\nA" + "[" * 90_000,
        "flowchart TD\n" + "x" * 99_000 + "@",
        "flowchart TD\n" + "A--> " * 19_000,
    ],
)
@pytest.mark.timeout(5)
def test_a_monstrous_diagram_is_refused_at_once_in_one_sentence(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_mermaid(text)
    assert len(str(caught.value)) < 300


def parse_or_error(text: str) -> DiagramSpec | BadInput:
    try:
        return parse_mermaid(text)
    except BadInput as error:
        return error


PIECES = st.sampled_from(
    [
        *("A", "B", "x", "o", "end", "subgraph", "direction LR", "graph", "style", "class", "click", "e1", "日本"),
        *(
            " ",
            "  ",
            "\n",
            "\n\n",
            ";",
            "\t",
            "\r\n",
            '"',
            "`",
            "'",
            "|",
            "&",
            " & ",
            ":::",
            ":",
            "@",
            "@{",
            "}",
            "%%",
            "%%{",
        ),
        *("-->", "---", "--", "-.", "-.->", "==", "==>", "~~~", "--x", "o--", "<-->", "->", "e1@-->", "-", "=", "."),
        *(
            "[",
            "]",
            "[[",
            "]]",
            "((",
            "))",
            "(((",
            "{",
            "{{",
            "}}",
            "[/",
            "/]",
            "[\\",
            "\\]",
            ">",
            "([",
            "])",
            "(-",
            "-)",
        ),
        *(
            "shape: rect",
            "label: ",
            ",",
            "#35;",
            "&amp;",
            "<br>",
            "<a href=",
            "fa:fa-x",
            "linkStyle 0",
            "accDescr {",
            "---\n",
        ),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(["flowchart TD\n", "graph LR;", "---\n", ""]))
def test_nothing_but_bad_input_comes_out_of_broken_text(body: str, header: str) -> None:
    outcome = parse_or_error(header + body)
    if isinstance(outcome, BadInput):
        assert min(outcome.line, outcome.column) >= 1
    else:
        assert DiagramSpec.model_validate_json(outcome.model_dump_json()) == outcome


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_nothing_but_bad_input_comes_out_of_any_text(body: str) -> None:
    for text in (body, "flowchart TD\n" + body, f'flowchart TD\nA["{body}"] -->|{body}| B'):
        outcome = parse_or_error(text)
        assert not isinstance(outcome, BadInput) or outcome.expected
