"""What is too big to draw, the badge, and the diagram in words."""

from __future__ import annotations

import pytest

from layers.errors import Refused
from layers.presentation import Finding, Verdict, badge, outline, parse_mermaid
from layers.presentation.rules import alternative, refuse_undrawable
from tests.presentation.samples import GROUPS

TINY = Finding("tiny_text", "warning", (), "on a phone the smallest text is 6.8 pixels high; tap to zoom")
CLIP = Finding("canvas_clip", "error", ("A",), "'A' is cut off by the edge of the picture")


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(), "✓ geometry checked · no model looked (none configured)"),
        (Verdict((TINY,)), f"⚠ checked: {TINY.text} · no model looked (none configured)"),
        (Verdict((CLIP, TINY)), f"✗ not good enough: {CLIP.text}; {TINY.text} · no model looked (none configured)"),
        (
            Verdict((), "gpt-5-mini", "All labels are legible."),
            "✓ geometry checked · gpt-5-mini looked: All labels are legible.",
        ),
        (
            Verdict((), "", "the model is over its limit"),
            "✓ geometry checked · no model looked (the model is over its limit)",
        ),
        (
            Verdict((CLIP,) * 5),
            "✗ not good enough: " + "; ".join([CLIP.text] * 3) + "; and 2 more · no model looked (none configured)",
        ),
    ],
)
def test_the_badge_says_what_was_found_and_who_looked(verdict: Verdict, line: str) -> None:
    assert badge(verdict) == line


def test_the_badge_cannot_be_used_to_write_markdown() -> None:
    found = Finding("canvas_clip", "error", (), "'[press](javascript:x)\n# `A`' is cut off")
    assert "\n" not in badge(Verdict((found,)))
    assert "\\[press\\](javascript:x) \\# \\`A\\`" in badge(Verdict((found,)))


def test_a_verdict_is_ok_until_something_is_an_error() -> None:
    assert Verdict((TINY,)).ok
    assert not Verdict((TINY, CLIP)).ok


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("flowchart TD\n", "is empty; write at least one node"),
        ("flowchart TD\n" + " --> ".join(f"n{i}" for i in range(130)), "130 nodes .* at most 120"),
        (
            "flowchart TD\n" + "\n".join(f"n{i} --> n{(i * 7 + j) % 50}" for i in range(50) for j in range(4)),
            "200 edges .* at most 125",
        ),
        (
            "flowchart TD\n" + "\n".join(f"n{i} --> n{j}" for i in range(20) for j in range(20)),
            "400 edges .* at most 160",
        ),
        ("flowchart TD\nA[" + "word " * 100 + "]", "499 characters .* at most 400"),
    ],
)
def test_what_nobody_could_read_is_refused_with_what_to_do(source: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        refuse_undrawable(parse_mermaid(source))


def test_the_outline_tells_groups_and_edges_in_words() -> None:
    text = outline(parse_mermaid(GROUPS))
    assert text.startswith("How a message travels: 8 nodes, 10 edges.\n")
    assert "Edge & intake contains Slack adapter, inbox, Telegram adapter." in text
    assert "Agent loop → Presentation (draw)" in text
    assert "Edge & intake → Core" in text
    assert outline(parse_mermaid("flowchart TD\nA --- B\nC <--> D\nE")).endswith("A - B\nC ↔ D\nE")


def test_the_alt_text_has_an_end() -> None:
    spec = parse_mermaid("flowchart TD\n" + "\n".join(f"A{i}[{'word ' * 10}] --> B{i}" for i in range(40)))
    assert len(alternative(spec)) <= 1000
    assert alternative(spec).endswith("…")
