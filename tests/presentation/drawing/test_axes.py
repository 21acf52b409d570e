"""Gantt, pie, timeline and charts: lengths say what numbers say, labels lie apart, pages lose nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.specimens import CHARTS, specimens
from layers.presentation.drawing import draw, plan
from layers.presentation.drawing.charts.plan import bin_edges, counts
from layers.presentation.drawing.pie import spread
from layers.presentation.drawing.scales import date_ticks, number_ticks, number_words, percent
from layers.presentation.lint import lint, missing_text
from layers.presentation.scene import Part, PartMark, Scene
from layers.presentation.spec import (
    Axis,
    Chart,
    ChartType,
    Gantt,
    GanttSection,
    Period,
    Pie,
    Series,
    Slice,
    Task,
    Timeline,
    TimelineSection,
)

START = datetime(2026, 3, 2)


def parts(scene: Scene, part: Part) -> list[PartMark]:
    return [one for one in scene.parts if one.part is part]


def task(id: str, start: float, days: float, **marks: bool) -> Task:
    at = START + timedelta(days=start)
    return Task(id=id, label=f"task {id}", start=at, end=at + timedelta(days=days), **marks)


def test_a_tasks_bar_is_as_long_as_the_task_and_begins_where_it_begins() -> None:
    spec = Gantt(sections=(GanttSection(tasks=(task("a", 0, 10), task("b", 10, 20), task("c", 10, 0))),))
    (scene,) = plan(spec)
    a, b, c = parts(scene, Part.BAR)
    assert b.box.width == pytest.approx(2 * a.box.width)
    assert b.box.left == pytest.approx(a.box.right)
    assert c.box.width > 2, "what takes no time is still seen"


def test_what_is_done_active_or_critical_is_told_by_more_than_its_colour() -> None:
    plain, done, critical = task("p", 0, 5), task("d", 0, 5, is_done=True), task("c", 0, 5, is_critical=True)
    (scene,) = plan(Gantt(sections=(GanttSection(tasks=(plain, done, critical)),)))
    bars = {bar.id: bar for bar in parts(scene, Part.BAR)}
    assert bars["c"].width > bars["p"].width
    assert any(part.of == "d" and part.text and part.text.lines == ("✓",) for part in scene.parts)
    legend = {" ".join(part.text.lines) for part in parts(scene, Part.LEGEND) if part.text}
    assert {"done", "critical", "to do"} <= legend


def test_a_long_gantt_repeats_axis_and_section_on_every_page() -> None:
    tasks = tuple(task(str(number), number, 3) for number in range(70))
    spec = Gantt(title="Long", sections=(GanttSection(title="Everything", tasks=tasks),))
    pages = plan(spec)
    assert len(pages) > 1
    assert list(missing_text(pages, spec)) == []
    for page in pages:
        assert parts(page, Part.TICK)
        assert any("Everything" in " ".join(part.text.lines) for part in parts(page, Part.CAPTION) if part.text)
        assert page.height <= 2.4 * page.width
    assert sum(len(parts(page, Part.BAR)) for page in pages) == 70


@given(st.integers(0, 40_000), st.floats(0.001, 40_000), st.sampled_from(["%Y-%m-%d", "%H:%M", "%d", "%", "%Q%n", ""]))
def test_dates_on_an_axis_are_in_order_and_differ_whatever_the_format(day: int, span: float, pattern: str) -> None:
    start = datetime(1950, 1, 1) + timedelta(days=day)
    ticks = date_ticks(start, start + timedelta(days=span), pattern, lambda ticks: len(ticks) <= 6)
    assert len({word for _, word in ticks}) == len(ticks)
    assert all(one < other for (one, _), (other, _) in pairwise(ticks))
    assert all(start <= at <= start + timedelta(days=span) for at, _ in ticks)


def test_slices_have_the_area_of_their_share_and_names_lie_apart() -> None:
    spec = Pie(slices=tuple(Slice(label=f"thing {n}", value=2.0**-n) for n in range(14)))
    (scene,) = plan(spec)
    assert [finding for finding in lint(draw(scene)[1], spec) if finding.severity == "error"] == []
    names = [part.text.box for part in parts(scene, Part.LABEL) if part.text]
    assert all(one.shared_area(other) == 0 for one, other in combinations(names, 2))


def test_a_pie_of_nothing_says_so() -> None:
    (scene,) = plan(Pie(slices=(Slice(label="a", value=0), Slice(label="b", value=0))))
    assert "Every value is 0" in " ".join(" ".join(text.lines) for _, text in scene.texts())


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(5, 40)), min_size=1, max_size=12))
def test_names_are_spread_without_overlap_and_in_order(wishes: list[tuple[float, float]]) -> None:
    ranked = sorted(wishes, key=lambda wish: -wish[0])
    heights = [height for _, height in ranked]
    places = spread([wish for wish, _ in ranked], heights)
    for (upper, above), (lower, below) in pairwise(zip(places, heights, strict=True)):
        assert upper - above / 2 >= lower + below / 2 - 1e-6


def test_a_long_timeline_is_cut_between_periods() -> None:
    periods = tuple(Period(label=str(1900 + n), events=("something happened here", "and there")) for n in range(40))
    spec = Timeline(sections=(TimelineSection(title="A century", periods=periods),))
    pages = plan(spec)
    assert len(pages) > 1
    assert list(missing_text(pages, spec)) == []
    assert all("A century" in " ".join(" ".join(text.lines) for _, text in page.texts()) for page in pages)


@pytest.mark.parametrize("kind", [ChartType.BAR, ChartType.STACKED_BAR, ChartType.HISTOGRAM])
@pytest.mark.parametrize("values", [(95.0, 96.0, 99.0), (-3.0, 4.0, 8.0), (1e6, 2.5e6, 3e6)])
def test_bars_begin_at_zero_and_are_as_long_as_their_numbers(kind: ChartType, values: tuple[float, ...]) -> None:
    spec = Chart(type=kind, y=Axis(low=90 if values[0] == 95 else None), series=(Series(name="s", values=values),))
    (scene,) = plan(spec)
    bars = [bar for bar in parts(scene, Part.BAR) if bar.value]
    scale = bars[0].box.height / abs(bars[0].value or 1)
    for bar in bars:
        assert bar.box.height == pytest.approx(abs(bar.value or 0) * scale, rel=1e-6)
    assert [finding for finding in lint(draw(scene)[1], spec) if finding.severity == "error"] == []


def test_names_that_do_not_fit_below_their_bars_turn_the_chart() -> None:
    names = tuple(f"a category with a long name, number {n}" for n in range(8))
    spec = Chart(type=ChartType.BAR, x=Axis(categories=names), series=(Series(values=tuple(range(1, 9))),))
    (scene,) = plan(spec)
    assert lint(draw(scene)[1], spec) == ()
    bars = parts(scene, Part.BAR)
    assert len({round(bar.box.left, 3) for bar in bars}) == 1
    assert bars[-1].box.width == pytest.approx(8 * bars[0].box.width)


@pytest.mark.parametrize("name", CHARTS)
def test_ticks_lie_apart_and_nothing_lies_on_the_data(name: str) -> None:
    (scene,) = plan(specimens()[name])
    _, drawn = draw(scene)
    ticks = [part.text.box for part in parts(drawn, Part.TICK) if part.text]
    assert all(one.shared_area(other) == 0 for one, other in combinations(ticks, 2))
    data = [part.box for part in drawn.parts if part.part in (Part.BAR, Part.POINT)]
    around = (Part.TICK, Part.LEGEND, Part.CAPTION)
    beside = [part.text.box for part in drawn.parts if part.text and part.part in around]
    assert all(text.shared_area(box) < 1 for text in beside for box in data)


def test_lines_are_named_at_their_ends_and_break_at_gaps() -> None:
    (scene,) = plan(CHARTS["line"])
    assert not parts(scene, Part.LEGEND)
    names = {" ".join(part.text.lines) for part in parts(scene, Part.LABEL) if part.text}
    assert names == {"plain dot", "search", "in a browser"}
    assert len([part for part in parts(scene, Part.CURVE) if part.of == "search"]) == 2


def test_a_range_that_would_hide_a_value_is_widened() -> None:
    (scene,) = plan(Chart(type=ChartType.LINE, y=Axis(low=0, high=10), series=(Series(values=(1, 50, 3)),)))
    assert all(scene.canvas.holds(part.box) for part in scene.parts)


@given(st.floats(-1e15, 1e15), st.floats(1e-12, 1e15), st.integers(2, 12))
def test_round_numbers_cover_the_range_and_are_few(low: float, span: float, most: int) -> None:
    ticks = number_ticks(low, low + span, most)
    assert len(ticks) <= max(2, most)
    assert all(one <= other for one, other in pairwise(ticks))
    slack = 1e-6 * max(span, abs(low), 1e-300)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack or len(ticks) == 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.none() | st.integers(1, 30))
def test_every_value_is_counted_in_exactly_one_bin(values: list[float], bins: int | None) -> None:
    edges = bin_edges(values, bins)
    assert sum(counts(values, edges)) == len(values)
    assert bins is None or len(edges) == bins + 1


def test_numbers_are_written_as_people_read_them() -> None:
    assert number_words([0, 500_000, 1_500_000]) == ("0", "0.5M", "1.5M")
    assert number_words([-1200, 12.5]) == ("−1,200", "12.5")
    shares = [percent(share) for share in (0.0004, 0.034, 0.0734, 0.5, 0.996)]
    assert shares == ["<0.1 %", "3.4 %", "7.3 %", "50 %", "100 %"]
