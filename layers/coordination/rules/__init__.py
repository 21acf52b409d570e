"""The rules of coordination, all pure: how a diff is read, what it may touch, where it may land, how it is shown."""

from layers.coordination.rules.card import SHOWN_LINES, code, diff_markdown, plain, summary_markdown, visible
from layers.coordination.rules.change import is_same_change
from layers.coordination.rules.diff import MAX_CHANGED_LINES, MAX_FILES, MAX_PATCH_BYTES, FilePatch, Hunk, Reading, read
from layers.coordination.rules.edits import Edit, Edits, Spot, edited, whole_files
from layers.coordination.rules.formats import understand
from layers.coordination.rules.parts import Cut, Span, assembled, cuts
from layers.coordination.rules.paths import (
    MODES,
    as_bytes,
    as_text,
    check_link,
    check_mode,
    check_path,
    control_reason,
    is_secret,
)
from layers.coordination.rules.places import MAX_SEARCHED_BYTES, check_places
from layers.coordination.rules.queue import MAX_PATHS, Claim, Grants, advance, blockers, check_paths, covers, overlap

__all__ = [
    "MAX_CHANGED_LINES",
    "MAX_FILES",
    "MAX_PATCH_BYTES",
    "MAX_PATHS",
    "MAX_SEARCHED_BYTES",
    "MODES",
    "SHOWN_LINES",
    "Claim",
    "Cut",
    "Edit",
    "Edits",
    "FilePatch",
    "Grants",
    "Hunk",
    "Reading",
    "Span",
    "Spot",
    "advance",
    "as_bytes",
    "as_text",
    "assembled",
    "blockers",
    "check_link",
    "check_mode",
    "check_path",
    "check_paths",
    "check_places",
    "code",
    "control_reason",
    "covers",
    "cuts",
    "diff_markdown",
    "edited",
    "is_same_change",
    "is_secret",
    "overlap",
    "plain",
    "read",
    "summary_markdown",
    "understand",
    "visible",
    "whole_files",
]
