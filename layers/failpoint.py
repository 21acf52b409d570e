"""Named points of the main path where a crash would hurt most. `reach` does nothing unless a test has set `hook`.

The crash sweep (tests/crash) starts the real server with a hook that kills the process at one of these points;
production code never sets it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Every place where the sweep kills the server."""

    ACCEPT_BEFORE_COMMIT = "accept.before_commit"
    ACCEPT_AFTER_COMMIT = "accept.after_commit"
    TURN_CLAIMED = "turn.claimed"
    MODEL_CALLED = "model.called"
    MODEL_ANSWERED = "model.answered"
    DRAW_STARTED = "draw.started"
    DRAW_DONE = "draw.done"
    REQUEST_BEFORE_COMMIT = "request.before_commit"
    REQUEST_AFTER_COMMIT = "request.after_commit"
    DECISION_BEFORE_COMMIT = "decision.before_commit"
    DECISION_AFTER_COMMIT = "decision.after_commit"
    EFFECT_STARTED = "effect.started"
    EFFECT_RUNNING = "effect.running"
    EFFECT_DONE = "effect.done"
    EFFECT_RECORDED = "effect.recorded"
    PATCH_COMMITTED = "patch.committed"
    PATCH_WRITTEN = "patch.written"
    FINISH_BEFORE_COMMIT = "finish.before_commit"
    FINISH_AFTER_COMMIT = "finish.after_commit"
    DELIVER_BEFORE = "deliver.before"
    PLACE_BEFORE = "place.before"
    PLACE_AFTER = "place.after"
    PLACED_AFTER_COMMIT = "placed.after_commit"
    DELIVER_AFTER = "deliver.after"
    SENT_AFTER_COMMIT = "sent.after_commit"


class Step(StrEnum):
    """Every place of an approved run, in control and in the executor, where the crash matrix kills a process."""

    REQUEST_ADDED = "request.added"
    REQUEST_AUDITED = "request.audited"
    DECISION_WRITTEN = "decision.written"
    DECISION_SIGNED = "decision.signed"
    DECISION_AUDITED = "decision.audited"
    CLAIM_TAKEN = "claim.taken"
    CLAIM_AUDITED = "claim.audited"
    AUDIT_ENTRY_ADDED = "audit.entry_added"
    START_WRITTEN = "start.written"
    CONCLUSION_WRITTEN = "conclusion.written"
    CONCLUSION_AUDITED = "conclusion.audited"
    REQUEST_TAKEN = "executor.request_taken"
    WARRANT_CHECKED = "executor.warrant_checked"
    CLAIM_WRITTEN = "executor.claim_written"
    NONCE_SPENT = "executor.nonce_spent"
    RUN_CLAIMED = "executor.run_claimed"
    SECRETS_READ = "executor.secrets_read"
    LEADER_NOTED = "executor.leader_noted"
    PROGRAM_STARTED = "executor.program_started"
    PROGRAM_TOLD = "executor.program_told"
    PROGRAM_ENDED = "executor.program_ended"
    OUTPUT_MASKED = "executor.output_masked"
    RESULT_WRITTEN = "executor.result_written"
    RESULT_KEPT = "executor.result_kept"
    ANSWER_SENT = "executor.answer_sent"


class Landing(StrEnum):
    """Every place of an apply where the stress of coordination kills a process, in the order of an apply."""

    LEASED = "landing.leased"
    BUILT = "landing.built"
    """The commit is made, and nothing points at it."""
    INDEX_HELD = "landing.index_held"
    """Nobody's git can commit the old files on top of the new ones."""
    JOURNALLED = "landing.journalled"
    MOVED = "landing.moved"
    RECORDED = "landing.recorded"
    STAGED = "landing.staged"
    EXCHANGED = "landing.exchanged"
    FILE_DONE = "landing.file_done"
    FILES_DONE = "landing.files_done"


hook: Callable[[Point | Step | Landing], None] | None = None


def reach(point: Point | Step | Landing) -> None:
    """Tell the hook, if there is one, that execution is at `point`."""
    if hook is not None:
        hook(point)
