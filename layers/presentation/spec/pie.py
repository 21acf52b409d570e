"""The pie: shares of a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from layers.presentation.spec.base import DiagramSpec, Value, refuse_repeated


class Slice(Value):
    """One piece of the pie."""

    label: str
    value: float = Field(ge=0)


class Pie(DiagramSpec):
    """Shares of a whole."""

    kind: Literal["pie"] = "pie"
    slices: tuple[Slice, ...] = ()
    shows_values: bool = False
    """The numbers beside the labels, not only the shares."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Pie:
        refuse_repeated("slice", [one.label for one in self.slices])
        return self
