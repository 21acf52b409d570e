"""The freeze as people meet it: set or ended, and told to every approver wherever they can be reached."""

from __future__ import annotations

from layers import control
from layers.store import Tx
from layers.transport import places, send
from layers.types import Address, Outbound, Person

LONGEST_REASON = 200
"""Characters; a banner has one or two lines."""


def put_freeze(tx: Tx, person: Person, rules: control.Rules, *, on: bool, reason: str = "", here: str = "") -> bool:
    """Freeze, or end it, and tell it everywhere but `here`; False when it was so already.

    Raises:
        Refused: they are no approver.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not control.set_freeze(tx, person, rules, on=on, reason=reason):
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
