"""What the wiring hands to the dispatcher."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.agent import Agent
from layers.control import Catalog, Executor, Rules, Signer
from layers.coordination import Coordinator
from layers.errors import Refused
from layers.presentation import Presenter
from layers.routing import Model
from layers.store import Store, Tx
from layers.transport import Policy


class Schedules(Protocol):
    """What `/schedule` needs. bot.schedule is of this floor, so the wiring passes it; each takes a transaction."""

    def add(self, tx: Tx, conversation: str, cron: str, timezone: str, text: str, created_by: str) -> str:
        """Keep one; the line that tells of it. Raises BadInput or Refused."""

    def remove(self, tx: Tx, number: int, conversation: str) -> None:
        """Forget one. Raises Refused."""

    def listing(self, tx: Tx, conversation: str) -> list[str]:
        """One line of markdown each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The five layers and the few facts a turn needs."""

    store: Store
    presenter: Presenter
    catalog: Catalog
    executor: Executor
    coordinator: Coordinator
    agent: Agent
    workspaces: Mapping[str, Path]
    """By name; the first one is meant where none is named."""
    rules: Callable[[Tx], Rules]
    """Who may decide and what the manifests are, at the moment of a decision."""
    signer: Signer
    approval_ttl_s: float
    keep_media: Callable[[Tx, str, bytes], str]
    """(content type, content) -> digest."""
    schedules: Schedules
    status: Callable[[], Awaitable[str]]
    """What `/status` says, in markdown."""
    has_model: Callable[[], Awaitable[bool]]
    models: Callable[[], Awaitable[Sequence[Model]]]
    """Every model there is."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """By channel: what the operator lets each one do."""
    notes: str = ""
    """The conversation where the owner is told of what did not arrive."""
    page: str = ""
    """Where people open the page: `https://chat.example.org`."""

    def workspace(self, name: str) -> Path:
        """The folder of a workspace.

        Raises:
            Refused: bulkhead.toml knows none of that name.
        """
        known = name or next(iter(self.workspaces))
        if known not in self.workspaces:
            raise Refused(f"there is no workspace {name[:40]!r}; bulkhead.toml has {', '.join(self.workspaces)}")
        return self.workspaces[known]

    def name_of(self, workspace: Path) -> str:
        """What cards call a workspace; empty where there is but one."""
        names = {folder: name for name, folder in self.workspaces.items()} if len(self.workspaces) > 1 else {}
        return names.get(workspace, "")
