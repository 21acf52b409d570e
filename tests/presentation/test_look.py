"""Theme and style: asked for in Mermaid's words, in JSON or from outside, drawn, and checked as delivered."""

from __future__ import annotations

import json

import pytest

from layers.presentation import Diagram, Presenter, parse_mermaid, read_source, to_mermaid, with_look
from layers.presentation.making import made
from layers.presentation.spec import DiagramSpec
from tests.presentation.samples import GROUPS, MANY, TEN_NODES, paper

CHAIN = "flowchart LR\n a[Alpha] -->|one| b[Beta]\n a --> c[Gamma]\n b --> d[Delta]\n c --> d"


def look(text: str) -> tuple[str, str]:
    spec = read_source(text).spec
    return spec.theme, spec.style


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (CHAIN, ("", "")),
        (f"---\nconfig:\n  theme: dark\n---\n{CHAIN}", ("dark", "")),
        (f"---\ntitle: x\ntheme: 'dark'\nstyle: right-angled\n---\n{CHAIN}", ("dark", "right_angled")),
        (f'%%{{init: {{"theme": "dark", "themeVariables": {{"a": "b"}}}}}}%%\n{CHAIN}', ("dark", "")),
        (f"%%{{init: {{'flowchart': {{'curve': 'stepBefore'}}}}}}%%\n{CHAIN}", ("", "right_angled")),
        (f"---\nconfig:\n  theme: forest\n  flowchart:\n    curve: basis\n---\n{CHAIN}", ("", "curved")),
        ('{"kind": "pie", "theme": "dark", "slices": [{"label": "a", "value": 1}]}', ("dark", "")),
        ("flowchart LR\n a[theme: dark] --> b[curve: step]", ("", "")),
    ],
)
def test_a_look_is_read_from_mermaids_own_words(text: str, wanted: tuple[str, str]) -> None:
    assert look(text) == wanted


@pytest.mark.parametrize("text", [CHAIN, GROUPS, f"---\ntheme: light\n---\n{CHAIN}", f"```mermaid\n{CHAIN}\n```"])
def test_a_look_from_outside_goes_before_what_the_source_says_and_stays_in_it(text: str) -> None:
    source = with_look(text, "dark", "right_angled")
    assert look(source) == ("dark", "right_angled")
    assert look(to_mermaid(read_source(source).spec)) == ("dark", "right_angled")
    assert with_look(text) == text


def test_json_gets_it_as_fields_and_what_is_no_json_stays_for_its_reader() -> None:
    source = with_look('{"nodes": [{"id": "a", "label": "A"}], "theme": "light"}', "dark")
    assert json.loads(source)["theme"] == "dark"
    assert with_look("{broken", "dark") == "{broken"


@pytest.mark.parametrize(
    "text", [TEN_NODES, "sequenceDiagram\n A->>B: hello\n Note over A: calm", 'pie\n "a" : 1\n "b" : 2']
)
def test_dark_is_dark_and_passes_the_checks(text: str) -> None:
    done = made(parse_mermaid(with_look(text, "dark")))
    assert [finding for finding in done.findings if finding.severity == "error"] == []
    assert paper(done.pngs[0]) < 60
    assert paper(made(parse_mermaid(text)).pngs[0]) > 240


@pytest.mark.parametrize("text", [CHAIN, TEN_NODES, "stateDiagram-v2\n [*] --> A\n A --> B: go\n B --> [*]"])
async def test_right_angled_lines_are_drawn_by_the_engine_for_them(text: str) -> None:
    presenter = Presenter(budget_s=20)
    figure = await presenter.present(Diagram(source=with_look(text, style="right_angled")))
    await presenter.close()
    assert (figure.engine, figure.verdict.ok, figure.notes) == ("graphlay", True, ())


async def test_where_its_reader_chooses_the_theme_both_are_drawn_and_both_are_checked() -> None:
    presenter = Presenter(budget_s=20)
    try:
        both = await presenter.present(Diagram(source=MANY, surface="web"))
        assert len(both.further) == 4
        pages = [(both.png, both.dark), *((page.png, page.dark) for page in both.further)]
        assert all(paper(light) > 240 and paper(dark) < 60 for light, dark in pages)
        asked = await presenter.present(Diagram(source=with_look(CHAIN, "dark"), surface="web"))
        assert (asked.dark, paper(asked.png) < 60) == (b"", True)
        chat = await presenter.present(Diagram(source=CHAIN, surface="telegram"))
        assert (chat.dark, paper(chat.png) > 240) == (b"", True)
    finally:
        await presenter.close()


def test_every_kind_keeps_its_look() -> None:
    assert {kind.model_fields["theme"].default for kind in DiagramSpec.KINDS.values()} == {""}
