"""What a state diagram's text has said so far; becomes a `StateDiagram` at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Direction, State, StateDiagram, StateNote, StateType, Transition

MOST_STATES = 500
MOST_TRANSITIONS = 1000
DEEPEST = 50


@dataclass(slots=True)
class Growing:
    """A state while the text is read."""

    id: str
    label: str = ""
    type: StateType = StateType.SIMPLE
    details: list[str] = field(default_factory=list)
    parent: str = ""
    region: int = 0
    direction: Direction | None = None
    accent: int = 0

    def describe(self, text: str) -> None:
        """The first description is the label, further ones are details."""
        if not self.label:
            self.label = text
        elif text != self.label:
            self.details.append(text)


@dataclass(slots=True)
class Scope:
    """A composite state whose brace is open."""

    id: str
    at: int
    region: int = 0


class States:
    """Collects states and transitions."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.states: dict[str, Growing] = {}
        self.transitions: list[Transition] = []
        self.open: list[Scope] = []

    def get(self, id: str) -> Growing:
        """The state that has been mentioned as `id`."""
        return self.states[id]

    def mention(self, id: str) -> Growing:
        """`id` occurs here: it lies in the innermost open state, unless an inner one has it already."""
        if id not in self.states:
            if len(self.states) >= MOST_STATES:
                self.cursor.fail(f"at most {MOST_STATES} states in one diagram", "split it into several")
            self.states[id] = Growing(id)
        state = self.states[id]
        if self.open and not state.parent and not self._is_around(id, self.open[-1].id):
            state.parent, state.region = self.open[-1].id, self.open[-1].region
        return state

    def terminal(self, *, is_source: bool) -> str:
        """The start or the end `[*]` of where the text stands."""
        scope = self.open[-1] if self.open else Scope("", 0)
        where = f" of {scope.id}" if scope.id else ""
        where += f", region {scope.region + 1}" if scope.region else ""
        id = f"({'start' if is_source else 'end'}{where})"
        self.mention(id).type = StateType.START if is_source else StateType.END
        return id

    def connect(self, source: str, target: str, label: str) -> None:
        """A transition."""
        if len(self.transitions) >= MOST_TRANSITIONS:
            self.cursor.fail(f"at most {MOST_TRANSITIONS} transitions in one diagram", "split it into several")
        self.transitions.append(Transition(source=source, target=target, label=label))

    def enter(self, id: str, at: int) -> None:
        """The brace of `id` opens."""
        if len(self.open) >= DEEPEST:
            self.cursor.fail(f"at most {DEEPEST} states inside each other", "split it into several diagrams", at=at)
        if any(scope.id == id for scope in self.open):
            self.cursor.fail("another name", f"the state {id!r} is open already; it cannot lie in itself", at=at)
        self.open.append(Scope(id, at))

    def leave(self) -> None:
        """The innermost brace closes."""
        self.open.pop()

    def _is_around(self, id: str, inner: str) -> bool:
        while inner:
            if inner == id:
                return True
            inner = self.states[inner].parent
        return False

    def finish(self, meta: Meta, direction: Direction, notes: tuple[StateNote, ...]) -> StateDiagram:
        """The spec."""
        return StateDiagram(
            title=meta.title,
            alt=meta.alt,
            direction=direction,
            states=tuple(
                State(
                    id=state.id,
                    label=(state.label or state.id) if state.type is StateType.SIMPLE else "",
                    type=state.type,
                    details=tuple(state.details),
                    parent=state.parent,
                    region=state.region,
                    direction=state.direction,
                    accent=state.accent,
                )
                for state in self.states.values()
            ),
            transitions=tuple(self.transitions),
            notes=notes,
        )
