"""What the wiring hands to every provider's adapter. An adapter knows its provider; who people are, what is kept and
how an account is doing are known on the other side of these functions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from layers.errors import AccountState
from layers.types import Address, Attachment, Inbound, Outbound, Person

Hook = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, str, bytes]]]
"""A POST of a provider's: (headers, names in lower case; body of at most 1 MiB) -> (status, content type, body)."""


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
class Waiting:
    """An approval that nobody decided yet."""

    title: str
    address: Address
    """Where its card is."""
    reference: str
    """Of the card's message, as its channel wrote it; empty while it is not visible yet."""
    risk: int
    expires_at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a person wants to see at one glance."""

    waiting: tuple[Waiting, ...]
    accounts: tuple[str, ...]
    """One sentence for each account that is not healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One part of a patch that can be chosen."""

    number: int
    """What comes back for it."""
    text: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parts of one file."""

    title: str
    options: tuple[Option, ...]
    """At most ten: Slack shows no more in a row of boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One page of what can be chosen of a patch, by one person."""

    key: str
    """What the provider carries along; all else about it is in the database."""
    request: str
    page: int
    """From 0."""
    pages: int
    groups: tuple[Group, ...]
    """At most forty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The last page of a form was sent, and what is chosen is kept."""

    address: Address
    """Where to go on."""
    value: str
    """Of the press that goes on with it."""


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
    get_cursor: Callable[[str], Awaitable[str]]
    """How far something was read, under a name of the adapter's own; empty when nothing was noted yet."""
    get_cursors: Callable[[str], Awaitable[Mapping[str, str]]]
    """All that were noted under names that begin so, in the names' order."""
    put_cursor: Callable[[str, str], Awaitable[object]]
    """Note how far something was read; an empty value is none."""
    takes_part: Callable[[str, str], Awaitable[bool]]
    """(conversation id, event id) -> whether something was said to us or by us there, or that event was taken."""
    knows: Callable[[str], Awaitable[bool]]
    """Whether an identity is somebody's: nothing is fetched and nothing is shown for strangers."""
    open_form: Callable[[str, str, str], Awaitable[Form]]
    """(request, identity, conversation id) -> the first page of a form for that person. Raises Refused."""
    fill_form: Callable[[str, str, int, Collection[int]], Awaitable[Form | Filled]]
    """(key, identity, page, the numbers chosen on it) -> the next page, or the end. Raises Refused."""
    overview: Callable[[], Awaitable[Overview]]
    """What waits, and how the accounts are."""
