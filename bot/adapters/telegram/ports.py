"""What the wiring hands to the Telegram channel, and how it tells how it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from layers.errors import AccountState
from layers.types import Inbound, Outbound, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the account is."""

    state: AccountState
    since: float
    """Epoch seconds."""
    reason: str = ""
    """One sentence for the owner; empty while healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Functions of the other floors."""

    accept: Callable[[Inbound], Awaitable[object]]
    """Commit an event, once by its id; returns after the commit."""
    person_of: Callable[[str], Person | None]
    """`telegram:<numeric id>` -> who that is, if anybody."""
    media: Callable[[str], Awaitable[bytes]]
    """The bytes of a picture by its digest."""
    say: Callable[[Outbound, str], Awaitable[object]]
    """Put a sentence of the adapter's own into the outbox, once per dedupe key."""
    note: Callable[[Outbound, str], Awaitable[object]]
    """Commit the longer reference of a visible message before its new parts are filled."""
    key_of: Callable[[str, str], Awaitable[str]]
    """(conversation, message id) -> the `Outbound.key` of the message whose reference ends with that id, or nothing."""
    changed: Callable[[Health], Awaitable[object]]
    """Called after every change of health."""
