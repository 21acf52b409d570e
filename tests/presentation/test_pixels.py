"""The lint of pixels: a clean picture of every kind passes, and what happens to a finished image is found out."""

from __future__ import annotations

import random
import warnings

import pytest

from benchmarks.presentation.spoiling import CLASSES
from benchmarks.presentation.stage import Stage, Take, takes
from layers.presentation.drawing.theme import DARK, LIGHT

warnings.simplefilter("ignore", UserWarning)
FOUND = {
    "text_faded": "contrast",
    "text_struck": "struck_text",
    "text_covered": "hidden_text",
    "box_gone": "hidden_node",
    "box_over_text": "hidden_text",
    "line_gone": "faint_line",
    "line_faded": "faint_line",
    "head_gone": "missing_arrowhead",
    "line_added": "stray_ink",
    "blot": "stray_ink",
    "washed": "contrast",
    "text_altered": "text_fidelity",
}


@pytest.fixture(scope="module")
def samples() -> list[Take]:
    return takes(6)


def test_nothing_is_found_on_clean_pictures_in_both_themes(samples: list[Take]) -> None:
    for take in samples:
        for theme in (LIGHT, DARK):
            stage = Stage(take, theme)
            assert [finding for finding in stage.judged(stage.shot()) if finding.severity == "error"] == []


@pytest.mark.parametrize("name", FOUND)
def test_what_happened_to_a_picture_is_found_by_its_rule(samples: list[Take], name: str) -> None:
    stage = Stage(samples[0])
    picture = CLASSES[name](stage, random.Random(name), 4)
    assert picture
    found = stage.judged(picture)
    assert FOUND[name] in {finding.rule for finding in found}, found
    assert all(finding.value is not None or finding.elements for finding in found)


@pytest.mark.parametrize("name", ["text_struck", "text_covered", "line_faded", "line_cut"])
def test_what_is_small_is_found_on_cards_and_between_heads_too(samples: list[Take], name: str) -> None:
    stage = Stage(samples[4])
    clean = stage.shot()
    picture = CLASSES[name](stage, random.Random(name), 2)
    assert picture
    assert stage.is_changed(picture, clean)
    assert [finding for finding in stage.judged(picture) if finding.severity == "error"]


def test_a_picture_that_was_cut_is_not_the_drawing(samples: list[Take]) -> None:
    stage = Stage(samples[0])
    picture = stage.shot()
    cut = picture.crop((0, 0, picture.width, picture.height // 2))
    assert {finding.rule for finding in stage.judged(cut)} >= {"picture_size"}
