"""The timeline: periods in order, not to scale."""

from __future__ import annotations

from typing import Literal

from layers.presentation.spec.base import DiagramSpec, Value


class Period(Value):
    """A point of a timeline and what happened then."""

    label: str
    events: tuple[str, ...] = ()


class TimelineSection(Value):
    """Periods under one heading; the heading may be empty."""

    title: str = ""
    periods: tuple[Period, ...] = ()


class Timeline(DiagramSpec):
    """What happened, in order, not to scale."""

    kind: Literal["timeline"] = "timeline"
    sections: tuple[TimelineSection, ...] = ()
