"""Layer 1: transport. Takes an `Inbound` at the door and an `Outbound` on the way out; gives turns and receipts.

What broke: providers assume a human, accounts were killed, and every crash lost or doubled messages. The rule: nothing
is acknowledged before it is committed; everything leaves by the outbox; the agent never touches a provider.
"""

from layers.transport.contacts import add_contact, conversations_of, is_known_contact, take_seat
from layers.transport.courier import Courier
from layers.transport.cursors import get_cursor, get_cursors, put_cursor
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
from layers.transport.notices import kept_back, note_key, outcome, resend, settle_notes, show_late
from layers.transport.outbox import key_of, put_account, put_reference, said, send, shown
from layers.transport.pace import close_bucket, closed_until
from layers.transport.policy import DEFAULTS, Policy, is_allowed
from layers.transport.rules import State
from layers.transport.taking import Rules
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
    Searchable,
    Step,
    StepKind,
    StepState,
)

__all__ = [
    "DEFAULTS",
    "Accepted",
    "Channels",
    "Courier",
    "Delivery",
    "Letter",
    "Line",
    "LocalChannel",
    "Policy",
    "RemoteChannel",
    "Rules",
    "Searchable",
    "State",
    "Step",
    "StepKind",
    "StepState",
    "accept",
    "add_contact",
    "claim",
    "close_bucket",
    "closed_until",
    "conversation_of",
    "conversations_of",
    "fence",
    "finish",
    "forget_letter",
    "get_cursor",
    "get_cursors",
    "give_back",
    "is_allowed",
    "is_known_contact",
    "keep_media",
    "kept_back",
    "key_of",
    "let_go",
    "letter_to_answer",
    "media_head",
    "note_key",
    "outcome",
    "owned",
    "put_account",
    "put_cursor",
    "put_letter",
    "put_media",
    "put_reference",
    "put_step",
    "read_media",
    "reap",
    "resend",
    "said",
    "send",
    "sent_letter",
    "settle_notes",
    "show_late",
    "shown",
    "step_at",
    "steps",
    "take_seat",
]
