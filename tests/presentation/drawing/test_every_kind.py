"""One diagram of each kind, light and dark: drawn, legible on a phone, nothing found by the lint, told in words."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from docs.specimens import specimens
from layers.presentation.drawing import DARK, LIGHT, Theme, draw, draw_svg, plan
from layers.presentation.drawing.theme import contrast
from layers.presentation.graph import graph_of
from layers.presentation.layout import lay_out
from layers.presentation.lint import css_pixels, lint
from layers.presentation.rules import alternative, refuse_undrawable
from layers.presentation.scene import Scene, Tone
from layers.presentation.spec import DiagramSpec

EVERY = specimens()
OWN = [name for name, spec in EVERY.items() if graph_of(spec) is None]


def scene_of(spec: DiagramSpec) -> Scene:
    return lay_out(spec) if graph_of(spec) is not None else plan(spec)[0]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_nothing_is_wrong_with_it_in_either_theme(name: str, theme: Theme) -> None:
    spec = EVERY[name]
    refuse_undrawable(spec)
    _, drawn = draw(scene_of(spec), theme)
    assert lint(drawn, spec) == ()


@pytest.mark.parametrize("name", EVERY)
def test_it_is_legible_without_zoom_where_a_phone_is_360_wide(name: str) -> None:
    scene = scene_of(EVERY[name])
    assert min(css_pixels(text.size, scene.width) for _, text in scene.texts()) >= 9


@pytest.mark.parametrize("name", OWN)
def test_what_was_planned_is_what_is_drawn(name: str) -> None:
    planned = scene_of(EVERY[name])
    _, drawn = draw(planned)
    before, after = dict(planned.texts()), dict(drawn.texts())
    assert len(before) == len(planned.texts()), "every part has a name of its own"
    assert before.keys() == after.keys()
    for part, text in after.items():
        assert text.lines == before[part].lines
        assert before[part].box.holds(text.box, slack=2.5), part


def test_the_same_spec_gives_the_same_bytes() -> None:
    for name in ("sequence", "pie"):
        one, other = (plan(EVERY[name])[0] for _ in range(2))
        assert draw(one)[0] == draw(other)[0]
        assert draw_svg(one) == draw_svg(other)


def test_the_picture_has_two_pixels_per_point_and_the_paper_of_its_theme() -> None:
    scene = scene_of(EVERY["pie"])
    for theme in (LIGHT, DARK):
        with Image.open(io.BytesIO(draw(scene, theme)[0])) as image:
            assert abs(image.width - 2 * scene.width) <= 2
            red, green, blue = (int(theme.shade(Tone.PAPER)[at : at + 2], 16) for at in (1, 3, 5))
            assert image.getpixel((0, 0)) == (red, green, blue)


@pytest.mark.parametrize("name", EVERY)
def test_the_svg_is_well_formed_and_carries_the_words_for_who_cannot_see_it(name: str) -> None:
    alt = alternative(EVERY[name]) + ' <b> & "quotes" \x00\ud800'
    root = ET.fromstring(draw_svg(scene_of(EVERY[name]), alt=alt))
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert (root.findtext(f"{space}desc") or "").startswith(alternative(EVERY[name])[:40])
    assert not list(root.iter(f"{space}text")), "text is paths: the lint measured these glyphs"
    assert not list(root.iter(f"{space}script"))


@pytest.mark.parametrize("name", EVERY)
def test_its_words_name_everything_that_can_be_read(name: str) -> None:
    words = alternative(EVERY[name])
    assert EVERY[name].title in words
    assert len(words.splitlines()) >= 2


def test_text_stands_out_from_what_is_behind_it() -> None:
    for theme in (LIGHT, DARK):
        ink, muted = theme.shade(Tone.INK), theme.shade(Tone.MUTED)
        grounds = [theme.shade(tone) for tone in (Tone.PAPER, Tone.BAND, Tone.DEEP_BAND, Tone.CARD, Tone.NOTE)]
        grounds += [accent.soft for accent in (*theme.accents, theme.calm, *theme.shapes.values())]
        assert min(contrast(ink, ground) for ground in grounds) >= 7
        assert min(contrast(muted, ground) for ground in [*grounds[:3], *theme.groups]) >= 4.5
        assert min(contrast(accent.strong, accent.on_strong) for accent in theme.accents) >= 4.5
        assert min(contrast(accent.strong, theme.shade(Tone.PAPER)) for accent in theme.accents) >= 3
        assert min(contrast(theme.shade(Tone.HEAT, step), theme.shade(Tone.ON_HEAT, step)) for step in range(11)) >= 4.5
