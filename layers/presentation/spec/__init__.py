"""One spec for every picture: `DiagramSpec`, and a class for each `kind`. Pure pydantic; imports nothing of the layer.

| kind | class | what is in it | drawn through |
|---|---|---|---|
| flowchart | `Flowchart` | nodes, edges, groups | the graph engine |
| state | `StateDiagram` | states (with `parent` and `region`), transitions, notes | the graph engine |
| class | `ClassDiagram` | classes, relations, namespaces, notes | the graph engine: boxes with compartments |
| er | `ErDiagram` | entities, relationships | the graph engine: boxes with rows, crow's feet |
| mindmap | `Mindmap` | ideas, each with its parent | the graph engine or a tree of its own |
| sequence | `SequenceDiagram` | participants, boxes, steps (blocks hold steps) | its own: columns and rows |
| gantt | `Gantt` | sections of tasks with settled dates | its own: a time axis |
| pie | `Pie` | slices | its own |
| timeline | `Timeline` | sections of periods of events | its own |
| chart | `Chart` | series and two axes; `type` is line, bar, stacked_bar, scatter, histogram or heat_map | its own |

What a model answers is read by `read_spec`, whose errors are sentences; the schema to give it is
`DiagramSpec.model_json_schema()`.
"""

from __future__ import annotations

from layers.presentation.spec.answers import read_spec
from layers.presentation.spec.base import DiagramSpec, Direction, Line
from layers.presentation.spec.chart import Axis, Chart, ChartType, Series
from layers.presentation.spec.classes import (
    ClassBox,
    ClassDiagram,
    ClassNote,
    Member,
    Namespace,
    Relation,
    RelationEnd,
)
from layers.presentation.spec.er import Attribute, Cardinality, Entity, ErDiagram, Relationship
from layers.presentation.spec.flowchart import Edge, Flowchart, Group, Head, Node, Shape
from layers.presentation.spec.gantt import Gantt, GanttSection, Task
from layers.presentation.spec.mindmap import Idea, Mindmap, MindShape
from layers.presentation.spec.pie import Pie, Slice
from layers.presentation.spec.sequence import (
    Activate,
    Block,
    Box,
    Branch,
    Create,
    Deactivate,
    Destroy,
    Message,
    Note,
    Numbering,
    Participant,
    Role,
    SequenceDiagram,
    Step,
    Tip,
    named_in,
)
from layers.presentation.spec.state import State, StateDiagram, StateNote, StateType, Transition
from layers.presentation.spec.timeline import Period, Timeline, TimelineSection

DiagramSpec.model_rebuild(force=True)

__all__ = [
    "Activate",
    "Attribute",
    "Axis",
    "Block",
    "Box",
    "Branch",
    "Cardinality",
    "Chart",
    "ChartType",
    "ClassBox",
    "ClassDiagram",
    "ClassNote",
    "Create",
    "Deactivate",
    "Destroy",
    "DiagramSpec",
    "Direction",
    "Edge",
    "Entity",
    "ErDiagram",
    "Flowchart",
    "Gantt",
    "GanttSection",
    "Group",
    "Head",
    "Idea",
    "Line",
    "Member",
    "Message",
    "MindShape",
    "Mindmap",
    "Namespace",
    "Node",
    "Note",
    "Numbering",
    "Participant",
    "Period",
    "Pie",
    "Relation",
    "RelationEnd",
    "Relationship",
    "Role",
    "SequenceDiagram",
    "Series",
    "Shape",
    "Slice",
    "State",
    "StateDiagram",
    "StateNote",
    "StateType",
    "Step",
    "Task",
    "Timeline",
    "TimelineSection",
    "Tip",
    "Transition",
    "named_in",
    "read_spec",
]
