"""Whom we may write to of our own accord, and who sits in which conversation. Functions take an open transaction."""

from __future__ import annotations

from layers.store import Tx
from layers.types import AGENT, CLOCK, STRANGER, Address, Inbound, InboundKind

NOBODY = (AGENT.id, CLOCK.id, STRANGER.id)


def is_known_contact(tx: Tx, channel: str, recipient: str) -> bool:
    """Whether somebody wrote to us from there, or a person approved writing to them."""
    return tx.one("transport.contact", channel=channel, recipient=folded(channel, recipient)) is not None


def add_contact(tx: Tx, channel: str, recipient: str, source: str) -> bool:
    """Remember that `recipient` may be written to; False when that is known. `source` is `wrote` or `approved`."""
    return bool(
        tx.run(
            "transport.add_contact", channel=channel, recipient=folded(channel, recipient), source=source, now=tx.now
        )
    )


def folded(channel: str, recipient: str) -> str:
    """A recipient as it is compared: nobody can tell two mail addresses apart that differ in case only."""
    return recipient.strip("<> ").lower() if channel == "mail" else recipient


def meet(tx: Tx, inbound: Inbound) -> None:
    """Somebody said or pressed something: they sit there now, and whoever wrote first may be answered at any time."""
    if inbound.person.id in NOBODY or inbound.kind not in (InboundKind.MESSAGE, InboundKind.PRESS):
        return
    address = inbound.address
    if take_seat(tx, inbound.person.id, address.id):
        add_contact(tx, address.channel, address.conversation, "wrote")
        channel, _, account = inbound.identity.partition(":")
        if channel == address.channel and account and account != address.conversation:
            add_contact(tx, channel, account, "wrote")


def take_seat(tx: Tx, person: str, conversation: str) -> bool:
    """Let a person be in a conversation; False when they were."""
    return bool(tx.run("transport.take_seat", person=person, conversation_id=conversation, now=tx.now))


def conversations_of(tx: Tx, person: str) -> list[str]:
    """The conversations in which a person has said something, by their ids."""
    return [row["conversation_id"] for row in tx.all("transport.seats", person=person)]


def is_contact(tx: Tx, address: Address) -> bool:
    """Whether a conversation may be written to of our own accord."""
    return is_known_contact(tx, address.channel, address.conversation)
