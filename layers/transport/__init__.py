"""Layer 1: transport. Takes an `Inbound` at the door and an `Outbound` on the way out; gives turns and receipts.

What broke: providers assume a human, accounts were killed, and every crash lost or doubled messages. The rule: nothing
is acknowledged before it is committed; everything leaves by the outbox; the agent never touches a provider.
"""

from layers.transport.courier import Courier
from layers.transport.mailbox import (
    accept,
    claim,
    fence,
    finish,
    give_back,
    let_go,
    owned,
    put_step,
    reap,
    step_at,
    steps,
)
from layers.transport.outbox import key_of, put_account, put_reference, said, send, shown
from layers.transport.types import (
    Accepted,
    Channels,
    Delivery,
    Line,
    LocalChannel,
    RemoteChannel,
    Step,
    StepKind,
    StepState,
)

__all__ = [
    "Accepted",
    "Channels",
    "Courier",
    "Delivery",
    "Line",
    "LocalChannel",
    "RemoteChannel",
    "Step",
    "StepKind",
    "StepState",
    "accept",
    "claim",
    "fence",
    "finish",
    "give_back",
    "key_of",
    "let_go",
    "owned",
    "put_account",
    "put_reference",
    "put_step",
    "reap",
    "said",
    "send",
    "shown",
    "step_at",
    "steps",
]
