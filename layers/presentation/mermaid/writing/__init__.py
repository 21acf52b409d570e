"""A `DiagramSpec` back to Mermaid text: for the source button, and for people who go on editing.

What Mermaid cannot say is refused (charts other than lines and bars). Ids that it cannot write are replaced.
"""

from __future__ import annotations

from layers.errors import Refused
from layers.presentation.mermaid.look import with_look
from layers.presentation.mermaid.writing.boxes import write_class, write_er
from layers.presentation.mermaid.writing.graphs import write_flowchart, write_state
from layers.presentation.mermaid.writing.plans import (
    write_chart,
    write_gantt,
    write_mindmap,
    write_pie,
    write_timeline,
)
from layers.presentation.mermaid.writing.sequence import write_sequence
from layers.presentation.mermaid.writing.text import escape
from layers.presentation.spec import (
    Chart,
    ClassDiagram,
    DiagramSpec,
    ErDiagram,
    Flowchart,
    Gantt,
    Mindmap,
    Pie,
    SequenceDiagram,
    StateDiagram,
    Timeline,
)


def to_mermaid(spec: DiagramSpec) -> str:
    """The Mermaid text that `parse_mermaid` reads as `spec`, but for ids that had to be replaced.

    Raises:
        Refused: Mermaid has no words for it.
    """
    first, *rest = _lines(spec)
    head = ["---", f'title: "{escape(spec.title, forbidden=chr(34))}"', "---"] if spec.title else []
    alt = [f"  accDescr: {escape(spec.alt)}"] if spec.alt and not isinstance(spec, Mindmap) else []
    return with_look("\n".join([*head, first, *alt, *rest]) + "\n", spec.theme, spec.style)


def _lines(spec: DiagramSpec) -> list[str]:
    match spec:
        case Flowchart():
            return write_flowchart(spec)
        case SequenceDiagram():
            return write_sequence(spec)
        case StateDiagram():
            return write_state(spec)
        case ClassDiagram():
            return write_class(spec)
        case ErDiagram():
            return write_er(spec)
        case Gantt():
            return write_gantt(spec)
        case Pie():
            return write_pie(spec)
        case Mindmap():
            return write_mindmap(spec)
        case Timeline():
            return write_timeline(spec)
        case Chart():
            return write_chart(spec)
    raise Refused(f"Mermaid has no words for a diagram of the kind {spec.kind!r}.")
