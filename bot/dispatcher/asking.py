"""Whom a request is put before besides the conversation that it comes from: approvers who are not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.dispatcher.cards import APPROVALS, MAIL, PAGE
from layers.store import Tx
from layers.transport import conversations_of, directs, everybody
from layers.types import Address, Inbound, InboundKind, Person

CALLS_NOBODY = frozenset({PAGE, "console"})
"""Where nothing rings: whoever wrote there last week does not see a card, only whoever has just asked does."""


def besides(tx: Tx, inbound: Inbound, *, is_drill: bool = False) -> Mapping[str, tuple[str, ...]]:
    """Approver -> their own conversations with the bot, and the page for whoever can sign in there.

    Nothing for those who are in the conversation of the request. A drill asks its maker too, where nothing rings.
    """
    place, direct = whole(inbound.address), directs(tx)
    shows = place.channel in (PAGE, MAIL)  # what is asked by mail has its buttons on the page
    found = {}
    for known in everybody(tx):
        if known.is_approver and not is_there(tx, known.person, inbound, is_drill=is_drill):
            ways = [each for each in direct.get(known.person.id, []) if Address.parse(each).channel != MAIL]
            page = [APPROVALS] if known.is_of_file and not shows else []
            found[known.person.id] = tuple(each for each in (*ways, *page) if each != place.id)
    return found


def is_there(tx: Tx, person: Person, inbound: Inbound, *, is_drill: bool) -> bool:
    """Whether somebody sees a card in the conversation of the request."""
    place = whole(inbound.address)
    if place.channel in CALLS_NOBODY:
        is_looking = inbound.kind not in (InboundKind.SCHEDULE, InboundKind.PATCH)
        return person.id == inbound.person.id and is_looking and not is_drill
    return any(whole(Address.parse(seat)) == place for seat in conversations_of(tx, person.id))


def whole(address: Address) -> Address:
    """The conversation without its thread: whoever is in it sees its threads."""
    return replace(address, thread="")
