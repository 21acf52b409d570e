"""Drawing: a `Scene` in, a PNG (and SVG) out, with the scene as it was really drawn.

`plan` lays out the kinds that need no graph engine (sequence, gantt, pie, timeline, charts): one scene, or several
pages where one would not be legible on a phone. Only the worker imports this; matplotlib lives here and in `fonts`.
"""

from layers.presentation.drawing.paint import draw, draw_svg
from layers.presentation.drawing.plan import plan
from layers.presentation.drawing.theme import DARK, LIGHT, THEMES, Theme

__all__ = ["DARK", "LIGHT", "THEMES", "Theme", "draw", "draw_svg", "plan"]
