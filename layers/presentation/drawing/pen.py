"""Puts artists on a figure: a mark in, tagged artists out, and afterwards the extents that the texts really have.

Every artist's gid is the element's tag (`node 3`, `part 12`), so that whatever is on the figure can be traced back to
what asked for it. `parse_math=False` everywhere: `$HOME and $PATH` is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor
from typing import Literal, NamedTuple

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from layers.presentation import fonts
from layers.presentation.drawing.heads import Piece, pieces
from layers.presentation.drawing.theme import Theme
from layers.presentation.scene import (
    EdgeMark,
    GroupMark,
    NodeMark,
    PartMark,
    Point,
    Rect,
    Scene,
    Special,
    TextMark,
    Tone,
)
from layers.presentation.shapes import details, outline
from layers.presentation.spec import Line, Shape

LINE_WIDTHS = {Line.SOLID: 1.3, Line.DOTTED: 1.3, Line.THICK: 2.6}
BRANCH_WIDTH = 2.2
DASHES = (2.2, 2.6)
"""In line widths."""
SHADOW = (0.0, -1.6)
SHADOW_ALPHA = 0.07
BASELINE = 0.36
"""From the middle of a line of text down to its baseline, in sizes."""
TENTHS = 10
"""Of a pixel, to which texts are set; line heights are whole tenths too."""
FLAT = (Shape.TEXT, Special.BAR, Special.START, Special.END, Special.STUB)
"""Outlines without a shadow."""


class Look(NamedTuple):
    """How an outline is painted."""

    fill: str
    line: str
    width: float = 1.3


class Pen:
    """Draws marks in points."""

    def __init__(self, figure: Figure, scale: float, theme: Theme) -> None:
        self.figure = figure
        self.scale = scale
        self.theme = theme
        self.points = Affine2D().scale(scale)
        self.order = 0
        self.tag = ""
        self.texts: dict[int, list[Text]] = {}

    def group(self, group: GroupMark) -> None:
        """The frame; its title comes later, over the edges."""
        look = Look(self.theme.group(group.depth), self.theme.group_line, 1.0)
        self.polygon(outline(Shape.ROUNDED, group.box), look)
        if group.is_state and group.text:
            y = group.text.box.bottom - 4
            self.line([(group.box.left, y), (group.box.right, y)], self.theme.group_line, 1.0)
        for divider in group.dividers:
            self.line(divider, self.theme.shade(Tone.LINE), 1.0, is_dashed=True)

    def node(self, node: NodeMark) -> None:
        """Outline and every text."""
        accent = self.theme.of_shape(node.shape, node.accent)
        shape = outline(node.shape, node.box)
        ink = self.theme.shade(Tone.INK)
        if node.shape not in FLAT:
            self._shadow(shape)
        match node.shape:
            case Shape.TEXT:
                pass
            case Special.START | Special.BAR:
                self.polygon(shape, Look(ink, ink, 1.0))
            case Special.END:
                self.polygon(shape, Look(self.theme.shade(Tone.PAPER), ink, 1.4))
                self.polygon(outline(Special.START, node.box.inset(node.box.width * 0.24)), Look(ink, ink, 0.8))
            case Special.NOTE:
                self.polygon(shape, Look(self.theme.shade(Tone.NOTE), self.theme.shade(Tone.NOTE_LINE), 1.1))
            case Special.CARD:
                self._card(node, shape)
            case Special.STUB:
                self.line([*shape, shape[0]], self.theme.shade(Tone.LINE), 1.0, is_dashed=True)
            case Special.IDEA:
                self.polygon(shape, Look(accent.soft, accent.soft, 0.0))
            case _:
                self.polygon(shape, Look(accent.soft, accent.rim))
        for detail in details(node.shape, node.box):
            self.line(detail, self._detail(node), 1.1)
        self.text(node.text, self.theme.shade(Tone.MUTED) if node.shape is Special.STUB else ink)
        for cell in node.cells:
            self.text(cell, self.theme.shade(Tone.MUTED) if cell.is_muted else ink)

    def _detail(self, node: NodeMark) -> str:
        if node.shape is Special.NOTE:
            return self.theme.shade(Tone.NOTE_LINE)
        return self.theme.of_shape(node.shape, node.accent).rim

    def _card(self, node: NodeMark, shape: list[Point]) -> None:
        """White paper under a tinted heading."""
        accent = self.theme.of_shape(node.shape, node.accent)
        self.polygon(shape, Look(self.theme.shade(Tone.PAPER) if node.rules else accent.soft, accent.rim))
        if node.rules:
            y = node.rules[0][0][1]
            top = [(x, max(y, at)) for x, at in shape]
            self.polygon(top, Look(accent.soft, accent.rim, 1.0))
        for rule in node.rules[1:]:
            self.line(rule, accent.rim, 0.9)
        self.polygon(shape, Look("none", accent.rim))

    def edge(self, edge: EdgeMark) -> None:
        """Line and heads; the label comes later."""
        colour = self.theme.accent(edge.accent).rim if edge.accent else self.theme.shade(Tone.LINE)
        width = BRANCH_WIDTH if edge.accent else LINE_WIDTHS[edge.style]
        path = Path(list(edge.curve), [Path.MOVETO] + [Path.CURVE4] * (len(edge.curve) - 1))
        style = (0.0, DASHES) if edge.style is Line.DOTTED else "solid"
        self._add(
            PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, linestyle=style, capstyle="round")
        )
        for kind, end, tip in zip(edge.arrows, (edge.curve[0], edge.curve[-1]), edge.tips, strict=True):
            if tip is not None:
                drawn, stop = pieces(kind, end, tip)
                self.line([end, stop], colour, width)
                self._pieces(drawn, colour, self.theme.shade(Tone.PAPER))

    def part(self, part: PartMark) -> None:
        """Anything else: outline or line, then its text."""
        if part.points:
            line = "none" if part.line is None else self.theme.shade(part.line, part.accent)
            if part.is_closed:
                fill = "none" if part.fill is None else self.theme.shade(part.fill, part.accent)
                if part.has_shadow:
                    self._shadow(part.points)
                self.polygon(part.points, Look(fill, line, part.width if part.line else 0.0), is_dashed=part.is_dashed)
            else:
                self.line(part.points, line, part.width, is_dashed=part.is_dashed)
        if part.text:
            backing = "" if part.backing is None else self.theme.shade(part.backing, part.accent)
            self.text(part.text, self.theme.shade(part.ink, part.accent), backing=backing)

    def text(self, mark: TextMark, colour: str, *, backing: str = "") -> None:
        """Its lines, one artist each."""
        if backing and mark.lines:
            self.polygon(outline(Shape.RECT, mark.box.inset(-2)), Look(backing, "none", 0.0), alpha=0.92)
        middle, y = mark.box.centre
        side: Literal["left", "center", "right"] = "left" if mark.is_left else "right" if mark.is_right else "center"
        x = self._settled(mark.box.left if mark.is_left else mark.box.right if mark.is_right else middle)
        step = mark.size * fonts.LINE_HEIGHT
        first = self._settled(y + step * (len(mark.lines) - 1) / 2 - mark.size * BASELINE)
        artists = []
        for number, line in enumerate(mark.lines):
            baseline = first - number * step
            artist = Text(
                x,
                baseline,
                line,
                color=colour,
                fontproperties=fonts.properties(mark.size, mark.bold, mark.italic),
                horizontalalignment=side,
                verticalalignment="baseline",
                parse_math=False,
            )
            artists.append(artist)
            self._add(artist)
            if mark.underlined:
                width = fonts.width(line, mark.size, mark.bold)
                left = x if mark.is_left else x - width if mark.is_right else x - width / 2
                self.line([(left, baseline - 2), (left + width, baseline - 2)], colour, 0.9)
        self.texts[id(mark)] = artists

    def _settled(self, at: float) -> float:
        """Never half way between two pixels: whoever sets the same text there again rounds to the same one."""
        return (floor(at * self.scale * TENTHS) + 0.5) / (self.scale * TENTHS)

    def _pieces(self, drawn: list[Piece], colour: str, ground: str) -> None:
        for piece in drawn:
            if piece.is_closed:
                self.polygon(piece.points, Look(colour if piece.is_filled else ground, colour, 1.2))
            else:
                self.line(piece.points, colour, 1.5)

    def _shadow(self, shape: Sequence[Point]) -> None:
        moved = [(x + SHADOW[0], y + SHADOW[1]) for x, y in shape]
        self.polygon(moved, Look(self.theme.shadow, "none", 0.0), alpha=SHADOW_ALPHA)

    def polygon(
        self, points: Sequence[Point], look: Look, *, alpha: float | None = None, is_dashed: bool = False
    ) -> None:
        """A closed outline."""
        artist = Polygon(
            list(points),
            closed=True,
            joinstyle="round",
            facecolor=look.fill,
            edgecolor=look.line,
            linewidth=look.width,
            alpha=alpha,
            linestyle=(0.0, DASHES) if is_dashed else "solid",
        )
        self._add(artist)

    def line(self, points: Sequence[Point], colour: str, width: float, *, is_dashed: bool = False) -> None:
        """An open line."""
        artist = PathPatch(
            Path(list(points)),
            facecolor="none",
            edgecolor=colour,
            linewidth=width,
            linestyle=(0.0, DASHES) if is_dashed else "solid",
            capstyle="butt" if is_dashed else "round",
            joinstyle="round",
        )
        self._add(artist)

    def _add(self, artist: Artist) -> None:
        self.order += 1
        artist.set_zorder(self.order)
        artist.set_gid(self.tag)
        artist.set_transform(self.points)
        self.figure.add_artist(artist)


def as_drawn(pen: Pen, scene: Scene) -> Scene:
    """`scene` with each text's box replaced by the extent of its ink."""

    def some(mark: TextMark | None) -> TextMark | None:
        return None if mark is None else _measured(pen, mark)

    return replace(
        scene,
        nodes=tuple(
            replace(
                node, text=_measured(pen, node.text), cells=tuple(_measured(pen, cell) for cell in node.cells)
            )
            for node in scene.nodes
        ),
        edges=tuple(
            replace(edge, text=some(edge.text), end_texts=(some(edge.end_texts[0]), some(edge.end_texts[1])))
            for edge in scene.edges
        ),
        groups=tuple(replace(group, text=some(group.text)) for group in scene.groups),
        parts=tuple(replace(part, text=some(part.text)) for part in scene.parts),
        title=some(scene.title),
    )


def _measured(pen: Pen, mark: TextMark) -> TextMark:
    artists = [artist for artist in pen.texts.get(id(mark), []) if artist.get_visible()]
    boxes = [artist.get_window_extent() for artist in artists if artist.get_text().strip()]
    if not boxes:
        return replace(mark, lines=())
    box = Rect(
        min(box.x0 for box in boxes) / pen.scale,
        min(box.y0 for box in boxes) / pen.scale,
        max(box.x1 for box in boxes) / pen.scale,
        max(box.y1 for box in boxes) / pen.scale,
    )
    return replace(mark, lines=tuple(artist.get_text() for artist in artists), box=box)
