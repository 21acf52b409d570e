"""Charts: their spec in, one scene out. Bars begin at zero; names stand at their lines where there is room for them.

`plot` has the frame with its axes; `bars`, `lines`, `heat` draw on it; `legend` names what has no name of its own.
"""

from layers.presentation.drawing.charts.plan import plan_chart

__all__ = ["plan_chart"]
