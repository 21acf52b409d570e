"""The answer to /why: the replies of a turn in, markdown for people out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from layers.routing.types import Reply


def why(replies: Sequence[Reply]) -> str:
    """Which model answered a turn, for which shape and cues, at what cost, and who failed before it."""
    if not replies:
        return "No model was asked in the last turn."
    last = replies[-1]
    cues = ", ".join(f"{cue.name} ({cue.shape} {cue.weight:+g})" for cue in last.cues)
    read, written = (sum(getattr(reply.tokens, side) for reply in replies) for side in ("read", "written"))
    seconds = sum(attempt.ms for reply in replies for attempt in reply.attempts) / 1e3
    lines = [
        f"**{last.model}** answered, for the shape **{last.shape}**{f': {cues}' if cues else ''}.",
        f"{counted(len(replies), 'step')}, {read} tokens read, {written} written, {price(replies)}, {seconds:.1f} s.",
    ]
    for attempt in (attempt for reply in replies for attempt in reply.attempts if not attempt.ok):
        lines.append(f"- {attempt.model} failed after {attempt.ms / 1e3:.1f} s: {attempt.error}")
    return "\n".join([lines[0], "", *lines[1:]])


def price(replies: Sequence[Reply]) -> str:
    """What the replies cost, as far as it is known."""
    known = [reply.cost_usd for reply in replies if reply.cost_usd is not None]
    if not known:
        return "price unknown"
    if len(known) < len(replies):
        return f"at least ${sum(known):.4f} (some prices are unknown)"
    return f"${sum(known):.4f}" if sum(known) else "free of charge"


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
