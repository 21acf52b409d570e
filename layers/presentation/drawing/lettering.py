"""The typographic scale, and text as a block: words in, a `TextMark` at the origin out."""

from __future__ import annotations

from dataclasses import replace

from layers.presentation import fonts
from layers.presentation.scene import Point, Rect, TextMark

TITLE, HEADING, BODY, SMALL = 17.0, 14.0, 13.0, 12.0
"""Points. The smallest and the width of the drawing decide what can be read on a phone."""
LEAST_CSS = 9.0
PHONE_CSS_PX = 360.0
WIDEST_BODY = BODY * PHONE_CSS_PX / LEAST_CSS
"""520: a drawing whose smallest text is `BODY` may be this wide."""
WIDEST_SMALL = SMALL * PHONE_CSS_PX / LEAST_CSS
"""480."""
TALLEST = 2.1
"""Height over width of a page: what a phone shows at once."""
ELLIPSIS = "…"


def block(
    text: str, wrap: float, size: float, *, bold: bool = False, most_lines: int = 0, is_strict: bool = True
) -> TextMark | None:
    """The text broken into lines, its lower left corner at the origin; None when there is nothing to read.

    `most_lines` 0 keeps all of it; otherwise the last line that fits ends with an ellipsis. Unless `is_strict`, a long
    word may make it wider than `wrap`.
    """
    if not text.strip():
        return None
    lines = fonts.wrap(text.strip(), wrap, size, bold)
    if is_strict and any(fonts.width(line, size, bold) > wrap for line in lines):
        lines = fonts.wrap(text.strip(), wrap / fonts.STRETCH, size, bold)
    if most_lines and len(lines) > most_lines:
        lines = (*lines[: most_lines - 1], lines[most_lines - 1] + ELLIPSIS)
    if not any(line.strip() for line in lines):
        return None
    width = max(fonts.width(line, size, bold) for line in lines)
    return TextMark(lines, Rect(0, 0, width, fonts.LINE_HEIGHT * size * len(lines)), size, bold)


def centred(text: TextMark, at: Point) -> TextMark:
    """With its middle there."""
    return replace(text, box=Rect.around(at, text.box.width, text.box.height), is_left=False)


def left(text: TextMark, x: float, y: float) -> TextMark:
    """Its lines begin at `x`, its middle is at the height `y`."""
    height = text.box.height
    return replace(text, box=Rect(x, y - height / 2, x + text.box.width, y + height / 2), is_left=True)


def right(text: TextMark, x: float, y: float) -> TextMark:
    """Its lines end at `x`, its middle is at the height `y`."""
    return replace(left(text, x - text.box.width, y), is_left=False, is_right=True)
