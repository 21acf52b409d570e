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


hook: Callable[[Point], None] | None = None


def reach(point: Point) -> None:
    """Tell the hook, if there is one, that execution is at `point`."""
    if hook is not None:
        hook(point)
