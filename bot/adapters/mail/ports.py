"""What the mail adapter needs beside `Ports`: which mail belongs to which conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from layers.transport import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Functions of the wiring's."""

    put: Callable[[Letter], Awaitable[bool]]
    """Write a mail down; False when it was there already."""
    forget: Callable[[str, str], Awaitable[object]]
    """(correspondent, Message-ID): it never left, or nobody known wrote it."""
    conversation_of: Callable[[str, Sequence[str]], Awaitable[str]]
    """(correspondent, Message-IDs) -> the `Address.id` of the first that they wrote or got; or nothing."""
    to_answer: Callable[[str], Awaitable[Letter | None]]
    """The newest mail of a conversation that came in; where none did, the first one that left."""
    sent: Callable[[str], Awaitable[Letter | None]]
    """The mail of ours with that Message-ID."""
