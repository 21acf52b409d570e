"""How big a node's box must be: `GraphNode` in, a `NodeMark` around the origin out, every text in its place."""

from __future__ import annotations

from dataclasses import replace

from layers.presentation import fonts
from layers.presentation.graph import Cell, GraphNode, Row
from layers.presentation.scene import NodeMark, Outline, Rect, Special, Stroke, TextMark
from layers.presentation.shapes import box_size, text_centre
from layers.presentation.spec import Direction, Shape

NODE_SIZE, CELL_SIZE, EDGE_SIZE, GROUP_SIZE, TITLE_SIZE = 14.0, 13.0, 13.0, 13.0, 17.0
"""Points. The smallest decides how large a drawing may be on a phone."""
NARROW = (Shape.DIAMOND, Shape.CIRCLE, Shape.DOUBLE_CIRCLE, Shape.TRIANGLE, Special.BANG, Special.CLOUD)
"""Shapes that get wide quickly: their text is broken earlier."""
NARROWER = 0.8
DOT_SIZES: dict[Outline, float] = {Special.START: 18.0, Special.END: 22.0, Special.CHOICE: 30.0}
"""Width and height of what has no text."""
BAR_LENGTH, BAR_WIDTH = 72.0, 8.0
SLACK: dict[Outline, tuple[float, float, float, float]] = {
    Special.NOTE: (1.0, 24.0, 1.0, 16.0),
    Special.IDEA: (1.0, 24.0, 1.0, 14.0),
    Special.STUB: (1.0, 22.0, 1.0, 12.0),
    Special.CLOUD: (1.3, 30.0, 1.5, 26.0),
    Special.BANG: (1.5, 40.0, 1.8, 36.0),
}
"""Width = factor * text + constant, height likewise."""
CARD_PAD_X, CARD_PAD_Y = 10.0, 6.0
CARD_LEAST_WIDTH = 90.0
COLUMN_GAP = 14.0
EMPTY_STRIP = 10.0
MEMBER_WRAP, COLUMN_WRAP = 250.0, 130.0
"""Where a row of a class, and a column among several, is broken."""


def measured(node: GraphNode, wrap: float, direction: Direction) -> NodeMark:
    """The node with its box around (0, 0)."""
    if node.shape is Special.CARD:
        return _card(node, wrap)
    if node.shape in DOT_SIZES or node.shape is Special.BAR:
        width = height = DOT_SIZES.get(node.shape, BAR_WIDTH)
        if node.shape is Special.BAR:
            is_flat = direction in (Direction.DOWN, Direction.UP)
            width, height = (BAR_LENGTH, BAR_WIDTH) if is_flat else (BAR_WIDTH, BAR_LENGTH)
        nothing = TextMark((), Rect(0, 0, 0, 0), NODE_SIZE)
        return NodeMark(node.id, node.shape, Rect.around((0, 0), width, height), nothing, accent=node.accent)
    narrower = NARROWER if node.shape in NARROW else 1.0
    size = CELL_SIZE if node.shape is Special.STUB else NODE_SIZE
    text = block(node.label, wrap * narrower, size) or TextMark((), Rect(0, 0, 0, 0), NODE_SIZE)
    box = Rect.around((0, 0), *_size(node.shape, text.box.width, text.box.height))
    at = Rect.around(text_centre(node.shape, box), text.box.width, text.box.height)
    return NodeMark(node.id, node.shape, box, replace(text, box=at), accent=node.accent)


def _size(shape: Outline, width: float, height: float) -> tuple[float, float]:
    if shape in SLACK:
        times_x, plus_x, times_y, plus_y = SLACK[shape]
        return times_x * width + plus_x, times_y * height + plus_y
    return box_size(shape, width, height) if isinstance(shape, Shape) else (width, height)


def block(text: str, wrap: float, size: float, *, bold: bool = False) -> TextMark | None:
    """The text broken into lines, with its extent at the origin; None when there is nothing to read."""
    if not text.strip():
        return None
    lines = fonts.wrap(text, wrap, size, bold)
    width = max(fonts.width(line, size, bold) for line in lines)
    return TextMark(lines, Rect(0, 0, width, fonts.LINE_HEIGHT * size * len(lines)), size, bold)


def _card(node: GraphNode, wrap: float) -> NodeMark:
    """Heading, then a strip for each compartment, from the top down; shifted to the middle at the end."""
    head = block(node.label, max(wrap, 150.0), NODE_SIZE, bold=True) or TextMark((), Rect(0, 0, 0, 0), NODE_SIZE)
    kicker = block(node.kicker, max(wrap, 150.0), CELL_SIZE)
    strips = [[_cells(row) for row in rows] for rows in node.compartments]
    columns = [_column_widths(rows) for rows in strips]
    inner = [head.box.width, kicker.box.width if kicker else 0.0]
    inner += [sum(widths) + COLUMN_GAP * max(0, len(widths) - 1) for widths in columns]
    width = max(CARD_LEAST_WIDTH, max(inner) + 2 * CARD_PAD_X)
    y = -CARD_PAD_Y
    cells: list[TextMark] = []
    if kicker:
        y -= kicker.box.height
        at = Rect.around((width / 2, y + kicker.box.height / 2), kicker.box.width, kicker.box.height)
        cells.append(replace(kicker, box=at, italic=True, is_muted=True))
    y -= head.box.height
    head = replace(head, box=Rect.around((width / 2, y + head.box.height / 2), head.box.width, head.box.height))
    y -= CARD_PAD_Y
    rules: list[Stroke] = []
    for rows, widths in zip(strips, columns, strict=True):
        rules.append(((0.0, y), (width, y)))
        y -= CARD_PAD_Y if rows else EMPTY_STRIP
        for row in rows:
            height = max(cell.box.height for cell in row)
            x = CARD_PAD_X
            for cell, column in zip(row, widths, strict=True):
                if cell.lines:
                    cells.append(replace(cell, box=cell.box.moved(x, y - cell.box.height)))
                x += column + COLUMN_GAP
            y -= height
        y -= CARD_PAD_Y if rows else 0.0
    dx, dy = -width / 2, -y / 2
    return NodeMark(
        node.id,
        node.shape,
        Rect.around((0, 0), width, -y),
        replace(head, box=head.box.moved(dx, dy)),
        tuple(replace(cell, box=cell.box.moved(dx, dy)) for cell in cells),
        tuple(((x0 + dx, y0 + dy), (x1 + dx, y1 + dy)) for (x0, y0), (x1, y1) in rules),
        node.accent,
    )


def _cells(row: Row) -> list[TextMark]:
    wrap = MEMBER_WRAP if len(row) == 1 else COLUMN_WRAP
    return [_cell(cell, wrap) for cell in row]


def _cell(cell: Cell, wrap: float) -> TextMark:
    text = block(cell.text, wrap, CELL_SIZE) or TextMark((), Rect(0, 0, 0, 0), CELL_SIZE)
    return replace(
        text, is_left=True, italic=cell.is_italic, underlined=cell.is_underlined, is_muted=cell.is_muted
    )


def _column_widths(rows: list[list[TextMark]]) -> list[float]:
    return [max(cell.box.width for cell in column) for column in zip(*rows, strict=True)]
