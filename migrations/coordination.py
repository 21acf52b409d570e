"""The tables of layer 4: who may write where in a workspace, and what is on its way into its history."""

from alembic import op

from migrations.columns import number, partial, text, time, unique


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
    op.create_index("landing_newest", "landing", ["workspace", "created_at"])
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
        text("note", nullable=True),  # why it ended as it did, for its author
        text("stages", nullable=True),  # of a conflict, as JSON: what each side has
        text("request", nullable=True),  # the approval that decides about it
        time("created_at"),
    )
    op.create_index("proposal_newest", "proposal", ["created_at"])
    unique("proposal_request", "proposal", ["request"], "request IS NOT NULL")
    op.create_table(
        "changeset",  # what other actors handed in
        text("id", primary_key=True),
        text("actor"),
        text("workspace"),
        text("digest"),  # of what was handed in: the same id never stands for two changes
        text("lease"),  # the one it was made under; empty without
        text("proposal", nullable=True),  # what became of it
        text("state"),  # open | refused | conflicted: what became of it before it was a proposal
        text("note", nullable=True),
        text("stages", nullable=True),
        time("created_at"),
        time("ended_at", nullable=True),
    )
    unique("changeset_proposal", "changeset", ["proposal"], "proposal IS NOT NULL")
    partial("changeset_alone", "changeset", ["created_at"], "proposal IS NULL")
    partial("changeset_open", "changeset", ["actor"], "ended_at IS NULL")
    partial("changeset_lease", "changeset", ["lease"], "ended_at IS NULL AND lease <> ''")


def choices() -> None:
    """What people choose of patches."""
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


def parked() -> None:
    """Patches that wait for a person's word on an edit in their way."""
    op.create_table(
        "parked",
        text("id", primary_key=True),
        text("proposal"),
        text("request"),  # the approval whose card it is on
        number("number"),  # counts on where the same patch meets another edit
        text("ref"),  # where the edit is kept
        text("commit_id"),
        text("tree"),
        text("facts"),  # JSON: which files, who saved them and when
        text("choice"),  # open | keep | merge: a person's word
        text("decided_by"),
        time("created_at"),
    )
    op.create_index("parked_proposal", "parked", ["proposal", "number"], unique=True)
