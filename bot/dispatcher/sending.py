"""Writing into a conversation that is not the turn's own: at once where the person sits, else after an approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.transport import Policy, add_contact, is_allowed, send, take_seat
from layers.types import Address, Outbound, Urgency

FIRST_CHARS = 4000
"""Of a first message. What an approver is shown must be all of it, and a card holds 8,000 characters."""


def plan_of(
    policies: Mapping[str, Policy], places: Sequence[str], conversation: str, content: str, urgency: Urgency
) -> control.Plan | None:
    """What a person has to approve before it is sent; None where nobody has to.

    Raises:
        Refused: it cannot be sent there at all.
    """
    address = Address.parse(conversation)
    policy = policies.get(address.channel)
    if policy is not None and not is_allowed(policy, address.conversation):
        raise Refused(f"the operator does not let anything be sent to {conversation!r}")
    if conversation in places:
        return None
    if policy is None or not address.conversation or address.thread:
        raise Refused(f"there is no conversation {conversation!r} for you; there are {', '.join(places) or 'none'}")
    if policy.is_reply_only:
        raise Refused(f"nothing but answers is sent by {address.channel}")
    if len(content) > FIRST_CHARS:
        size = f"{len(content):,} characters"
        raise Refused(f"a first message has at most {FIRST_CHARS:,} characters and this one has {size}; shorten it")
    return control.contact_plan(conversation, content, urgency.value)


def deliver_first(tx: Tx, approval: control.Approval, turn_id: int) -> None:
    """Send what was approved, once, and let the recipient be written to from now on."""
    parameters = approval.plan.parameters
    address = Address.parse(str(parameters["recipient"]))
    add_contact(tx, address.channel, address.conversation, "approved")
    take_seat(tx, approval.requested_by, address.id)
    outbound = Outbound(
        address=address,
        key=f"m{approval.id}",
        text=str(parameters["text"]),
        urgency=Urgency(str(parameters["urgency"])),
    )
    send(tx, outbound, f"contact:{approval.id}", turn_id)
