"""`Scene` to PNG and SVG with matplotlib (Agg, no pyplot), and back: the scene with the extents that texts really have.

Two pixels per point. SVG has its text as paths: the lint measured these glyphs, and a viewer without our fonts would
set others over them; what is lost, text that can be selected and read aloud, is given back as `<title>` and `<desc>`.
Only the worker imports this.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from layers.presentation import fonts
from layers.presentation.drawing.pen import Pen, as_drawn
from layers.presentation.drawing.theme import LIGHT, Theme
from layers.presentation.scene import Pixels, Rect, Scene, Tone

PNG_LEVEL = 4
"""Of 9: half the time of the usual 6 for a tenth more bytes."""
PixelGrid = npt.NDArray[np.uint8]
"""Height, width, RGBA."""
LONGEST_SIDE = 5000
"""Pixels; a larger drawing gets fewer pixels per point."""
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw(scene: Scene, theme: Theme = LIGHT) -> tuple[bytes, Scene]:
    """The PNG, and the scene as drawn: text extents measured, pixels counted."""
    scale = min(fonts.DPI / 72, LONGEST_SIDE / max(scene.width, scene.height))
    figure = _figure(scene, scale, theme)
    canvas = FigureCanvasAgg(figure)
    pen = Pen(figure, scale, theme)
    _paint(pen, scene)
    canvas.draw()  # type: ignore[no-untyped-call]
    rgba: PixelGrid = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    undrawable: dict[str, str] = {}
    for name, text in scene.texts():
        undrawable[name] = undrawable.get(name, "") + fonts.undrawable("".join(text.lines))
    return _png(rgba), replace(as_drawn(pen, scene), pixels=_pixels(rgba, undrawable))


def draw_svg(scene: Scene, theme: Theme = LIGHT, *, alt: str = "") -> bytes:
    """The same drawing as SVG."""
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "bulkhead"}):  # the salt makes ids, and so files, stable
        figure = _figure(scene, 1.0, theme)
        canvas = FigureCanvasSVG(figure)
        _paint(Pen(figure, 1.0, theme), scene)
        out = io.BytesIO()
        canvas.print_svg(out, metadata={"Date": None, "Creator": "Bulkhead"})  # type: ignore[no-untyped-call]
    title = " ".join(scene.title.lines) if scene.title else ""
    said = f"<title>{_xml(title)}</title><desc>{_xml(alt)}</desc>"
    text = out.getvalue().decode()
    start = text.index(">", text.index("<svg")) + 1
    return f'{text[: start - 1]} role="img">{said}{text[start:]}'.encode()


def _xml(text: str) -> str:
    return escape(NOT_XML.sub("", text))


def _figure(scene: Scene, scale: float, theme: Theme) -> Figure:
    return Figure(
        figsize=(scene.width / 72, scene.height / 72), dpi=scale * 72, facecolor=theme.shade(Tone.PAPER)
    )


def _paint(pen: Pen, scene: Scene) -> None:
    """Everything, from the bottom up: frames, lines, their titles, boxes, labels, parts, the heading."""
    theme = pen.theme
    ink, muted = theme.shade(Tone.INK), theme.shade(Tone.MUTED)
    for number, group in sorted(enumerate(scene.groups), key=lambda item: item[1].depth):
        pen.tag = f"group {number}"
        pen.group(group)
    for number, edge in enumerate(scene.edges):
        pen.tag = f"edge {number}"
        pen.edge(edge)
    for number, group in enumerate(scene.groups):
        if group.text:
            pen.tag = f"group {number} title"
            pen.text(group.text, muted, backing=theme.group(group.depth))
    for number, node in enumerate(scene.nodes):
        pen.tag = f"node {number}"
        pen.node(node)
    for number, edge in enumerate(scene.edges):
        pen.tag = f"edge {number} label"
        for text in (edge.text, *edge.end_texts):
            if text:
                pen.text(text, muted, backing=_ground(text.box, scene, theme))
    for number, part in enumerate(scene.parts):
        pen.tag = f"part {number}"
        pen.part(part)
    if scene.title:
        pen.tag = "title"
        pen.text(scene.title, ink)


def _ground(box: Rect, scene: Scene, theme: Theme) -> str:
    """The colour behind `box`: that of the innermost group around its middle."""
    depths = [group.depth for group in scene.groups if group.box.holds(Rect.around(box.centre, 0, 0))]
    return theme.group(max(depths)) if depths else theme.shade(Tone.PAPER)


def _png(rgba: PixelGrid) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgba).convert("RGB").save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def _pixels(rgba: PixelGrid, undrawable: dict[str, str]) -> Pixels:
    """Ink is whatever differs from the paper, which is what most of the outermost ring shows."""
    grid = np.ascontiguousarray(rgba).view(np.uint32)[:, :, 0]
    ring_of = np.concatenate([grid[0], grid[-1], grid[:, 0], grid[:, -1]])
    values, counts = np.unique(ring_of, return_counts=True)
    inked: npt.NDArray[np.bool_] = grid != values[np.argmax(counts)]
    ring = int(inked[0].sum() + inked[-1].sum() + inked[:, 0].sum() + inked[:, -1].sum())
    height, width = inked.shape
    found = {name: "".join(dict.fromkeys(texts)) for name, texts in undrawable.items() if texts}
    return Pixels(width, height, float(inked.mean()), ring, found)
