"""What control's tests share: a home with the shipped capabilities, people, and rules."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from layers.control import (
    Action,
    Catalog,
    Context,
    Executor,
    Outcome,
    Plan,
    Rules,
    SigningKey,
    install_capabilities,
    plan,
    sign_warrant,
    warrant_for,
)
from layers.control.executor import Told
from layers.types import Person

OWNER = Person(id="owner", name="Olga Owner")
GUEST = Person(id="guest", name="Gus Guest")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "workspace").mkdir(parents=True)
    install_capabilities(tmp_path / "home" / "capabilities")
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path) -> Path:
    return home / "workspace"


@pytest.fixture
def catalog(home: Path, workspace: Path) -> Catalog:
    return Catalog.load(home / "capabilities", workspace)


@pytest.fixture
def rules(home: Path, catalog: Catalog) -> Rules:
    return Rules(approvers=(OWNER,), manifests=catalog.digests, signer=SigningKey.open(home / "keys"))


@pytest.fixture
def note(catalog: Catalog) -> Plan:
    return plan(catalog, action("workspace.write-note", name="todo", text="buy milk"))


@pytest.fixture
def context(rules: Rules) -> Context:
    return Context(conversation_id="web:main", turn_id=1, requested_by=OWNER, rules=rules, reason="the agent says so")


def action(capability: str, **parameters: str) -> Action:
    return Action(capability=capability, parameters=parameters, requested_by=OWNER)


def script_plan(workspace: Path, *argv: str, **changes: object) -> Plan:
    """A plan that no shipped manifest makes: the sandbox must hold whatever is run in it."""
    values = {
        "capability": "test.probe",
        "version": 1,
        "title": "Probe",
        "parameters": {},
        "argv": argv,
        "cwd": str(workspace),
        "scope": "test",
        "risk": 1,
        "timeout_s": 20,
        "output_cap_bytes": 65_536,
        "environment": ("HOME", "LANG", "PATH", "TMPDIR"),
        "manifest_digest": "",
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def signed(home: Path, run_id: str, made: Plan, **changes: object) -> str:
    """A warrant as control makes one when the owner has approved."""
    values: dict[str, object] = {"now": time.time(), "decisions": ("owner",) if made.risk else (), **changes}
    return sign_warrant(SigningKey.open(home / "keys"), warrant_for(run_id, made, **values))  # type: ignore[arg-type]


class Approved(Executor):
    """The executor, handed a good warrant wherever a test brings none."""

    async def run(self, run_id: str, plan: Plan, warrant: str = "", on_running: Told | None = None) -> Outcome:
        return await super().run(run_id, plan, warrant or signed(self.home, run_id, plan), on_running)
