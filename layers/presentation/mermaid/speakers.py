"""Who takes part in a sequence diagram, and the rules about it that Mermaid checks after parsing."""

from __future__ import annotations

from collections import Counter

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.nearest import nearest
from layers.presentation.spec import Activate, Box, Deactivate, Participant, Role

MOST = 100


class Speakers:
    """Collects participants and boxes, in order of their first mention."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.known: dict[str, Participant] = {}
        self.boxes: list[Box] = []
        self.is_boxing = False
        self.home: dict[str, int] = {}
        self.busy: Counter[str] = Counter()
        self.created = ""
        self.destroyed = ""

    def participants(self) -> tuple[Participant, ...]:
        """All of them."""
        return tuple(self.known.values())

    def mention(self, id: str) -> None:
        """A statement names `id`."""
        if id not in self.known:
            if len(self.known) >= MOST:
                self.cursor.fail(f"at most {MOST} participants in one diagram", "split it into several")
            self.known[id] = Participant(id=id, label=plain(id) or id)

    def declare(self, id: str, label: str, role: str, *, at: int, is_created: bool = False) -> None:
        """`participant`, `actor` or `create` names `id`. An empty label leaves the one that there is."""
        if is_created and id in self.known:
            self.cursor.fail("a name that is new", f"{id!r} is already there; give the new one another name", at=at)
        if role not in [one.value for one in Role]:
            meant = nearest(role, [one.value for one in Role]) or Role.PARTICIPANT
            self.cursor.tolerate(f"there is no type of participant {role[:24]!r}; it was read as {meant}", at=at)
            role = meant
        self.mention(id)
        before = self.known[id]
        self.known[id] = Participant(id=id, label=label or before.label, role=Role(role))
        if is_created:
            self.created = id
        if self.is_boxing:
            number = len(self.boxes) - 1
            if self.home.setdefault(id, number) != number:
                self.cursor.fail("a participant that is in no box yet", f"{id!r} is in another box already", at=at)
            box = self.boxes[-1]
            if id not in box.members:
                self.boxes[-1] = box.model_copy(update={"members": (*box.members, id)})

    def open_box(self, colour: str, title: str) -> None:
        """What is declared from here on is in this box."""
        self.boxes.append(Box(title=title, colour=colour))
        self.is_boxing = True

    def close_box(self) -> None:
        """The box's `end`."""
        self.is_boxing = False

    def activate(self, id: str) -> Activate:
        """A bar begins."""
        self.mention(id)
        self.busy[id] += 1
        return Activate(participant=id)

    def deactivate(self, id: str, at: int) -> Deactivate:
        """A bar ends; there must be one."""
        self.mention(id)
        if self.busy[id] < 1:
            fix = f"activate {id[:24]} first, or leave out this - or deactivate"
            self.cursor.fail(f"{id[:24]!r} to be active here", fix, at=at)
        self.busy[id] -= 1
        return Deactivate(participant=id)

    def destroy(self, id: str) -> str:
        """The lifeline ends at the next message."""
        self.mention(id)
        self.destroyed = id
        return id

    def message(self, source: str, target: str, *, at: int) -> None:
        """A message; after `create` it must go to the new one, after `destroy` concern the old one."""
        self.mention(source)
        self.mention(target)
        if self.created:
            if target != self.created:
                fix = "the message after create goes to who is created"
                self.cursor.fail(f"a message to {self.created[:24]!r}", fix, at=at)
            self.created = ""
        elif self.destroyed:
            if self.destroyed not in (source, target):
                fix = "the message after destroy is the last of who goes"
                self.cursor.fail(f"a message to or from {self.destroyed[:24]!r}", fix, at=at)
            self.destroyed = ""
