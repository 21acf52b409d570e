"""What `/status` says: what works here, what does not, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the wiring knows."""

    version: str
    started_at: float
    """Epoch seconds."""
    database: str
    counts: Mapping[str, int]
    accounts: tuple[str, ...]
    """One sentence per provider's account that is not well."""
    workers: int
    models: tuple[str, ...]
    model_problems: tuple[str, ...]
    sandbox: str
    """The profile that holds; empty when nothing has been run yet."""
    capabilities: str
    """A list in markdown."""
    policy: str
    """What is in force."""
    policy_problem: str
    """Why a newer file was not taken; empty when there is none."""
    approvers: tuple[str, ...]
    pending: int
    frozen: str
    """Who froze everything, since when and why; empty while nothing is frozen."""
    drills: str
    """How many decoys were caught."""
    workspaces: Mapping[str, Path]
    """By name, the first one first."""


CONNECT = (
    "Set `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GEMINI_API_KEY` or another provider's usual key in the environment or "
    "in `.env` and restart, or start Ollama, LM Studio or llama.cpp on this machine."
)


def status_text(facts: Facts) -> str:
    """Markdown, one line a part."""
    counts = facts.counts
    models = ", ".join(f"`{name}`" for name in facts.models) or f"none connected. {CONNECT}"
    sandbox = facts.sandbox or "tried at the first run"
    lines = [
        f"**Bulkhead {facts.version}**, up {duration(time.time() - facts.started_at)}",
        "",
        f"- database: {facts.database}, {facts.workers} process{'' if facts.workers == 1 else 'es'}",
        f"- turns running: {counts['running']}, events waiting: {counts['pending']}, unsent: {counts['unsent']}, "
        f"failed: {counts['failed']}, outcome unknown: {counts['unknown']}, too late: {counts['expired']}",
        *[f"- {account}" for account in facts.accounts],
        f"- models: {models}",
        *[f"  - {problem}" for problem in facts.model_problems],
        f"- sandbox: {sandbox}",
        "- capabilities:",
        *[f"  {line}" for line in facts.capabilities.splitlines()],
        f"- policy: {facts.policy}",
        *([f"  - a newer file was not taken: {facts.policy_problem}"] if facts.policy_problem else []),
        f"- approvers: {', '.join(facts.approvers) or 'none, so nothing can be approved: set one in bulkhead.toml'}",
        f"- waiting for a decision: {facts.pending}",
        *([f"- **frozen** {facts.frozen}: nothing begins until an approver sends /unfreeze"] if facts.frozen else []),
        f"- drills: {facts.drills}",
        *(f"- workspace{f' {name}' * (name != 'workspace')}: `{path}`" for name, path in facts.workspaces.items()),
    ]
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """`3 d 4 h`, the two largest units."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left = int(seconds)
    parts: list[str] = []
    for name, size in units:
        if left >= size or (name == "s" and not parts):
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts[:2])
