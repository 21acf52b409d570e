"""What a command means: one frozen value each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.commands.governing import Governed
from bot.commands.routing import Routed


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """`/help`."""


@dataclass(frozen=True, slots=True)
class ShowPending:
    """`/pending`: what waits for a decision; with a request's id its card, once more."""

    request: str = ""


@dataclass(frozen=True, slots=True)
class ShowWhy:
    """`/why`: which model answered last, and why that one."""


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """`/stop`: no more of the answer that is being given."""


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """`/status`: what works and what does not."""


@dataclass(frozen=True, slots=True)
class DrawDiagram:
    """`/diagram`."""

    source: str
    """Mermaid, without its fence."""
    look: frozenset[str] = frozenset()
    """Words of `LOOKS` that stood before it."""


@dataclass(frozen=True, slots=True)
class RunCapability:
    """`/run`. Whether the capability exists and takes these parameters is for the control layer to say."""

    capability: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProposePatch:
    """`/patch`."""

    diff: str
    """A unified diff without its fence, ending in a newline."""
    base: str = ""
    """The revision that the diff was made against; empty means the workspace's head."""
    workspace: str = ""
    """Its name in bulkhead.toml; empty means the first."""


@dataclass(frozen=True, slots=True)
class RevertCommit:
    """`/revert`."""

    commit: str
    """Any revision."""
    workspace: str = ""
    """Its name in bulkhead.toml; empty means the first."""


@dataclass(frozen=True, slots=True)
class ListSchedules:
    """`/schedule`."""


@dataclass(frozen=True, slots=True)
class AddSchedule:
    """`/schedule "<cron>" <zone> <text>`. Whether cron and zone make sense is for `bot.schedule` to say."""

    cron: str
    timezone: str
    text: str
    """A message or a command that `parse` accepts."""


@dataclass(frozen=True, slots=True)
class RemoveSchedule:
    """`/schedule remove <id>`."""

    id: int


@dataclass(frozen=True, slots=True)
class ShowRules:
    """`/rules`."""


@dataclass(frozen=True, slots=True)
class AddRule:
    """`/rules add <text>`."""

    text: str


@dataclass(frozen=True, slots=True)
class RemoveRule:
    """`/rules remove <id>`."""

    id: int


@dataclass(frozen=True, slots=True)
class ShowTransports:
    """`/transports`: how each provider's account is."""


@dataclass(frozen=True, slots=True)
class ShowPeople:
    """`/people`: who is who here."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`/pair <code>`: let in whoever was told that code."""

    code: str
    choice: str = "in"
    """`in`, `approver`, `me` or `refuse`."""


Command = (
    ShowHelp | ShowPending | ShowWhy | ShowStatus | StopAnswer | DrawDiagram | RunCapability | ProposePatch
    | RevertCommit
    | ListSchedules | AddSchedule | RemoveSchedule | ShowRules | AddRule | RemoveRule
    | ShowTransports | ShowPeople | Pair | Routed | Governed
)  # fmt: skip
