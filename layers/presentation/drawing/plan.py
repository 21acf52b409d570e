"""The kinds that need no graph engine: a spec in, its scenes out, one for each page."""

from __future__ import annotations

from layers.presentation.drawing.charts import plan_chart
from layers.presentation.drawing.gantt import plan_gantt
from layers.presentation.drawing.pie import plan_pie
from layers.presentation.drawing.sequence import plan_sequence
from layers.presentation.drawing.timeline import plan_timeline
from layers.presentation.scene import Scene
from layers.presentation.spec import Chart, DiagramSpec, Gantt, Pie, SequenceDiagram, Timeline


def plan(spec: DiagramSpec, *, is_paged: bool = True) -> tuple[Scene, ...]:
    """Every page in order; without paging always one, however long. Empty for a kind that is a graph."""
    match spec:
        case SequenceDiagram():
            return plan_sequence(spec, is_paged=is_paged)
        case Gantt():
            return plan_gantt(spec, is_paged=is_paged)
        case Pie():
            return plan_pie(spec)
        case Timeline():
            return plan_timeline(spec, is_paged=is_paged)
        case Chart():
            return plan_chart(spec)
    return ()
