"""The nouns of layer 2 beside the spec: what is asked for (`Diagram`) and given back (`Figure`).

`DiagramSpec` lives in `spec`; it is pydantic because its bytes come from outside (a model's structured answer, the
worker's pipe). Everything here is a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from layers.presentation.spec import DiagramSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """Something visual that was asked for."""

    source: str
    """Mermaid text or the JSON of a spec, with or without a markdown fence."""
    title: str = ""
    """Used when the source carries none."""
    version: int = 1
    """1 takes the best layout; each redo the next best."""
    surface: str = "page"
    """Where it will be seen; every surface is held to a phone's width."""
    has_svg: bool = False
    """The whole as SVG, also where one picture shows it."""


class Repair(StrEnum):
    """What may help against a finding, mildest first."""

    NONE = "none"
    MOVE_LABEL = "move_label"
    MOVE_TITLE = "move_title"
    GROW_BOX = "grow_box"
    WRAP = "wrap"
    REROUTE = "reroute"
    """Another candidate: direction, engine, routing."""
    SPREAD = "spread"
    """More room between things."""
    RECOLOUR = "recolour"
    ABBREVIATE = "abbreviate"
    PAGE = "page"
    RESPEC = "respec"
    """Nothing but another spec helps."""
    FONT = "font"
    """The machine needs a font."""
    REDRAW = "redraw"
    """The drawing is not what was planned: a fault of the renderer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a drawing."""

    rule: str
    """Stable name, e.g. `text_overflow`."""
    severity: Literal["error", "warning"]
    elements: tuple[str, ...]
    """Ids of the nodes and groups; edges as `a->b`."""
    text: str
    """What is wrong, in words a person can act on."""
    box: tuple[float, float, float, float] | None = None
    """Where: left, bottom, right, top in points from the bottom left of the drawing; None where it is everywhere."""
    value: float | None = None
    """What was measured, in the unit of the rule."""
    threshold: float | None = None
    """What would just have passed."""
    repair: Repair = Repair.NONE
    """What is tried first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and who looked."""

    findings: tuple[Finding, ...] = ()
    looked_by: str = ""
    """The model that saw the pixels; empty when none did."""
    opinion: str = ""
    """The model's sentence; when none looked, why."""
    read_back: float | None = None
    """Share of labels and links that the model read back rightly (F1), 0 to 1; None when none looked."""
    cost_usd: float = 0.0
    """Of all looks; 0 where the price is not known."""

    @property
    def ok(self) -> bool:
        """True unless something is an error."""
        return all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One picture of a drawing that has several."""

    png: bytes
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    alt: str
    """What is on it, for those who cannot see it."""
    dark: bytes = b""
    """The same in the dark theme, which passed as well; empty where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its verdict. `verdict.ok` is False: show outline, source and reasons instead."""

    png: bytes
    width: int
    """Pixels; the drawing is made at two pixels per point."""
    height: int
    """Pixels."""
    alt: str
    """The outline of nodes and edges, for those who cannot see the picture."""
    verdict: Verdict
    """Of all pages together."""
    spec: DiagramSpec
    further: tuple[Page, ...] = ()
    """What did not fit on one picture legibly: `png` is then the overview, and these are the pages that it names."""
    engine: str = ""
    """Which layout engine placed it; empty where none was needed."""
    notes: tuple[str, ...] = ()
    """Sentences for below the picture: how a faulty source was read, and what a repair took out."""
    svg: bytes = b""
    """The whole in one drawing, to go along as a file: where there are further pages, or it was asked for."""
    dark: bytes = b""
    """As `Page.dark`."""
