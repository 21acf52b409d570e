"""Pages: what a phone cannot show at once is an overview and pages with stubs, none of it lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from layers.presentation import parse_mermaid
from layers.presentation.graph import Graph, GraphEdge, GraphGroup, GraphNode, graph_of, words_of
from layers.presentation.layout import Pages, laid_out, smallest_css
from layers.presentation.layout.partition import MOST_UNITS, clustered, split, units_of
from layers.presentation.scene import Special

SERVICES = "flowchart LR\n" + "\n".join(
    f"subgraph g{g}[Team number {g}]\n"
    + "\n".join(f"  s{g}x{n}[Service {g}.{n} of the company] --> s{g}x{n + 1}" for n in range(4))
    + "\nend"
    for g in range(5)
)
LINKED = SERVICES + "\n" + "\n".join(f"s{g}x{n} -->|call {g}| s{(g + 1) % 5}x{n}" for g in range(5) for n in (0, 3))


def graph(text: str) -> Graph:
    found = graph_of(parse_mermaid(text))
    assert found
    return found


def chain(count: int) -> Graph:
    nodes = tuple(GraphNode(id=f"n{n}", label=f"Step number {n}") for n in range(count))
    edges = tuple(GraphEdge(source=f"n{n}", target=f"n{n + 1}") for n in range(count - 1))
    return Graph(nodes=nodes, edges=edges)


def own_nodes(pages: Pages) -> list[str]:
    """Ids on the pages after the overview, stubs aside."""
    return sorted(
        node.id for page in pages.shown[1:] for node in page.graph.nodes if node.shape is not Special.STUB
    )


def test_what_is_legible_on_a_phone_stays_one_page() -> None:
    pages = laid_out(graph("flowchart TD\nA --> B --> C"))
    assert [page.graph for page in pages.shown] == [pages.whole.graph]


def test_a_large_diagram_is_an_overview_and_a_page_for_each_group_all_legible() -> None:
    wanted = graph(LINKED)
    pages = laid_out(wanted)
    assert len(pages.shown) == 6
    assert all(smallest_css(page.scene) >= 9 for page in pages.shown)
    assert own_nodes(pages) == sorted(node.id for node in wanted.nodes)
    assert pages.whole.graph == wanted
    overview, first = pages.shown[0], pages.shown[1]
    assert overview.graph.title == "Overview (1/6)"
    assert "Team number 0\n(page 2)" in [node.label for node in overview.graph.nodes]
    assert first.graph.title == "Team number 0 (2/6)"
    assert {node.label.split("\n")[1] for node in first.graph.nodes if node.shape is Special.STUB} == {
        "(page 3)",
        "(page 6)",
    }


def test_each_edge_is_on_the_page_of_each_of_its_ends() -> None:
    wanted = graph(LINKED)
    shown = {
        (edge.source, edge.target) for page in laid_out(wanted).shown[1:] for edge in page.graph.edges
    }
    for edge in wanted.edges:
        assert any(source == edge.source for source, _ in shown)
        assert any(target == edge.target for _, target in shown)


def test_a_node_that_would_have_a_page_for_itself_stands_on_the_overview() -> None:
    pages = laid_out(graph(LINKED + "\n" + "\n".join(f"lone{n}[Lone {n}]" for n in range(5))))
    assert all(len(page.graph.nodes) > 1 for page in pages.shown)


def test_for_print_nothing_is_paged() -> None:
    assert len(laid_out(graph(LINKED), is_paged=False).shown) == 1


def test_without_groups_the_pages_hold_what_hangs_together() -> None:
    parts = clustered(chain(30), [(f"n{n}",) for n in range(30)], 10)
    assert sorted(node for part in parts for node in part) == sorted(f"n{n}" for n in range(30))
    assert all(len(part) <= 13 for part in parts)
    for part in parts:
        numbers = sorted(int(node[1:]) for node in part)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_units_share_all_nodes_out_whatever_the_graph(data: st.DataObject) -> None:
    count = data.draw(st.integers(5, 60))
    ends = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(ends, ends), max_size=80))
    homes = data.draw(st.lists(st.integers(0, 13), min_size=count, max_size=count))
    groups = tuple(
        GraphGroup(id=f"g{g}", title=f"Group {g}", members=tuple(f"n{n}" for n in range(count) if homes[n] == g))
        for g in range(1, 14)
    )
    nodes = tuple(GraphNode(id=f"n{n}", label=f"N{n}") for n in range(count))
    edges = tuple(GraphEdge(source=f"n{a}", target=f"n{b}") for a, b in pairs)
    whole = Graph(nodes=nodes, edges=edges, groups=groups)
    units = units_of(whole)
    assert len(units) <= MOST_UNITS
    held = [node for unit in units for node in unit.nodes]
    assert len(held) == len(set(held))
    loose = {f"n{n}" for n in range(count)} - set(held)
    assert len(loose) <= 4
    for unit in units:
        parts = split(whole, unit)
        assert sorted(node for part in parts for node in part.nodes) == sorted(unit.nodes)
        assert len(parts) > 1 or len(unit.nodes) == 1


def test_a_mindmap_is_paged_by_its_branches() -> None:
    lines = ["mindmap", "  root((The whole subject of the talk))"]
    for branch in range(7):
        lines.append(f"    Branch number {branch} with a long name")
        lines += [f"      Leaf {branch}.{leaf} with a rather long text on it" for leaf in range(6)]
    pages = laid_out(graph("\n".join(lines)))
    assert len(pages.shown) == 8
    assert all(smallest_css(page.scene) >= 9 for page in pages.shown)


def test_a_page_in_words_names_its_stubs() -> None:
    page = laid_out(graph(LINKED)).shown[1]
    text = words_of(page.graph)
    assert text.startswith("Team number 0 (2/6).")
    assert "(page 3)" in text
