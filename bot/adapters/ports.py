"""What the wiring hands to every provider's adapter. An adapter knows its provider; who people are, what is kept and
how an account is doing are known on the other side of these functions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from layers.errors import AccountState
from layers.types import Attachment, Inbound, Outbound, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an account is."""

    state: AccountState
    since: float
    """Epoch seconds."""
    reason: str = ""
    """One sentence for the owner; empty while healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What the door said to an event."""

    person: Person | None
    """Who it was; None for somebody unknown, of whose event nothing was kept but the wish to be let in."""
    is_new: bool = False
    """False when the event was there already, or nothing was taken."""
    note: str = ""
    """A sentence that only the unknown person may see, where the provider can show one beside the conversation (the
    answer to a press or to a slash command). In a direct message the door has said it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Functions of the other floors."""

    accept: Callable[[Inbound], Awaitable[Welcome]]
    """Commit an event once, by its id and its aliases; returns after the commit. `person` is STRANGER and `identity`
    is set: the door finds out who it is, in the same transaction. Raises what the store raises: acknowledge nothing."""
    say: Callable[[Outbound, str], Awaitable[object]]
    """Put a sentence of the adapter's own into the outbox, once per dedupe key."""
    note: Callable[[Outbound, str], Awaitable[object]]
    """Commit the longer reference of a visible message before its new parts are filled."""
    key_of: Callable[[str, str], Awaitable[str]]
    """(conversation, message id) -> the `Outbound.key` of the message whose reference ends with that id, or nothing."""
    keep: Callable[[AsyncIterator[bytes], str, str], Awaitable[Attachment]]
    """(bytes in pieces, content type, name) -> kept, never whole in memory. One too large comes back with a note."""
    media: Callable[[str], AsyncIterator[bytes]]
    """The bytes of a kept picture or file by its digest, in pieces. Raises Unavailable when it is not there."""
    changed: Callable[[AccountState, str], Awaitable[object]]
    """How the account is from now on, and one sentence for its owner. Committed; the owner hears of it elsewhere."""
    knows: Callable[[str], Awaitable[bool]]
    """Whether an identity is a person's, so that nothing is fetched for anybody else."""
    get_cursor: Callable[[str], Awaitable[str]]
    """How far something was read, under a name of the adapter's own; empty when nothing was noted yet."""
    get_cursors: Callable[[str], Awaitable[Mapping[str, str]]]
    """All that were noted under names that begin so, in the names' order."""
    put_cursor: Callable[[str, str], Awaitable[object]]
    """Note how far something was read; an empty value is none."""
