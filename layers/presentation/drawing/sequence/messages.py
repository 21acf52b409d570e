"""Messages: a row in, its line, tips, number and label on the course out."""

from __future__ import annotations

from itertools import pairwise

from layers.presentation.drawing.heads import pieces
from layers.presentation.drawing.lettering import centred, left
from layers.presentation.drawing.sequence.columns import DISC, LABEL_PAD, LOOP, disc_radius, label_of, number_of
from layers.presentation.drawing.sequence.course import Course
from layers.presentation.drawing.sequence.rows import Row, is_dotted
from layers.presentation.scene import Part, PartMark, Point, Rect, Tone
from layers.presentation.shapes import circle, outline
from layers.presentation.spec import Message, Shape, Tip

ROW_GAP = 13.0
TEXT_OVER_LINE = 3.0
LOOP_DROP = 16.0
FLIPPED = {Tip.HALF_TOP: Tip.HALF_BOTTOM, Tip.HALF_BOTTOM: Tip.HALF_TOP}
"""Heads are drawn along their line; one that points left has its upper side below."""


def draw_message(on: Course, row: Row, step: Message) -> None:
    """At the course's y, which it leaves below itself."""
    if step.source == step.target:
        _self_message(on, row, step)
        return
    x = on.columns.x
    forth = 1 if x[step.target] > x[step.source] else -1
    start = x[step.source] + forth * on.edge(row, step.source, forth)
    end = x[step.target] - forth * on.edge(row, step.target, -forth)
    head = on.columns.heads.get(row.creates)
    disc = disc_radius(row)
    if row.destroys == step.target:
        end -= forth * 9
    if head:
        if row.creates == step.target:
            end = x[step.target] - forth * head.width / 2
        else:
            start = x[step.source] + forth * head.width / 2
    text = label_of(step, max(abs(end - start) - 2 * LABEL_PAD - 2 * disc, on.columns.wrap))
    height = (text.box.height + TEXT_OVER_LINE) if text else 8.0
    y = on.y - max(height, head.height / 2 if head else 0.0, DISC + 2 if row.number else 0.0)
    begun = start + forth * 2 * disc
    _line(on, row.id, step, [(begun, y), (end, y)])
    if row.number:
        _number(on, row, (start + forth * disc, y))
    if text:
        middle = _free_middle(on, min(begun, end), max(begun, end), text.box.width)
        mark = centred(text, (middle, y + TEXT_OVER_LINE + text.box.height / 2))
        on.label(row.id, mark)
    below = 0.0
    if head:
        on.head(head, y - head.height / 2)
        on.born[row.creates] = y - head.height / 2
        below = head.height / 2
    on.after(row, y)
    on.y = y - max(ROW_GAP, below + 6, DISC + 4 if row.number else 0.0)


def _self_message(on: Course, row: Row, step: Message) -> None:
    x = on.columns.x[step.source] + on.edge(row, step.source, 1)
    text = label_of(step, on.columns.wrap)
    top = on.y - ((text.box.height + TEXT_OVER_LINE) if text else 6.0)
    if row.number:
        top = min(top, on.y - DISC - 2)
    bottom = top - LOOP_DROP
    disc = disc_radius(row)
    begun = x + 2 * disc
    out = begun + LOOP
    _line(on, row.id, step, [(begun, top), (out, top), (out, bottom), (x, bottom)])
    if row.number:
        _number(on, row, (x + disc, top))
    if text:
        on.label(row.id, left(text, begun + 4, top + TEXT_OVER_LINE + text.box.height / 2))
    on.frames.widen(Rect(x, bottom, out, top))
    on.after(row, bottom)
    on.y = bottom - ROW_GAP


def _line(on: Course, id: str, step: Message, points: list[Point]) -> None:
    """The line stops where its heads begin; the heads are parts of their own."""
    drawn: list[PartMark] = []
    for end, kind in ((0, step.tips[0]), (-1, step.tips[1])):
        before = points[1] if end == 0 else points[-2]
        if points[end][0] < before[0]:
            kind = FLIPPED.get(kind, kind)
        shapes, stop = pieces(kind, before, points[end])
        for number, piece in enumerate(shapes):
            drawn.append(
                PartMark(
                    id=f"{id} tip {end} {number}",
                    part=Part.TIP,
                    points=piece.points,
                    is_closed=piece.is_closed,
                    fill=Tone.LINE if piece.is_filled else None,
                    line=Tone.LINE,
                    width=0.8 if piece.is_filled else 1.5,
                    of=id,
                )
            )
        points[end] = stop
    line = PartMark(
        id=id,
        part=Part.MESSAGE,
        points=tuple(points),
        is_closed=False,
        line=Tone.LINE,
        width=1.4,
        is_dashed=is_dotted(step),
        of=f"{step.source}->{step.target}",
    )
    on.under += [line, *drawn]


def _free_middle(on: Course, first: float, last: float, width: float) -> float:
    """Where a label's middle goes: the middle of the line, or beside what it would lie on there."""
    between = sorted(x for x in on.columns.x.values() if first + 1 < x < last - 1)
    stops = [first, *between, last]
    middle = (first + last) / 2
    places = [middle, *((one + other) / 2 for one, other in pairwise(stops))]
    beside = width / 2 + 6
    places += [edge + side * beside for bar in on.busy() for edge, side in zip(bar, (-1, 1), strict=True)]
    places = [at for at in places if at - width / 2 >= first - 1 and at + width / 2 <= last + 1] or [middle]

    def cost(at: float) -> float:
        low, high = at - width / 2 - 2, at + width / 2 + 2
        bars = sum(right > low and left < high for left, right in on.busy())
        return 1000.0 * bars + 60.0 * sum(low < x < high for x in between) + abs(at - middle)

    return min(places, key=cost)


def _number(on: Course, row: Row, at: Point) -> None:
    text = number_of(row)
    if text is None:
        return
    radius = disc_radius(row)
    shape = outline(Shape.STADIUM, Rect.around(at, 2 * radius, 2 * DISC)) if radius > DISC else circle(at, DISC)
    on.over.append(
        PartMark(
            id=f"{row.id} number",
            part=Part.NUMBER,
            points=tuple(shape),
            fill=Tone.LINE,
            text=centred(text, at),
            ink=Tone.PAPER,
            of=row.id,
        )
    )
