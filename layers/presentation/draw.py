"""`Scene` to PNG with matplotlib (Agg, no pyplot), and back: the scene with the extents that the text really has.

Two pixels per point. `parse_math=False` everywhere: `$HOME and $PATH` is text. Only the worker imports this.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from layers.presentation import fonts
from layers.presentation.scene import EdgeMark, GroupMark, NodeMark, Pixels, Point, Rect, Scene, TextMark
from layers.presentation.shapes import details, outline
from layers.presentation.spec import Head, Line, Shape

PAPER = "#ffffff"
INK = "#1e293b"
EDGE = "#64748b"
EDGE_INK = "#475569"
GROUP_FILLS = ("#f6f8fb", "#eef2f7", "#e6ebf3")
GROUP_LINE = "#d4dce7"
GROUP_INK = "#55637a"
CALM = ("#eef3fd", "#8aa5dd")
DECISION = ("#fdf4e0", "#d9ac53")
TERMINAL = ("#e8f6ee", "#6fb58c")
STORE = ("#f2eefc", "#a08bd8")
DATA = ("#e6f5f7", "#62aebb")
FILLS = {
    Shape.DIAMOND: DECISION,
    Shape.HEXAGON: DECISION,
    Shape.STADIUM: TERMINAL,
    Shape.CIRCLE: TERMINAL,
    Shape.DOUBLE_CIRCLE: TERMINAL,
    Shape.CYLINDER: STORE,
    Shape.DOCUMENT: DATA,
    Shape.LEAN_LEFT: DATA,
    Shape.LEAN_RIGHT: DATA,
    Shape.FLAG: DATA,
}
"""Fill and line of each shape; `CALM` for the rest. Colour repeats what the shape says and never says more."""
LINE_WIDTHS = {Line.SOLID: 1.3, Line.DOTTED: 1.3, Line.THICK: 2.6}
DASHES = (2.2, 2.6)
"""In line widths."""
HEAD_LENGTH, HEAD_WIDTH = 9.0, 7.5
SHADOW = (0.0, -1.6)
PNG_LEVEL = 4
"""Of 9: half the time of the usual 6 for a tenth more bytes."""
OPAQUE_WHITE = 0xFFFFFFFF
PixelGrid = npt.NDArray[np.uint8]
"""Height, width, RGBA."""
LONGEST_SIDE = 5000
"""Pixels; a larger drawing gets fewer pixels per point."""


def draw(scene: Scene) -> tuple[bytes, Scene]:
    """The PNG, and the scene as drawn: text extents measured, pixels counted."""
    scale = min(fonts.DPI / 72, LONGEST_SIDE / max(scene.width, scene.height))
    dpi = scale * 72
    figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=dpi, facecolor=PAPER)
    canvas = FigureCanvasAgg(figure)
    pen = _Pen(figure, scale)
    for group in sorted(scene.groups, key=lambda group: group.depth):
        pen.group(group)
    for edge in scene.edges:
        pen.edge(edge)
    for group in scene.groups:
        if group.text:
            pen.text(group.text, GROUP_INK, backing=_group_fill(group.depth))
    for node in scene.nodes:
        pen.node(node)
    for edge in scene.edges:
        if edge.text:
            pen.text(edge.text, EDGE_INK, backing=_ground(edge.text.box, scene))
    if scene.title:
        pen.text(scene.title, INK)
    canvas.draw()  # type: ignore[no-untyped-call]
    rgba: PixelGrid = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    pixels = _pixels(rgba, {name: fonts.undrawable("".join(text.lines)) for name, text in scene.texts()})
    return _png(rgba), replace(pen.as_drawn(scene), pixels=pixels)


def _ground(box: Rect, scene: Scene) -> str:
    """The colour behind `box`: that of the innermost group around its middle."""
    depths = [group.depth for group in scene.groups if group.box.holds(Rect.around(box.centre, 0, 0))]
    return _group_fill(max(depths)) if depths else PAPER


def _group_fill(depth: int) -> str:
    return GROUP_FILLS[min(depth, len(GROUP_FILLS) - 1)]


def _png(rgba: PixelGrid) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgba).convert("RGB").save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def _pixels(rgba: PixelGrid, undrawable: dict[str, str]) -> Pixels:
    inked: npt.NDArray[np.bool_] = np.ascontiguousarray(rgba).view(np.uint32)[:, :, 0] != OPAQUE_WHITE
    ring = int(inked[0].sum() + inked[-1].sum() + inked[:, 0].sum() + inked[:, -1].sum())
    height, width = inked.shape
    return Pixels(
        width, height, float(inked.mean()), ring, {name: found for name, found in undrawable.items() if found}
    )


class _Pen:
    """Puts artists on a figure, in points, and remembers the texts to measure them afterwards."""

    def __init__(self, figure: Figure, scale: float) -> None:
        self.figure = figure
        self.scale = scale
        self.points = Affine2D().scale(scale)
        self.order = 0
        self.texts: dict[int, list[Text]] = {}

    def group(self, group: GroupMark) -> None:
        fill = _group_fill(group.depth)
        self._polygon(outline(Shape.ROUNDED, group.box), facecolor=fill, edgecolor=GROUP_LINE, linewidth=1.0)

    def node(self, node: NodeMark) -> None:
        if node.shape is not Shape.TEXT:
            fill, line = FILLS.get(node.shape, CALM)
            shape = outline(node.shape, node.box)
            shadow = [(x + SHADOW[0], y + SHADOW[1]) for x, y in shape]
            self._polygon(shadow, facecolor="#0f172a", edgecolor="none", alpha=0.07)
            self._polygon(shape, facecolor=fill, edgecolor=line, linewidth=1.3)
            for detail in details(node.shape, node.box):
                self._line(detail, line, 1.1)
        self.text(node.text, INK)

    def edge(self, edge: EdgeMark) -> None:
        width = LINE_WIDTHS[edge.style]
        ends = [edge.curve[0], edge.curve[-1]]
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(edge.curve) - 1)
        path = Path(list(edge.curve), codes)
        style = (0.0, DASHES) if edge.style is Line.DOTTED else "solid"
        patch = PathPatch(path, facecolor="none", edgecolor=EDGE, linewidth=width, linestyle=style, capstyle="round")
        self._add(patch)
        for head, end, tip in zip(edge.arrows, ends, edge.tips, strict=True):
            if tip is not None and head is not Head.NONE:
                self._head(head, end, tip, width)

    def text(self, mark: TextMark, colour: str, *, backing: str = "") -> None:
        if backing:
            self._polygon(outline(Shape.RECT, mark.box.inset(-2)), facecolor=backing, edgecolor="none", alpha=0.9)
        x, y = mark.box.centre
        step = mark.size * fonts.LINE_HEIGHT
        first = y + step * (len(mark.lines) - 1) / 2
        artists = []
        for number, line in enumerate(mark.lines):
            baseline = first - number * step - mark.size * 0.36
            artist = Text(
                x,
                baseline,
                line,
                color=colour,
                fontproperties=fonts.properties(mark.size, mark.bold),
                horizontalalignment="center",
                verticalalignment="baseline",
                parse_math=False,
            )
            artists.append(artist)
            self._add(artist)
        self.texts[id(mark)] = artists

    def as_drawn(self, scene: Scene) -> Scene:
        """`scene` with each text's box replaced by the extent of its ink."""

        def measured(mark: TextMark) -> TextMark:
            boxes = [artist.get_window_extent() for artist in self.texts.get(id(mark), ()) if artist.get_text().strip()]
            if not boxes:
                return replace(mark, lines=())
            lines = tuple(artist.get_text() for artist in self.texts[id(mark)])
            box = Rect(
                min(box.x0 for box in boxes) / self.scale,
                min(box.y0 for box in boxes) / self.scale,
                max(box.x1 for box in boxes) / self.scale,
                max(box.y1 for box in boxes) / self.scale,
            )
            return replace(mark, lines=lines, box=box)

        return replace(
            scene,
            nodes=tuple(replace(node, text=measured(node.text)) for node in scene.nodes),
            edges=tuple(replace(edge, text=measured(edge.text) if edge.text else None) for edge in scene.edges),
            groups=tuple(replace(group, text=measured(group.text) if group.text else None) for group in scene.groups),
            title=measured(scene.title) if scene.title else None,
        )

    def _head(self, head: Head, end: Point, tip: Point, width: float) -> None:
        dx, dy = tip[0] - end[0], tip[1] - end[1]
        length = hypot(dx, dy) or 1.0
        ux, uy = dx / length, dy / length
        if head is Head.ARROW:
            self._line([end, (tip[0] - ux * HEAD_LENGTH / 2, tip[1] - uy * HEAD_LENGTH / 2)], EDGE, width)
            back = (tip[0] - ux * HEAD_LENGTH, tip[1] - uy * HEAD_LENGTH)
            wing = HEAD_WIDTH / 2
            corners = [tip, (back[0] - uy * wing, back[1] + ux * wing), (back[0] + uy * wing, back[1] - ux * wing)]
            self._polygon(corners, facecolor=EDGE, edgecolor=EDGE, linewidth=0.8)
        elif head is Head.CIRCLE:
            radius = 3.6
            centre = (tip[0] - ux * radius, tip[1] - uy * radius)
            self._line([end, centre], EDGE, 1.3)
            self._add(Circle(centre, radius, facecolor=PAPER, edgecolor=EDGE, linewidth=1.3))
        else:
            x, y, arm = tip[0] - ux * 5, tip[1] - uy * 5, 3.4
            self._line([end, tip], EDGE, 1.3)
            self._line([(x - arm, y - arm), (x + arm, y + arm)], EDGE, 1.6)
            self._line([(x - arm, y + arm), (x + arm, y - arm)], EDGE, 1.6)

    def _polygon(self, points: Sequence[Point], **style: object) -> None:
        self._add(Polygon(list(points), closed=True, joinstyle="round", **style))

    def _line(self, points: Sequence[Point], colour: str, width: float) -> None:
        self._add(PathPatch(Path(list(points)), facecolor="none", edgecolor=colour, linewidth=width, capstyle="round"))

    def _add(self, artist: Artist) -> None:
        self.order += 1
        artist.set_zorder(self.order)
        artist.set_transform(self.points)
        self.figure.add_artist(artist)
