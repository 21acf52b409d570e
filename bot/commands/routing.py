"""Commands about models: `/model`, `/models`, `/cost`. Text after the slash in, values out; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.commands.reading import short
from layers.errors import BadInput

NAME = re.compile(r"[\w.-]+(?:[/:@][\w.-]+)*")
SCOPES = {"": "day", "day": "day", "person": "person", "channel": "channel", "model": "model"}


@dataclass(frozen=True, slots=True)
class PinModel:
    """`/model`. Whether there is such a model is for the router to say."""

    name: str = ""
    """Empty: tell which one is pinned. `auto`: none from now on."""


@dataclass(frozen=True, slots=True)
class ShowModels:
    """`/models`."""


@dataclass(frozen=True, slots=True)
class ShowCost:
    """`/cost`."""

    by: str = "day"
    """`day`, `person`, `channel` or `model`."""


Routed = PinModel | ShowModels | ShowCost


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One command of these, as `bot.commands.table` lists it."""

    name: str
    usage: str = ""
    doc: str
    examples: tuple[str, ...]
    read: Callable[[str], Routed]


def pin(rest: str) -> Routed:
    """`/model ollama/qwen3:8b`, `/model auto`, `/model`."""
    name = rest.strip()
    if name and not (NAME.fullmatch(name) and len(name) <= 200):
        raise BadInput(f"`/model` needs a model's name as `/models` shows it, or `auto`, and got {short(rest)}.")
    return PinModel(name)


def models(rest: str) -> Routed:
    """`/models`."""
    if rest.strip():
        raise BadInput(f"`/models` takes nothing after it, and got {short(rest)}; `/model <name>` pins one.")
    return ShowModels()


def cost(rest: str) -> Routed:
    """`/cost`, `/cost person`."""
    by = SCOPES.get(rest.strip().lower())
    if by is None:
        raise BadInput(f"`/cost` takes day, person, channel or model after it, and got {short(rest)}.", expected="day")
    return ShowCost(by)


ENTRIES = (
    Reader(
        name="model",
        usage="[<name> | auto]",
        doc="let this conversation be answered by one model, or by whichever suits",
        examples=("/model", "/model auto"),
        read=pin,
    ),
    Reader(
        name="models",
        doc="which models there are, what they can, cost, and how well they obey",
        examples=("/models",),
        read=models,
    ),
    Reader(
        name="cost",
        usage="[day | person | channel | model]",
        doc="what models have cost in the last seven days",
        examples=("/cost", "/cost model"),
        read=cost,
    ),
)
"""Every one of them, in the order of `/help`."""
