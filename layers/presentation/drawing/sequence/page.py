"""One page of a sequence: rows and columns in, the parts on a sheet out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layers.presentation.drawing.lettering import BODY, block, centred
from layers.presentation.drawing.sequence.columns import BAR_STEP, NOTE_OFF, NOTE_PAD_X, NOTE_PAD_Y, Columns, note_of
from layers.presentation.drawing.sequence.course import Course, Hole
from layers.presentation.drawing.sequence.messages import ROW_GAP, draw_message
from layers.presentation.drawing.sequence.rows import Row
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.scene import Part, PartMark, Rect, Special, Tone
from layers.presentation.shapes import outline
from layers.presentation.spec import Message, Note, SequenceDiagram, Shape

HEAD_ROOM = 14.0
"""Between the heads and the first row."""
TAIL = 12.0


def draw_page(spec: SequenceDiagram, columns: Columns, rows: Sequence[Row]) -> Sheet:
    """Everything, in the order of painting."""
    on = Course(columns)
    _begin(on, rows)
    for row in rows[1:] if rows and rows[0].divides else rows:
        _row(on, row)
    for opened in [frame.opened for frame in reversed(on.frames.stack)]:
        on.y = on.frames.close(opened, on.y)
    end = on.y - TAIL
    for id in list(on.bars):
        while on.bars[id]:
            on.end_bar(id, end)
    frames = on.frames.parts()
    for part in frames:
        if part.text:
            on.let_through(part.box if part.points else part.text.box)
    sheet = Sheet()
    sheet.add(*_boxes(on, spec, end), *on.frames.tints(), *_lifelines(on, end))
    sheet.add(*(part for part in frames if part.text is None), *on.activations)
    sheet.add(*(part for part in frames if part.text), *on.under, *on.over)
    return sheet


def _begin(on: Course, rows: Sequence[Row]) -> None:
    """The heads, and whatever is open when the page begins."""
    first = rows[0] if rows else None
    standing = [id for id in on.columns.order if first is None or id in first.present]
    tallest = max((on.columns.heads[id].height for id in standing), default=0.0)
    for id in standing:
        on.head(on.columns.heads[id], -tallest)
        on.born[id] = -tallest
    on.y = -tallest - HEAD_ROOM
    if first is None:
        return
    for id, depth in first.busy.items():
        on.bars[id] = [-tallest] * depth
    for opened in first.open:
        shown = first.divides if first.divides and first.divides.id == opened.id else opened
        continued = replace(shown, label=f"{shown.label} (continued)".strip())
        on.y = on.frames.open(continued, on.y, on.busy())


def _row(on: Course, row: Row) -> None:
    if row.opens:
        on.y = on.frames.open(row.opens, on.y, on.busy())
    elif row.divides:
        on.y = on.frames.divide(row.divides, on.y, on.busy())
    elif row.closes:
        on.y = on.frames.close(row.closes, on.y)
    elif isinstance(row.step, Message):
        draw_message(on, row, row.step)
    elif isinstance(row.step, Note):
        _note(on, row, row.step)
    else:
        for id in row.starts:
            on.bars.setdefault(id, []).append(on.y)
        on.y -= ROW_GAP
        for id in row.ends:
            on.end_bar(id, on.y)


def _note(on: Course, row: Row, step: Note) -> None:
    first, last = on.columns.span(step.over)
    room = max(on.columns.wrap, last - first + 16)
    text = note_of(step, room)
    height = (text.box.height if text else 12.0) + 2 * NOTE_PAD_Y
    width = (text.box.width if text else 20.0) + 2 * NOTE_PAD_X
    if step.place == "left":
        right = first - NOTE_OFF
        box = Rect(right - width, on.y - height, right, on.y)
    elif step.place == "right":
        x = last + NOTE_OFF + BAR_STEP * max(0, len(on.bars.get(step.over[-1], ())) - 1)
        box = Rect(x, on.y - height, x + width, on.y)
    else:
        width = max(width, last - first + 40 if last > first else 0.0)
        box = Rect.around(((first + last) / 2, on.y - height / 2), width, height)
    note = PartMark(
        id=row.id,
        part=Part.NOTE,
        points=tuple(outline(Special.NOTE, box)),
        fill=Tone.NOTE,
        line=Tone.NOTE_LINE,
        has_shadow=True,
        text=centred(text, box.centre) if text else None,
        holds_text=True,
        of=" ".join(step.over),
    )
    on.over.append(note)
    on.frames.widen(box)
    on.let_through(box)
    on.after(row, box.bottom)
    on.y = box.bottom - ROW_GAP


def _lifelines(on: Course, end: float) -> list[PartMark]:
    parts = []
    for id, x in on.columns.x.items():
        if id not in on.born:
            continue
        top, bottom = on.born[id], on.dead.get(id, end)
        for number, (start, stop) in enumerate(_broken(top, bottom, on.holes.get(id, []))):
            points = ((x, start), (x, stop))
            name = f"lifeline {id}" + (f" {number + 1}" if number else "")
            parts.append(
                PartMark(
                    id=name, part=Part.LIFELINE, points=points, is_closed=False, line=Tone.THREAD, width=1.0, of=id
                )
            )
    return parts


def _boxes(on: Course, spec: SequenceDiagram, end: float) -> list[PartMark]:
    parts: list[PartMark] = []
    for number, box in enumerate(spec.boxes):
        members = [id for id in box.members if id in on.columns.x]
        if not members:
            continue
        first, last = min(members, key=on.columns.x.__getitem__), max(members, key=on.columns.x.__getitem__)
        left_x = on.columns.x[first] - on.columns.heads[first].width / 2 - 9
        right_x = on.columns.x[last] + on.columns.heads[last].width / 2 + 9
        title = block(box.title, max(right_x - left_x - 12, 60.0), BODY, bold=True)
        top = 10.0 + (title.box.height + 2 if title else 0.0)
        frame = Rect(left_x, end - 2, right_x, top)
        parts.append(
            PartMark(
                id=f"box {box.title or number + 1}",
                part=Part.BAND,
                points=tuple(outline(Shape.ROUNDED, frame)),
                fill=Tone.BAND if not box.colour else Tone.SOFT,
                accent=number % 8 + 1,
                text=centred(title, (frame.centre[0], top - 5 - title.box.height / 2)) if title else None,
                ink=Tone.MUTED,
            )
        )
    return parts


def _broken(top: float, bottom: float, holes: list[Hole]) -> list[Hole]:
    """The line from `top` down to `bottom` without its holes."""
    pieces_left, at = [], top
    for start, stop in sorted(holes, reverse=True):
        if start < at:
            pieces_left.append((at, max(start, bottom)))
        at = min(at, stop)
    return [*(piece for piece in pieces_left if piece[0] - piece[1] > 2), *([(at, bottom)] if at - bottom > 2 else [])]
