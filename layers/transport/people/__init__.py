"""Who is who: one person, many identities, and how somebody unknown is let in.

The tables are the truth, read in the transaction that needs them: bulkhead.toml is written into them at every start, a
person's decision adds to them while the house runs, and no process keeps a copy that could be out of date.
"""

from layers.transport.people.pairing import ask, by_code, decide, expire_pairings
from layers.transport.people.register import (
    approvers,
    directs,
    everybody,
    look_everybody,
    may_decide,
    offer_removal,
    person_by_id,
    places,
    recognise,
    remove,
    synchronise,
)
from layers.transport.people.types import Asked, Choice, Decided, FilePerson, Known, KnownIdentity

__all__ = [
    "Asked",
    "Choice",
    "Decided",
    "FilePerson",
    "Known",
    "KnownIdentity",
    "approvers",
    "ask",
    "by_code",
    "decide",
    "directs",
    "everybody",
    "expire_pairings",
    "look_everybody",
    "may_decide",
    "offer_removal",
    "person_by_id",
    "places",
    "recognise",
    "remove",
    "synchronise",
]
