"""Where each lifeline stands: the rows of a page in, an x for each participant on it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from layers.presentation.drawing.lettering import BODY, block
from layers.presentation.drawing.sequence.rows import Row
from layers.presentation.fonts import LINE_HEIGHT
from layers.presentation.scene import Rect, TextMark
from layers.presentation.shapes import PAD_X, box_size
from layers.presentation.spec import Message, Note, Participant, Role, SequenceDiagram, Shape

HEAD_WRAPS = (104.0, 150.0, 210.0)
HEAD_LINES = 3
"""A longer name gets more width."""
LEAST_HEAD = 54.0
HEAD_GAP = 14.0
LABEL_PAD = 9.0
"""Beside a message's label, up to each lifeline."""
DISC = 9.5
"""Radius of a number's disc."""
BAR_HALF = 4.5
BAR_STEP = 4.0
LOOP = 26.0
"""How far a message to oneself goes out."""
NOTE_PAD_X, NOTE_PAD_Y = 9.0, 6.0
NOTE_OFF = 8.0
"""From the lifeline to a note beside it."""
FIGURES = (Role.ACTOR, Role.BOUNDARY, Role.CONTROL, Role.ENTITY)
"""Heads that are a figure over a name, without a box."""
HEAD_SHAPES = {
    Role.PARTICIPANT: Shape.RECT,
    Role.DATABASE: Shape.CYLINDER,
    Role.QUEUE: Shape.STADIUM,
    Role.COLLECTIONS: Shape.RECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadBox:
    """A participant's head, measured."""

    who: Participant
    text: TextMark
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Everything about the horizontal."""

    order: tuple[str, ...]
    x: dict[str, float]
    heads: dict[str, HeadBox]
    wrap: float
    """Of the labels between neighbours, and of notes."""

    @property
    def width(self) -> float:
        """From the first lifeline to the last."""
        return self.x[self.order[-1]] - self.x[self.order[0]] if self.order else 0.0

    def span(self, ids: Sequence[str]) -> tuple[float, float]:
        """From the leftmost to the rightmost of them."""
        at = [self.x[id] for id in ids if id in self.x]
        return (min(at), max(at)) if at else (0.0, 0.0)


def ordered(spec: SequenceDiagram) -> list[Participant]:
    """The participants as they were named; those of one box stand side by side where its first one does."""
    homes = {member: number for number, box in enumerate(spec.boxes) for member in box.members}
    first: dict[int, int] = {}
    for place, one in enumerate(spec.participants):
        if one.id in homes:
            first.setdefault(homes[one.id], place)
    places = {
        one.id: (first[homes[one.id]] if one.id in homes else place, place)
        for place, one in enumerate(spec.participants)
    }
    return sorted(spec.participants, key=lambda one: places[one.id])


def head_of(who: Participant) -> HeadBox:
    """Its label, broken and measured, and the room it takes."""
    texts = [text for wrap in HEAD_WRAPS if (text := block(who.label, wrap, BODY, bold=True, is_strict=False))]
    text = next((text for text in texts if len(text.lines) <= HEAD_LINES), texts[-1] if texts else _dot())
    if who.role in FIGURES:
        return HeadBox(who=who, text=text, width=max(text.box.width, 34.0), height=text.box.height + 40)
    width, height = box_size(HEAD_SHAPES.get(who.role, Shape.RECT), text.box.width - PAD_X, text.box.height)
    return HeadBox(who=who, text=text, width=max(width, LEAST_HEAD), height=height)


def _dot() -> TextMark:
    """Stands for a name that cannot be seen."""
    return TextMark(("·",), Rect(0, 0, 4, BODY * LINE_HEIGHT), BODY, bold=True)


def label_of(step: Message, room: float) -> TextMark | None:
    """A message's text, broken to `room`."""
    return block(step.text, room, BODY, is_strict=False)


def note_of(step: Note, room: float) -> TextMark | None:
    """A note's text, broken to `room`."""
    return block(step.text, room, BODY, is_strict=False)


def number_of(row: Row) -> TextMark | None:
    """A message's number."""
    return block(row.number, 200, BODY, bold=True)


def disc_radius(row: Row) -> float:
    """Half the width of what the number stands on; 0 without a number."""
    text = number_of(row)
    return 0.0 if text is None else max(DISC, text.box.width / 2 + 5)


def self_room(row: Row, columns_wrap: float) -> float:
    """What a message to oneself needs on the right of its lifeline."""
    assert isinstance(row.step, Message)
    text = label_of(row.step, columns_wrap)
    label = text.box.width if text else 0.0
    return BAR_HALF + BAR_STEP + 2 * disc_radius(row) + max(LOOP, label + 4) + LABEL_PAD


def place_columns(
    spec: SequenceDiagram, rows: Sequence[Row], wrap: float, also: frozenset[str] = frozenset()
) -> Columns:
    """The x of every participant that `rows` name, and of `also`; gaps are as wide as what stands in them needs."""
    named = {name for row in rows for name in row.names} | also
    known = ordered(spec)
    here = [one for one in known if one.id in named] or known[:1]
    heads = {one.id: head_of(one) for one in here}
    order = [one.id for one in here]
    homes = {member: number for number, box in enumerate(spec.boxes) for member in box.members}
    gaps: list[float] = [
        (heads[one].width + heads[other].width) / 2
        + HEAD_GAP
        + (16.0 if homes.get(one) != homes.get(other) and (one in homes or other in homes) else 0.0)
        for one, other in pairwise(order)
    ]
    place = {id: number for number, id in enumerate(order)}
    for needed, first, last in sorted(_needs(spec, rows, place, gaps, wrap), key=lambda need: need[2] - need[1]):
        lacking = needed - sum(gaps[first:last])
        if lacking > 0:
            for number in range(first, last):
                gaps[number] += lacking / (last - first)
    x: dict[str, float] = {}
    at = 0.0
    for id, gap in zip(order, [*gaps, 0.0], strict=False):
        x[id] = at
        at += gap
    return Columns(order=tuple(order), x=x, heads=heads, wrap=wrap)


def _needs(
    spec: SequenceDiagram, rows: Sequence[Row], place: dict[str, int], gaps: list[float], wrap: float
) -> list[tuple[float, int, int]]:
    """(points, from which gap, to which gap) that labels and notes ask for."""
    found: list[tuple[float, int, int]] = []
    last = len(place) - 1
    for row in rows:
        step = row.step
        if isinstance(step, Message):
            first, final = sorted((place[step.source], place[step.target]))
            if first == final:
                if first < last:
                    found.append((self_room(row, wrap), first, first + 1))
                continue
            text = label_of(step, max(wrap, sum(gaps[first:final]) - 2 * LABEL_PAD))
            heads = 2 * BAR_HALF + 2 * disc_radius(row)
            found.append(((text.box.width if text else 30.0) + 2 * LABEL_PAD + heads, first, final))
            if row.creates and row.creates in place:
                half = head_of(next(one for one in spec.participants if one.id == row.creates)).width / 2
                found.append(((text.box.width if text else 30.0) + 2 * LABEL_PAD + heads + half, first, final))
        elif isinstance(step, Note):
            found += _note_needs(step, place, wrap)
    return found


def _note_needs(step: Note, place: dict[str, int], wrap: float) -> list[tuple[float, int, int]]:
    at = sorted(place[id] for id in step.over)
    text = note_of(step, wrap)
    width = (text.box.width if text else 20.0) + 2 * NOTE_PAD_X
    last = len(place) - 1
    found: list[tuple[float, int, int]] = []
    if step.place == "right" and at[-1] < last:
        found.append((width + NOTE_OFF + 8, at[-1], at[-1] + 1))
    elif step.place == "left" and at[0] > 0:
        found.append((width + NOTE_OFF + 8, at[0] - 1, at[0]))
    elif step.place == "over" and at[0] == at[-1]:
        if at[0] > 0:
            found.append((width / 2 + 8, at[0] - 1, at[0]))
        if at[0] < last:
            found.append((width / 2 + 8, at[0], at[0] + 1))
    return found
