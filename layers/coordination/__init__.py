"""Layer 4: coordination. Takes a `Patch`, shows a `Proposal`, gives `Applied` or `Conflict`.

What broke: an agent, an IDE and another assistant fought over one file, and the last to save won. The rule: one actor
at a time, and only patches that say what they expect to find; what was shown is what is committed, and nobody's
unsaved work is written over.
"""

from layers.coordination.choices import Choice, choice_by_key, choices, drop_choice, keep_choice
from layers.coordination.git import root_of
from layers.coordination.git import version as git_version
from layers.coordination.leases import Claimant, Known, Lease, LeaseState
from layers.coordination.picking import parts_of
from layers.coordination.records import State, by_id, keep, mark
from layers.coordination.rules import code, summary_markdown, visible
from layers.coordination.service import Coordinator
from layers.coordination.types import (
    ABSENT,
    Applied,
    Conflict,
    FileChange,
    Foreign,
    ForeignPolicy,
    Part,
    Patch,
    Proposal,
    Rehearsal,
    Snapshot,
    Stages,
    Unmergeable,
    WholeFile,
)

__all__ = [
    "ABSENT",
    "Applied",
    "Choice",
    "Claimant",
    "Conflict",
    "Coordinator",
    "FileChange",
    "Foreign",
    "ForeignPolicy",
    "Known",
    "Lease",
    "LeaseState",
    "Part",
    "Patch",
    "Proposal",
    "Rehearsal",
    "Snapshot",
    "Stages",
    "State",
    "Unmergeable",
    "WholeFile",
    "by_id",
    "choice_by_key",
    "choices",
    "code",
    "drop_choice",
    "git_version",
    "keep",
    "keep_choice",
    "mark",
    "parts_of",
    "root_of",
    "summary_markdown",
    "visible",
]
