"""What people see of an answer while it grows, and how another model takes it up where the first one broke off.

Only whole words are shown, so that a break leaves a clean edge: the next model begins with a word, and what it repeats
of the text before is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from layers.routing.types import Message, Role, Task

Told = Callable[[str], None]
"""Gets each new piece of the answer; the pieces together are the answer."""
SAME_CHARS = 12
"""From so many characters on, a beginning that equals the end of what was shown is a repetition and no accident."""
OPENING_CHARS = 160
"""How much of an answer is looked at before any of it is shown, where a stronger model may still be asked: a refusal
shows itself there."""
JUDGED_CHARS = 400
"""How much of a continuation is looked at before it is shown."""
GO_ON = (
    "(Your answer above broke off there. Go on exactly where it ends, with the next word. Do not repeat any of it, and "
    "do not mention the break.)"
)


class Pane:
    """What was shown, and what is held back."""

    def __init__(self, told: Told | None, holds: Callable[[str], bool] | None = None) -> None:
        """`holds` tells of the text so far that nothing of it is to be shown yet; once something was, all is."""
        self._told = told
        self._holds = holds
        self._held = ""
        self._is_joining = False
        self.shown = ""
        self.is_taken_up = False
        """Two models wrote it."""

    def feed(self, text: str) -> None:
        """More of the answer."""
        if self._told is None:
            return
        self._held += text
        if self._is_joining:
            if len(self._held) < min(len(self.shown), JUDGED_CHARS) + SAME_CHARS:
                return
            self._join()
        edge = max(self._held.rfind(" "), self._held.rfind("\n")) + 1
        if not self._is_closed():
            self._show(edge)

    def broke(self) -> None:
        """The answer broke off: half a word is forgotten, and what follows comes from another model."""
        self._held = ""
        self._is_joining = self.is_taken_up = bool(self.shown)

    def end(self) -> None:
        """The answer is whole."""
        if self._is_joining:
            self._join()
        if not self._is_closed():
            self._show(len(self._held))

    def _is_closed(self) -> bool:
        return not self.shown and self._holds is not None and self._holds(self._held)

    def _join(self) -> None:
        self._held = added(self.shown, self._held)
        self._is_joining = False

    def _show(self, chars: int) -> None:
        if chars and self._told is not None:
            self._told(self._held[:chars])
            self.shown += self._held[:chars]
            self._held = self._held[chars:]


def added(shown: str, more: str) -> str:
    """What `more` adds to `shown`, which ends with a whole word: without what it repeats."""
    start, whole = more.lstrip(), shown.strip()
    if not shown[-1:].isspace():
        return more
    for chars in range(min(len(whole), len(start)), 0, -1):
        if chars < SAME_CHARS and chars < len(whole):
            break
        if whole.endswith(start[:chars]) and start[chars : chars + 1].strip() == "":
            return start[chars:].lstrip(" " if shown[-1] == " " else None)
    return start


def taken_up(task: Task, shown: str) -> Task:
    """The task for whoever goes on with an answer of which `shown` was seen."""
    said = Message(role=Role.ASSISTANT, content=shown.rstrip())
    return replace(task, messages=(*task.messages, said, Message(role=Role.USER, content=GO_ON)))
