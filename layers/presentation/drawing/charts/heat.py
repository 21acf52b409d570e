"""The heat map: rows of cells from pale to full, their numbers where they fit, a scale below."""

from __future__ import annotations

from collections.abc import Sequence

from layers.presentation.drawing.charts.legend import Styled
from layers.presentation.drawing.charts.marks import corners
from layers.presentation.drawing.charts.plot import LABEL_GAP, TICK_GAP, WIDTH, axis_title, category_texts
from layers.presentation.drawing.lettering import SMALL, block, centred, left, right
from layers.presentation.drawing.scales import number_words
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.drawing.theme import HEAT_STEPS
from layers.presentation.scene import Part, PartMark, Rect, TextMark, Tone
from layers.presentation.spec import Chart

ROW_WRAP = 120.0
LEAST_ROW = 24.0
SCALE_WIDTH, SCALE_HEIGHT = 150.0, 10.0


def plan_heat(spec: Chart, series: Sequence[Styled]) -> Sheet:
    """Everything but the heading."""
    sheet = Sheet()
    count = max((len(one.series.values) for one in series), default=0)
    names = [block(one.name, ROW_WRAP, SMALL) for one in series]
    x = max((text.box.width for text in names if text), default=0.0) + LABEL_GAP
    width = (WIDTH - x) / max(1, count)
    y = axis_title(sheet, " × ".join(word for word in (spec.y.title, spec.x.title) if word), 0.0, 0.0) - 6
    y = _columns(sheet, spec, x, width, y)
    known = [value for one in series for value in one.series.values if value is not None]
    low = min(known, default=0.0) if spec.y.low is None else min(spec.y.low, *known, spec.y.low)
    high = max(known, default=1.0) if spec.y.high is None else max(spec.y.high, *known, spec.y.high)
    words = iter(number_words(known))
    texts = [
        [None if value is None else block(next(words), 200, SMALL) for value in one.series.values] for one in series
    ]
    fits = all(text is None or text.box.width + 4 <= width for row in texts for text in row)
    for one, name, row in zip(series, names, texts, strict=True):
        height = max(LEAST_ROW, (name.box.height if name else 0.0) + 4)
        if name:
            mark = right(name, x - LABEL_GAP, y - height / 2)
            sheet.add(PartMark(id=f"row {one.name}", part=Part.TICK, text=mark, ink=Tone.MUTED))
        for number, value in enumerate(one.series.values):
            box = Rect(x + number * width, y - height, x + (number + 1) * width, y)
            if value is not None:
                step = round((HEAT_STEPS - 1) * (value - low) / (high - low)) if high > low else HEAT_STEPS // 2
                sheet.add(_cell(one, number, box, value, (step, row[number] if fits else None)))
        y -= height
    _scale(sheet, low, high, y - 14)
    return sheet


def _columns(sheet: Sheet, spec: Chart, x: float, width: float, y: float) -> float:
    """The columns' names above them; where they are too many, every second, third, ... one."""
    texts: Sequence[TextMark | None] | None = category_texts(spec.x.categories, width - 3)
    skip = 1
    if texts is None:
        texts = [block(name, 90.0, SMALL, most_lines=3) for name in spec.x.categories]
        widest = max((text.box.width for text in texts if text), default=0.0)
        skip = next((n for n in range(1, len(texts) + 1) if widest + TICK_GAP / 2 <= width * n), len(texts))
    tallest = max((text.box.height for text in texts[::skip] if text), default=0.0)
    for number, text in enumerate(texts):
        if text and number % skip == 0:
            at = (x + (number + 0.5) * width, y - tallest + text.box.height / 2)
            mark = PartMark(id=f"column {number + 1}", part=Part.TICK, text=centred(text, at), ink=Tone.MUTED)
            sheet.add(mark)
    return y - tallest - (4 if texts else 0)


def _cell(one: Styled, number: int, box: Rect, value: float, shown: tuple[int, TextMark | None]) -> PartMark:
    step, text = shown
    return PartMark(
        id=f"cell {one.name} {number + 1}",
        part=Part.CELL,
        points=corners(box),
        fill=Tone.HEAT,
        line=Tone.PAPER,
        width=1.2,
        accent=step,
        text=centred(text, box.centre) if text else None,
        ink=Tone.ON_HEAT,
        holds_text=True,
        of=one.name,
        value=value,
    )


def _scale(sheet: Sheet, low: float, high: float, y: float) -> None:
    """From the lowest to the highest."""
    first, last = (block(word, 200, SMALL) for word in number_words([low, high]))
    if first is None or last is None:
        return
    x = WIDTH - SCALE_WIDTH - last.box.width - LABEL_GAP
    width = SCALE_WIDTH / HEAT_STEPS
    for step in range(HEAT_STEPS):
        box = Rect(x + step * width, y - SCALE_HEIGHT / 2, x + (step + 1) * width, y + SCALE_HEIGHT / 2)
        sheet.add(PartMark(id=f"scale {step}", part=Part.LEGEND, points=corners(box), fill=Tone.HEAT, accent=step))
    ends = ((right(first, x - LABEL_GAP, y), "low"), (left(last, x + SCALE_WIDTH + LABEL_GAP, y), "high"))
    for mark, name in ends:
        sheet.add(PartMark(id=f"scale {name}", part=Part.LEGEND, text=mark, ink=Tone.MUTED))
