"""The plot: where a value is on paper, the axes with round ticks, the grid. A plan in, parts on a sheet out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from layers.presentation.drawing.lettering import SMALL, WIDEST_SMALL, block, centred, left, right
from layers.presentation.drawing.scales import number_ticks, number_words
from layers.presentation.drawing.sheet import MARGIN, Sheet
from layers.presentation.scene import Part, PartMark, Point, Rect, TextMark, Tone

WIDTH = WIDEST_SMALL - 2 * MARGIN
HEIGHT = 250.0
VALUE_TICKS = 8
TICK_GAP = 8.0
LABEL_GAP = 6.0
"""Between an axis and its labels."""
ROW_WRAP = 130.0
ROW_HEIGHT = 26.0
LEAST_FROM_ZERO = 0.5
"""An axis of lines that would begin below this share of its highest value begins at zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One axis of numbers."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A frame with its value axis; the other axis is given as a place, 0 to 1."""

    box: Rect
    values: Scale
    is_swapped: bool = False
    """The values run to the right, the places down."""

    def at(self, place: float, value: float) -> Point:
        """On paper."""
        share = self.values.share(value)
        if self.is_swapped:
            return self.box.left + share * self.box.width, self.box.top - place * self.box.height
        return self.box.left + place * self.box.width, self.box.bottom + share * self.box.height

    def bar(self, first: float, last: float, base: float, value: float) -> tuple[Point, ...]:
        """From place to place, from `base` to `value`."""
        corners = ((first, base), (first, value), (last, value), (last, base))
        return tuple(self.at(place, at) for place, at in corners)


def scale(
    values: Sequence[float], *, low: float | None, high: float | None, from_zero: bool, most: int = VALUE_TICKS
) -> Scale:
    """Round ends around the data; what the author asked for may widen it and never hides a value."""
    least, most_value = min(values, default=0.0), max(values, default=1.0)
    least = least if low is None else min(low, least)
    most_value = most_value if high is None else max(high, most_value)
    if from_zero or (low is None and 0 <= least < LEAST_FROM_ZERO * most_value):
        least, most_value = min(0.0, least), max(0.0, most_value)
    if most_value <= least:
        pad = abs(least) / 2 or 1.0
        least, most_value = (least - pad, most_value + pad) if not from_zero else (least, least + 1.0)
    ticks = number_ticks(least, most_value, most)
    if high is not None and high == most_value and low is not None and low == least:
        ticks = tuple(tick for tick in ticks if least <= tick <= most_value) or (least, most_value)
        return Scale(low=least, high=most_value, ticks=ticks)
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks)


def tick_texts(values: Scale) -> list[TextMark]:
    """The labels of a value axis."""
    return [text for word in number_words(values.ticks) if (text := block(word, 200, SMALL))]


def value_axis(sheet: Sheet, plot: Plot) -> None:
    """Grid lines and labels of the values."""
    texts = tick_texts(plot.values)
    skip = 1
    if plot.is_swapped and len(texts) > 1:
        room = plot.box.width / (len(texts) - 1)
        widest = max(text.box.width for text in texts) + TICK_GAP
        skip = next((n for n in range(1, len(texts)) if widest <= room * n), len(texts))
    for number, (tick, text) in enumerate(zip(plot.values.ticks, texts, strict=True)):
        ends = (plot.at(0.0, tick), plot.at(1.0, tick))
        is_zero = tick == 0
        sheet.add(
            PartMark(
                id=f"grid {' '.join(text.lines)}",
                part=Part.AXIS if is_zero else Part.GRID,
                points=ends,
                is_closed=False,
                line=Tone.LINE if is_zero else Tone.HAIR,
                width=1.0,
                value=tick,
            )
        )
        if number % skip:
            continue
        x, y = ends[0] if not plot.is_swapped else ends[1]
        below = (x, y - LABEL_GAP - text.box.height / 2)
        mark = centred(text, below) if plot.is_swapped else right(text, x - LABEL_GAP, y)
        sheet.add(PartMark(id=f"value tick {number + 1}", part=Part.TICK, text=mark, ink=Tone.MUTED, value=tick))


def number_axis(sheet: Sheet, plot: Plot, places: Scale) -> None:
    """The other axis, when it has numbers: labels below, as many as lie apart."""
    texts = tick_texts(places)
    for number, (tick, text) in enumerate(_apart(plot, places, texts)):
        x, y = plot.box.left + places.share(tick) * plot.box.width, plot.box.bottom
        mark = centred(text, (x, y - LABEL_GAP - text.box.height / 2))
        name, ends = f"notch {number + 1}", ((x, y), (x, y - 3))
        sheet.add(
            PartMark(id=name, part=Part.AXIS, points=ends, is_closed=False, line=Tone.LINE, width=1.0),
            PartMark(id=f"place tick {number + 1}", part=Part.TICK, text=mark, ink=Tone.MUTED, value=tick),
        )


def _apart(plot: Plot, places: Scale, texts: list[TextMark]) -> list[tuple[float, TextMark]]:
    pairs = list(zip(places.ticks, texts, strict=True))
    for skip in range(1, len(pairs) + 1):
        kept = pairs[::skip]
        spots = [(plot.box.left + places.share(tick) * plot.box.width, text.box.width) for tick, text in kept]
        if all(x + width / 2 + TICK_GAP <= other - wide / 2 for (x, width), (other, wide) in pairwise(spots)):
            return kept
    return pairs[:1]


def category_texts(categories: Sequence[str], room: float, *, most_lines: int = 3) -> list[TextMark | None] | None:
    """The names broken to `room`; None when one does not fit without being torn."""
    texts: list[TextMark | None] = []
    for name in categories:
        text = block(name, room, SMALL)
        if text and (text.box.width > room or len(text.lines) > most_lines or _is_torn(text, name)):
            return None
        texts.append(text)
    return texts


def _is_torn(text: TextMark, name: str) -> bool:
    words = name.split()
    return any(piece not in words for line in text.lines for piece in line.split())


def category_axis(sheet: Sheet, plot: Plot, texts: Sequence[TextMark | None]) -> None:
    """Names below the plot, or left of it; where they are too many, every second, third, ... one."""
    count = len(texts)
    skip = 1
    if not plot.is_swapped:
        widest = max((text.box.width for text in texts if text), default=0.0)
        slot = plot.box.width / max(1, count)
        skip = next((n for n in range(1, count + 1) if widest + TICK_GAP / 2 <= slot * n), count)
    for number, text in enumerate(texts):
        if text is None or number % skip:
            continue
        place = (number + 0.5) / count
        if plot.is_swapped:
            mark = right(text, plot.box.left - LABEL_GAP, plot.box.top - place * plot.box.height)
        else:
            x = plot.box.left + place * plot.box.width
            mark = centred(text, (x, plot.box.bottom - LABEL_GAP - text.box.height / 2))
        sheet.add(PartMark(id=f"category {number + 1}", part=Part.TICK, text=mark, ink=Tone.MUTED))


def axis_title(sheet: Sheet, words: str, x: float, y: float, *, is_right: bool = False) -> float:
    """An axis's title with its top at `y`; the y below it. It is never turned on its side."""
    text = block(words, x if is_right else WIDTH, SMALL)
    if text is None:
        return y
    middle = y - text.box.height / 2
    mark = right(text, x, middle) if is_right else left(text, x, middle)
    sheet.add(PartMark(id=f"axis title {words}", part=Part.CAPTION, text=mark, ink=Tone.MUTED))
    return y - text.box.height
