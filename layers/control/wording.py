"""Sentences that the kernel, the rules and the card share. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from layers.control.types import Approval, State

STANDS = {
    State.CLAIMED: "it is about to run",
    State.SUCCEEDED: "it has succeeded",
    State.FAILED: "it has failed",
    State.UNKNOWN: "its outcome is unknown",
    State.INVALIDATED: "it is no longer valid",
    State.SUPERSEDED: "some of its parts were asked for instead",
}


def decided(approval: Approval) -> str:
    """What an approval that can no longer be pressed has come to."""
    if approval.decided_at is not None:
        stands = STANDS.get(approval.state, f"it is {approval.state.value}")
        return f"already decided: {approval.decided_by} at {clock(approval.decided_at)}; {stands}"
    return f"this request is {approval.state.value}; ask again"


def clock(at: float) -> str:
    """`2026-03-01 09:00:00 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
