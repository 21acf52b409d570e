"""What a benchmark gives: figures, each with its target and the floor that was measured in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value."""

    key: str
    """Stable name, for programs."""
    title: str
    value: float | None
    """None where it could not be measured; `note` says why."""
    unit: str
    at_most: float | None = None
    """The target, in `unit`: no more than this."""
    at_least: float | None = None
    """The target, in `unit`: no less than this."""
    floor: float | None = None
    """What the same work costs bare, in `unit`."""
    floor_of: str = ""
    """What was measured as the floor."""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is no target or no value."""
        if self.value is None or self.at_most is self.at_least is None:
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def ratio(self) -> float | None:
        """The value over its floor."""
        return self.value / self.floor if self.value is not None and self.floor else None

    def as_json(self) -> dict[str, object]:
        """Everything, for programs."""
        return {**asdict(self), "met": self.is_met, "ratio": self.ratio}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured."""

    starts: int
    idle_s: float
    """Seconds a server is left alone before its memory is read."""
    replies: int
    rounds: int
    """Of the throughput benchmarks; the median counts."""
    turns: int
    """Of each such round."""
    diagrams: int


FULL = Scale(starts=7, idle_s=5.0, replies=300, rounds=3, turns=2000, diagrams=40)
QUICK = Scale(starts=2, idle_s=1.0, replies=40, rounds=1, turns=400, diagrams=5)
CONVERSATIONS = 200
"""At once, in the throughput benchmarks."""
CHATS = 30
"""At once, on the slow model."""

QUOTED = (
    ("OpenClaw", 10.0, 720),
    ("Hermes", 2.0, 96),
    ("nanobot", 4.0, 77),
)
"""(peer, seconds to boot, MB of memory). Quoted from the project's requirements, not measured here."""


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """What 19 of 20 stay below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """For people: a line each."""
    head = ("figure", "measured", "target", "", "floor", "ratio", "the floor is")
    rows = [head, *(cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"* {figure.title}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([lines[0], "-" * sum(widths, 2 * len(widths)), *lines[1:], "", *notes])


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure as the table's cells."""
    target = ""
    if figure.at_most is not None:
        target = f"<= {amount(figure.at_most, figure.unit)}"
    elif figure.at_least is not None:
        target = f">= {amount(figure.at_least, figure.unit)}"
    verdict = {True: "met", False: "MISSED", None: ""}[figure.is_met]
    measured = "not measured" if figure.value is None else amount(figure.value, figure.unit)
    floor = "" if figure.floor is None else amount(figure.floor, figure.unit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}x"
    return figure.title + ("*" if figure.note else ""), measured, target, verdict, floor, ratio, figure.floor_of


def amount(value: float, unit: str) -> str:
    """Three digits that matter, and the unit."""
    digits = 0 if value == int(value) or value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def quoted() -> str:
    """The peers, for people."""
    told = "; ".join(f"{name} {boot:g} s and {memory} MB" for name, boot, memory in QUOTED)
    return f"Quoted, not measured here: boot and memory of peers: {told}."
