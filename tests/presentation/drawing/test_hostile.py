"""Texts that want to break the drawing: each is drawn as text, refused in a sentence, or a finding. Nothing raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.errors import Refused
from layers.presentation.drawing import draw, draw_svg, plan
from layers.presentation.limits import refuse_unplannable
from layers.presentation.lint import lint
from layers.presentation.shown import shown
from layers.presentation.spec import (
    Axis,
    Block,
    Branch,
    Chart,
    ChartType,
    DiagramSpec,
    Gantt,
    GanttSection,
    Message,
    Note,
    Participant,
    Period,
    Pie,
    Role,
    SequenceDiagram,
    Series,
    Slice,
    Task,
    Timeline,
    TimelineSection,
)
from layers.presentation.words import outline_of

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # the worker leaves these to the lint
EVIL = [
    "\u202egnp.exe\u202c",
    "x" * 119,
    "\x00\x07\x1b[31mred",
    "$\\frac{1}{2}$ and $HOME",
    "日本語のラベルはどこで折り返すか",
    "مرحبا بالعالم",
    "\ud800 \u200b",
    "e\u0301" * 40,
    "a\tb\nc\r\nd\u2028e",
]


def of_each_kind(text: str) -> Iterator[DiagramSpec]:
    who = (Participant(id=text, label=text), Participant(id="o", label=text, role=Role.ACTOR))
    block = Block(type="alt", branches=(Branch(label=text, steps=(Message(source="o", target=text, text=text),)),) * 2)
    steps = (Message(source=text, target="o", text=text), Note(over=("o",), text=text), block)
    yield SequenceDiagram(title=text, participants=who, steps=steps)
    first, last = datetime(1, 1, 1), datetime(9999, 12, 31)
    tasks = (
        Task(id=text, label=text, start=first, end=last),
        Task(id="m", label=text, start=last, end=last, is_milestone=True),
        Task(id="v", label=text, start=first, end=first, is_marker=True),
    )
    yield Gantt(title=text, axis_format=text, sections=(GanttSection(title=text, tasks=tasks),))
    yield Pie(title=text, slices=(Slice(label=text, value=1e15), Slice(label="z", value=1e-9)))
    periods = (Period(label=text, events=(text, text)),)
    yield Timeline(title=text, sections=(TimelineSection(title=text, periods=periods),))
    for kind in (ChartType.LINE, ChartType.BAR, ChartType.HEAT_MAP):
        series = (Series(name=text, values=(1e15, -1e15)), Series(name=text + "2", values=(None, 1e-9)))
        yield Chart(title=text, type=kind, x=Axis(title=text, categories=(text, "b")), series=series)
    yield Chart(title=text, type=ChartType.SCATTER, series=(Series(values=(0, 0), at=(1e-300, 1e15)),))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_no_text_breaks_a_drawing_or_runs_off_its_paper(text: str) -> None:
    for spec in of_each_kind(text):
        outline_of(spec)
        refuse_unplannable(spec)
        for scene in plan(spec):
            _, drawn = draw(scene)
            rules = {finding.rule for finding in lint(drawn, spec, is_page=True)}
            assert not rules & {"canvas_clip", "text_overflow", "text_on_text", "blank"}, (spec.kind, rules)
            if spec.kind in ("sequence", "pie"):
                draw_svg(scene, alt=text)


def test_what_turns_the_reading_direction_or_steers_a_terminal_is_not_drawn() -> None:
    assert shown("\u202egnp.exe\u202c \x1b[31mx\x00") == "gnp.exe [31mx"
    assert shown("a\tb\r\nc\u2028d") == "a b\nc\nd"
    assert shown("مرحبا می\u200cخواهم") == "مرحبا می\u200cخواهم"


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_planned(text: str) -> None:
    for spec in of_each_kind(text or "o2"):
        try:
            refuse_unplannable(spec)
        except Refused:
            continue
        for scene in plan(spec):
            assert 0 < scene.width < 2000
            assert scene.canvas.width == scene.width


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (Gantt(), "empty"),
        (Timeline(), "empty"),
        (Chart(type=ChartType.LINE), "empty"),
        (Pie(slices=tuple(Slice(label=str(n), value=1) for n in range(41))), "41 slices and at most 40"),
        (Chart(type=ChartType.LINE, series=(Series(values=(1e300,)),)), "larger unit"),
        (Chart(type=ChartType.BAR, series=(Series(values=(1.0,) * 61),)), "61 categories and at most 60"),
        (Chart(type=ChartType.LINE, series=(Series(name="x" * 121, values=(1,)),)), "121 characters and at most 120"),
    ],
)
def test_what_no_picture_holds_is_refused_with_count_limit_and_remedy(spec: DiagramSpec, says: str) -> None:
    with pytest.raises(Refused, match=says):
        refuse_unplannable(spec)


def test_a_glyph_that_no_font_has_is_a_finding() -> None:
    spec = Pie(slices=(Slice(label="\U00018b00 script", value=1),))
    _, drawn = draw(plan(spec)[0])
    assert "missing_glyph" in {finding.rule for finding in lint(drawn, spec)}
