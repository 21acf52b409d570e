"""What every kind of spec shares: frozen values, a title, and `DiagramSpec`, which stands for any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

DEEPEST = 200
"""Things inside each other."""


class Value(BaseModel):
    """Frozen, and closed: a field that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DiagramSpec(Value):
    """What the renderer accepts, and nothing else: one of the kinds below, told apart by `kind`.

    Annotate with it wherever any kind will do: validation, JSON and JSON schema follow `kind`, and what comes out is
    an object of that kind. An object without `kind` is a flowchart.
    """

    KINDS: ClassVar[dict[str, type[DiagramSpec]]] = {}
    """Kind -> class, in the order in which the package names them."""

    kind: str
    title: str = ""
    alt: str = ""
    """What the author says for those who cannot see the picture; the outline is used where it is empty."""
    theme: Literal["", "light", "dark"] = ""
    """Empty: whatever the surface has; where it can follow its reader, both."""
    style: Literal["", "curved", "right_angled"] = ""
    """How lines run where the kind is a graph; empty: whatever is most legible."""

    def counts(self) -> dict[str, int]:
        """How many there are of each of its parts, e.g. `{"nodes": 5, "edges": 4, "groups": 0}`."""
        return {name: len(value) for name, value in self if isinstance(value, tuple)}

    def __new__(cls, **fields: object) -> DiagramSpec:
        """An object of the kind that `fields` names."""
        kind = fields.get("kind", "flowchart")
        return object.__new__(cls.KINDS.get(str(kind), cls) if cls is DiagramSpec else cls)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Make a kind known by the default of its `kind`."""
        super().__pydantic_init_subclass__(**kwargs)
        DiagramSpec.KINDS[cls.model_fields["kind"].default] = cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The kind's own schema; for `DiagramSpec` itself, whichever `kind` names."""
        if not cls.KINDS or cls is not DiagramSpec:  # while this very class is made, its name is not bound yet
            return handler(source)
        return core_schema.tagged_union_schema(
            {kind: handler.generate_schema(one) for kind, one in cls.KINDS.items()},
            discriminator=_kind_of,
            custom_error_type="unknown_kind",
            custom_error_message=f"`kind` must be one of {', '.join(cls.KINDS)}",
        )


def _kind_of(value: object) -> object:
    return value.get("kind", "flowchart") if isinstance(value, dict) else getattr(value, "kind", None)


class Direction(StrEnum):
    """The way the arrows run. A hint: the layout may turn the drawing when that reads better."""

    DOWN = "TB"
    UP = "BT"
    RIGHT = "LR"
    LEFT = "RL"


class Line(StrEnum):
    """How an edge's line is drawn."""

    SOLID = "solid"
    DOTTED = "dotted"
    THICK = "thick"
    HIDDEN = "hidden"
    """Shapes the layout and is not drawn (`~~~`)."""


def refuse_repeated(noun: str, values: Iterable[str]) -> None:
    """Each of `values` may occur once.

    Raises:
        ValueError: with the first that occurs twice.
    """
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise ValueError(f"the {noun} {repeated[0]!r} occurs twice")


def refuse_stranger(what: str, id: str, known: Iterable[str], noun: str) -> None:
    """`what` names `id`, which must be one of `known`.

    Raises:
        ValueError: it is not.
    """
    if id not in known:
        raise ValueError(f"{what} names {id!r}, which is no {noun}")


def refuse_cycles(noun: str, parents: dict[str, str]) -> None:
    """`parents` (id -> the one around it, empty at the top) must be a forest of little depth.

    Raises:
        ValueError: a parent that is not there, one that lies in itself, or more than `DEEPEST` inside each other.
    """
    depths = {"": 0}
    for start in parents:
        path: dict[str, None] = {}
        id = start
        while id not in depths:
            if id not in parents:
                raise ValueError(f"{noun} {next(reversed(path))!r} lies in {id!r}, which is no {noun}")
            if id in path:
                raise ValueError(f"{noun} {id!r} lies in itself")
            path[id] = None
            id = parents[id]
        for inner in reversed(path):
            depths[inner] = depths[parents[inner]] + 1
            if depths[inner] > DEEPEST:
                raise ValueError(f"{noun} {inner!r} lies in more than {DEEPEST} others")

