"""The sequence diagram: participants from left to right, steps from top to bottom, blocks that hold steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import DiagramSpec, Line, Value, refuse_repeated, refuse_stranger


class Role(StrEnum):
    """How the head of a lifeline is drawn."""

    PARTICIPANT = "participant"
    ACTOR = "actor"
    """A stick figure."""
    BOUNDARY = "boundary"
    CONTROL = "control"
    ENTITY = "entity"
    DATABASE = "database"
    COLLECTIONS = "collections"
    QUEUE = "queue"


class Tip(StrEnum):
    """What sits at the end of a message."""

    NONE = "none"
    ARROW = "arrow"
    """Filled: a call or its answer."""
    OPEN = "open"
    """Two strokes: a message nobody waits for (`-)`)."""
    CROSS = "cross"
    """Lost."""
    HALF_TOP = "half_top"
    HALF_BOTTOM = "half_bottom"
    """Only the upper or the lower stroke."""


class Participant(Value):
    """One lifeline."""

    id: str
    label: str
    role: Role = Role.PARTICIPANT


class Box(Value):
    """A frame around neighbouring lifelines."""

    title: str = ""
    members: tuple[str, ...] = ()
    colour: str = ""
    """What the author wrote (a CSS colour); empty is none."""


class Message(Value):
    """An arrow from one lifeline to another, or to itself."""

    step: Literal["message"] = "message"
    source: str
    target: str
    text: str = ""
    line: Literal[Line.SOLID, Line.DOTTED] = Line.SOLID
    tips: tuple[Tip, Tip] = (Tip.NONE, Tip.ARROW)
    """At the source, at the target."""


class Activate(Value):
    """From here the participant is busy: a bar on its lifeline. Bars nest."""

    step: Literal["activate"] = "activate"
    participant: str


class Deactivate(Value):
    """Its innermost bar ends here."""

    step: Literal["deactivate"] = "deactivate"
    participant: str


class Note(Value):
    """A sheet beside one lifeline, or over one or two."""

    step: Literal["note"] = "note"
    over: tuple[str, ...] = Field(min_length=1, max_length=2)
    place: Literal["left", "right", "over"] = "over"
    text: str


class Create(Value):
    """The participant's head stands here: at the next message to it."""

    step: Literal["create"] = "create"
    participant: str


class Destroy(Value):
    """The lifeline ends here: at the next message to or from it."""

    step: Literal["destroy"] = "destroy"
    participant: str


class Numbering(Value):
    """From here on messages are numbered, or no longer."""

    step: Literal["numbering"] = "numbering"
    is_on: bool = True
    start: float | None = None
    """None counts on."""
    by: float = 1


class Branch(Value):
    """One part of a block."""

    label: str = ""
    steps: tuple[Step, ...] = ()


class Block(Value):
    """A frame around steps; `alt`, `par` and `critical` may have several branches, `rect` only colours."""

    step: Literal["block"] = "block"
    type: Literal["loop", "alt", "opt", "par", "critical", "break", "rect"]
    branches: tuple[Branch, ...] = Field(min_length=1)
    colour: str = ""
    """What the author wrote after `rect`."""


Step = Annotated[
    Message | Activate | Deactivate | Note | Create | Destroy | Numbering | Block, Field(discriminator="step")
]


class SequenceDiagram(DiagramSpec):
    """Who says what to whom, in order."""

    kind: Literal["sequence"] = "sequence"
    participants: tuple[Participant, ...] = ()
    boxes: tuple[Box, ...] = ()
    steps: tuple[Step, ...] = ()

    def all_steps(self) -> Iterator[Step]:
        """Every step from top to bottom, blocks before what is in them."""
        stack = list(reversed(self.steps))
        while stack:
            step = stack.pop()
            yield step
            if isinstance(step, Block):
                stack += [inner for branch in reversed(step.branches) for inner in reversed(branch.steps)]

    @model_validator(mode="after")
    def _is_consistent(self) -> SequenceDiagram:
        known = {one.id for one in self.participants}
        refuse_repeated("participant", [one.id for one in self.participants])
        refuse_repeated("member of a box", [member for box in self.boxes for member in box.members])
        for box in self.boxes:
            for member in box.members:
                refuse_stranger(f"the box {box.title!r}", member, known, "participant")
        busy = Counter[str]()
        for step in self.all_steps():
            for id in named_in(step):
                refuse_stranger(f"a {step.step}", id, known, "participant")
            if isinstance(step, Activate | Deactivate):
                busy[step.participant] += 1 if isinstance(step, Activate) else -1
                if busy[step.participant] < 0:
                    raise ValueError(f"{step.participant!r} is deactivated where it is not active")
        return self


def named_in(step: Step) -> tuple[str, ...]:
    """The participants that this one step names."""
    match step:
        case Message():
            return step.source, step.target
        case Note():
            return step.over
        case Activate() | Deactivate() | Create() | Destroy():
            return (step.participant,)
    return ()


Branch.model_rebuild()
