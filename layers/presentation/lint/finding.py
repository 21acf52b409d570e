"""How the rules make findings: severity by name, the place as a rectangle. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layers.presentation.graph import Graph
from layers.presentation.scene import Rect, Scene
from layers.presentation.types import Finding, Repair

Rule = Callable[[Scene, Graph], Iterator[Finding]]


def error(
    rule: str,
    elements: tuple[str, ...],
    text: str,
    *,
    box: Rect | None = None,
    measured: tuple[float, float] | None = None,
    repair: Repair = Repair.REROUTE,
) -> Finding:
    """What keeps a picture from being posted. `measured` is value and threshold."""
    value, threshold = measured or (None, None)
    return Finding(rule, "error", elements, text, _rounded(box), _short(value), threshold, repair)


def warning(
    rule: str,
    elements: tuple[str, ...],
    text: str,
    *,
    box: Rect | None = None,
    measured: tuple[float, float] | None = None,
    repair: Repair = Repair.REROUTE,
) -> Finding:
    """What a person should know and may live with."""
    value, threshold = measured or (None, None)
    return Finding(rule, "warning", elements, text, _rounded(box), _short(value), threshold, repair)


def _rounded(box: Rect | None) -> tuple[float, float, float, float] | None:
    return None if box is None else (*(round(float(side), 1) for side in box),)  # type: ignore[return-value]


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
