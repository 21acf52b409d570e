"""The timeline: its spec in, one scene or several pages out. Time runs down, as one reads on a phone; not to scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from layers.presentation.drawing import lettering
from layers.presentation.drawing.lettering import BODY, HEADING, block, left
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.scene import Part, PartMark, Rect, Scene, Tone
from layers.presentation.shapes import circle, rounded
from layers.presentation.spec import Timeline

WIDTH = 400.0
PERIOD_WRAP = 104.0
RAIL = 132.0
"""x of the line that time runs along."""
CARD_LEFT = RAIL + 22.0
CARD_WRAP = WIDTH - CARD_LEFT - 20.0
PAD_X, PAD_Y = 10.0, 7.0
CARD_GAP, PERIOD_GAP, SECTION_GAP = 6.0, 14.0, 10.0
DOT = 5.5
TALLEST = WIDTH * lettering.TALLEST


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """One period, or a section's heading when `events` is None."""

    name: str
    label: str
    events: tuple[str, ...] | None
    accent: int
    height: float
    heading: str
    """Of the section it belongs to."""


def plan_timeline(spec: Timeline, *, is_paged: bool = True) -> tuple[Scene, ...]:
    """A page for as many periods as a phone shows at once; a section that goes on is named again."""
    stops = _stops(spec)
    pages = _pages(stops) if is_paged else [stops]
    return tuple(
        _page(page).finish(spec.title, page=(number, len(pages))) for number, page in enumerate(pages, 1)
    )


def _stops(spec: Timeline) -> list[_Stop]:
    stops = []
    for number, section in enumerate(spec.sections):
        accent = number % 8 + 1
        if section.title.strip():
            stops.append(_heading(section.title, accent))
        for place, period in enumerate(section.periods):
            text = block(period.label, PERIOD_WRAP, BODY, bold=True)
            cards = [_card_height(event) for event in period.events]
            height = max(text.box.height if text else 0.0, sum(cards) + CARD_GAP * max(0, len(cards) - 1), 2 * DOT)
            stops.append(
                _Stop(
                    name=f"period {number + 1}.{place + 1}",
                    label=period.label,
                    events=period.events,
                    accent=accent,
                    height=height + PERIOD_GAP,
                    heading=section.title,
                )
            )
    return stops


def _heading(title: str, accent: int) -> _Stop:
    text = block(title, WIDTH - 24, HEADING, bold=True)
    height = (text.box.height if text else 0.0) + 10 + SECTION_GAP
    return _Stop(name=f"section {title}", label=title, events=None, accent=accent, height=height, heading=title)


def _card_height(event: str) -> float:
    text = block(event, CARD_WRAP, BODY)
    return (text.box.height if text else 0.0) + 2 * PAD_Y


def _pages(stops: list[_Stop]) -> list[list[_Stop]]:
    pages: list[list[_Stop]] = [[]]
    for number, stop in enumerate(stops):
        following = stops[number + 1].height if stop.events is None and number + 1 < len(stops) else 0.0
        if pages[-1] and sum(one.height for one in pages[-1]) + stop.height + following > TALLEST:
            again = stop.events is not None and stop.heading.strip()
            pages.append([_heading(f"{stop.heading} (continued)", stop.accent)] if again else [])
        pages[-1].append(stop)
    return pages


def _page(stops: Sequence[_Stop]) -> Sheet:
    sheet = Sheet()
    dots: list[tuple[float, _Stop]] = []
    y = 0.0
    over: list[PartMark] = []
    for stop in stops:
        if stop.events is None:
            over += _section(stop, y)
        else:
            over += _period(stop, y)
            dots.append((y - _first_height(stop) / 2, stop))
        y -= stop.height
    for (upper, above), (lower, below) in pairwise(dots):
        if above.accent == below.accent:
            rail, id = ((RAIL, upper - DOT), (RAIL, lower + DOT)), f"rail to {below.name}"
            sheet.add(PartMark(id=id, part=Part.AXIS, points=rail, is_closed=False, line=Tone.THREAD, width=1.4))
    sheet.add(*over)
    for at, stop in dots:
        sheet.add(
            PartMark(
                id=f"dot {stop.name}",
                part=Part.POINT,
                points=tuple(circle((RAIL, at), DOT)),
                fill=Tone.STRONG,
                line=Tone.PAPER,
                width=1.6,
                accent=stop.accent,
                of=stop.name,
            )
        )
    return sheet


def _section(stop: _Stop, y: float) -> list[PartMark]:
    text = block(stop.label, WIDTH - 24, HEADING, bold=True)
    if text is None:
        return []
    box = Rect(0, y - text.box.height - 10, WIDTH, y)
    return [
        PartMark(
            id=stop.name,
            part=Part.BAND,
            points=tuple(rounded(box, 6)),
            fill=Tone.SOFT,
            accent=stop.accent,
            text=left(text, 12, box.centre[1]),
            holds_text=True,
        )
    ]


def _first_height(stop: _Stop) -> float:
    """Of what stands beside the period's name: the name is level with the first event."""
    label = block(stop.label, PERIOD_WRAP, BODY, bold=True)
    first = _card_height(stop.events[0]) if stop.events else 0.0
    return max(first, label.box.height if label else 0.0, 2 * DOT)


def _period(stop: _Stop, y: float) -> list[PartMark]:
    parts: list[PartMark] = []
    label = block(stop.label, PERIOD_WRAP, BODY, bold=True)
    middle = y - _first_height(stop) / 2
    if label:
        x = RAIL - 18 - label.box.width
        parts.append(PartMark(id=stop.name, part=Part.LABEL, text=left(label, x, middle), of=stop.name))
    top = y - (_first_height(stop) - _card_height(stop.events[0])) / 2 if stop.events else y
    for number, event in enumerate(stop.events or (), 1):
        text = block(event, CARD_WRAP, BODY)
        height = _card_height(event)
        box = Rect(CARD_LEFT, top - height, WIDTH, top)
        parts.append(
            PartMark(
                id=f"{stop.name} event {number}",
                part=Part.CARD,
                points=tuple(rounded(box, 6)),
                fill=Tone.SOFT,
                line=Tone.RIM,
                width=1.1,
                accent=stop.accent,
                text=left(text, box.left + PAD_X, box.centre[1]) if text else None,
                holds_text=True,
                of=stop.name,
            )
        )
        top -= height + CARD_GAP
    return parts


