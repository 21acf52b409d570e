"""What a section is given and what it gives: its share of the printed object, and figures for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure


class NotMeasured(Exception):
    """A figure cannot be had; the text says why. The object then holds null and no invention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured."""

    points: int
    """Crash points visited; 0 is all of them."""
    kills: int
    messages: int
    """Of the soak."""
    storm_s: float
    """Seconds that one chat is closed for."""
    refreshes: int
    quiet_s: float
    """Seconds that a closed account is watched for calls."""
    hostile: int
    replies: int
    """Timed replies of each provider."""
    warm_up: int
    """Replies before those."""
    acks: int
    idle_s: float


FULL = Scale(
    points=0,
    kills=200,
    messages=2000,
    storm_s=30.0,
    refreshes=100,
    quiet_s=5.0,
    hostile=1000,
    replies=200,
    warm_up=10,
    acks=500,
    idle_s=30.0,
)
QUICK = Scale(
    points=1,
    kills=3,
    messages=12,
    storm_s=2.0,
    refreshes=4,
    quiet_s=0.5,
    hostile=4,
    replies=5,
    warm_up=1,
    acks=20,
    idle_s=0.5,
)


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where a section works, and what it leaves behind besides its figures."""

    folder: Path
    shared: Path
    """The providers' specifications are below it."""
    scale: Scale
    violations: list[str] = field(default_factory=list)
    """Of every call that any section's server made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What was measured."""

    value: object
    """As the printed object holds it."""
    figures: Sequence[Figure] = ()
    """As people read it; those with a target decide the exit code."""
