"""`gantt`, `pie`, `mindmap`, `timeline` and `xychart`: what they take, and the sentence for what they do not."""

from __future__ import annotations

from datetime import datetime

import pytest

from layers.errors import BadInput
from layers.presentation import Chart, Gantt, Mindmap, Pie, Timeline, parse_mermaid, read_mermaid
from layers.presentation.mermaid.dates import add_duration, pattern_of, read_date
from layers.presentation.spec import Axis, ChartType, MindShape


def gantt(body: str) -> Gantt:
    spec = parse_mermaid("gantt\n" + body)
    assert isinstance(spec, Gantt)
    return spec


def spans(spec: Gantt) -> list[tuple[str, str, str]]:
    return [(task.id, f"{task.start:%m-%d %H}", f"{task.end:%m-%d %H}") for task in spec.tasks()]


def test_tasks_follow_each_other_refer_to_each_other_and_have_tags() -> None:
    spec = gantt(
        "title Plan\nsection One\nA :done, crit, a, 2024-01-01, 3d\nB : 12h\nC :c, after d, 1w\n"
        "section Two\nD :active, d, 2024-02-01, 2024-02-03\nE :milestone, e, after a d, until f\nF :f, 2024-03-01, 1M"
    )
    assert spec.title == "Plan"
    assert [section.title for section in spec.sections] == ["One", "Two"]
    assert spans(spec) == [
        ("a", "01-01 00", "01-04 00"),
        ("task1", "01-04 00", "01-04 12"),
        ("c", "02-03 00", "02-10 00"),
        ("d", "02-01 00", "02-03 00"),
        ("e", "02-03 00", "03-01 00"),
        ("f", "03-01 00", "04-01 00"),
    ]
    first, *_, last = spec.tasks()
    assert (first.is_done, first.is_critical, last.is_milestone) == (True, True, False)


def test_days_off_push_the_end_on_and_end_dates_may_be_inclusive() -> None:
    assert spans(gantt("excludes weekends\nA :a, 2024-01-05, 2d")) == [("a", "01-05 00", "01-09 00")]
    assert spans(gantt("inclusiveEndDates\nA :a, 2024-01-01, 2024-01-02")) == [("a", "01-01 00", "01-03 00")]


@pytest.mark.parametrize(
    ("text", "format", "expected"),
    [
        ("2024-02-29", "YYYY-MM-DD", datetime(2024, 2, 29)),
        ("29.02.24 13:05", "DD.MM.YY HH:mm", datetime(2024, 2, 29, 13, 5)),
        ("Feb 3, 2024", "YYYY-MM-DD", datetime(2024, 2, 3)),
        ("03 February 2024", "DD MMMM YYYY", datetime(2024, 2, 3)),
        ("1700000000", "X", datetime(2023, 11, 14, 22, 13, 20)),
        ("2024-01-01T10:00:00.250Z", "", datetime(2024, 1, 1, 10, 0, 0, 250000)),
        ("02:30 PM", "hh:mm A", datetime(2000, 1, 1, 14, 30)),
        ("tomorrow", "YYYY-MM-DD", None),
        ("2024-13-01", "YYYY-MM-DD", None),
    ],
)
def test_a_date_is_read_as_the_format_says_and_else_as_browsers_do(
    text: str, format: str, expected: datetime | None
) -> None:
    assert read_date(text, pattern_of(format)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5d", datetime(2024, 2, 1, 12)),
        ("1M", datetime(2024, 2, 29)),
        ("1y", datetime(2025, 1, 31)),
        ("250ms", datetime(2024, 1, 31, 0, 0, 0, 250000)),
        ("3 days", None),
        ("999999999w", None),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: datetime | None) -> None:
    assert add_duration(datetime(2024, 1, 31), text) == expected


def test_a_pie_has_slices_and_may_show_its_numbers() -> None:
    spec = parse_mermaid('pie showData title Pets\n  "Dogs" : 38.5\n  \'Cats\' : 10 %% a comment\n  "Dogs" : 1')
    assert isinstance(spec, Pie)
    assert (spec.title, spec.shows_values) == ("Pets", True)
    assert [(one.label, one.value) for one in spec.slices] == [("Dogs", 38.5), ("Cats", 10.0)]


def test_an_idea_hangs_on_the_nearest_line_above_that_is_indented_less() -> None:
    spec = parse_mermaid(
        "mindmap\n  root((Topic))\n    A\n        B[square]\n      C(round)\n      ::icon(fa fa-book)\n"
        '    D))bang((\n    id)cloud(\n    {{hexagon}}\n      x["`**bold** text`"]'
    )
    assert isinstance(spec, Mindmap)
    assert [(idea.label, idea.shape, idea.parent) for idea in spec.ideas] == [
        ("Topic", MindShape.CIRCLE, ""),
        ("A", MindShape.PLAIN, "root"),
        ("square", MindShape.SQUARE, "A"),
        ("round", MindShape.ROUNDED, "A"),
        ("bang", MindShape.BANG, "root"),
        ("cloud", MindShape.CLOUD, "root"),
        ("hexagon", MindShape.HEXAGON, "root"),
        ("bold text", MindShape.SQUARE, "hexagon"),
    ]


def test_a_timeline_has_sections_of_periods_of_events() -> None:
    spec = parse_mermaid("timeline\ntitle T\n2001 : a\nsection S\n2002 : b : c at 10:30\n     : d\n2003")
    assert isinstance(spec, Timeline)
    assert [(one.title, [(p.label, p.events) for p in one.periods]) for one in spec.sections] == [
        ("", [("2001", ("a",))]),
        ("S", [("2002", ("b", "c at 10:30", "d")), ("2003", ())]),
    ]


def test_an_xychart_is_a_chart_of_bars_and_lines() -> None:
    spec = parse_mermaid(
        'xychart-beta horizontal\ntitle "Sales"\nx-axis Month [jan, "feb two"]\ny-axis "USD" 0 --> 10\n'
        "bar sold [1, +2.5]\nline [.5, -3]"
    )
    assert isinstance(spec, Chart)
    assert (spec.type, spec.title, spec.is_horizontal) == (ChartType.BAR, "Sales", True)
    assert spec.x == Axis(title="Month", categories=("jan", "feb two"))
    assert spec.y == Axis(title="USD", low=0, high=10)
    assert [(one.name, one.values, one.type) for one in spec.series] == [
        ("sold", (1, 2.5), None),
        ("", (0.5, -3), ChartType.LINE),
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("gantt\nA task", 2, "a task is written"),
        ("gantt\ndateFromat YYYY", 2, "did you mean dateFormat"),
        ("gantt\nA :a, next week, 3d", 2, "a date for the start of 'A'"),
        ("pie\nDogs : 3", 2, "put the label in double quotes"),
        ('pie\n"a" : -1', 2, "cannot be negative"),
        ('pie\n"a" : three', 2, "write digits"),
        ("mindmap\nA\nB", 3, "expected one root"),
        ("mindmap\nA[open", 2, "`]` to close this idea"),
        ("mindmap\n", 2, "an idea after mindmap"),
        ("timeline\n: event", 2, "a period before its event"),
        ("xychart-beta\nbar [1, two]", 2, "a number"),
        ("xychart-beta\ntitle two (words)", 2, "in double quotes"),
        ("xychart-beta\npie [1]", 2, "title, x-axis, y-axis, line or bar"),
        ("sequencDiagram\nA->>B: x", 1, "did you mean sequenceDiagram"),
        ("quadrantChart\ntitle x", 1, "these can: flowchart, sequence"),
    ],
)
def test_an_error_has_its_line_and_the_nearest_fix(text: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_mermaid(text)
    assert says in str(caught.value)
    assert (caught.value.line, bool(caught.value.expected)) == (line, True), str(caught.value)


def test_what_cannot_be_settled_is_told_and_drawn_all_the_same() -> None:
    reading = read_mermaid("gantt\nA : 3d\nB :b, after x, 1d\nC :c, 2024-01-05, 2024-01-01\nD :d, 2024-01-01, soon")
    says = ("has no start", "names no task", "ends before it starts", "is no date and no duration")
    assert [text for text, fix in zip(says, reading.fixes, strict=True) if text not in fix.text] == []
