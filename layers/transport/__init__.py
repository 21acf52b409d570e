"""Layer 1: transport. Takes an `Inbound` at the door and an `Outbound` on the way out; gives turns and receipts.

What broke: providers assume a human, accounts were killed, and every crash lost or doubled messages. The rule: nothing
is acknowledged before it is committed; everything leaves by the outbox; the agent never touches a provider.
"""

from layers.transport.courier import Courier
from layers.transport.cursors import get_cursor, put_cursor
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
from layers.transport.media import keep_media, media_head, put_media, read_media
from layers.transport.outbox import key_of, put_account, put_reference, said, send, shown
from layers.transport.threads import (
    Letter,
    conversation_of,
    forget_letter,
    letter_to_answer,
    put_letter,
    sent_letter,
)
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
    "Letter",
    "Line",
    "LocalChannel",
    "RemoteChannel",
    "Step",
    "StepKind",
    "StepState",
    "accept",
    "claim",
    "conversation_of",
    "fence",
    "finish",
    "forget_letter",
    "get_cursor",
    "give_back",
    "keep_media",
    "key_of",
    "let_go",
    "letter_to_answer",
    "media_head",
    "owned",
    "put_account",
    "put_cursor",
    "put_letter",
    "put_media",
    "put_reference",
    "put_step",
    "read_media",
    "reap",
    "said",
    "send",
    "sent_letter",
    "shown",
    "step_at",
    "steps",
]
