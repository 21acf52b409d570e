"""The tables of control: what was asked for, who decided, and the audit chain."""

import sqlalchemy as sa
from alembic import op

from migrations.columns import number, partial, text, time


def control() -> None:
    """Requests, decisions, outcomes."""
    op.create_table(
        "approval",
        text("id", primary_key=True),
        text("conversation_id"),
        number("turn_id"),
        text("kind"),  # capability | patch
        text("capability"),
        text("plan"),  # canonical JSON: what was shown is what runs
        text("digest"),  # sha256 of plan, hex
        text("scope"),
        number("risk"),
        text("requested_by"),  # the human being, also when the agent asked
        number("by_agent"),
        text("reason"),
        text("state"),  # one of control.State
        number("attempt", server_default="1"),  # grows when an approver has an unknown outcome run again
        time("created_at"),
        time("expires_at"),
        text("decided_by", nullable=True),
        time("decided_at", nullable=True),
        text("why", server_default=""),  # what whoever denied it gave as their reason, afterwards
        text("outcome", nullable=True),
        time("ended_at", nullable=True),
        text("warrant", server_default=""),  # signed with the decision; the executor runs nothing without it
        text("said_yes", server_default="{}"),  # JSON: person -> control's signature over their yes
        text("number", server_default=""),  # the two digits that an approver has to match
        text("choices", server_default=""),  # the same among wrong ones, with spaces, in the order of the buttons
        number("wrong_numbers", server_default="0"),
        text("grant_id", server_default=""),  # the standing grant that approved it
        text("stopped_by", server_default=""),  # who had it stopped while it ran; kept until it is run again
        number("is_drill", server_default="0"),  # asks for nothing; never runs
    )
    op.create_table("control_key", number("id", primary_key=True, autoincrement=False), text("public"), time("at"))
    partial("approval_pending", "approval", ["expires_at"], "state = 'pending'")
    partial("approval_in_flight", "approval", ["created_at"], "state IN ('approved', 'claimed', 'running')")
    op.create_index("approval_conversation", "approval", ["conversation_id", "created_at"])
    op.create_index("approval_digest", "approval", ["digest", "created_at"])
    partial("approval_drill", "approval", ["created_at"], "is_drill = 1")
    cards()
    standing()


def cards() -> None:
    """Where approvals are shown, and with which buttons."""
    op.create_table(
        "approval_card",  # one row for each set of buttons that was ever shown
        text("handle_hash", primary_key=True),  # sha256 of the handle in the buttons, hex
        text("approval_id"),
        text("conversation_id"),  # a press counts from there only
        text("message_key"),
        text("purpose"),  # decide | settle
        text("seal"),  # control's signature over what was shown, where
        time("made_at"),
    )
    op.create_index("approval_card_approval", "approval_card", ["approval_id"])


def standing() -> None:
    """What is allowed beforehand, and the freeze."""
    op.create_table(
        "standing_grant",
        text("id", primary_key=True),
        text("capability"),
        text("parameters"),  # canonical JSON: every one of them, exactly
        text("manifest_digest"),
        text("granted_by"),
        number("uses_left"),
        time("created_at"),
        time("expires_at"),
        time("revoked_at", nullable=True),
        text("seal"),
    )
    op.create_index("standing_grant_capability", "standing_grant", ["capability", "expires_at"])
    op.create_table(
        "freezing",  # one row; without it everything counts as frozen
        number("id", primary_key=True, autoincrement=False),
        number("is_frozen"),
        text("set_by"),
        time("set_at"),
        text("reason", server_default=""),  # the words of whoever froze it
    )
    op.execute("INSERT INTO freezing (id, is_frozen, set_by, set_at) VALUES (1, 0, '', 0)")


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
    refuse = "the audit trail is only ever added to"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{refuse}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refuse}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
