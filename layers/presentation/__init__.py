"""Layer 2: presentation. Takes a `Diagram`, gives a `Figure`: a PNG with a `Verdict`.

What broke: valid syntax, unreadable picture. The rule: nothing visual leaves before something looked at the pixels;
geometry lint always, a vision model where one is configured. A figure whose verdict is not ok is not posted as good:
show its outline, its source and the reasons.

matplotlib and pygraphviz live in the worker process only; importing this loads neither.
"""

from layers.presentation.figures import (
    Case,
    KeptFigure,
    Review,
    add_case,
    cases,
    figure_by_id,
    keep_figure,
    next_version,
    review,
)
from layers.presentation.judge import Answered, Ask, Judge, Question
from layers.presentation.mermaid import Reading, begins_a_diagram, parse_mermaid, read_mermaid, read_source
from layers.presentation.mermaid.cursor import Fix
from layers.presentation.mermaid.look import Style, Theme, with_look
from layers.presentation.mermaid.writing import to_mermaid
from layers.presentation.rules import badge, outline, plain
from layers.presentation.service import Presenter
from layers.presentation.spec import (
    Chart,
    ClassDiagram,
    DiagramSpec,
    Direction,
    Edge,
    ErDiagram,
    Flowchart,
    Gantt,
    Group,
    Head,
    Line,
    Mindmap,
    Node,
    Pie,
    SequenceDiagram,
    Shape,
    StateDiagram,
    Timeline,
    read_spec,
)
from layers.presentation.types import Diagram, Figure, Finding, Page, Verdict

__all__ = [
    "Answered",
    "Ask",
    "Case",
    "Chart",
    "ClassDiagram",
    "Diagram",
    "DiagramSpec",
    "Direction",
    "Edge",
    "ErDiagram",
    "Figure",
    "Finding",
    "Fix",
    "Flowchart",
    "Gantt",
    "Group",
    "Head",
    "Judge",
    "KeptFigure",
    "Line",
    "Mindmap",
    "Node",
    "Page",
    "Pie",
    "Presenter",
    "Question",
    "Reading",
    "Review",
    "SequenceDiagram",
    "Shape",
    "StateDiagram",
    "Style",
    "Theme",
    "Timeline",
    "Verdict",
    "add_case",
    "badge",
    "begins_a_diagram",
    "cases",
    "figure_by_id",
    "keep_figure",
    "next_version",
    "outline",
    "parse_mermaid",
    "plain",
    "read_mermaid",
    "read_source",
    "read_spec",
    "review",
    "to_mermaid",
    "with_look",
]
