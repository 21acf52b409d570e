"""The steps of a sequence as a flat list of rows; each knows what is open and who is busy when it comes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from layers.presentation.spec import (
    Activate,
    Block,
    Create,
    Deactivate,
    Destroy,
    Line,
    Message,
    Note,
    Numbering,
    SequenceDiagram,
    Step,
    named_in,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A block that is open."""

    id: str
    type: str
    label: str
    members: frozenset[str]
    """Everybody named in it, at any depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step, or the edge of a block."""

    id: str
    step: Message | Note | None = None
    opens: Opened | None = None
    divides: Opened | None = None
    """A further branch of this block; its label is the branch's."""
    closes: Opened | None = None
    open: tuple[Opened, ...] = ()
    """The blocks around the row, the outermost first."""
    busy: dict[str, int]
    """Participant -> activation bars when the row begins."""
    starts: tuple[str, ...] = ()
    """Activated by this row, one entry for each bar."""
    ends: tuple[str, ...] = ()
    """Deactivated by this row."""
    number: str = ""
    creates: str = ""
    """The participant whose head stands at this message."""
    destroys: str = ""
    present: frozenset[str] = frozenset()
    """Participants whose lifeline runs when the row begins."""

    @property
    def names(self) -> tuple[str, ...]:
        """The participants it needs to be there."""
        return (*(named_in(self.step) if self.step else ()), *self.starts, *self.ends)


class _Walk:
    def __init__(self, spec: SequenceDiagram) -> None:
        self.rows: list[Row] = []
        self.busy: dict[str, int] = {}
        self.open: list[Opened] = []
        created = {step.participant for step in spec.all_steps() if isinstance(step, Create)}
        self.present = {one.id for one in spec.participants} - created
        self.pending_create = self.pending_destroy = ""
        self.next_number: float | None = None
        self.last_number = 0.0
        self.by = 1.0
        self.count = 0

    def steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Message() | Note():
                    self.message_or_note(step)
                case Block():
                    self.block(step)
                case Activate() | Deactivate():
                    self.busyness(step)
                case Create():
                    self.pending_create = step.participant
                case Destroy():
                    self.pending_destroy = step.participant
                case Numbering():
                    self.numbering(step)

    def message_or_note(self, step: Message | Note) -> None:
        row = self.row("message" if isinstance(step, Message) else "note", step=step)
        if isinstance(step, Message):
            row = replace(row, number=self.number())
            if self.pending_create in (step.source, step.target) and self.pending_create:
                row = replace(row, creates=self.pending_create)
                self.present.add(self.pending_create)
                self.pending_create = ""
            if self.pending_destroy in (step.source, step.target) and self.pending_destroy:
                row = replace(row, destroys=self.pending_destroy)
                self.present.discard(self.pending_destroy)
                self.busy.pop(self.pending_destroy, None)
                self.pending_destroy = ""
        self.rows.append(row)

    def block(self, block: Block) -> None:
        members = frozenset(_named(block))
        opened = Opened(
            id=f"{block.type} {self.count + 1}", type=block.type, label=block.branches[0].label, members=members
        )
        self.rows.append(self.row("open", opens=opened))
        self.open.append(opened)
        for number, branch in enumerate(block.branches):
            if number:
                self.open[-1] = replace(opened, label=branch.label)
                self.rows.append(self.row("else", divides=self.open[-1]))
            self.steps(branch.steps)
        self.open.pop()
        self.rows.append(self.row("close", closes=opened))

    def busyness(self, step: Activate | Deactivate) -> None:
        """The bar begins, or ends, at the row before; without one, at a row of its own."""
        id, depth = step.participant, self.busy.get(step.participant, 0)
        if isinstance(step, Deactivate) and not depth:
            return
        if not self.rows or self.rows[-1].step is None:
            self.rows.append(self.row("busy"))
        if isinstance(step, Activate):
            self.rows[-1] = replace(self.rows[-1], starts=(*self.rows[-1].starts, id))
            self.busy[id] = depth + 1
        else:
            self.rows[-1] = replace(self.rows[-1], ends=(*self.rows[-1].ends, id))
            self.busy[id] = depth - 1

    def numbering(self, step: Numbering) -> None:
        self.by = step.by
        if not step.is_on:
            self.next_number = None
        elif step.start is not None:
            self.next_number = step.start
        else:
            self.next_number = self.last_number + self.by

    def number(self) -> str:
        if self.next_number is None:
            return ""
        shown = f"{round(self.next_number, 6):g}"
        self.last_number = self.next_number
        self.next_number += self.by
        return shown

    def row(self, word: str, **fields: object) -> Row:
        self.count += 1
        return Row(
            id=f"{word} {self.count}",
            open=tuple(self.open),
            busy={id: depth for id, depth in self.busy.items() if depth},
            present=frozenset(self.present),
            **fields,  # type: ignore[arg-type]
        )


def _named(block: Block) -> list[str]:
    found: list[str] = []
    stack: list[Step] = [block]
    while stack:
        step = stack.pop()
        found += named_in(step)
        if isinstance(step, Block):
            stack += [inner for branch in step.branches for inner in branch.steps]
    return found


def rows_of(spec: SequenceDiagram) -> list[Row]:
    """Every row, from top to bottom."""
    walk = _Walk(spec)
    walk.steps(spec.steps)
    return walk.rows


def is_dotted(message: Message) -> bool:
    """An answer."""
    return message.line is Line.DOTTED
