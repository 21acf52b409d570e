"""Charts: line, bar, stacked bar, scatter, histogram, heat map."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import DiagramSpec, Value, refuse_repeated


class ChartType(StrEnum):
    """How the series are drawn."""

    LINE = "line"
    BAR = "bar"
    """Bars of several series stand side by side."""
    STACKED_BAR = "stacked_bar"
    SCATTER = "scatter"
    HISTOGRAM = "histogram"
    """The series' values are raw; they are counted into `bins`."""
    HEAT_MAP = "heat_map"
    """Each series is a row, named by it; the categories of `x` are the columns."""


class Axis(Value):
    """One axis."""

    title: str = ""
    categories: tuple[str, ...] = ()
    """Of `x` only; empty for an axis of numbers."""
    low: float | None = None
    high: float | None = None
    """The range; None fits it to the data."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Axis:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"the axis {self.title!r} runs from {self.low:g} to {self.high:g}")
        return self


class Series(Value):
    """One row of numbers."""

    name: str = ""
    values: tuple[float | None, ...] = Field(min_length=1)
    """y; None is a gap. In the order of the categories where there are some."""
    at: tuple[float, ...] = ()
    """x, one for each value; only where `x` has no categories. Empty spreads the values evenly over `x`."""
    type: Literal[ChartType.LINE, ChartType.BAR] | None = None
    """Where a line and bars share one chart; None is the chart's own."""


class Chart(DiagramSpec):
    """Numbers."""

    kind: Literal["chart"] = "chart"
    type: ChartType
    series: tuple[Series, ...] = ()
    x: Axis = Axis()
    y: Axis = Axis()
    bins: int | None = Field(default=None, ge=1, le=100)
    """Of a histogram; None chooses."""
    is_horizontal: bool = False
    """x runs down and y to the right."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Chart:
        refuse_repeated("series", [series.name for series in self.series if series.name])
        for number, series in enumerate(self.series, 1):
            name = f"series {series.name or number!r}"
            if series.at and len(series.at) != len(series.values):
                raise ValueError(f"{name} has {len(series.values)} values at {len(series.at)} places")
            if series.at and self.x.categories:
                raise ValueError(f"{name} has places, and the x axis has categories: one of them")
            if self.type is ChartType.SCATTER and not series.at:
                raise ValueError(f"{name} of a scatter chart has no places (`at`)")
            is_counted = self.type is not ChartType.HISTOGRAM
            if is_counted and self.x.categories and len(series.values) > len(self.x.categories):
                raise ValueError(f"{name} has {len(series.values)} values for {len(self.x.categories)} categories")
        return self
