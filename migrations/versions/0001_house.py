"""The house: every table of the five layers and the page.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import key, number, partial, text, time, unique
from migrations.control import audit, control
from migrations.coordination import choices, coordination, parked, proposals
from migrations.routing import routing

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    workers()
    mailbox()
    people()
    journal()
    outbox()
    pace()
    contacts()
    providers()
    page()
    media()
    cursors()
    letters()
    presentation()
    control()
    audit()
    coordination()
    proposals()
    parked()
    choices()
    routing()
    schedules()


def workers() -> None:
    """Processes that claim turns."""
    op.create_table(
        "worker", text("id", primary_key=True), text("host"), number("pid"), time("started_at"), time("beat_at")
    )


def mailbox() -> None:
    """Conversations and everything that happens to them."""
    op.create_table(
        "question",  # what a button asked back; the person's next message there is the answer
        text("conversation_id", primary_key=True),
        text("person", primary_key=True),
        text("about"),  # <noun>:<verb>:<id>, as in a button's value
        text("key"),  # of the message that asks
        text("under"),  # the key of the message whose button it was
        time("created_at"),
    )
    op.create_table(
        "conversation",
        text("id", primary_key=True),
        text("owner", nullable=True),  # the worker whose turn it is
        number("epoch", server_default="0"),  # grows with every claim: the fencing token
        time("ready_at", nullable=True),  # set when an inbox row waits and nobody owns the conversation
        number("sequence", server_default="0"),  # last message.seq
    )
    partial("conversation_ready", "conversation", ["ready_at"], "ready_at IS NOT NULL AND owner IS NULL")
    partial("conversation_owned", "conversation", ["owner"], "owner IS NOT NULL")
    op.create_table(
        "inbox",
        key(),
        text("source"),
        text("event_id"),
        text("conversation_id"),
        text("kind"),
        text("payload"),  # the Inbound as JSON
        text("state", server_default="pending"),  # pending | done | dead
        number("attempts", server_default="0"),
        time("received_at"),
        number("stopped_by", nullable=True),  # the inbox row of whoever wants no more of it
        sa.UniqueConstraint("source", "event_id", name="inbox_event"),
    )
    partial("inbox_pending", "inbox", ["conversation_id", "id"], "state = 'pending'")
    partial("inbox_stopped", "inbox", ["state", "stopped_by"], "stopped_by IS NOT NULL")
    op.create_table(
        "inbox_alias",  # every name under which a provider may bring an event again, its event_id among them
        text("source", primary_key=True),
        text("alias", primary_key=True),
        number("inbox_id"),
    )


def people() -> None:
    """Who is who, and who wishes to be let in. The table `pairing` keeps what was decided, for the audit's readers."""
    op.create_table(
        "person",
        text("id", primary_key=True),
        text("name"),
        number("approver"),
        text("source"),  # file | paired
        time("created_at"),
    )
    op.create_table(
        "identity",
        text("identity", primary_key=True),  # as `Inbound.identity`
        text("channel"),
        text("person"),
        text("source"),  # file | paired
        text("paired_by"),  # a person's id; empty for one of the file
        text("direct", server_default=""),  # the conversation in which they wrote to the bot alone, last time
        text("handle_hash", nullable=True, unique=True),  # sha256 of the handle in the Remove button, hex
        time("at"),
    )
    op.create_index("identity_person", "identity", ["person"])
    op.create_table(
        "pairing",
        text("id", primary_key=True),
        text("handle_hash", unique=True),  # sha256 of the handle in the buttons, hex
        text("code"),
        text("identity"),
        text("channel"),
        text("display"),  # what they call themselves, cleaned
        text("conversation_id"),  # where they wrote
        text("places"),  # JSON: the conversations that have the card
        text("state", server_default="open"),  # open | accepted | refused | expired
        text("choice", server_default=""),  # me | in | approver | refuse
        time("created_at"),
        time("expires_at"),
        text("decided_by", server_default=""),
        time("decided_at", nullable=True),
    )
    is_open = "state = 'open'"
    unique("pairing_open", "pairing", ["identity"], is_open)
    unique("pairing_code", "pairing", ["code"], is_open)
    partial("pairing_due", "pairing", ["expires_at"], is_open)
    op.create_index("pairing_lately", "pairing", ["channel", "created_at"])
    op.create_index("pairing_identity", "pairing", ["identity", "created_at"])


def journal() -> None:
    """Turns, their steps, and the transcript."""
    op.create_table(
        "turn",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),  # = inbox.id
        text("conversation_id"),
        text("state"),  # running | done | stopped
        number("epoch"),
        time("started_at"),
        time("ended_at", nullable=True),
        text("route", nullable=True),  # what /why tells, as JSON
    )
    op.create_index("turn_conversation", "turn", ["conversation_id", "id"])
    op.create_table(
        "step",
        sa.Column("turn_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger(), primary_key=True, autoincrement=False),
        text("kind"),  # model | tool | effect
        text("name"),
        text("state"),  # started | done
        text("body", nullable=True),
        number("epoch"),
        time("at"),
    )
    op.create_table(
        "message",
        text("conversation_id", primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        number("turn_id"),
        text("role"),
        text("content"),
        time("at"),
    )


def outbox() -> None:
    """What is to be said, until it was said."""
    op.create_table(
        "outbox",
        key(),
        text("channel"),
        text("conversation_id"),
        number("turn_id", nullable=True),
        text("dedupe", unique=True),
        text("key"),
        text("kind", server_default="message"),  # the Outbound's kind, or notice | digest: what transport itself says
        text("origin", server_default="house"),  # reply | agent | house: on whose account it is said
        text("payload"),  # the Outbound as JSON
        text("state", server_default="pending"),  # see layers.transport.rules.State
        text("owner", nullable=True),  # the worker that is at it
        number("priority", server_default="2"),  # see layers.transport.rules.Priority
        number("is_doubtful", server_default="0"),  # 1: a placeholder may be there of which nobody knows
        number("attempts", server_default="0"),
        time("due"),
        time("expires_at"),
        text("sameness", nullable=True),  # what makes it the same as another one, where that matters
        text("digest", nullable=True),  # the handle of the message that tells of it, once it expired
        text("last_error", nullable=True),
        text("provider_ref", nullable=True),
        time("created_at"),
    )
    is_open = "state IN ('pending', 'placing', 'placed', 'editing')"
    partial("outbox_due", "outbox", ["priority", "due", "id"], is_open)
    partial("outbox_next", "outbox", ["due"], is_open)
    partial("outbox_conversation", "outbox", ["conversation_id", "id"], is_open)
    partial("outbox_owned", "outbox", ["owner"], "owner IS NOT NULL")
    op.create_index("outbox_key", "outbox", ["conversation_id", "key", "id"])
    partial("outbox_ended_badly", "outbox", ["state"], "state IN ('unknown', 'failed', 'expired')")
    partial("outbox_digest", "outbox", ["digest"], "digest IS NOT NULL")
    partial("outbox_same", "outbox", ["conversation_id", "sameness"], "sameness IS NOT NULL")


def pace() -> None:
    """How fast each bucket of a provider may be drawn from."""
    op.create_table(
        "pace",
        text("bucket", primary_key=True),
        time("tat"),  # GCRA's theoretical arrival time
        time("closed_until"),  # nothing is drawn before
        time("since"),  # first used: how far an account has warmed up
    )
    partial("pace_closed", "pace", ["closed_until"], "closed_until > 0")


def contacts() -> None:
    """Who may be written to because they wrote first or a person said so, and who sits where."""
    op.create_table(
        "contact",
        text("channel", primary_key=True),
        text("recipient", primary_key=True),
        text("source"),  # wrote | approved
        time("at"),
    )
    op.create_table("seat", text("person", primary_key=True), text("conversation_id", primary_key=True), time("at"))


def providers() -> None:
    """Where a visible message is at its provider, and how each provider's account is."""
    op.create_table(
        "visible",
        text("conversation_id", primary_key=True),
        text("key", primary_key=True),
        text("reference"),
        time("shown_at", nullable=True),  # when it first had its content; later edits do not move it
    )
    op.create_table(
        "account",
        text("channel", primary_key=True),
        text("state"),  # healthy | degraded | conflict | challenged | suspended | revoked
        text("reason"),
        time("closed_until"),  # nothing is sent before
        time("since"),
        text("fingerprint", server_default=""),  # of its secret: a changed one means that a person acted
        number("generation", server_default="0"),  # grows whenever a person says that it may go on
        text("notice", server_default=""),  # JSON: the message that told its owner, and where it is
    )


def page() -> None:
    """The web page's durable log and its sessions."""
    op.create_table(
        "page_event",
        key(),
        text("conversation_id"),
        text("key"),  # the visible message; the newest event of a key is what is shown
        text("body"),  # JSON for the browser
        text("dedupe", unique=True),
        time("at"),
    )
    op.create_index("page_event_conversation", "page_event", ["conversation_id", "id"])  # the stream
    op.create_index("page_event_key", "page_event", ["conversation_id", "key", "id"])  # the history
    op.create_table(
        "page_session",
        text("token_hash", primary_key=True),  # sha256 of the token, hex
        text("kind"),  # link (one use) | session
        text("person"),
        time("created_at"),
        time("expires_at"),
        time("used_at", nullable=True),
    )


def media() -> None:
    """Pictures and files of every channel, in pieces."""
    op.create_table(
        "media", text("digest", primary_key=True), text("content_type"), number("size_bytes"), time("created_at")
    )
    op.create_table(
        "media_piece",
        text("digest", primary_key=True),
        sa.Column("n", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def cursors() -> None:
    """How far each provider was read."""
    op.create_table("cursor", text("channel", primary_key=True), text("name", primary_key=True), text("value"))


def letters() -> None:
    """Mails that came from somebody known and mails that left: which conversation a Message-ID belongs to."""
    op.create_table(
        "letter",
        key(),
        text("correspondent"),  # their address: nobody gets into a thread of somebody else's by naming its Message-ID
        text("message_id"),
        text("conversation_id"),
        text("key"),  # the Outbound's; empty for one that came in
        text("subject"),
        text("ancestors"),  # Message-IDs, oldest first, for References
        number("hops"),
        time("at"),
        sa.UniqueConstraint("correspondent", "message_id", name="letter_identity"),
    )
    op.create_index("letter_message", "letter", ["message_id"])
    op.create_index("letter_conversation", "letter", ["conversation_id", "id"])


def presentation() -> None:
    """Pictures that were drawn, and what people said of them."""
    op.create_table(
        "figure",
        text("id", primary_key=True),
        text("root"),  # id of its version 1
        text("conversation_id"),
        number("turn_id"),
        text("key"),  # of the message that shows it
        text("source"),
        text("media", nullable=True),
        text("verdict"),
        number("version"),
        text("review", nullable=True),  # approved | redone | changed
        text("reviewed_by", nullable=True),
        text("comment", nullable=True),  # the change that was asked for
        time("reviewed_at", nullable=True),
        time("created_at"),
    )
    op.create_index("figure_root", "figure", ["root", "version"])
    op.create_table(
        "lint_case",  # what a person saw and the lint did not
        text("id", primary_key=True),
        text("figure_id"),
        text("conversation_id"),
        text("reported_by"),
        text("comment"),
        time("created_at"),
    )
    op.create_index("lint_case_lately", "lint_case", ["created_at", "id"])
    op.create_table(
        "judge_canary",  # what a vision model said of a picture that was spoilt on purpose
        key(),
        text("model"),
        text("defect"),
        number("was_found"),  # 1 or 0
        time("created_at"),
    )
    op.create_index("judge_canary_model", "judge_canary", ["model", "id"])


def schedules() -> None:
    """What comes back by itself, and who may run things that must run once in a fleet."""
    op.create_table(
        "schedule",
        key(),
        text("conversation_id"),
        text("cron"),
        text("timezone"),
        text("text"),
        time("next_fire"),
        text("created_by"),
        number("enabled", server_default="1"),
        time("created_at"),
    )
    op.create_index("schedule_conversation", "schedule", ["conversation_id", "id"])
    partial("schedule_due", "schedule", ["next_fire"], "enabled = 1")
    op.create_table("role_lease", text("name", primary_key=True), text("owner"), time("until"), number("epoch"))
