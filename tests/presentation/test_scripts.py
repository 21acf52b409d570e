"""Scripts beyond Latin: what a font here has is drawn as it is read, what none has is never a box in a picture."""

from __future__ import annotations

import pytest

from layers.presentation import Diagram, Presenter, parse_mermaid
from layers.presentation.fonts import can_draw, width, wrap
from layers.presentation.making import made
from layers.presentation.symbols import in_words

HAND = "\U0001d800"
"""A sign of SignWriting: a pictograph to Unicode, and no font has it."""
CUNEIFORM = "\U00012000"
CHINESE = "开始处理用户提交的请求，并验证身份"
HAS_CHINESE = all(map(can_draw, CHINESE))


def test_a_pictograph_that_no_font_has_is_named_in_words_and_that_is_said() -> None:
    done = made(parse_mermaid(f"flowchart LR\n a[{HAND} launch] -->|{HAND}| b[Beta]"))
    (page,) = done.pages
    assert ":signwriting hand-fist index: launch" in page.texts
    (finding,) = done.findings
    assert (finding.rule, finding.severity) == ("missing_glyph", "warning")
    assert "written in words" in finding.text
    assert "fonts-symbola" in finding.text


@pytest.mark.parametrize("kind", ['sequenceDiagram\n A->>B: {}', 'pie\n "{}" : 3\n "b" : 4', "mindmap\n a\n  b {}"])
def test_it_is_named_in_other_kinds_too(kind: str) -> None:
    done = made(parse_mermaid(kind.format(HAND)))
    assert {finding.severity for finding in done.findings} == {"warning"}
    assert any(":signwriting hand-fist index:" in " ".join(text.split()) for text in done.pages[0].texts)


def test_what_the_fonts_have_and_what_only_an_id_has_stays() -> None:
    for text in ("flowchart LR\n a[1 € ✓] --> b", f"mindmap\n a\n  b{HAND}[Alpha]"):
        spec = parse_mermaid(text)
        assert in_words(spec) == (spec, ())


async def test_letters_that_no_font_has_end_in_an_outline_and_not_in_boxes() -> None:
    presenter = Presenter(budget_s=20)
    figure = await presenter.present(Diagram(source=f"flowchart LR\n a[{CUNEIFORM}] --> b"))
    await presenter.close()
    (finding,) = figure.verdict.findings
    assert (finding.rule, finding.severity) == ("missing_glyph", "error")
    assert "fonts-noto-core" in finding.text


def test_arabic_is_joined_and_hebrew_is_whole() -> None:
    word = "مرحبا"
    assert width(word, 12) < 0.9 * sum(width(letter, 12) for letter in word)
    done = made(parse_mermaid("flowchart LR\n a[שלום עולם] --> b[مرحبا بالعالم]"))
    assert done.findings == ()
    assert done.pages[0].texts == ("שלום עולם", "مرحبا بالعالم")


@pytest.mark.skipif(not HAS_CHINESE, reason="no font with Chinese: apt install fonts-noto-cjk")
def test_chinese_is_drawn_and_breaks_between_characters() -> None:
    lines = wrap(CHINESE, 110, 12)
    assert "".join(lines) == CHINESE
    assert len(lines) == 2
    assert all(not line.startswith("，") for line in lines)
    done = made(parse_mermaid(f"sequenceDiagram\n participant A as 用户\n A->>B: {CHINESE}"))
    assert done.findings == ()


def test_chinese_without_a_font_still_breaks_into_lines_that_fit() -> None:
    lines = wrap(CUNEIFORM * 3 + CHINESE * 3, 110, 12)
    assert len(lines) > 3
    assert max(width(line, 12) for line in lines) <= 110 * 1.5
