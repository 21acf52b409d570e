"""What is tried when a drawing does not pass, and what is accepted of a model's patch."""

from __future__ import annotations

import pytest

from layers.presentation import Finding, parse_mermaid
from layers.presentation.repair import badness, is_repairable, ladder, patch_prompt, read_patch
from layers.presentation.types import Repair

SPEC = parse_mermaid("flowchart LR\na[Alpha] --> b[Beta]\nb --> c[Gamma]\nc --> d[Delta]")
BAD = Finding("text_overflow", "error", ("a",), "it sticks out", value=4.0, threshold=1.0, repair=Repair.WRAP)


def test_other_layouts_come_before_words_are_cut() -> None:
    long = parse_mermaid(f"flowchart LR\na[{'many words ' * 12}] --> b")
    steps = list(ladder(long))
    assert [(step.rank, bool(step.notes)) for step in steps] == [(0, False), (1, False), (2, False), (0, True)]
    assert "many words " * 11 in steps[-1].notes[0]
    assert len(list(ladder(SPEC))) == 3


def test_only_what_another_drawing_may_mend_is_tried_again() -> None:
    assert is_repairable([BAD])
    assert not is_repairable([Finding("missing_glyph", "error", ("a",), "no font", repair=Repair.FONT)])
    assert not is_repairable([Finding("tiny_text", "warning", (), "tap to zoom")])
    assert badness([BAD]) > badness([Finding("tiny_text", "warning", (), "tap")] * 100)


def test_a_model_is_told_what_is_wrong_where_and_by_how_much() -> None:
    prompt = patch_prompt(SPEC, [BAD])
    assert "text_overflow at a: it sticks out (measured 4, at most 1); what may help: wrap" in prompt


@pytest.mark.parametrize(
    ("old", "new", "is_taken"),
    [
        ('"Alpha"', '"A"', True),
        ('"direction":"LR"', '"direction":"TB"', True),
        ('"Alpha"', '"Alpha"', False),
        ('"Alpha"', '""', False),
        ('"source":"a","target":"b"', '"source":"b","target":"a"', False),
        ('{"id":"a","label":"Alpha"},', "", False),
        ('"label"', '"lable"', False),
    ],
)
def test_a_patch_may_shorten_and_turn_but_not_drop_add_or_redirect(old: str, new: str, is_taken: bool) -> None:
    text = SPEC.model_dump_json(exclude_defaults=True)
    assert old in text
    assert (read_patch(f"Here it is:\n{text.replace(old, new)}", SPEC) is not None) is is_taken


def test_a_patch_of_most_labels_is_another_diagram() -> None:
    text = SPEC.model_dump_json()
    for label in ("Alpha", "Beta", "Gamma"):
        text = text.replace(label, label[0])
    assert read_patch(text, SPEC) is None
