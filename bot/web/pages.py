"""What the page needs from the house, and what it counts as its own address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from layers.errors import Refused
from layers.store import Store
from layers.types import Inbound, InboundKind, Person

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCard:
    """An approval that waits for a person, as one line of the page's list."""

    id: str
    title: str
    conversation: str
    """`Address.id` of where the card was posted."""
    expires_at: float
    """Epoch seconds; 0 means never."""
    key: str = ""
    """`Outbound.key` of the card, so that the page can jump to it. Empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLine:
    """A provider's account, as one line of the page's list."""

    channel: str
    state: str
    reason: str
    since: float
    """Epoch seconds."""
    waiting: int
    """Messages that are not out yet."""
    resume: str = ""
    """The value of the button that takes it up again; empty where nobody is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLine:
    """A model, as one line of the page's list: its calls of a week, and what is believed of it."""

    name: str
    tier: str
    is_local: bool
    calls: int
    failures: int
    usd: float
    unpriced: int
    """Calls whose price nobody knows; they are not in `usd`."""
    obeys: str
    """How well it keeps what it is asked, in words."""


Hook = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, str, bytes]]]
"""A POST of a provider's: (headers, names in lower case; body) -> (status, content type, body)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeLine:
    """The freeze, as the page's banner."""

    on: bool
    by: str = ""
    """The name of whoever set or ended it last; empty where nobody did."""
    at: float = 0.0
    """Epoch seconds; 0 means never."""
    reason: str = ""


class Freezer(Protocol):
    """Stops everything, and lets it go on."""

    async def look(self) -> FreezeLine:
        """How it is now, in every process."""

    async def put(self, person: Person, *, on: bool, reason: str) -> None:
        """Freeze, or end it. Raises Refused."""


class NoFreezer:
    """Of a house without control."""

    async def look(self) -> FreezeLine:
        """Never."""
        return FreezeLine(on=False)

    async def put(self, person: Person, *, on: bool, reason: str) -> None:
        """Refuse."""
        raise Refused("there is nothing to freeze here")


class Passphrases(Protocol):
    """Who may approve what they asked for themselves proves it with one of these."""

    async def has(self, person: str) -> bool:
        """Whether that person has set one."""

    async def prove(self, person: str, passphrase: str, again: str) -> None:
        """Accept theirs, or set their first. Raises Refused."""


class NoPassphrases:
    """Of a house that has none."""

    async def has(self, person: str) -> bool:
        """Nobody has."""
        return False

    async def prove(self, person: str, passphrase: str, again: str) -> None:
        """Refuse."""
        raise Refused("this house takes no passphrases")


async def no_transports() -> list[TransportLine]:
    """Of a house without providers."""
    return []


async def no_patches(proposal: str) -> Mapping[str, object] | None:
    """Of a house without coordination."""
    return None


async def no_models() -> list[ModelLine]:
    """Of a house that asks nobody."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServices:
    """Everything the page is given by the wiring."""

    store: Store
    to_inbound: Callable[[InboundKind, bytes, Person], Inbound]
    """The body of a post -> the event it means. Raises BadInput."""
    accept: Callable[[Inbound], Awaitable[int]]
    """Journals the event and gives its inbox id; the same event_id twice is one event."""
    pending: Callable[[], Awaitable[list[PendingCard]]]
    ready: Callable[[], bool]
    persons: Callable[[str], Person | None]
    """Who a session belongs to; None once they were taken out of the configuration."""
    port: int
    transports: Callable[[], Awaitable[list[TransportLine]]] = no_transports
    models: Callable[[], Awaitable[list[ModelLine]]] = no_models
    patch: Callable[[str], Awaitable[Mapping[str, object] | None]] = no_patches
    """A proposal's id -> what `/patches/ID` shows of it, as JSON; None where there is none."""
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    """What providers may post to under `/hooks/`, by name."""
    passphrases: Passphrases = field(default_factory=NoPassphrases)
    freezer: Freezer = field(default_factory=NoFreezer)
    hosts: tuple[str, ...] = ()
    """Further names the page may be called by, e.g. `bulkhead.lan` or `bulkhead.lan:8443`."""
    version: str = ""

    @property
    def cookie(self) -> str:
        """The session cookie's name. Browsers do not keep cookies of two ports apart, the name does."""
        return f"bulkhead_{self.port}"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Every value of the Host header that is meant for this page."""
        ported = {f"{name}:{self.port}" for name in LOOPBACK}
        bare = set(LOOPBACK) if self.port in (80, 443) else set()
        further = {name.lower() for name in self.hosts} | {f"{name.lower()}:{self.port}" for name in self.hosts}
        return frozenset(ported | bare | further)
