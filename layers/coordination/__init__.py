"""Layer 4: coordination. Takes a `Patch`, shows a `Proposal`, gives `Applied` or `Conflict`.

What broke: an agent, an IDE and another assistant fought over one file, and the last to save won. The rule: one actor
at a time, and only patches that say what they expect to find; what was shown is what is committed, and nobody's
unsaved work is written over.
"""

from layers.coordination.git import root_of
from layers.coordination.git import version as git_version
from layers.coordination.leases import Claimant, Known, Lease, LeaseState
from layers.coordination.overview import Landed, Queued, look_at, look_clock, look_known, look_line, look_queue
from layers.coordination.records import State, ask_for, by_id, keep, mark
from layers.coordination.rules import summary_markdown, visible
from layers.coordination.service import Coordinator
from layers.coordination.types import (
    ABSENT,
    Applied,
    Conflict,
    FileChange,
    Foreign,
    ForeignPolicy,
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
    "Claimant",
    "Conflict",
    "Coordinator",
    "FileChange",
    "Foreign",
    "ForeignPolicy",
    "Known",
    "Landed",
    "Lease",
    "LeaseState",
    "Patch",
    "Proposal",
    "Queued",
    "Rehearsal",
    "Snapshot",
    "Stages",
    "State",
    "Unmergeable",
    "WholeFile",
    "ask_for",
    "by_id",
    "git_version",
    "keep",
    "look_at",
    "look_clock",
    "look_known",
    "look_line",
    "look_queue",
    "mark",
    "root_of",
    "summary_markdown",
    "visible",
]
