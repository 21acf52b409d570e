"""The freeze as people meet it: set or ended, and told to every approver wherever they can be reached."""

from __future__ import annotations

from dataclasses import dataclass

from layers import control
from layers.store import Tx
from layers.transport import places, send
from layers.types import Address, Outbound, Person

LONGEST_REASON = 200
"""Characters; a banner has one or two lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What somebody who may wants of the freeze."""

    person: Person
    on: bool
    reason: str = ""
    at: float | None = None
    """When they said so, in epoch seconds; None is now. A later word is not undone by an earlier one."""


def put_freeze(tx: Tx, ordered: Ordered, rules: control.Rules, here: str = "") -> bool:
    """Freeze, or end it, and tell it everywhere but `here`; False when it was so already, or has changed since.

    Raises:
        Refused: they are no approver.
    """
    person, on = ordered.person, ordered.on
    reason = " ".join(ordered.reason.split())[:LONGEST_REASON]
    if not control.set_freeze(tx, person, rules, on=on, reason=reason, asked_at=ordered.at):
        return False
    text = frozen_text(person.name, reason) if on else f"**Unfrozen** by {control.inline(person.name)}."
    for place in places(tx):
        if place != here:
            key = f"freeze.{tx.now:.6f}"
            send(tx, Outbound(address=Address.parse(place), key=key, text=text), f"{key}.{place}")
    return True


def frozen_text(name: str, reason: str) -> str:
    """Who froze everything, why, and how it ends. A name and a reason are somebody's words."""
    why = f": {control.inline(reason)}" if reason else ""
    return (
        f"**Frozen** by {control.inline(name)}{why}. Whatever ran is stopped, and nothing begins until an approver "
        "sends /unfreeze."
    )
