"""What control's tests share: a home with the shipped capabilities, people, and rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.control import Action, Catalog, Context, Plan, Rules, install_capabilities, plan
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
def rules(catalog: Catalog) -> Rules:
    return Rules(approvers=(OWNER,), manifests=catalog.digests)


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
