"""The pie: its spec in, one scene out. Names stand beside their slices, the share is written inside or with the name.

More slices than a circle can tell apart are drawn as one, and named below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from layers.presentation.drawing.lettering import BODY, SMALL, block, centred, left, right
from layers.presentation.drawing.scales import number_words, percent
from layers.presentation.drawing.sheet import Sheet
from layers.presentation.geometry import is_inside
from layers.presentation.scene import Part, PartMark, Point, Rect, Scene, TextMark, Tone
from layers.presentation.spec import Pie, Slice

RADIUS = 92.0
NAME_WRAP = 104.0
ELBOW = 10.0
"""How far the leader goes out before it turns to the name."""
NAME_X = RADIUS + 24.0
NAME_GAP = 5.0
MOST = 9
"""Slices; the rest become one more."""
SMALL_SHARE = 0.07
"""Below it a slice counts as small."""
RADII = (0.66, 0.72, 0.6, 0.78)
"""Where the share may stand, in radii."""
ACCENTS = (1, 2, 3, 4, 5, 6, 7, 8, 3, 6)
SMALL_ONES = 0.75
"""The turn at which the middle of the small slices lies."""
OTHERS_WRAP = 400.0


@dataclass(frozen=True, slots=True)
class _Wedge:
    slice: Slice
    share: float
    start: float
    """Turn, 0 to 1, clockwise from the top."""
    accent: int

    @property
    def middle(self) -> float:
        return self.start + self.share / 2


def plan_pie(spec: Pie) -> tuple[Scene, ...]:
    """By size, clockwise; turned so that the small ones, whose names need the room, lie on the left."""
    sheet = Sheet()
    total = sum(one.value for one in spec.slices)
    if total <= 0:
        _empty(sheet, spec)
        return (sheet.finish(spec.title),)
    shown, others = _shown(spec)
    wedges = _wedges(shown, total)
    drawn = [*wedges[:-1], *_parts_of(wedges[-1], others, total)] if others else wedges
    sheet.add(*(_slice(wedge) for wedge in drawn if wedge.share > 0))
    for side in (1, -1):
        _names(sheet, spec, [wedge for wedge in wedges if _side(wedge) == side], side)
    for wedge in wedges:
        _share(sheet, wedge)
    if others:
        words = ", ".join(f"{one.label} {percent(one.value / total)}" for one in others)
        text = block(f"Others: {words}", OTHERS_WRAP, SMALL)
        if text:
            y = sheet.reach().bottom - 14 - text.box.height / 2
            sheet.add(PartMark(id="others", part=Part.CAPTION, text=centred(text, (0, y)), ink=Tone.MUTED))
    return (sheet.finish(spec.title),)


def _empty(sheet: Sheet, spec: Pie) -> None:
    ring = tuple(_arc(0.0, 1.0))
    sheet.add(PartMark(id="pie", part=Part.SLICE, points=ring, fill=Tone.BAND, line=Tone.HAIR, value=0.0))
    names = ", ".join(one.label for one in spec.slices)
    text = block(f"Every value is 0: {names}" if names else "No values", 1.5 * RADIUS, BODY)
    if text:
        sheet.add(PartMark(id="nothing", part=Part.CAPTION, text=centred(text, (0, 0)), ink=Tone.MUTED))


def _shown(spec: Pie) -> tuple[list[Slice], list[Slice]]:
    ranked = sorted(spec.slices, key=lambda one: -one.value)
    if len(ranked) <= MOST + 1:
        return ranked, []
    rest = ranked[MOST:]
    return [*ranked[:MOST], Slice(label=f"{len(rest)} others", value=sum(one.value for one in rest))], rest


def _wedges(slices: list[Slice], total: float) -> list[_Wedge]:
    small = sum(one.value for one in slices if one.value < SMALL_SHARE * total) / total
    wedges, start = [], (SMALL_ONES + small / 2) % 1.0 if small else 0.0
    for number, one in enumerate(slices):
        share = one.value / total
        wedges.append(_Wedge(one, share, start, ACCENTS[number % len(ACCENTS)]))
        start += share
    return wedges


def _parts_of(whole: _Wedge, slices: list[Slice], total: float) -> list[_Wedge]:
    """The slices that share one name, each for itself, in one colour."""
    wedges, start = [], whole.start
    for one in slices:
        wedges.append(_Wedge(one, one.value / total, start, whole.accent))
        start += one.value / total
    return wedges


def _point(turn: float, radius: float) -> Point:
    angle = pi / 2 - 2 * pi * turn
    return radius * cos(angle), radius * sin(angle)


def _arc(start: float, share: float) -> list[Point]:
    steps = max(2, round(share * 120))
    return [_point(start + share * step / steps, RADIUS) for step in range(steps + 1)]


def _slice(wedge: _Wedge) -> PartMark:
    arc = _arc(wedge.start, wedge.share)
    return PartMark(
        id=f"slice {wedge.slice.label}",
        part=Part.SLICE,
        points=tuple(arc if wedge.share >= 0.9999 else [(0.0, 0.0), *arc]),
        fill=Tone.STRONG,
        line=None if wedge.share >= 0.9999 else Tone.PAPER,
        width=1.6,
        accent=wedge.accent,
        of=wedge.slice.label,
        value=wedge.slice.value,
    )


def _side(wedge: _Wedge) -> int:
    return 1 if wedge.middle % 1 < 0.5 else -1


def _share(sheet: Sheet, wedge: _Wedge) -> None:
    text, at = block(percent(wedge.share), 100, BODY, bold=True), _room(wedge)
    if text and at:
        sheet.add(
            PartMark(
                id=f"share {wedge.slice.label}",
                part=Part.LABEL,
                text=centred(text, at),
                ink=Tone.ON_STRONG,
                accent=wedge.accent,
                of=f"slice {wedge.slice.label}",
            )
        )


def _room(wedge: _Wedge) -> Point | None:
    """Where the share fits inside the slice; None when it does not."""
    text = block(percent(wedge.share), 100, BODY, bold=True)
    if text is None or wedge.share >= 0.9999:
        return (0.0, 0.0) if text else None
    shape = [(0.0, 0.0), *_arc(wedge.start, wedge.share)]
    for radius in RADII:
        at = _point(wedge.middle, RADIUS * radius)
        box = Rect.around(at, text.box.width + 6, text.box.height)
        if all(is_inside((x, y), shape) for x in (box.left, box.right) for y in (box.bottom, box.top)):
            return at
    return None


def _names(sheet: Sheet, spec: Pie, wedges: list[_Wedge], side: int) -> None:
    """Beside the pie, each as near to its slice as the others let it."""
    texts = [(wedge, text) for wedge in wedges if (text := _name(spec, wedge))]
    texts.sort(key=lambda item: -_point(item[0].middle, RADIUS)[1])
    heights = [_point(wedge.middle, RADIUS)[1] for wedge, _ in texts]
    for wedge, text, y in zip(
        [wedge for wedge, _ in texts],
        [text for _, text in texts],
        spread(heights, [text.box.height + NAME_GAP for _, text in texts]),
        strict=True,
    ):
        x = side * NAME_X
        mark = left(text, x, y) if side > 0 else right(text, x, y)
        rim, elbow = _point(wedge.middle, RADIUS + 1), _point(wedge.middle, RADIUS + ELBOW)
        sheet.add(
            PartMark(
                id=f"leader {wedge.slice.label}",
                part=Part.LEADER,
                points=(rim, elbow, (x - side * 4, y)),
                is_closed=False,
                line=Tone.LINE,
                width=0.9,
                of=f"slice {wedge.slice.label}",
            ),
            PartMark(id=f"name {wedge.slice.label}", part=Part.LABEL, text=mark, of=f"slice {wedge.slice.label}"),
        )


def _name(spec: Pie, wedge: _Wedge) -> TextMark | None:
    value = number_words([wedge.slice.value])[0] if spec.shows_values else ""
    share = "" if _room(wedge) else percent(wedge.share)
    tail = " · ".join(word for word in (value, share) if word)
    return block("\n".join(word for word in (wedge.slice.label, tail) if word), NAME_WRAP, BODY)


def spread(wished: list[float], heights: list[float]) -> list[float]:
    """Places from the top down, each as near as possible to where it is wished, `heights` apart.

    Blocks that would overlap are merged and centred on the mean of their wishes.
    """
    blocks: list[tuple[float, float, list[int]]] = []
    """(middle, height, members)"""
    for number, (wish, height) in enumerate(zip(wished, heights, strict=True)):
        blocks.append((wish, height, [number]))
        while len(blocks) > 1 and blocks[-2][0] - blocks[-2][1] / 2 < blocks[-1][0] + blocks[-1][1] / 2:
            lower, upper = blocks.pop(), blocks.pop()
            members = upper[2] + lower[2]
            height = upper[1] + lower[1]
            middle, at = 0.0, 0.0
            for member in members:
                middle += wished[member] + at + heights[member] / 2
                at += heights[member]
            blocks.append((middle / len(members) - height / 2, height, members))
    places = [0.0] * len(wished)
    for middle, height, members in blocks:
        at = middle + height / 2
        for member in members:
            places[member] = at - heights[member] / 2
            at -= heights[member]
    return places


