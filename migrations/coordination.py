"""The tables of layer 4: who may write where in a workspace, and what is on its way into its history."""

from alembic import op

from migrations.columns import number, partial, text, time


def coordination() -> None:
    """Who may write where in a workspace, and what is on its way into its history."""
    op.create_table(
        "workspace",
        text("id", primary_key=True),  # the <id> of refs/coord/<id>/head
        text("root"),
        number("fence"),  # the last one that was given out
        number("tickets"),  # how many were drawn
    )
    op.create_table(
        "lease",
        text("id", primary_key=True),
        text("workspace"),
        number("ticket"),  # its place in the queue
        text("actor"),
        number("is_person"),
        text("worker"),  # the process it ends with; empty where it outlives that
        text("paths"),  # JSON: exact paths, and folders with a slash at their end
        text("state"),  # waiting | held | released | expired | fenced
        number("fence"),  # 0 until it is held
        time("ends_at"),  # of a held one its expiry; of a waiting one, when nobody waits any more
        time("asked_at"),
    )
    partial("lease_live", "lease", ["workspace", "ticket"], "state IN ('waiting', 'held')")
    op.create_table(
        "landing",
        text("new_head", primary_key=True),  # an entry of the private line is never made twice
        text("old_head"),
        text("workspace"),
        text("proposal"),
        number("fence"),
        text("branch"),
        text("old_commit"),
        text("new_commit"),
        text("state"),  # applying | applied | aborted
        time("created_at"),
        time("settled_at", nullable=True),
    )
    partial("landing_open", "landing", ["workspace", "created_at"], "state = 'applying'")


def proposals() -> None:
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
        text("state"),  # proposed | applied | conflicted | denied | superseded
        text("commit_id", nullable=True),
        time("created_at"),
    )
    op.create_table(
        "choice",  # which parts of a patch somebody is choosing
        text("proposal", primary_key=True),
        text("place", primary_key=True),  # the conversation where they do
        text("chooser", primary_key=True),  # whose form it is, as the provider names them; empty: everybody's keyboard
        text("key", unique=True),  # of the message that they press, or of the form
        text("request"),
        text("left_out"),  # ids of parts, as JSON
        number("file"),  # whose hunks are shown, from 1; 0 for the list of files
        number("page"),
        time("changed_at"),
    )
