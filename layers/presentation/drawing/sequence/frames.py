"""The frames of a sequence's blocks: opened, divided and closed on the way down; nested ones lie inside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from layers.presentation.drawing.lettering import BODY, block, left
from layers.presentation.drawing.sequence.columns import Columns
from layers.presentation.drawing.sequence.rows import Opened
from layers.presentation.drawing.sheet import moved
from layers.presentation.scene import Part, PartMark, Point, Rect, TextMark, Tone

Span = tuple[float, float]
SIDE = 20.0
"""From the outermost lifeline in it to the innermost frame's side."""
NESTING = 7.0
TAG_PAD = 6.0
TAG_CUT = 7.0
INNER_TOP, INNER_BOTTOM = 9.0, 4.0
AFTER = 13.0
BEFORE = 5.0


@dataclass(slots=True)
class Frame:
    """One that is open, or was."""

    opened: Opened
    top: float
    left: float
    right: float
    bottom: float = 0.0
    texts: list[tuple[float, PartMark]] = field(default_factory=list)
    """With the frame's left side at the time, which may still move."""
    lines: list[PartMark] = field(default_factory=list)

    @property
    def corners(self) -> tuple[Point, ...]:
        """Its outline."""
        return (
            *((self.left, self.top), (self.right, self.top)),
            *((self.right, self.bottom), (self.left, self.bottom)),
        )


class Frames:
    """All frames of one page."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.stack: list[Frame] = []
        self.done: list[Frame] = []

    def open(self, opened: Opened, y: float, busy: Sequence[Span]) -> float:
        """Begin a frame; the y below its heading. `busy` says from x to x where bars run through it."""
        y -= BEFORE
        first, last = self.columns.span(tuple(opened.members))
        frame = Frame(opened, y, first - SIDE, last + SIDE)
        for depth, outer in enumerate(reversed(self.stack), 1):
            outer.left = min(outer.left, frame.left - NESTING * depth)
            outer.right = max(outer.right, frame.right + NESTING * depth)
        self.stack.append(frame)
        self.done.append(frame)
        if opened.type == "rect":
            return y - INNER_TOP
        return self._heading(frame, y, busy) - INNER_TOP

    def _heading(self, frame: Frame, y: float, busy: Sequence[Span]) -> float:
        """The tag with the block's kind, and its label beside or, where that gets too narrow, below."""
        opened = frame.opened
        tag = block(opened.type, 90, BODY, bold=True)
        assert tag is not None
        height = tag.box.height + 5
        width = tag.box.width + 2 * TAG_PAD + TAG_CUT
        box = Rect(frame.left, y - height, frame.left + width, y)
        shape: tuple[Point, ...] = (
            *((box.left, box.top), (box.right, box.top), (box.right, box.bottom + TAG_CUT)),
            *((box.right - TAG_CUT, box.bottom), (box.left, box.bottom)),
        )
        mark = PartMark(
            id=f"{opened.id} tag",
            part=Part.LABEL,
            points=shape,
            fill=Tone.DEEP_BAND,
            line=Tone.LINE,
            width=1.0,
            text=left(tag, box.left + TAG_PAD, box.centre[1]),
            holds_text=True,
            of=opened.id,
        )
        frame.texts.append((frame.left, mark))
        room = frame.right - box.right - 8
        is_beside = room >= 90
        text = block(opened.label, room if is_beside else max(frame.right - frame.left - 12, 100.0), BODY)
        if text is None:
            return box.bottom
        top = y - 3 if is_beside else box.bottom - 2
        x = _clear(box.right + 6 if is_beside else frame.left + TAG_PAD, text.box.width, busy)
        self._label(frame, f"{opened.id} label", left(text, x, top - text.box.height / 2))
        return min(box.bottom, top - text.box.height)

    def _label(self, frame: Frame, id: str, mark: TextMark) -> None:
        frame.right = max(frame.right, mark.box.right + 6)
        label = PartMark(id=id, part=Part.LABEL, text=mark, ink=Tone.MUTED, of=frame.opened.id)
        frame.texts.append((frame.left, label))

    def divide(self, branch: Opened, y: float, busy: Sequence[Span]) -> float:
        """A dashed line and the next branch's label."""
        frame = self.stack[-1]
        line = PartMark(
            id=f"{branch.id} divider at {round(-y)}",
            part=Part.DIVIDER,
            points=((frame.left, y), (frame.right, y)),
            is_closed=False,
            line=Tone.LINE,
            width=1.0,
            is_dashed=True,
            of=branch.id,
        )
        frame.lines.append(line)
        text = block(branch.label, max(frame.right - frame.left - 2 * TAG_PAD, 100.0), BODY)
        if text is None:
            return y - INNER_TOP
        x = _clear(frame.left + TAG_PAD, text.box.width, busy)
        mark = left(text, x, y - 4 - text.box.height / 2)
        self._label(frame, f"{branch.id} label at {round(-y)}", mark)
        return mark.box.bottom - INNER_TOP

    def close(self, opened: Opened, y: float) -> float:
        """End the innermost frame; the y below it."""
        if not self.stack:
            return y
        frame = self.stack.pop()
        frame.bottom = y - INNER_BOTTOM
        if self.stack:
            outer = self.stack[-1]
            outer.left = min(outer.left, frame.left - NESTING)
            outer.right = max(outer.right, frame.right + NESTING)
        return frame.bottom - AFTER

    def widen(self, box: Rect) -> None:
        """Whatever is open reaches around `box`."""
        for depth, frame in enumerate(reversed(self.stack)):
            frame.left = min(frame.left, box.left - 8 - NESTING * depth)
            frame.right = max(frame.right, box.right + 8 + NESTING * depth)

    def tints(self) -> list[PartMark]:
        """Behind the lifelines: the coloured ones."""
        return [
            PartMark(
                id=frame.opened.id,
                part=Part.BAND,
                points=frame.corners,
                fill=Tone.BAND if number % 2 == 0 else Tone.DEEP_BAND,
                of=frame.opened.id,
            )
            for number, frame in enumerate(self.done)
            if frame.opened.type == "rect"
        ]

    def parts(self) -> list[PartMark]:
        """Frames, lines, tags and labels."""
        found: list[PartMark] = []
        for frame in self.done:
            if frame.opened.type == "rect":
                continue
            id = frame.opened.id
            found.append(PartMark(id=id, part=Part.FRAME, points=frame.corners, line=Tone.LINE, width=1.1, of=id))
            for line in frame.lines:
                y = line.points[0][1]
                found.append(replace(line, points=((frame.left, y), (frame.right, y))))
            found += [moved(text, frame.left - then, 0.0) for then, text in frame.texts]
        return found


def _clear(x: float, width: float, busy: Sequence[Span]) -> float:
    """The first x from here on where a text of `width` lies on no bar."""
    for first, last in sorted(busy):
        if first < x + width + 2 and last > x - 2:
            x = last + 5
    return x
