"""What must not leave this machine whoever asks it where: a `Task` in, whether only a local model may see it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from layers.routing.types import Role, Task


@dataclass(frozen=True, slots=True)
class Staying:
    """Secrets, by the names they go by."""

    names: Iterable[str] = ()
    """Whoever says one of these as a word of its own speaks of what must stay."""
    all: bool = False
    """Every question does: the agent itself works on it."""
    _named: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        words = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True) if name)
        object.__setattr__(self, "_named", re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None)

    @property
    def is_anything(self) -> bool:
        """Whether there is anything to keep."""
        return self.all or self._named is not None

    def holds(self, task: Task) -> bool:
        """Whether the model that gets `task` must be a local one."""
        return self.all or (self._named is not None and any(map(self._named.search, said(task))))


def said(task: Task) -> Iterable[str]:
    """Everything that the model would read but what every model reads."""
    for message in task.messages:
        if message.role is not Role.SYSTEM:
            yield message.content
            yield from (str(dict(call.arguments)) for call in message.tool_calls)
    yield from task.rules
