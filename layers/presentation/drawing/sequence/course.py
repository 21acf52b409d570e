"""What the way down a page has left behind so far: open bars, heads, holes in lifelines, marks."""

from __future__ import annotations

from layers.presentation.drawing.sequence.columns import BAR_HALF, BAR_STEP, Columns, HeadBox
from layers.presentation.drawing.sequence.figures import head_parts
from layers.presentation.drawing.sequence.frames import Frames
from layers.presentation.drawing.sequence.rows import Row
from layers.presentation.scene import Part, PartMark, Point, Rect, TextMark, Tone

Hole = tuple[float, float]
"""From y to y, where a lifeline lets a text through."""


class Course:
    """Where the page has got to. y runs downwards from 0."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.y = 0.0
        self.bars: dict[str, list[float]] = {}
        """Participant -> where each of its open bars begins."""
        self.born: dict[str, float] = {}
        self.dead: dict[str, float] = {}
        self.holes: dict[str, list[Hole]] = {}
        self.under: list[PartMark] = []
        self.activations: list[PartMark] = []
        self.over: list[PartMark] = []
        self.frames = Frames(columns)

    def label(self, id: str, mark: TextMark) -> None:
        """Over a bar it gets paper of its own."""
        self.let_through(mark.box)
        self.frames.widen(mark.box)
        hidden = any(self.bars.get(who) and mark.box.left < x < mark.box.right for who, x in self.columns.x.items())
        backing = Tone.PAPER if hidden else None
        self.over.append(PartMark(id=f"{id} label", part=Part.LABEL, text=mark, backing=backing, of=id))

    def let_through(self, box: Rect) -> None:
        """Interrupt the lifelines under a text or a sheet."""
        for who, x in self.columns.x.items():
            if box.left - 3 < x < box.right + 3:
                self.holes.setdefault(who, []).append((box.top - 1, box.bottom + 1))

    def busy(self) -> list[tuple[float, float]]:
        """From x to x, where bars are open now."""
        return [
            (self.columns.x[id] - BAR_HALF, self.columns.x[id] + BAR_HALF + BAR_STEP * (len(bars) - 1))
            for id, bars in self.bars.items()
            if bars and id in self.columns.x
        ]

    def edge(self, row: Row, id: str, side: int) -> float:
        """From the lifeline to where a line touches: the edge of the outermost bar at this row."""
        depth = len(self.bars.get(id, ())) + row.starts.count(id)
        return 0.0 if depth == 0 else BAR_HALF + (BAR_STEP * (depth - 1) if side > 0 else 0.0)

    def after(self, row: Row, y: float) -> None:
        """Bars and lifelines that begin or end at this row."""
        for id in row.starts:
            self.bars.setdefault(id, []).append(y)
        for id in row.ends:
            self.end_bar(id, y)
        if row.destroys in self.columns.x:
            self.destroy(row, y)

    def destroy(self, row: Row, y: float) -> None:
        """The lifeline ends in a cross."""
        id = row.destroys
        while self.bars.get(id):
            self.end_bar(id, y)
        self.dead[id] = y
        x = self.columns.x[id]
        for number, slope in enumerate((1, -1)):
            points = ((x - 6, y - 6 * slope), (x + 6, y + 6 * slope))
            name = f"{id} ends {number}"
            cross = PartMark(id=name, part=Part.TIP, points=points, is_closed=False, line=Tone.ALERT, width=2.0, of=id)
            self.over.append(cross)

    def end_bar(self, id: str, y: float) -> None:
        """The participant's innermost bar ends."""
        if not self.bars.get(id):
            return
        begun = self.bars[id].pop()
        if id not in self.columns.x:
            return
        x = self.columns.x[id] + BAR_STEP * len(self.bars[id])
        box = Rect(x - BAR_HALF, min(y, begun - 8), x + BAR_HALF, begun)
        depth = len(self.bars[id])
        name = f"activation {len(self.activations) + 1} of {id}"
        bar = PartMark(
            id=name, part=Part.ACTIVATION, points=_corners(box), fill=Tone.CARD, line=Tone.CARD_LINE, width=1.1, of=id
        )
        self.holes.setdefault(id, []).append((box.top, box.bottom))
        self.activations.insert(0 if depth == 0 else len(self.activations), bar)

    def head(self, head: HeadBox, bottom: float) -> None:
        """A participant's head stands on `bottom`."""
        self.over += head_parts(head, self.columns.x[head.who.id], bottom)


def _corners(box: Rect) -> tuple[Point, ...]:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)
