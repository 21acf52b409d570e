"""Layer 4: coordination. Takes a `Patch`, shows a `Proposal`, gives `Applied` or `Conflict`.

What broke: an agent, an IDE and another assistant fought over one file, and the last to save won. The rule: one actor
at a time, and only patches that say what they expect to find; what was shown is what is committed, and nobody's
unsaved work is written over.
"""

from layers.coordination.changesets import (
    OPEN,
    Fate,
    Handed,
    Standing,
    contents_of,
    end,
    give_back,
    held_for,
    keep_alive,
    open_changeset,
    standing,
    tie,
)
from layers.coordination.choices import Choice, choices, drop_choice, keep_choice
from layers.coordination.foreign import Comparison, compare
from layers.coordination.git import root_of
from layers.coordination.git import version as git_version
from layers.coordination.isolation import AgentTree, Made, drop_tree, find_trees, look_in, make_tree
from layers.coordination.leases import Claimant, Known, Lease, LeaseState, ask, wait
from layers.coordination.overview import Landed, Queued, look_at, look_clock, look_known, look_line, look_queue
from layers.coordination.parking import Parked, Word, choose, park, parked, parked_for
from layers.coordination.picking import parts_of
from layers.coordination.records import TOPIC, State, ask_for, by_id, explain, follow, keep, keep_stages, mark
from layers.coordination.rules import SHOWN_LINES, code, diff_markdown, summary_markdown, visible
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
    Save,
    Snapshot,
    Stages,
    Unmergeable,
    WholeFile,
)

__all__ = [
    "ABSENT",
    "OPEN",
    "SHOWN_LINES",
    "TOPIC",
    "AgentTree",
    "Applied",
    "Choice",
    "Claimant",
    "Comparison",
    "Conflict",
    "Coordinator",
    "Fate",
    "FileChange",
    "Foreign",
    "ForeignPolicy",
    "Handed",
    "Known",
    "Landed",
    "Lease",
    "LeaseState",
    "Made",
    "Parked",
    "Part",
    "Patch",
    "Proposal",
    "Queued",
    "Rehearsal",
    "Save",
    "Snapshot",
    "Stages",
    "Standing",
    "State",
    "Unmergeable",
    "WholeFile",
    "Word",
    "ask",
    "ask_for",
    "by_id",
    "choices",
    "choose",
    "code",
    "compare",
    "contents_of",
    "diff_markdown",
    "drop_choice",
    "drop_tree",
    "end",
    "explain",
    "find_trees",
    "follow",
    "git_version",
    "give_back",
    "held_for",
    "keep",
    "keep_alive",
    "keep_choice",
    "keep_stages",
    "look_at",
    "look_clock",
    "look_in",
    "look_known",
    "look_line",
    "look_queue",
    "make_tree",
    "mark",
    "open_changeset",
    "park",
    "parked",
    "parked_for",
    "parts_of",
    "root_of",
    "standing",
    "summary_markdown",
    "tie",
    "visible",
    "wait",
]
