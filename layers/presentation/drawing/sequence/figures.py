"""The heads of the lifelines: boxes, and the figures of UML. Pure but for the measures it is given."""

from __future__ import annotations

from layers.presentation.drawing.lettering import centred
from layers.presentation.drawing.sequence.columns import FIGURES, HEAD_SHAPES, HeadBox
from layers.presentation.scene import Part, PartMark, Point, Rect, Tone
from layers.presentation.shapes import circle, details, outline, text_centre
from layers.presentation.spec import Role, Shape

BEHIND = 4.0
"""How far the second sheet of a collection sticks out."""
FIGURE_HEIGHT = 36.0


def head_parts(head: HeadBox, x: float, bottom: float) -> list[PartMark]:
    """The head with its lower edge at `bottom`."""
    if head.who.role in FIGURES:
        return _figure(head, x, bottom)
    shape = HEAD_SHAPES.get(head.who.role, Shape.RECT)
    box = Rect(x - head.width / 2, bottom, x + head.width / 2, bottom + head.height)
    parts = []
    if head.who.role is Role.COLLECTIONS:
        parts.append(_stroke(head, _edge_behind(box), "behind", is_closed=True))
    parts.append(
        PartMark(
            id=head.who.id,
            part=Part.HEAD,
            points=tuple(outline(shape, box)),
            fill=Tone.CARD,
            line=Tone.CARD_LINE,
            width=1.3,
            has_shadow=True,
            text=centred(head.text, text_centre(shape, box)),
            holds_text=True,
            of=head.who.id,
        )
    )
    parts += [_stroke(head, tuple(line), f"line {n}") for n, line in enumerate(details(shape, box))]
    return parts


def _edge_behind(box: Rect) -> tuple[Point, ...]:
    """What is seen of a second sheet behind `box`."""
    right, top = box.right + BEHIND, box.top + BEHIND
    return (
        *((box.left + BEHIND, box.top), (box.left + BEHIND, top), (right, top), (right, box.bottom + BEHIND)),
        *((box.right, box.bottom + BEHIND), (box.right, box.top)),
    )


def _figure(head: HeadBox, x: float, bottom: float) -> list[PartMark]:
    name = centred(head.text, (x, bottom + 2 + head.text.box.height / 2))
    ground = bottom + head.text.box.height + 4
    box = Rect(x - head.width / 2, bottom, x + head.width / 2, bottom + head.height)
    corners = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
    parts = [PartMark(id=head.who.id, part=Part.HEAD, points=corners, text=name, of=head.who.id)]
    strokes = _actor(x, ground) if head.who.role is Role.ACTOR else _robustness(head.who.role, x, ground)
    parts += [
        _stroke(head, points, f"figure {number}", is_closed=is_closed)
        for number, (points, is_closed) in enumerate(strokes)
    ]
    return parts


def _actor(x: float, y: float) -> list[tuple[tuple[Point, ...], bool]]:
    return [
        (tuple(circle((x, y + 28), 6.0)), True),
        (((x, y + 22), (x, y + 10)), False),
        (((x - 10, y + 17), (x + 10, y + 17)), False),
        (((x - 8, y), (x, y + 10), (x + 8, y)), False),
    ]


def _robustness(role: Role, x: float, y: float) -> list[tuple[tuple[Point, ...], bool]]:
    """Jacobson's three: boundary, control, entity."""
    ring = tuple(circle((x, y + 17), 13.0))
    if role is Role.BOUNDARY:
        wall, bridge = ((x - 22, y + 6), (x - 22, y + 28)), ((x - 22, y + 17), (x - 13, y + 17))
        return [(ring, True), (wall, False), (bridge, False)]
    if role is Role.CONTROL:
        return [(ring, True), (((x + 5, y + 34), (x - 1, y + 30), (x + 5, y + 26)), False)]
    return [(ring, True), (((x - 13, y + 3), (x + 13, y + 3)), False)]


def _stroke(head: HeadBox, points: tuple[Point, ...], name: str, *, is_closed: bool = False) -> PartMark:
    return PartMark(
        id=f"{head.who.id} {name}",
        part=Part.HEAD,
        points=points,
        is_closed=is_closed,
        fill=Tone.CARD if is_closed else None,
        line=Tone.CARD_LINE,
        width=1.4,
        of=head.who.id,
    )
