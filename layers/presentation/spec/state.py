"""The state diagram: states (some around others), transitions, notes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import (
    DiagramSpec,
    Direction,
    Value,
    refuse_cycles,
    refuse_repeated,
    refuse_stranger,
)


class StateType(StrEnum):
    """What a state is; all but `simple` have an outline of their own and no label."""

    SIMPLE = "simple"
    """A rounded box; a frame when other states name it as their parent."""
    START = "start"
    """A filled dot."""
    END = "end"
    """A dot in a ring."""
    CHOICE = "choice"
    """A small diamond."""
    FORK = "fork"
    JOIN = "join"
    """A bar across the flow."""


class State(Value):
    """One state."""

    id: str
    label: str = ""
    type: StateType = StateType.SIMPLE
    details: tuple[str, ...] = ()
    """Lines under the label, below a rule."""
    parent: str = ""
    """Id of the composite state around it; empty at the top."""
    region: int = Field(default=0, ge=0)
    """Which of the parent's concurrent regions; they are drawn side by side with a dashed line between."""
    direction: Direction | None = None
    """Of a composite state: what the author asked for inside it."""
    accent: int = Field(default=0, ge=0, le=8)
    """Colour of the palette; 0 is none."""


class Transition(Value):
    """An arrow between states, simple or composite."""

    source: str
    target: str
    label: str = ""


class StateNote(Value):
    """A sheet beside a state."""

    of: str
    place: Literal["left", "right"] = "right"
    text: str


class StateDiagram(DiagramSpec):
    """What something can be, and what changes it."""

    kind: Literal["state"] = "state"
    direction: Direction = Direction.DOWN
    states: tuple[State, ...] = ()
    transitions: tuple[Transition, ...] = ()
    notes: tuple[StateNote, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> StateDiagram:
        known = {state.id for state in self.states}
        refuse_repeated("state", [state.id for state in self.states])
        refuse_cycles("state", {state.id: state.parent for state in self.states})
        for transition in self.transitions:
            for end in (transition.source, transition.target):
                refuse_stranger(
                    f"the transition {transition.source!r} to {transition.target!r}", end, known, "state"
                )
        for note in self.notes:
            refuse_stranger("a note", note.of, known, "state")
        return self
