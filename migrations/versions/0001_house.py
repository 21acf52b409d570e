"""The house: every table of the five layers and the page.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, **options: object) -> sa.Column:
    """A Text column, not null unless told otherwise."""
    return sa.Column(name, sa.Text(), nullable=options.pop("nullable", False), **options)


def number(name: str, **options: object) -> sa.Column:
    """A BigInteger column, not null unless told otherwise."""
    return sa.Column(name, sa.BigInteger(), nullable=options.pop("nullable", False), **options)


def time(name: str, **options: object) -> sa.Column:
    """Epoch seconds, not null unless told otherwise."""
    return sa.Column(name, sa.Double(), nullable=options.pop("nullable", False), **options)


def key() -> sa.Column:
    """A growing integer primary key."""
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    """An index over the rows for which `where` holds."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    """Create everything."""
    workers()
    mailbox()
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
    schedules()


def workers() -> None:
    """Processes that claim turns."""
    op.create_table(
        "worker", text("id", primary_key=True), text("host"), number("pid"), time("started_at"), time("beat_at")
    )


def mailbox() -> None:
    """Conversations and everything that happens to them."""
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
        sa.UniqueConstraint("source", "event_id", name="inbox_event"),
    )
    partial("inbox_pending", "inbox", ["conversation_id", "id"], "state = 'pending'")


def journal() -> None:
    """Turns, their steps, and the transcript."""
    op.create_table(
        "turn",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),  # = inbox.id
        text("conversation_id"),
        text("state"),  # running | done | failed
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
    )
    op.create_table(
        "account",
        text("channel", primary_key=True),
        text("state"),  # healthy | degraded | conflict | challenged | suspended | revoked
        text("reason"),
        time("closed_until"),  # nothing is sent before
        time("since"),
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
        text("conversation_id"),
        number("turn_id"),
        text("key"),  # of the message that shows it
        text("source"),
        text("media", nullable=True),
        text("verdict"),
        number("version"),
        text("review", nullable=True),  # approved | redone
        text("reviewed_by", nullable=True),
        time("reviewed_at", nullable=True),
        time("created_at"),
    )


def control() -> None:
    """Requests, decisions, outcomes."""
    op.create_table(
        "approval",
        text("id", primary_key=True),
        text("handle_hash", unique=True),  # sha256 of the handle in the buttons, hex
        text("settle_hash", nullable=True, unique=True),  # the same for the buttons of an unknown outcome
        text("conversation_id"),
        number("turn_id"),
        text("kind"),  # capability | patch
        text("capability"),
        text("plan"),  # canonical JSON: what was shown is what runs
        text("digest"),  # sha256 of plan, hex
        text("scope"),
        number("risk"),
        text("requested_by"),
        text("reason"),
        text("state"),  # pending | approved | claimed | succeeded | failed | unknown | denied | expired | cancelled
        number("attempt", server_default="1"),  # grows when an approver has an unknown outcome run again
        time("created_at"),
        time("expires_at"),
        text("decided_by", nullable=True),
        time("decided_at", nullable=True),
        text("outcome", nullable=True),
        time("ended_at", nullable=True),
    )
    partial("approval_pending", "approval", ["expires_at"], "state = 'pending'")
    partial("approval_in_flight", "approval", ["created_at"], "state IN ('approved', 'claimed')")
    op.create_index("approval_conversation", "approval", ["conversation_id", "created_at"])


def audit() -> None:
    """The hash chain."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        text("body"),
        text("previous"),
        text("hash"),
    )
    op.create_table("audit_head", number("id", primary_key=True, autoincrement=False), number("seq"), text("hash"))
    op.execute(f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{'00' * 32}')")


def coordination() -> None:
    """Patches that were proposed."""
    op.create_table(
        "proposal",
        text("id", primary_key=True),
        text("conversation_id"),
        text("workspace"),
        text("base_commit"),
        text("base_tree"),
        text("result_tree"),
        text("diff"),  # recomputed from the two trees
        text("summary"),  # files and counts, as JSON
        text("author"),
        text("state"),  # proposed | applied | conflicted | denied
        text("commit_id", nullable=True),
        time("created_at"),
    )


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
