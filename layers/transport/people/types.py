"""Nouns of people and pairing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from layers.types import Person


class Choice(StrEnum):
    """What an approver can say of somebody who wants in: the verbs of the card's buttons."""

    ME = "me"
    """It is another account of the one who presses."""
    IN = "in"
    APPROVER = "approver"
    REFUSE = "refuse"


class PairingState(StrEnum):
    """Where a wish to be let in stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePerson:
    """A person as bulkhead.toml has them."""

    person: Person
    is_approver: bool
    identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIdentity:
    """One account of a person's."""

    identity: str
    is_of_file: bool
    handle: str = ""
    """What the Remove button carries, where the list is for pressing. Only its hash is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person with all their accounts."""

    person: Person
    is_approver: bool
    is_of_file: bool
    identities: tuple[KnownIdentity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One wish to be let in."""

    id: str
    code: str
    """For people to compare; without the hyphen."""
    identity: str
    display: str
    """What they call themselves, cleaned; may be empty."""
    conversation_id: str
    """Where they wrote."""
    places: tuple[str, ...]
    """The conversations that have the card."""
    state: PairingState
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of a stranger's message."""

    code: str = ""
    """The code of their open request; empty where nobody is asked."""
    note: str = ""
    """What the stranger may be told; empty where they are told nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a decision. A refusal is a value, so that its audit row commits."""

    identity: str = ""
    """Whom it was about; empty where nobody knows."""
    person: str = ""
    """The id of the person that the identity belongs to now; empty where they were not let in."""
    text: str = ""
    """One sentence for the one who decided."""
    refused: str = ""
    """One sentence on why nothing was decided; empty when it was."""
